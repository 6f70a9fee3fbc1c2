/*
 * driver.c - makes real sockets pass through their states and says, by its own clock, when.
 *
 *   driver LOCAL SILENT [LOCAL SILENT]...
 *
 * For each pair of addresses (of either family) a server, which is a process of its own, listens
 * on LOCAL and a client connects to it; nobody answers at SILENT. The driver goes from stage to
 * stage with every line on standard input and prints "stage N" when it is there. Every spell is
 * printed when it is over, or at the end:
 *
 *   spell,NAME,PROTO,LOCAL,PORT,PEER,PORT,STATE,ENTERED_LO,ENTERED_HI,LEFT_LO,LEFT_HI,PID,COMM,SOURCE
 *
 * Times are CLOCK_REALTIME in ns, read before the system call that causes the change and after the
 * kernel has confirmed it. LEFT_* are empty for what is still there. SOURCE is how a recording has
 * to know the owner. Only states that last are told of.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a connection is there for. */
enum role {
	STAYS,	    /* established until the end */
	CLOSED,	    /* stage 1: the client says FIN, keeps its fd; stage 2: the server closes */
	PARTED,	    /* stage 1: both close, the client first: TIME-WAIT at once */
	DROPPED,    /* stage 1: the client closes and is gone: an orphan in FIN-WAIT-2 */
	UNREAD,	    /* bytes lie in the server's receive queue */
	STUFFED,    /* so many that the client's send queue fills, too */
	UNACCEPTED, /* accepted in stage 2 only; the last to connect */
	ROLES
};

static const char *const role_names[ROLES] = {
	"stays", "closed", "parted", "dropped", "unread", "stuffed", "unaccepted",
};

#define SERVER_COMM "slt-server"
#define CLIENT_COMM "slt-client"
#define PARTIES_MAX 4
#define SECOND_NS   INT64_C(1000000000)

struct when {
	int64_t lo;
	int64_t hi;
};

/* One end of a connection, or a socket without a peer. Its fd is that of the process with `pid`. */
struct end {
	const char *name;
	const char *proto;
	const char *comm;
	const char *source;
	const char *state; /* NULL: no spell is open */
	struct when entered;
	struct sockaddr_storage local, peer;
	pid_t pid;
	int fd;
};

struct party {
	struct end listener;
	struct end server[ROLES];
	struct end client[ROLES];
	struct end syn_sent;
	struct end udp_bound;
	struct end udp_linked;
	struct sockaddr_storage bind_to; /* the listener's address */
	struct sockaddr_storage silent;
};

/* Shared by both processes; the server works only while the client waits for it. */
struct stage {
	struct party party[PARTIES_MAX];
	unsigned parties;
	int orders[2];
	int replies[2];
};

struct order {
	char verb;
	unsigned char party;
	unsigned char role;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static void pause_us(long us)
{
	struct timespec ts = {us / 1000000, us % 1000000 * 1000};
	nanosleep(&ts, NULL);
}

/* Addresses. */

static socklen_t addr_len(const struct sockaddr_storage *sa)
{
	return sa->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* The port lies at the same place in both families. */
static in_port_t *addr_port(struct sockaddr_storage *sa)
{
	return &((struct sockaddr_in *)sa)->sin_port;
}

static void addr_print(struct sockaddr_storage sa)
{
	char text[INET6_ADDRSTRLEN] = "";
	const void *bytes = sa.ss_family == AF_INET
				    ? (const void *)&((struct sockaddr_in *)&sa)->sin_addr
				    : (const void *)&((struct sockaddr_in6 *)&sa)->sin6_addr;
	inet_ntop(sa.ss_family, bytes, text, sizeof(text));
	printf(",%s,%u", text, ntohs(*addr_port(&sa)));
}

static struct sockaddr_storage addr_parse(const char *text)
{
	struct sockaddr_storage sa = {0};
	if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&sa)->sin_addr) == 1)
		sa.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&sa)->sin6_addr) == 1)
		sa.ss_family = AF_INET6;
	else
		die(text);
	return sa;
}

/* Spells. */

/* Ends the open spell, if there is one; left NULL: the socket is still in it. */
static void spell_over(struct end *end, const struct when *left)
{
	if (!end->state)
		return;
	printf("spell,%s,%s", end->name, end->proto);
	addr_print(end->local);
	addr_print(end->peer);
	printf(",%s,%" PRId64 ",%" PRId64 ",", end->state, end->entered.lo, end->entered.hi);
	if (left)
		printf("%" PRId64 ",%" PRId64, left->lo, left->hi);
	else
		printf(",");
	printf(",%d,%s,%s\n", (int)end->pid, end->comm, end->source);
	end->state = NULL;
}

/* The change happened between `since_ns` and now. */
static void spell_begin(struct end *end, const char *state, const char *source, int64_t since_ns)
{
	struct when entered = {since_ns, now_ns()};
	spell_over(end, &entered);
	end->state = state;
	end->source = source;
	end->entered = entered;
}

static void spell_end(struct end *end, int64_t since_ns)
{
	spell_over(end, &(struct when){since_ns, now_ns()});
}

/* TIME-WAIT is the kernel's: 60 s, then up to 2.05 s until it is reaped. */
static void time_wait_end(struct end *end)
{
	struct when left = {end->entered.lo + 60 * SECOND_NS, end->entered.hi + 63 * SECOND_NS};
	spell_over(end, left.hi < now_ns() ? &left : NULL);
}

/* Sockets. */

static struct tcp_info tcp_info(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	return info;
}

static void await(int fd, unsigned state)
{
	for (int i = 0; tcp_info(fd).tcpi_state != state; i++) {
		errno = ETIMEDOUT;
		if (i > 50000)
			die("a state was not reached");
		pause_us(200);
	}
}

static void end_init(struct end *end, const char *name, const char *proto, const char *comm)
{
	*end = (struct end){.name = name, .proto = proto, .comm = comm, .pid = getpid()};
}

static void end_open(struct end *end, const struct sockaddr_storage *local, int type)
{
	struct sockaddr_storage sa = *local;
	*addr_port(&sa) = 0;
	end->fd = socket(sa.ss_family, type, 0);
	if (end->fd < 0 || bind(end->fd, (struct sockaddr *)&sa, addr_len(&sa)))
		die("bind");
}

static void end_connect(struct end *end, const struct sockaddr_storage *peer)
{
	if (connect(end->fd, (const struct sockaddr *)peer, addr_len(peer)) && errno != EINPROGRESS)
		die("connect");
}

static void end_learn(struct end *end)
{
	socklen_t len = sizeof(end->local);
	if (getsockname(end->fd, (struct sockaddr *)&end->local, &len))
		die("getsockname");
	end->peer.ss_family = end->local.ss_family;
}

static void end_close(struct end *end)
{
	close(end->fd);
	end->fd = -1;
}

/* The server: another process, so that the two ends of a connection have different owners. */

static void server_do(struct party *party, struct order order)
{
	struct end *end = &party->server[order.role];
	switch (order.verb) {
	case 'l': /* listen */
		end_init(&party->listener, "listener", "tcp", SERVER_COMM);
		end_open(&party->listener, &party->bind_to, SOCK_STREAM);
		if (listen(party->listener.fd, 16))
			die("listen");
		end_learn(&party->listener);
		break;
	case 'a': /* accept */
		end->fd = accept(party->listener.fd, NULL, NULL);
		if (end->fd < 0)
			die("accept");
		break;
	case 'w': /* wait for the client's FIN */
		await(end->fd, TCP_CLOSE_WAIT);
		break;
	case 'f': /* answer it; done once the client has acknowledged that */
		if (shutdown(end->fd, SHUT_WR))
			die("shutdown");
		await(end->fd, TCP_CLOSE);
		end_close(end);
		break;
	case 'q': /* a connection that has not been accepted is waiting */
		while (tcp_info(party->listener.fd).tcpi_unacked == 0)
			pause_us(200);
		break;
	case 'c':
		end_close(&party->listener);
		break;
	}
}

static void server_main(struct stage *stage)
{
	struct order order;
	prctl(PR_SET_NAME, SERVER_COMM);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(stage->orders[0], &order, sizeof(order)) == sizeof(order)) {
		server_do(&stage->party[order.party], order);
		if (write(stage->replies[1], &order.verb, 1) != 1)
			break;
	}
	_exit(0);
}

/* Has the server do something and waits until it is done. */
static void tell(struct stage *stage, char verb, unsigned party, unsigned role)
{
	struct order order = {verb, (unsigned char)party, (unsigned char)role};
	char reply;
	if (write(stage->orders[1], &order, sizeof(order)) != sizeof(order) ||
	    read(stage->replies[0], &reply, 1) != 1)
		die("the server has gone");
}

/* The stages. */

/* Connects one pair of ends. */
static void pair_up(struct stage *stage, unsigned i, unsigned role)
{
	struct party *p = &stage->party[i];
	struct end *client = &p->client[role], *server = &p->server[role];
	end_init(client, role_names[role], "tcp", CLIENT_COMM);
	end_open(client, &p->listener.local, SOCK_STREAM);
	int64_t begin = now_ns();
	end_connect(client, &p->listener.local);
	end_learn(client);
	client->peer = p->listener.local;
	end_init(server, role_names[role], "tcp", SERVER_COMM);
	server->pid = p->listener.pid;
	tell(stage, role == UNACCEPTED ? 'q' : 'a', i, role);
	server->local = client->peer;
	server->peer = client->local;
	spell_begin(client, "ESTAB", "fd", begin);
	spell_begin(server, "ESTAB", role == UNACCEPTED ? "listener" : "fd", begin);
}

static void fill_queues(struct party *p)
{
	static const char bytes[4096];
	if (send(p->client[UNREAD].fd, bytes, 1000, 0) != 1000)
		die("send");
	while (send(p->client[STUFFED].fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void open_lonely(struct party *p)
{
	struct sockaddr_storage silent = p->silent;
	*addr_port(&silent) = htons(9200);
	end_init(&p->syn_sent, "silent", "tcp", CLIENT_COMM);
	/* No bind: the address is that of the way to the silent one. */
	p->syn_sent.fd = socket(silent.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int64_t begin = now_ns();
	end_connect(&p->syn_sent, &silent);
	end_learn(&p->syn_sent);
	p->syn_sent.peer = silent;
	spell_begin(&p->syn_sent, "SYN-SENT", "fd", begin);

	begin = now_ns();
	end_init(&p->udp_bound, "udp-bound", "udp", CLIENT_COMM);
	end_open(&p->udp_bound, &p->listener.local, SOCK_DGRAM);
	end_learn(&p->udp_bound);
	spell_begin(&p->udp_bound, "UNCONN", "fd", begin);

	begin = now_ns();
	end_init(&p->udp_linked, "udp-linked", "udp", CLIENT_COMM);
	end_open(&p->udp_linked, &p->listener.local, SOCK_DGRAM);
	end_connect(&p->udp_linked, &p->udp_bound.local);
	end_learn(&p->udp_linked);
	p->udp_linked.peer = p->udp_bound.local;
	spell_begin(&p->udp_linked, "ESTAB", "fd", begin);
}

/* The client says FIN; the server has it when this returns. */
static void half_close(struct stage *stage, unsigned i, unsigned role)
{
	struct party *p = &stage->party[i];
	struct end *client = &p->client[role];
	int64_t begin = now_ns();
	if (role == DROPPED)
		end_close(client);
	else if (shutdown(client->fd, SHUT_WR))
		die("shutdown");
	tell(stage, 'w', i, role);
	if (role == DROPPED)
		pause_us(300000); /* more than a delayed ACK takes; nobody can be asked */
	else
		await(client->fd, TCP_FIN_WAIT2);
	spell_begin(&p->server[role], "CLOSE-WAIT", "fd", begin);
	spell_begin(client, "FIN-WAIT-2", role == DROPPED ? "history" : "fd", begin);
}

/* The server answers the FIN: it is through, the client waits for stragglers. */
static void full_close(struct stage *stage, unsigned i, unsigned role)
{
	struct party *p = &stage->party[i];
	int64_t begin = now_ns();
	tell(stage, 'f', i, role);
	spell_end(&p->server[role], begin);
	spell_begin(&p->client[role], "TIME-WAIT", "history", begin);
	if (p->client[role].fd >= 0)
		end_close(&p->client[role]);
}

static void stage_0(struct stage *stage, unsigned i)
{
	struct party *p = &stage->party[i];
	int64_t begin = now_ns();
	tell(stage, 'l', i, 0);
	spell_begin(&p->listener, "LISTEN", "fd", begin);
	for (unsigned role = 0; role < ROLES; role++)
		pair_up(stage, i, role);
	fill_queues(p);
	open_lonely(p);
}

static void stage_1(struct stage *stage, unsigned i)
{
	half_close(stage, i, CLOSED);
	half_close(stage, i, PARTED);
	full_close(stage, i, PARTED);
	half_close(stage, i, DROPPED);
}

static void stage_2(struct stage *stage, unsigned i)
{
	struct party *p = &stage->party[i];
	full_close(stage, i, CLOSED);
	full_close(stage, i, DROPPED);
	int64_t begin = now_ns();
	end_close(&p->syn_sent);
	spell_end(&p->syn_sent, begin);

	tell(stage, 'a', i, UNACCEPTED);
	p->server[UNACCEPTED].source = "fd";
}

static void stage_end(struct stage *stage, unsigned i)
{
	struct party *p = &stage->party[i];
	for (unsigned role = 0; role < ROLES; role++) {
		if (role == CLOSED || role == PARTED || role == DROPPED)
			time_wait_end(&p->client[role]);
		else
			spell_over(&p->client[role], NULL);
		spell_over(&p->server[role], NULL);
	}
	int64_t begin = now_ns();
	tell(stage, 'c', i, 0);
	spell_end(&p->listener, begin);
	spell_over(&p->udp_bound, NULL);
	spell_over(&p->udp_linked, NULL);
	spell_over(&p->syn_sent, NULL);
}

/* Runs a stage for every pair of addresses, then says so. */
static void all(struct stage *stage, void (*run)(struct stage *, unsigned), const char *said)
{
	for (unsigned i = 0; i < stage->parties; i++)
		run(stage, i);
	printf("%s\n", said);
	fflush(stdout);
}

static void await_line(void)
{
	int c;
	while ((c = getchar()) != '\n' && c != EOF)
		;
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc % 2 == 0 || argc > 1 + 2 * PARTIES_MAX) {
		fprintf(stderr, "usage: driver LOCAL SILENT [LOCAL SILENT]...\n");
		return 2;
	}
	struct stage *stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage == MAP_FAILED || pipe(stage->orders) || pipe(stage->replies))
		die("start");
	for (int i = 1; i + 1 < argc; i += 2) {
		stage->party[stage->parties].bind_to = addr_parse(argv[i]);
		stage->party[stage->parties++].silent = addr_parse(argv[i + 1]);
	}
	pid_t server = fork();
	if (server < 0)
		die("fork");
	if (server == 0)
		server_main(stage);
	close(stage->replies[1]);
	prctl(PR_SET_NAME, CLIENT_COMM);

	all(stage, stage_0, "stage 0");
	await_line();
	all(stage, stage_1, "stage 1");
	await_line();
	all(stage, stage_2, "stage 2");
	await_line();
	all(stage, stage_end, "end");
	close(stage->orders[1]);
	waitpid(server, NULL, 0);
	return 0;
}
