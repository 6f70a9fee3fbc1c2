/*
 * nlmsg_capture.c - makes a network namespace with sockets in many states and writes the kernel's
 * raw inet_diag dumps of it to files, for the decoder's tests. Knows nothing of the recorder.
 *
 *   nlmsg_capture DIR      writes DIR/tcp.bin, DIR/udp4.bin, DIR/udp6.bin,
 *                          DIR/unix.bin, DIR/packet.bin, DIR/netlink.bin; needs root
 *
 * A file is a row of datagrams, each as (u32 length, little-endian; bytes).
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int check(int rc, const char *what)
{
	if (rc < 0)
		err(1, "%s", what);
	return rc;
}

static void lo_up(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	check(ioctl(fd, SIOCGIFFLAGS, &r), "SIOCGIFFLAGS");
	r.ifr_flags |= IFF_UP;
	check(ioctl(fd, SIOCSIFFLAGS, &r), "SIOCSIFFLAGS");
	close(fd);
}

static struct sockaddr_in v4(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct sockaddr_in6 v6(uint16_t port, const char *addr)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	inet_pton(AF_INET6, addr, &a.sin6_addr);
	return a;
}

#define BIND(fd, addr)	  check(bind(fd, (void *)&(addr), sizeof(addr)), "bind")
#define CONNECT(fd, addr) check(connect(fd, (void *)&(addr), sizeof(addr)), "connect")

static int tcp4(void)
{
	return check(socket(AF_INET, SOCK_STREAM, 0), "socket");
}

static int tcp6(void)
{
	return check(socket(AF_INET6, SOCK_STREAM, 0), "socket");
}

static void set_int(int fd, int level, int name, int value)
{
	check(setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}

static int listen4(uint16_t port, int backlog)
{
	struct sockaddr_in a = v4(port);
	int fd = tcp4();
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	BIND(fd, a);
	check(listen(fd, backlog), "listen");
	return fd;
}

/* A connected pair over `listener` with the named congestion control on the client's side. */
static void pair(int listener, uint16_t port, const char *cong, int ret[2])
{
	struct sockaddr_in a = v4(port);
	ret[0] = tcp4();
	if (cong)
		check(setsockopt(ret[0], IPPROTO_TCP, TCP_CONGESTION, cong, strlen(cong)), cong);
	CONNECT(ret[0], a);
	ret[1] = check(accept(listener, NULL, NULL), "accept");
}

static void make_pairs(void)
{
	static const char *const congs[] = {"cubic", "reno", "bbr"};
	int listener = listen4(7000, 16), p[2];
	char bytes[3000] = {1};
	for (int i = 0; i < 3; i++) { /* established, data both ways, some of it not read */
		pair(listener, 7000, congs[i], p);
		check((int)write(p[0], bytes, sizeof(bytes)), "write");
		check((int)write(p[1], bytes, 100), "write");
		check((int)read(p[1], bytes, 1000), "read");
	}
	set_int(p[0], IPPROTO_IP, IP_TOS, 0x10);
	set_int(p[0], SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(p[0], SOL_SOCKET, SO_PRIORITY, 5);
	struct sockaddr_in a = v4(7000);
	CONNECT(tcp4(), a); /* not accepted */
	pair(listener, 7000, NULL, p);
	shutdown(p[0], SHUT_WR); /* FIN-WAIT-2 with an open fd, CLOSE-WAIT */
	pair(listener, 7000, NULL, p);
	close(p[0]); /* FIN-WAIT-2 as a minisocket, CLOSE-WAIT */
	pair(listener, 7000, NULL, p);
	close(p[0]); /* TIME-WAIT */
	usleep(20000);
	close(p[1]);
}

static void make_half_open(void)
{
	struct sockaddr_in a = v4(7001), d = v4(7002);
	listen4(7001, 0);
	for (int i = 0; i < 4; i++) { /* the backlog is full: the rest stay in SYN-SENT */
		int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
		(void)!connect(fd, (void *)&a, sizeof(a));
	}
	int deferred = listen4(7002, 4);
	set_int(deferred, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30);
	CONNECT(tcp4(), d); /* the listener's side stays in SYN-RECV */
	struct sockaddr_in bound = v4(7003);
	int fd = tcp4();
	BIND(fd, bound);
}

static void make_v6(void)
{
	struct sockaddr_in6 any = v6(7006, "::"), only = v6(7007, "::1");
	int dual = tcp6(), v6only = tcp6();
	BIND(dual, any);
	check(listen(dual, 4), "listen");
	set_int(v6only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	check(setsockopt(v6only, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), "SO_BINDTODEVICE");
	BIND(v6only, only);
	check(listen(v6only, 4), "listen");
	struct sockaddr_in mapped = v4(7006);
	CONNECT(tcp4(), mapped); /* the accepted side has a v4-mapped address */
	int fd = tcp6();
	set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
	CONNECT(fd, only);
	check(accept(dual, NULL, NULL), "accept");
	check(accept(v6only, NULL, NULL), "accept");
}

static void make_udp(void)
{
	struct sockaddr_in a = v4(7010), b = v4(7011);
	struct sockaddr_in6 c = v6(7012, "::1");
	int one = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	int two = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	int six = check(socket(AF_INET6, SOCK_DGRAM, 0), "socket");
	BIND(one, a);
	BIND(two, b);
	CONNECT(two, a);
	BIND(six, c);
	check((int)send(two, "unread", 6, 0), "send");
}

static int unix_at(int type, const char *path, size_t len, int backlog)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = check(socket(AF_UNIX, type, 0), "socket");
	memcpy(a.sun_path, path, len);
	check(bind(fd, (void *)&a, (socklen_t)(sizeof(a.sun_family) + len)), "bind");
	if (backlog)
		check(listen(fd, backlog), "listen");
	return fd;
}

static int unix_to(int type, const char *path, size_t len)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = check(socket(AF_UNIX, type, 0), "socket");
	memcpy(a.sun_path, path, len);
	check(connect(fd, (void *)&a, (socklen_t)(sizeof(a.sun_family) + len)), "connect");
	return fd;
}

/* A listener with a connection waiting, a datagram socket with an abstract name, a pair. */
static void make_unix(void)
{
	int p[2];
	unlink("/tmp/nlmsg.sock");
	unix_at(SOCK_STREAM, "/tmp/nlmsg.sock", 16, 5);
	unix_to(SOCK_STREAM, "/tmp/nlmsg.sock", 16);
	unix_at(SOCK_DGRAM, "\0nl\0msg", 7, 0);
	check((int)write(unix_to(SOCK_DGRAM, "\0nl\0msg", 7), "hello", 5), "write");
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p), "socketpair");
	shutdown(p[0], SHUT_WR);
	unlink("/tmp/nlmsg.sock");
}

static void make_link(void)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(0x0003), .sll_ifindex = 1};
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_pid = 4711, .nl_groups = 0x11};
	int fd = check(socket(AF_PACKET, SOCK_RAW, 0), "packet");
	BIND(fd, ll);
	check(socket(AF_PACKET, SOCK_DGRAM, htons(0x0800)), "packet");
	int route = check(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "netlink");
	BIND(route, nl);
}

struct request {
	const char *name;
	uint16_t type;
	uint8_t family, proto;
};

/* The old request for TCP (type 18) walks both families at once; the new one is for one. */
static ssize_t ask(int fd, const struct request *r)
{
	struct {
		struct nlmsghdr h;
		union {
			struct unix_diag_req un;
			struct packet_diag_req packet;
			struct netlink_diag_req netlink;
			struct inet_diag_req old;
			struct inet_diag_req_v2 v2;
		};
	} q = {.h = {.nlmsg_type = r->type,
		     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		     .nlmsg_seq = 1}};
	q.h.nlmsg_len = NLMSG_LENGTH(sizeof(struct unix_diag_req));
	if (r->family == AF_UNIX) {
		q.un = (struct unix_diag_req){
			.sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_show = 0x7f};
	} else if (r->family == AF_PACKET) {
		q.packet = (struct packet_diag_req){.sdiag_family = AF_PACKET, .pdiag_show = 0x3f};
		q.h.nlmsg_len = NLMSG_LENGTH(sizeof(q.packet));
	} else if (r->family == AF_NETLINK) {
		q.netlink = (struct netlink_diag_req){.sdiag_family = AF_NETLINK,
						      .sdiag_protocol = NDIAG_PROTO_ALL,
						      .ndiag_show = 0xb};
		q.h.nlmsg_len = NLMSG_LENGTH(sizeof(q.netlink));
	} else if (r->type == SOCK_DIAG_BY_FAMILY) {
		q.v2 = (struct inet_diag_req_v2){.sdiag_family = r->family,
						 .sdiag_protocol = r->proto,
						 .idiag_ext = 0xfe,
						 .idiag_states = ~0u};
		q.h.nlmsg_len = NLMSG_LENGTH(sizeof(q.v2));
	} else {
		q.old = (struct inet_diag_req){
			.idiag_family = r->family, .idiag_ext = 0xfe, .idiag_states = ~0u};
		q.h.nlmsg_len = NLMSG_LENGTH(sizeof(q.old));
	}
	return send(fd, &q, q.h.nlmsg_len, 0);
}

static void capture(const char *dir, const struct request *r)
{
	static uint8_t bytes[32768];
	char path[512];
	snprintf(path, sizeof(path), "%s/%s.bin", dir, r->name);
	FILE *out = fopen(path, "wb");
	int fd = check(socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG), "netlink");
	if (!out || ask(fd, r) < 0)
		err(1, "%s", path);
	for (uint16_t type = 0; type != NLMSG_DONE && type != NLMSG_ERROR;) {
		int n = check((int)recv(fd, bytes, sizeof(bytes), 0), "recv");
		uint8_t len[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), 0};
		fwrite(len, 1, sizeof(len), out);
		fwrite(bytes, 1, (size_t)n, out);
		/* The end may stand in a datagram of its own or behind other messages. */
		for (size_t at = 0; at + NLMSG_HDRLEN <= (size_t)n;) {
			struct nlmsghdr h;
			memcpy(&h, bytes + at, sizeof(h));
			type = h.nlmsg_type;
			at += NLMSG_ALIGN(h.nlmsg_len);
		}
	}
	if (fclose(out))
		err(1, "%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct request requests[] = {
		{"tcp", TCPDIAG_GETSOCK, AF_INET, 0},
		{"udp4", SOCK_DIAG_BY_FAMILY, AF_INET, IPPROTO_UDP},
		{"udp6", SOCK_DIAG_BY_FAMILY, AF_INET6, IPPROTO_UDP},
		{"unix", SOCK_DIAG_BY_FAMILY, AF_UNIX, 0},
		{"packet", SOCK_DIAG_BY_FAMILY, AF_PACKET, 0},
		{"netlink", SOCK_DIAG_BY_FAMILY, AF_NETLINK, 0},
	};
	if (argc != 2)
		errx(2, "usage: nlmsg_capture DIR");
	check(unshare(CLONE_NEWNET), "unshare");
	lo_up();
	make_pairs();
	make_half_open();
	make_v6();
	make_udp();
	make_unix();
	make_link();
	usleep(300000);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		capture(argv[1], &requests[i]);
	return 0;
}
