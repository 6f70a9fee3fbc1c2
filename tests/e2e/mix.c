/*
 * mix.c - holds one socket of every kind that ss can tell of, in states that stay, until standard
 * input ends.
 *
 *   mix LOCAL SILENT [LOCAL6 SILENT6]      in a namespace of its own: ports and paths are fixed
 *
 * A child holds what it inherited, so most sockets have two holders. A socket that cannot be had
 * here (no IPv6, no rights) is named on standard error and left out. Prints "ready" when all is
 * there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NAME "mix \"1\", a" /* a name that has to be taken as it is; ss cuts one with a ')' */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_ll ll;
	struct sockaddr_nl nl;
	struct sockaddr_storage room;
};

struct place {
	union address addr;
	socklen_t len;
};

static int told(const char *what, int fd)
{
	if (fd < 0)
		fprintf(stderr, "mix: %s: %s\n", what, strerror(errno));
	return fd;
}

static struct place inet(const char *text, unsigned port)
{
	struct place p = {0};
	if (inet_pton(AF_INET6, text, &p.addr.in6.sin6_addr) == 1) {
		p.addr.any.sa_family = AF_INET6;
		p.addr.in6.sin6_port = htons((uint16_t)port);
		p.len = sizeof(p.addr.in6);
	} else {
		p.addr.any.sa_family = AF_INET;
		inet_pton(AF_INET, text, &p.addr.in.sin_addr);
		p.addr.in.sin_port = htons((uint16_t)port);
		p.len = sizeof(p.addr.in);
	}
	return p;
}

/* A leading '@' makes it abstract. */
static struct place path(const char *text)
{
	struct place p = {
		.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text))};
	p.addr.un.sun_family = AF_UNIX;
	memcpy(p.addr.un.sun_path, text, strlen(text));
	if (text[0] == '@')
		p.addr.un.sun_path[0] = 0;
	else
		p.len++;
	return p;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int bound(const char *what, int type, int protocol, struct place p)
{
	int fd = told(what, socket(p.addr.any.sa_family, type, protocol));
	if (fd < 0)
		return -1;
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	told(what, bind(fd, &p.addr.any, p.len));
	return fd;
}

static int listener(const char *what, int type, struct place p, int backlog)
{
	int fd = bound(what, type, 0, p);
	if (fd >= 0)
		told(what, listen(fd, backlog));
	return fd;
}

static int linked(const char *what, int type, struct place p, int flags)
{
	int fd = told(what, socket(p.addr.any.sa_family, type | flags, 0));
	if (fd >= 0 && connect(fd, &p.addr.any, p.len) && errno != EINPROGRESS)
		told(what, -1);
	return fd;
}

static void await(int fd, unsigned state)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	for (int i = 0; i < 5000 && info.tcpi_state != state; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
			break;
	}
}

/* Connections to `to`: plain, timed, unread, half closed both ways, over, never accepted. */
static void connections(struct place at, struct place to)
{
	char bytes[3000] = {0};
	int listening = listener("listener", SOCK_STREAM, at, 7);
	int plain = linked("plain", SOCK_STREAM, to, 0);
	accept(listening, NULL, NULL);
	int timed = linked("timed", SOCK_STREAM, to, 0);
	set(timed, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(timed, IPPROTO_TCP, TCP_NODELAY, 1);
	set(timed, IPPROTO_IP, IP_TOS, 0x20);
	setsockopt(timed, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	int unread = accept(listening, NULL, NULL);
	if (write(timed, bytes, sizeof(bytes)) < 0 || write(plain, "x", 1) < 0)
		told("write", -1);
	(void)unread;
	int half = linked("half closed", SOCK_STREAM, to, 0);
	int other = accept(listening, NULL, NULL);
	shutdown(half, SHUT_WR);
	await(other, TCP_CLOSE_WAIT);
	int over = linked("over", SOCK_STREAM, to, 0);
	other = accept(listening, NULL, NULL);
	close(over);
	await(other, TCP_CLOSE_WAIT);
	close(other);
	linked("not accepted", SOCK_STREAM, to, 0);
}

static void device(int fd, const char *name)
{
	told(name, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)));
}

static void inet4(const char *local, const char *silent)
{
	connections(inet(local, 3030), inet(local, 3030));
	listener("any", SOCK_STREAM, inet("0.0.0.0", 22), 128);
	listener("no service", SOCK_STREAM, inet("127.0.0.1", 9201), 1);
	linked("syn-sent", SOCK_STREAM, inet(silent, 9200), SOCK_NONBLOCK);
	bound("bound, inactive", SOCK_STREAM, 0, inet("127.0.0.1", 9999));
	bound("udp", SOCK_DGRAM, 0, inet("0.0.0.0", 53));
	bound("udp of one address", SOCK_DGRAM, 0, inet(local, 5353));
	device(bound("udp of a device", SOCK_DGRAM, 0, inet("0.0.0.0", 67)), "wire");
	linked("udp linked", SOCK_DGRAM, inet(local, 53), 0);
	bound("icmp", SOCK_RAW, IPPROTO_ICMP, inet("0.0.0.0", 0));
	bound("raw", SOCK_RAW, 253, inet(local, 0));
	bound("udplite", SOCK_DGRAM, IPPROTO_UDPLITE, inet("0.0.0.0", 7777));
}

static void inet6(const char *local, const char *local4, const char *silent)
{
	connections(inet("::", 8080), inet(local, 8080));
	linked("mapped", SOCK_STREAM, inet(local4, 8080), 0);
	int only = told("v6only", socket(AF_INET6, SOCK_STREAM, 0));
	struct place p = inet("::", 443);
	set(only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	told("v6only", bind(only, &p.addr.any, p.len));
	told("v6only", listen(only, 3));
	linked("syn-sent", SOCK_STREAM, inet(silent, 9200), SOCK_NONBLOCK);
	bound("udp", SOCK_DGRAM, 0, inet("::", 5355));
	linked("udp linked", SOCK_DGRAM, inet(local, 5355), 0);
	bound("icmp6", SOCK_RAW, IPPROTO_ICMPV6, inet("::", 0));
}

static void local_sockets(void)
{
	int pair[2];
	int at = listener("unix stream", SOCK_STREAM, path("stream.sock"), 4);
	linked("unix stream", SOCK_STREAM, path("stream.sock"), 0);
	accept(at, NULL, NULL);
	linked("unix waits", SOCK_STREAM, path("stream.sock"), 0);
	at = listener("unix packets", SOCK_SEQPACKET, path("@packets"), 5);
	linked("unix packets", SOCK_SEQPACKET, path("@packets"), 0);
	accept(at, NULL, NULL);
	bound("unix datagrams", SOCK_DGRAM, 0, path("datagrams.sock"));
	int sends = linked("unix datagrams", SOCK_DGRAM, path("datagrams.sock"), 0);
	if (sends >= 0 && write(sends, "abc", 3) < 0)
		told("unix datagrams", -1);
	told("unix pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	told("unix pair", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	socket(AF_UNIX, SOCK_STREAM, 0);
}

static void link_sockets(void)
{
	struct place p = {.len = sizeof(p.addr.ll)};
	p.addr.ll.sll_family = AF_PACKET;
	p.addr.ll.sll_protocol = htons(ETH_P_ALL);
	p.addr.ll.sll_ifindex = (int)if_nametoindex("wire");
	bound("packet", SOCK_RAW, 0, p);
	p.addr.ll.sll_protocol = htons(ETH_P_ARP);
	p.addr.ll.sll_ifindex = 0;
	bound("packet, any device", SOCK_DGRAM, 0, p);
	told("packet, nothing", socket(AF_PACKET, SOCK_RAW, 0));
	struct place n = {.len = sizeof(n.addr.nl)};
	n.addr.nl.nl_family = AF_NETLINK;
	n.addr.nl.nl_pid = 4711;
	n.addr.nl.nl_groups = 1;
	bound("rtnetlink", SOCK_RAW, NETLINK_ROUTE, n);
	n.addr.nl.nl_pid = 0;
	n.addr.nl.nl_groups = 0;
	bound("genetlink", SOCK_RAW, NETLINK_GENERIC, n);
	bound("uevent", SOCK_DGRAM, NETLINK_KOBJECT_UEVENT, n);
}

int main(int argc, char **argv)
{
	char byte;
	if (argc < 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, NAME);
	inet4(argv[1], argv[2]);
	if (argc > 4)
		inet6(argv[3], argv[1], argv[4]);
	local_sockets();
	link_sockets();
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "mix-child");
		for (;;)
			pause();
	}
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	kill(child, SIGKILL);
	return 0;
}
