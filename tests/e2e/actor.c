/*
 * actor.c - a process that does with sockets what it is told, one order a line on standard input:
 *
 *   actor NAME        it is called NAME (comm)
 *
 *   listen I ADDRESS PORT BACKLOG
 *   make I                                a TCP socket, for start and connect
 *   start I ADDRESS PORT [LOCAL PORT]     connect, without waiting for the answer; LOCAL: bound
 * first connect I ADDRESS PORT [LOCAL PORT]   the same, and waits until it is established accept I
 * J                            a connection of listener J becomes I send I BYTES    read I BYTES as
 * much of it as goes at once shut I          close I await I STATE                         until
 * TCP_INFO says so (number of include/net/tcp_states.h) files N RLIMIT_NOFILE, soft and hard child
 * forks a process that holds all the same sockets
 *
 * I and J are any numbers below 4096 by which sockets are known. IPv4 only. After each order it
 * prints "done K", K = 1, 2, ...; an order that fails ends it with a message.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS 4096u
#define WORDS	6

struct order {
	const char *word[WORDS + 1];
	int count;
};

static int fds[SOCKETS];

static _Noreturn void fail(const struct order *o, const char *why)
{
	fprintf(stderr, "actor: %s %s: %s\n", o->word[0], o->count > 1 ? o->word[1] : "", why);
	exit(1);
}

static void must(const struct order *o, int rc)
{
	if (rc < 0)
		fail(o, strerror(errno));
}

static int *slot(const struct order *o, int at)
{
	unsigned long i = o->count > at ? strtoul(o->word[at], NULL, 10) : SOCKETS;
	if (i >= SOCKETS)
		fail(o, "which socket?");
	return &fds[i];
}

static struct sockaddr_in address(const struct order *o, int at)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	if (o->count < at + 2 || inet_pton(AF_INET, o->word[at], &a.sin_addr) != 1)
		fail(o, "which address?");
	a.sin_port = htons((uint16_t)atoi(o->word[at + 1]));
	return a;
}

static long number(const struct order *o, int at)
{
	if (o->count <= at)
		fail(o, "how many?");
	return atol(o->word[at]);
}

static void do_listen(const struct order *o)
{
	struct sockaddr_in a = address(o, 2);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	must(o, fd);
	must(o, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must(o, bind(fd, (struct sockaddr *)&a, sizeof(a)));
	must(o, listen(fd, (int)number(o, 4)));
	*slot(o, 1) = fd;
}

static void do_make(const struct order *o)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(o, fd);
	*slot(o, 1) = fd;
}

static void do_start(const struct order *o)
{
	struct sockaddr_in a = address(o, 2);
	if (!*slot(o, 1))
		do_make(o);
	int fd = *slot(o, 1);
	if (o->count > 4) {
		struct sockaddr_in local = address(o, 4);
		must(o, bind(fd, (struct sockaddr *)&local, sizeof(local)));
	}
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != EINPROGRESS)
		must(o, -1);
}

static void do_connect(const struct order *o)
{
	do_start(o);
	struct pollfd p = {.fd = *slot(o, 1), .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);
	must(o, poll(&p, 1, 20000) == 1 ? 0 : -1);
	must(o, getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len));
	errno = error;
	must(o, error ? -1 : 0);
}

static void do_accept(const struct order *o)
{
	int fd = accept(*slot(o, 2), NULL, NULL);
	must(o, fd);
	*slot(o, 1) = fd;
}

static void do_send(const struct order *o)
{
	static const char bytes[65536];
	for (long left = number(o, 2); left > 0;) {
		size_t n = left < (long)sizeof(bytes) ? (size_t)left : sizeof(bytes);
		ssize_t sent = send(*slot(o, 1), bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			return;
		must(o, (int)sent);
		left -= sent;
	}
}

static void do_read(const struct order *o)
{
	static char bytes[65536];
	for (long left = number(o, 2); left > 0;) {
		size_t n = left < (long)sizeof(bytes) ? (size_t)left : sizeof(bytes);
		ssize_t got = recv(*slot(o, 1), bytes, n, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno == EAGAIN))
			return;
		must(o, (int)got);
		left -= got;
	}
}

static void do_shut(const struct order *o)
{
	must(o, shutdown(*slot(o, 1), SHUT_WR));
}

static void do_close(const struct order *o)
{
	must(o, close(*slot(o, 1)));
	*slot(o, 1) = 0;
}

static void do_await(const struct order *o)
{
	for (int tries = 0; tries < 100000; tries++) {
		struct tcp_info info;
		socklen_t len = sizeof(info);
		must(o, getsockopt(*slot(o, 1), IPPROTO_TCP, TCP_INFO, &info, &len));
		if (info.tcpi_state == number(o, 2))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	fail(o, "that state was not reached");
}

static void do_files(const struct order *o)
{
	rlim_t n = (rlim_t)number(o, 1);
	must(o, setrlimit(RLIMIT_NOFILE, &(struct rlimit){n, n}));
}

static void do_child(const struct order *o)
{
	pid_t pid = fork();
	must(o, pid);
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static const struct {
	const char *word;
	void (*run)(const struct order *o);
} verbs[] = {
	{"make", do_make},     {"listen", do_listen}, {"start", do_start}, {"connect", do_connect},
	{"accept", do_accept}, {"send", do_send},     {"read", do_read},   {"shut", do_shut},
	{"close", do_close},   {"await", do_await},   {"files", do_files}, {"child", do_child},
};

static void obey(const struct order *o)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].word, o->word[0]) == 0) {
			verbs[i].run(o);
			return;
		}
	fail(o, "no such order");
}

int main(int argc, char **argv)
{
	char line[256];
	if (argc != 2)
		return 2;
	prctl(PR_SET_NAME, argv[1]);
	for (unsigned n = 1; fgets(line, sizeof(line), stdin); n++) {
		struct order o = {.count = 0};
		char *rest = line;
		while (o.count < WORDS && (o.word[o.count] = strtok_r(rest, " \n", &rest)) != NULL)
			o.count++;
		if (o.count)
			obey(&o);
		printf("done %u\n", n);
		fflush(stdout);
	}
	return 0;
}
