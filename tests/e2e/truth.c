/*
 * truth.c - drives many connections through all TCP states at random times and says when each
 * state was entered.
 *
 *   truth SECONDS CONNECTIONS SEED LOCAL SILENT [TRACING]
 *
 * All connections are on LOCAL, an address that no other namespace has or lately had (their last
 * sockets may still be closing), but for those to SILENT, an address where nobody answers. Loss is
 * made by socket filters: an end that "drops" does not see what arrives. The states come from the
 * kernel's tracepoint if TRACING (a tracefs) is given and works, else from looking at TCP_INFO
 * every few milliseconds, and right before and after everything that is done. Prints
 *
 *   source,trace|poll
 *   truth,PORT,PEER_PORT,STATE,ENTERED_LO,ENTERED_HI,LEFT_LO,LEFT_HI
 *
 * times in ns of CLOCK_REALTIME, LEFT_* empty where it is not known, and then waits for the end of
 * standard input with all sockets as they are.
 */
#include "truth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS	INT64_C(1000000)
#define NS_PER_S	INT64_C(1000000000)
#define POLL_NS		(15 * NS_PER_MS)
#define REQUEST_LIFE_NS (30 * NS_PER_S) /* surely not yet over */
#define PLAYS_MAX	4000
#define PORT		7777
#define FIRST_CLIENT	10000
#define PORT_LAZY	7778 /* its server never accepts */

/*
 * What a connection does, one letter a step:
 *   c connect   b connect to SILENT   n connect to the server that does not accept
 *   h  SILENT connects to the server: a SYN of its, and no word more
 *   x X  client, server drop what arrives   o O  they let it in again
 *   > <  client, server send a little       z  client sends more than fits
 *   r R  client, server read all            k  client's keepalive on
 *   s S  client, server shut their side     q Q  they close
 */
static const char *const plans[] = {
	"b",	     "b",	  "b",	      "xcoQ",	   "xc><oqQ",	"xco><<Qq",  "c><Qq",
	"cQq",	     "c<<qQ",	  "c>RSq",    "cS>q",	   "cs<<rQq",	"cs<r<rQ",   "cXs<OSqQ",
	"cXsOQ",     "cSXqOQ",	  "c>RSXqOQ", "cxXsSOoqQ", "cxXSsoOQq", "csXSOqQ",   "cXqOQ",
	"c>RXqO<Q",  "czsR<rSqQ", "czqRQ",    "n>",	   "nq",	"ck>R<rQ>q", "ckSq",
	"c><r>R<rs", "c><rQ",	  "c<<r",     "c>>",	   "c",		"ckxQoq",    "c>RXQOq",
	"h",	     "h",	  "hh",
};

const char *truth_address;
static const char *silent;
static int listener, lazy_listener;
static int raw; /* for packets of our own making */
static struct play plays[PLAYS_MAX];
static unsigned plays_count;
static int64_t pause_most_ns;

int64_t truth_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

void truth_note(struct end *end, unsigned state, int64_t lo_ns, int64_t hi_ns)
{
	if (end->count < MOMENTS_MAX)
		end->moments[end->count++] = (struct moment){(uint8_t)state, lo_ns, hi_ns};
}

/* random() has 31 bits: of nanoseconds that is two seconds. */
static int64_t random_below_ns(int64_t limit_ns)
{
	return (int64_t)((uint64_t)random() << 31 | (uint64_t)random()) % limit_ns;
}

/* From 3 ms to the longest pause, each order of magnitude as often. */
static int64_t random_pause_ns(void)
{
	int64_t most_ns = 3 * NS_PER_MS;
	while (most_ns < pause_most_ns && random() % 8)
		most_ns *= 2;
	if (most_ns > pause_most_ns)
		most_ns = pause_most_ns;
	return random_below_ns(most_ns);
}

/* Looks at a socket's state: what is new came since the last look. */
static void look(struct end *end)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	if (end->fd < 0)
		return;
	int64_t now_ns = truth_now_ns();
	if (getsockopt(end->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	unsigned state = info.tcpi_state;
	unsigned last = end->count ? end->moments[end->count - 1].state : TCP_CLOSE;
	/* A full socket that is closed after these has left a remnant in TIME-WAIT. */
	if (state == TCP_CLOSE && (last == TCP_FIN_WAIT2 || last == TCP_CLOSING))
		state = TCP_TIME_WAIT;
	if (last == TCP_TIME_WAIT)
		state = last;
	if (state != last)
		truth_note(end, state, end->polled_ns, truth_now_ns());
	end->polled_ns = now_ns;
}

static void look_at(struct play *p)
{
	look(&p->end[0]);
	look(&p->end[1]);
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, text, &a.sin_addr);
	return a;
}

static int listen_on(uint16_t port, int backlog)
{
	struct sockaddr_in a = address(truth_address, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, backlog))
		die("listen");
	return fd;
}

/* A client has its socket and its port before it connects, so that it can drop from the start. */
static void make_client(struct play *p)
{
	struct end *end = &p->end[0];
	/* Each its own port: one that comes again would be another connection of the same name. */
	struct sockaddr_in a = address(truth_address, (uint16_t)(FIRST_CLIENT + (p - plays)));
	end->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (end->fd < 0 || bind(end->fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	end->port = ntohs(a.sin_port);
	end->polled_ns = truth_now_ns();
}

static void do_connect(struct play *p, const char *to, uint16_t port)
{
	struct sockaddr_in a = address(to, port);
	struct end *client = &p->end[0], *server = &p->end[1];
	client->peer_port = server->port = port;
	server->peer_port = client->port;
	int64_t lo_ns = truth_now_ns();
	if (connect(client->fd, (struct sockaddr *)&a, sizeof(a)) && errno != EINPROGRESS)
		die("connect");
	if (to != silent)
		truth_note(server, TCP_SYN_RECV, lo_ns, truth_now_ns());
}

/* The sum that IP and TCP check their headers by (RFC 1071). */
static uint16_t checksum(const void *bytes, size_t len, uint32_t sum)
{
	const uint8_t *b = bytes;
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/*
 * SILENT asks for a connection, and will not hear the answer. If it has asked before and that
 * request is still there, it only repeats itself.
 */
static void do_half_open(struct play *p)
{
	struct end *server = &p->end[1];
	struct sockaddr_in to = address(truth_address, 0), from = address(silent, 0);
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet = {
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP},
		.tcp = {.syn = 1, .doff = 5, .window = htons(1000)},
	};
	server->port = PORT;
	server->peer_port = (uint16_t)(FIRST_CLIENT + (p - plays));
	packet.ip.saddr = from.sin_addr.s_addr;
	packet.ip.daddr = to.sin_addr.s_addr;
	packet.tcp.source = htons(server->peer_port);
	packet.tcp.dest = htons(PORT);
	packet.tcp.seq = htonl(server->peer_port);
	uint32_t pseudo = IPPROTO_TCP + sizeof(packet.tcp);
	for (unsigned i = 0; i < 32; i += 16)
		pseudo += (ntohl(packet.ip.saddr) >> i & 0xffff) +
			  (ntohl(packet.ip.daddr) >> i & 0xffff);
	packet.tcp.check = checksum(&packet.tcp, sizeof(packet.tcp), pseudo);
	int64_t lo_ns = truth_now_ns();
	if (sendto(raw, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("SYN");
	if (!server->count)
		truth_note(server, TCP_SYN_RECV, lo_ns, truth_now_ns());
}

static void drop(struct end *end, bool on)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {1, &nothing};
	int none = 0;
	if (end->fd < 0)
		return;
	if (on)
		setsockopt(end->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	else
		setsockopt(end->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}

/*
 * A half-open connection whose answers are dropped ends after a minute; a repeated SYN then makes
 * another one. When that was nobody knows.
 */
static void doubt_half_open(struct play *p)
{
	struct end *server = &p->end[1];
	int64_t now_ns = truth_now_ns();
	if (server->count == 1 && now_ns - server->moments[0].lo_ns > REQUEST_LIFE_NS)
		server->moments[0].hi_ns = now_ns;
}

static void do_send(struct end *end, bool much)
{
	static const char bytes[65536];
	if (end->fd < 0)
		return;
	do {
		if (send(end->fd, bytes, much ? sizeof(bytes) : 100, MSG_NOSIGNAL) < 0)
			return;
	} while (much);
}

static void do_read(struct end *end)
{
	static char bytes[65536];
	while (end->fd >= 0 && recv(end->fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static void do_keepalive(struct end *end)
{
	int one = 1;
	setsockopt(end->fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
	setsockopt(end->fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
	setsockopt(end->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

/* Unread input would turn the FIN into a reset. */
static void do_close(struct end *end)
{
	do_read(end);
	if (end->fd < 0)
		return;
	struct timespec mono;
	clock_gettime(CLOCK_MONOTONIC, &mono);
	end->closed_mono_ns = mono.tv_sec * NS_PER_S + mono.tv_nsec;
	end->closed_ns = truth_now_ns();
	close(end->fd);
	end->fd = -1;
}

static void do_shutdown(struct end *end)
{
	if (end->fd >= 0)
		shutdown(end->fd, SHUT_WR);
}

static void do_step(struct play *p)
{
	struct end *client = &p->end[0], *server = &p->end[1];
	switch (*p->step) {
	case 'c':
		do_connect(p, truth_address, PORT);
		break;
	case 'n':
		do_connect(p, truth_address, PORT_LAZY);
		break;
	case 'h':
		doubt_half_open(p);
		do_half_open(p);
		break;
	case 'b':
		do_connect(p, silent, PORT);
		break;
	case 'x':
		drop(client, true);
		break;
	case 'X':
		drop(server, true);
		break;
	case 'o':
		doubt_half_open(p);
		drop(client, false);
		break;
	case 'O':
		drop(server, false);
		break;
	case '>':
		do_send(client, false);
		break;
	case '<':
		do_send(server, false);
		break;
	case 'z':
		do_send(client, true);
		break;
	case 'r':
		do_read(client);
		break;
	case 'R':
		do_read(server);
		break;
	case 'k':
		do_keepalive(client);
		break;
	case 's':
		do_shutdown(client);
		break;
	case 'S':
		do_shutdown(server);
		break;
	case 'q':
		do_close(client);
		break;
	case 'Q':
		do_close(server);
		break;
	default:
		abort();
	}
}

/* Can the next step be done? What needs the server's end has to wait for accept(). */
static bool is_ready(const struct play *p)
{
	if (!*p->step || truth_now_ns() < p->due_ns)
		return false;
	bool begun = p->end[0].peer_port != 0;
	return !begun || !strchr("XO<RSQ", *p->step) || p->end[1].fd >= 0 || p->end[1].closed_ns;
}

static void act(struct play *p)
{
	if (p->end[0].port == 0 && *p->step != 'h')
		make_client(p);
	look_at(p);
	do_step(p);
	look_at(p);
	p->step++;
	p->due_ns = truth_now_ns() + random_pause_ns();
}

static void accept_all(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd;
	while ((fd = accept4(listener, (struct sockaddr *)&a, &len, SOCK_NONBLOCK)) >= 0) {
		for (unsigned i = 0; i < plays_count; i++) {
			struct end *server = &plays[i].end[1];
			if (server->fd >= 0 || server->peer_port != ntohs(a.sin_port))
				continue;
			server->fd = fd;
			server->polled_ns = server->moments[0].lo_ns;
			break;
		}
		len = sizeof(a);
	}
}

static void run(int64_t end_ns)
{
	int64_t next_look_ns = 0;
	while (truth_now_ns() < end_ns) {
		accept_all();
		for (unsigned i = 0; i < plays_count; i++)
			if (is_ready(&plays[i]))
				act(&plays[i]);
		if (truth_now_ns() >= next_look_ns) {
			for (unsigned i = 0; i < plays_count; i++)
				look_at(&plays[i]);
			next_look_ns = truth_now_ns() + POLL_NS;
		}
		nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
	}
}

static const char *const state_names[] = {
	[TCP_ESTABLISHED] = "ESTAB",	 [TCP_SYN_SENT] = "SYN-SENT",
	[TCP_SYN_RECV] = "SYN-RECV",	 [TCP_FIN_WAIT1] = "FIN-WAIT-1",
	[TCP_FIN_WAIT2] = "FIN-WAIT-2",	 [TCP_TIME_WAIT] = "TIME-WAIT",
	[TCP_CLOSE_WAIT] = "CLOSE-WAIT", [TCP_LAST_ACK] = "LAST-ACK",
	[TCP_CLOSING] = "CLOSING",
};

static void tell(const struct end *end)
{
	for (unsigned i = 0; i < end->count; i++) {
		const struct moment *m = &end->moments[i];
		if (m->state == TCP_CLOSE)
			continue;
		printf("truth,%u,%u,%s,%lld,%lld,", end->port, end->peer_port,
		       state_names[m->state], (long long)m->lo_ns, (long long)m->hi_ns);
		if (i + 1 < end->count)
			printf("%lld,%lld\n", (long long)m[1].lo_ns, (long long)m[1].hi_ns);
		else
			printf(",\n");
	}
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	int64_t length_ns = atoll(argv[1]) * NS_PER_S;
	plays_count = (unsigned)atoi(argv[2]) < PLAYS_MAX ? (unsigned)atoi(argv[2]) : PLAYS_MAX;
	srandom((unsigned)atoi(argv[3]));
	truth_address = argv[4];
	silent = argv[5];
	pause_most_ns = length_ns / 5;
	listener = listen_on(PORT, 1000);
	lazy_listener = listen_on(PORT_LAZY, 1000);
	raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (raw < 0)
		die("raw socket");
	int64_t begin_ns = truth_now_ns();
	for (unsigned i = 0; i < plays_count; i++) {
		plays[i].step = plans[i % (sizeof(plans) / sizeof(plans[0]))];
		plays[i].due_ns = begin_ns + random_below_ns(length_ns / 2);
		plays[i].end[0].fd = plays[i].end[1].fd = -1;
	}
	bool traced = argc > 6 && truth_trace_begin(argv[6]);
	run(begin_ns + length_ns);
	for (unsigned i = 0; i < plays_count; i++)
		if (plays[i].end[0].port) /* SILENT repeats itself only when told to */
			doubt_half_open(&plays[i]);
	if (traced)
		traced = truth_trace_end(argv[6], plays, plays_count);
	printf("source,%s\n", traced ? "trace" : "poll");
	for (unsigned i = 0; i < plays_count; i++) {
		tell(&plays[i].end[0]);
		tell(&plays[i].end[1]);
	}
	printf("end\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
