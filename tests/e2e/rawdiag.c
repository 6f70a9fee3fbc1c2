/*
 * rawdiag.c - what the kernel says of every TCP and UDP socket, decoded a second time.
 *
 * Asks NETLINK_SOCK_DIAG by itself and prints CSV with the names of the recorded columns, so that
 * a recording can be held against it. Shares nothing with the recorder but the kernel's headers:
 * offsets are those of struct inet_diag_msg and struct tcp_info, where these headers are too old
 * those of the kernel's include/uapi/linux/tcp.h, v6.18. Empty: the kernel did not send it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INFO_KNOWN_BYTES 280
#define ATTR_MAX	 32

struct field {
	const char *name;
	unsigned short offset, bytes;
	unsigned char shift, bits; /* bits 0: all */
};

#define MSG(name, member)                                                                          \
	{                                                                                          \
#name, offsetof(struct inet_diag_msg, member),                                     \
			sizeof(((struct inet_diag_msg *)0)->member), 0, 0                          \
	}
#define INFO(name)                                                                                 \
	{                                                                                          \
#name, offsetof(struct tcp_info, tcpi_##name),                                     \
			sizeof(((struct tcp_info *)0)->tcpi_##name), 0, 0                          \
	}
#define INFO_AS(name, member)                                                                      \
	{                                                                                          \
#name, offsetof(struct tcp_info, tcpi_##member),                                   \
			sizeof(((struct tcp_info *)0)->tcpi_##member), 0, 0                        \
	}

static const struct field msg_fields[] = {
	MSG(inode, idiag_inode),     MSG(uid, idiag_uid),      MSG(ifindex, id.idiag_if),
	MSG(recvq, idiag_rqueue),    MSG(sendq, idiag_wqueue), MSG(timer_ms, idiag_expires),
	MSG(retrans, idiag_retrans),
};

static const struct field info_fields[] = {
	INFO_AS(busy_time_us, busy_time),
	INFO_AS(last_data_sent_ms, last_data_sent),
	INFO_AS(last_ack_sent_ms, last_ack_sent),
	INFO_AS(last_data_recv_ms, last_data_recv),
	INFO_AS(last_ack_recv_ms, last_ack_recv),
	INFO_AS(rto_us, rto),
	INFO(data_segs_out),
	INFO(data_segs_in),
	INFO(segs_out),
	INFO(segs_in),
	{"total_rto_time_ms", 244, 4, 0, 0},
	{"total_rto", 240, 2, 0, 0},
	{"total_rto_recoveries", 242, 2, 0, 0},
	INFO(retransmits),
	INFO(backoff),
	INFO(probes),
	INFO(bytes_sent),
	INFO(bytes_acked),
	INFO(bytes_received),
	INFO(bytes_retrans),
	INFO(delivery_rate),
	INFO(pacing_rate),
	INFO(max_pacing_rate),
	INFO_AS(rwnd_limited_us, rwnd_limited),
	INFO_AS(sndbuf_limited_us, sndbuf_limited),
	INFO_AS(rtt_us, rtt),
	INFO_AS(rttvar_us, rttvar),
	INFO_AS(min_rtt_us, min_rtt),
	INFO_AS(rcv_rtt_us, rcv_rtt),
	INFO_AS(ato_us, ato),
	INFO(snd_mss),
	INFO(rcv_mss),
	INFO(advmss),
	INFO(pmtu),
	INFO(unacked),
	INFO(sacked),
	INFO(lost),
	INFO_AS(retrans_out, retrans),
	INFO(fackets),
	INFO(rcv_ssthresh),
	INFO(snd_ssthresh),
	INFO_AS(cwnd, snd_cwnd),
	INFO(reordering),
	INFO(rcv_space),
	INFO(total_retrans),
	INFO(notsent_bytes),
	INFO(delivered),
	INFO(delivered_ce),
	INFO(dsack_dups),
	INFO(reord_seen),
	INFO(rcv_ooopack),
	INFO(snd_wnd),
	{"rcv_wnd", 232, 4, 0, 0},
	{"rehash", 236, 4, 0, 0},
	INFO_AS(info_state, state),
	INFO(ca_state),
	INFO(options),
	{"snd_wscale", 6, 1, 0, 4},
	{"rcv_wscale", 6, 1, 4, 4},
	{"app_limited", 7, 1, 0, 1},
	{"fastopen_client_fail", 7, 1, 1, 2},
	{"info_spare", 7, 1, 3, 5},
	{"received_ce", 248, 4, 0, 0},
	{"delivered_e1_bytes", 252, 4, 0, 0},
	{"delivered_e0_bytes", 256, 4, 0, 0},
	{"delivered_ce_bytes", 260, 4, 0, 0},
	{"received_e1_bytes", 264, 4, 0, 0},
	{"received_e0_bytes", 268, 4, 0, 0},
	{"received_ce_bytes", 272, 4, 0, 0},
	{"accecn_fail_mode", 276, 2, 0, 0},
	{"accecn_opt_seen", 278, 2, 0, 0},
};

/* What an algorithm tells of itself, as <linux/inet_diag.h> has it. */
static const struct field vegas_fields[] = {
	{"vegas_enabled", 0, 4, 0, 0},
	{"vegas_rttcnt", 4, 4, 0, 0},
	{"vegas_rtt_us", 8, 4, 0, 0},
	{"vegas_minrtt_us", 12, 4, 0, 0},
};

static const struct field dctcp_fields[] = {
	{"dctcp_enabled", 0, 2, 0, 0}, {"dctcp_ce_state", 2, 2, 0, 0}, {"dctcp_alpha", 4, 4, 0, 0},
	{"dctcp_ab_ecn", 8, 4, 0, 0},  {"dctcp_ab_tot", 12, 4, 0, 0},
};

static const struct field bbr_fields[] = {
	{"bbr_bw_lo", 0, 4, 0, 0},	{"bbr_bw_hi", 4, 4, 0, 0},
	{"bbr_min_rtt_us", 8, 4, 0, 0}, {"bbr_pacing_gain", 12, 4, 0, 0},
	{"bbr_cwnd_gain", 16, 4, 0, 0},
};

/* Attributes made of fields. */
static const struct {
	const struct field *fields;
	unsigned short count, type;
} structs[] = {
	{info_fields, sizeof(info_fields) / sizeof(info_fields[0]), INET_DIAG_INFO},
	{vegas_fields, sizeof(vegas_fields) / sizeof(vegas_fields[0]), INET_DIAG_VEGASINFO},
	{dctcp_fields, sizeof(dctcp_fields) / sizeof(dctcp_fields[0]), INET_DIAG_DCTCPINFO},
	{bbr_fields, sizeof(bbr_fields) / sizeof(bbr_fields[0]), INET_DIAG_BBRINFO},
};

static const char *const mem_names[] = {
	"rmem_alloc",  "rcvbuf", "wmem_alloc", "sndbuf",   "fwd_alloc",
	"wmem_queued", "optmem", "backlog",    "sk_drops",
};

/* Attributes that are one number. */
static const struct {
	const char *name;
	unsigned short type, bytes;
} plain_attrs[] = {
	{"shutdown", INET_DIAG_SHUTDOWN, 1},   {"tos", INET_DIAG_TOS, 1},
	{"tclass", INET_DIAG_TCLASS, 1},       {"v6only", INET_DIAG_SKV6ONLY, 1},
	{"protocol", INET_DIAG_PROTOCOL, 1},   {"class_id", INET_DIAG_CLASS_ID, 4},
	{"cgroup_id", INET_DIAG_CGROUP_ID, 8}, {"sockopt", INET_DIAG_SOCKOPT, 2},
	{"mark", INET_DIAG_MARK, 4},
};

/* Not numbers, and of no interest raw either: a name, padding, a secret. */
static const unsigned short other_attrs[] = {
	INET_DIAG_SKMEMINFO,
	INET_DIAG_CONG,
	INET_DIAG_PAD,
	INET_DIAG_MD5SIG,
};

struct attr {
	const unsigned char *bytes;
	size_t len;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "rawdiag: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t number(const unsigned char *bytes, unsigned len)
{
	uint64_t v = 0;
	memcpy(&v, bytes, len); /* netlink speaks the machine's byte order; so does this, LE only */
	return v;
}

static void print_fields(const struct field *fields, size_t count, const unsigned char *bytes,
			 size_t len)
{
	for (size_t i = 0; i < count; i++) {
		const struct field *f = &fields[i];
		putchar(',');
		if (!bytes || (size_t)f->offset + f->bytes > len)
			continue;
		uint64_t v = number(bytes + f->offset, f->bytes);
		if (f->bits)
			v = v >> f->shift & ((1u << f->bits) - 1);
		printf("%" PRIu64, v);
	}
}

static void print_head(void)
{
	printf("proto,cookie,family,state_number,timer_number,local,local_port,peer,peer_port");
	for (size_t i = 0; i < COUNT(msg_fields); i++)
		printf(",%s", msg_fields[i].name);
	printf(",info_bytes");
	for (size_t s = 0; s < COUNT(structs); s++)
		for (size_t i = 0; i < structs[s].count; i++)
			printf(",%s", structs[s].fields[i].name);
	for (size_t i = 0; i < COUNT(mem_names); i++)
		printf(",%s", mem_names[i]);
	for (size_t i = 0; i < COUNT(plain_attrs); i++)
		printf(",%s", plain_attrs[i].name);
	printf(",cong,extra_hex\n");
}

static void print_identity(const char *proto, const struct inet_diag_msg *m)
{
	char local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];
	inet_ntop(m->idiag_family, m->id.idiag_src, local, sizeof(local));
	inet_ntop(m->idiag_family, m->id.idiag_dst, peer, sizeof(peer));
	printf("%s,%" PRIu64 ",%u,%u,%u,%s,%u,%s,%u", proto,
	       (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0], m->idiag_family,
	       m->idiag_state, m->idiag_timer, local, ntohs(m->id.idiag_sport), peer,
	       ntohs(m->id.idiag_dport));
}

static void print_row(const char *proto, const struct inet_diag_msg *m, const struct attr *attrs)
{
	const struct attr *info = &attrs[INET_DIAG_INFO], *mem = &attrs[INET_DIAG_SKMEMINFO];
	const struct attr *cong = &attrs[INET_DIAG_CONG];
	print_identity(proto, m);
	print_fields(msg_fields, COUNT(msg_fields), (const unsigned char *)m, sizeof(*m));
	putchar(',');
	if (info->bytes)
		printf("%zu", info->len);
	for (size_t s = 0; s < COUNT(structs); s++)
		print_fields(structs[s].fields, structs[s].count, attrs[structs[s].type].bytes,
			     attrs[structs[s].type].len);
	for (size_t i = 0; i < COUNT(mem_names); i++) {
		putchar(',');
		if (mem->bytes && mem->len >= 4 * (i + 1))
			printf("%" PRIu64, number(mem->bytes + 4 * i, 4));
	}
	for (size_t i = 0; i < COUNT(plain_attrs); i++) {
		const struct attr *a = &attrs[plain_attrs[i].type];
		putchar(',');
		if (a->bytes && a->len >= plain_attrs[i].bytes)
			printf("%" PRIu64, number(a->bytes, plain_attrs[i].bytes));
	}
	printf(",%.*s,", cong->bytes ? (int)strnlen((const char *)cong->bytes, cong->len) : 0,
	       cong->bytes ? (const char *)cong->bytes : "");
}

static int has_column(unsigned type)
{
	for (size_t i = 0; i < COUNT(structs); i++)
		if (structs[i].type == type)
			return 1;
	for (size_t i = 0; i < COUNT(plain_attrs); i++)
		if (plain_attrs[i].type == type)
			return 1;
	for (size_t i = 0; i < COUNT(other_attrs); i++)
		if (other_attrs[i] == type)
			return 1;
	return 0;
}

/* An attribute as column `extra` has to hold it: type, length, bytes. */
static void print_extra(unsigned type, const unsigned char *bytes, size_t len)
{
	printf("%02X%02X%02X%02X0000", type & 0xff, type >> 8, (unsigned)len & 0xff,
	       (unsigned)len >> 8);
	for (size_t i = 0; i < len; i++)
		printf("%02X", bytes[i]);
}

/* The attributes, or their ends, that no column holds. */
static void print_extras(const unsigned char *bytes, size_t len)
{
	for (size_t at = 0; at + sizeof(struct nlattr) <= len;) {
		const struct nlattr *a = (const void *)(bytes + at);
		if (a->nla_len < sizeof(*a) || a->nla_len > len - at)
			break;
		unsigned type = a->nla_type & NLA_TYPE_MASK;
		size_t held = type == INET_DIAG_INFO ? INFO_KNOWN_BYTES
			      : has_column(type)     ? len
						     : 0;
		size_t payload = a->nla_len - sizeof(*a);
		if (held < payload)
			print_extra(type, (const unsigned char *)(a + 1) + held, payload - held);
		at += NLA_ALIGN(a->nla_len);
	}
	putchar('\n');
}

static void decode(const char *proto, const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = (const void *)(h + 1);
	struct attr attrs[ATTR_MAX] = {0};
	size_t at = NLMSG_ALIGN(sizeof(*m)), len = h->nlmsg_len - NLMSG_HDRLEN;
	while (at + sizeof(struct nlattr) <= len) {
		const struct nlattr *a = (const void *)((const char *)m + at);
		if (a->nla_len < sizeof(*a) || a->nla_len > len - at)
			break;
		unsigned type = a->nla_type & NLA_TYPE_MASK;
		if (type < ATTR_MAX)
			attrs[type] = (struct attr){(const unsigned char *)(a + 1),
						    a->nla_len - sizeof(*a)};
		at += NLA_ALIGN(a->nla_len);
	}
	print_row(proto, m, attrs);
	print_extras((const unsigned char *)m + NLMSG_ALIGN(sizeof(*m)),
		     len - NLMSG_ALIGN(sizeof(*m)));
}

/* Reads replies until the dump is done. */
static void receive(int fd, const char *proto)
{
	static _Alignas(8) char buf[32768];
	for (;;) {
		ssize_t got = recv(fd, buf, sizeof(buf), 0);
		if (got < 0)
			die("recv");
		unsigned left = (unsigned)got;
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return;
			if (h->nlmsg_type == NLMSG_ERROR)
				die("the kernel refused");
			decode(proto, h);
		}
	}
}

static void dump(int fd, const char *proto, unsigned char family, unsigned char protocol)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 r;
	} request = {
		{.nlmsg_len = sizeof(request),
		 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		{.sdiag_family = family,
		 .sdiag_protocol = protocol,
		 .idiag_ext = 0xff & ~(1 << (INET_DIAG_MEMINFO - 1)),
		 .idiag_states = 0xffffffff},
	};
	if (send(fd, &request, sizeof(request), 0) != sizeof(request))
		die("send");
	receive(fd, proto);
}

int main(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		die("socket");
	print_head();
	dump(fd, "tcp", AF_INET, IPPROTO_TCP);
	dump(fd, "tcp", AF_INET6, IPPROTO_TCP);
	dump(fd, "udp", AF_INET, IPPROTO_UDP);
	dump(fd, "udp", AF_INET6, IPPROTO_UDP);
	close(fd);
	return 0;
}
