/*
 * oddsocks.c - sockets that carry attributes which few sockets have, until standard input ends.
 *
 *   oddsocks ADDRESS
 *
 * On the IPv4 address: connections under each congestion control that the kernel has and that
 * tells of its own state, one with SO_MARK, TOS and SO_PRIORITY, one of MPTCP (whose subflow has an
 * ULP attribute that this version has no column for), one with a TCP MD5 key. Each has data
 * behind it. What this kernel or these rights do not allow is left out and named: "without WHAT".
 * "ready" when all stand.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define MARK 0x5105

static struct sockaddr_in host = {.sin_family = AF_INET};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "oddsocks: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void without(const char *what)
{
	printf("without %s: %s\n", what, strerror(errno));
}

/* Both ends of a connection, the client's options set by the caller before it connects. */
struct pair {
	int listener, client, server;
};

static int listen_on(int protocol, struct sockaddr_in *ret_addr)
{
	socklen_t len = sizeof(*ret_addr);
	int fd = socket(AF_INET, SOCK_STREAM, protocol);
	if (fd < 0)
		return -1;
	*ret_addr = host;
	if (bind(fd, (struct sockaddr *)ret_addr, len) || listen(fd, 5) ||
	    getsockname(fd, (struct sockaddr *)ret_addr, &len))
		die("listen");
	return fd;
}

static void send_some(int from, int to)
{
	static const char bytes[20000];
	char back[sizeof(bytes)];
	if (write(from, bytes, sizeof(bytes)) != sizeof(bytes))
		die("write");
	if (recv(to, back, sizeof(back), MSG_WAITALL) != sizeof(back))
		die("read");
}

static void join(struct pair *p, const struct sockaddr_in *addr)
{
	if (connect(p->client, (const struct sockaddr *)addr, sizeof(*addr)))
		die("connect");
	p->server = accept(p->listener, NULL, NULL);
	if (p->server < 0)
		die("accept");
	send_some(p->client, p->server);
	send_some(p->server, p->client);
}

static int client_of(int protocol)
{
	int fd = socket(AF_INET, SOCK_STREAM, protocol);
	if (fd < 0)
		die("socket");
	return fd;
}

static void make_congestion(const char *name)
{
	struct sockaddr_in addr;
	struct pair p = {.client = client_of(0)};
	if (setsockopt(p.client, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name))) {
		without(name);
		close(p.client);
		return;
	}
	p.listener = listen_on(0, &addr);
	join(&p, &addr);
	printf("with %s\n", name);
}

static void make_marked(void)
{
	static const struct {
		const char *name;
		int level, option, value;
	} options[] = {
		{"SO_MARK", SOL_SOCKET, SO_MARK, MARK},
		{"IP_TOS", IPPROTO_IP, IP_TOS, 0x28}, /* sets the priority, too */
		{"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 5},
	};
	struct sockaddr_in addr;
	struct pair p = {.listener = listen_on(0, &addr), .client = client_of(0)};
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(p.client, options[i].level, options[i].option, &options[i].value,
			       sizeof(int)))
			without(options[i].name);
	join(&p, &addr);
}

static void make_mptcp(void)
{
	struct sockaddr_in addr;
	struct pair p = {.listener = listen_on(IPPROTO_MPTCP, &addr)};
	if (p.listener < 0) {
		without("MPTCP");
		return;
	}
	p.client = client_of(IPPROTO_MPTCP);
	join(&p, &addr);
	printf("with MPTCP\n");
}

static void add_key(int fd, const struct sockaddr_in *peer)
{
	struct tcp_md5sig sig = {.tcpm_keylen = 6, .tcpm_key = "secret"};
	memcpy(&sig.tcpm_addr, peer, sizeof(*peer));
	if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)))
		without("TCP_MD5SIG");
}

static void make_md5(void)
{
	struct sockaddr_in addr;
	struct pair p = {.listener = listen_on(0, &addr), .client = client_of(0)};
	add_key(p.listener, &addr);
	add_key(p.client, &addr);
	join(&p, &addr);
}

int main(int argc, char **argv)
{
	static const char *const algorithms[] = {"bbr", "dctcp", "vegas"};
	char byte;
	if (argc != 2 || inet_pton(AF_INET, argv[1], &host.sin_addr) != 1)
		die("usage: oddsocks ADDRESS");
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		make_congestion(algorithms[i]);
	make_marked();
	make_mptcp();
	make_md5();
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
