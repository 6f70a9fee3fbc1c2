/*
 * test_diag_tipc.c - messages of TIPC, made by hand as net/tipc/socket.c makes them (no kernel to
 * record them from was at hand), and the INFO of MPTCP. Whole and cut at every byte.
 */
#include <criterion/criterion.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/tipc_netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "diag_tipc.h"

/* A message under construction. */
struct message {
	uint8_t bytes[512];
	size_t len;
};

static void put(struct message *m, unsigned type, const void *payload, size_t len)
{
	struct nlattr h = {.nla_len = (uint16_t)(sizeof(h) + len), .nla_type = (uint16_t)type};
	memcpy(m->bytes + m->len, &h, sizeof(h));
	if (len)
		memcpy(m->bytes + m->len + sizeof(h), payload, len);
	m->len += NLA_ALIGN(sizeof(h) + len);
}

static void put_u32(struct message *m, unsigned type, uint32_t v)
{
	put(m, type, &v, sizeof(v));
}

/* A nest begins at `at`, and ends here. */
static void end_nest(struct message *m, size_t at, unsigned type)
{
	struct nlattr h = {.nla_len = (uint16_t)(m->len - at),
			   .nla_type = (uint16_t)(type | NLA_F_NESTED)};
	memcpy(m->bytes + at, &h, sizeof(h));
}

static struct message tipc_message(void)
{
	struct message m = {.len = sizeof(struct nlattr)};
	const uint64_t cookie = UINT64_C(0x1234567890);
	put_u32(&m, TIPC_NLA_SOCK_TYPE, SOCK_SEQPACKET);
	put_u32(&m, TIPC_NLA_SOCK_TIPC_STATE, STATE_ESTAB);
	put_u32(&m, TIPC_NLA_SOCK_INO, 4711);
	put_u32(&m, TIPC_NLA_SOCK_UID, 1000);
	put(&m, TIPC_NLA_SOCK_COOKIE, &cookie, sizeof(cookie));
	put_u32(&m, TIPC_NLA_SOCK_REF, 99);
	size_t at = m.len;
	m.len += sizeof(struct nlattr);
	put_u32(&m, TIPC_NLA_SOCK_STAT_RCVQ, 3);
	put_u32(&m, TIPC_NLA_SOCK_STAT_SENDQ, 4);
	put(&m, TIPC_NLA_SOCK_STAT_LINK_CONG, NULL, 0);
	put_u32(&m, TIPC_NLA_SOCK_STAT_DROP, 5);
	end_nest(&m, at, TIPC_NLA_SOCK_STAT);
	end_nest(&m, 0, TIPC_NLA_SOCK);
	return m;
}

Test(diag_tipc, a_socket)
{
	struct message m = tipc_message();
	struct diag_inet d = {0};
	struct err e = {0};
	cr_assert_eq(diag_tipc_decode(m.bytes, m.len, PROTO_TIPC, &d, &e), 0, "%s", e.text);
	cr_assert(!d.malformed);
	const struct sock_row *r = &d.row;
	cr_assert(r->member.proto == PROTO_TIPC && r->member.family == AF_TIPC);
	cr_assert_eq(r->member.cookie, UINT64_C(0x1234567890));
	cr_assert(r->state.inode == 4711 && r->state.uid == 1000 && r->state.state == STATE_ESTAB);
	cr_assert_eq(r->state.sock_type, SOCK_SEQPACKET);
	cr_assert(r->queue.recvq == 3 && r->queue.sendq == 4 && r->memory.sk_drops == 5);
	cr_assert_eq(r->state.has, HAS_TYPE | HAS_DROPS | HAS_EXTRA);
	static const uint8_t extra[] = {TIPC_NLA_SOCK_REF, 0, 4, 0, 0, 0, 99, 0, 0, 0};
	cr_assert(d.extra.len == sizeof(extra) && memcmp(d.extra.bytes, extra, sizeof(extra)) == 0);
	diag_inet_fini(&d);
}

/* On the heap and to the byte, so that a sanitizer sees what is read beyond. */
static int decode_cut(const uint8_t *bytes, size_t len, enum sock_proto proto,
		      int (*decode)(const uint8_t *, size_t, enum sock_proto, struct diag_inet *,
				    struct err *))
{
	struct diag_inet d = {0};
	struct err e = {0};
	uint8_t *copy = malloc(len + 1);
	memcpy(copy + 1, bytes, len);
	int rc = decode(copy + 1, len, proto, &d, &e);
	bool bad = d.malformed;
	free(copy);
	diag_inet_fini(&d);
	return rc ? rc : bad;
}

Test(diag_tipc, cut_at_every_byte)
{
	struct message m = tipc_message();
	for (size_t n = 0; n < m.len; n++)
		cr_assert_neq(decode_cut(m.bytes, n, PROTO_TIPC, diag_tipc_decode), 0, "%zu", n);
	cr_assert_eq(decode_cut(m.bytes, m.len, PROTO_TIPC, diag_tipc_decode), 0);
	/* A wrong length of what is known: it is kept raw. */
	struct message odd = {.len = sizeof(struct nlattr)};
	put(&odd, TIPC_NLA_SOCK_TYPE, "x", 1);
	put_u32(&odd, TIPC_NLA_SOCK_INO, 1);
	end_nest(&odd, 0, TIPC_NLA_SOCK);
	struct diag_inet d = {0};
	cr_assert_eq(diag_tipc_decode(odd.bytes, odd.len, PROTO_TIPC, &d, NULL), 0);
	cr_assert(!(d.row.state.has & HAS_TYPE) && (d.row.state.has & HAS_EXTRA));
	diag_inet_fini(&d);
}

Test(diag_inet, of_the_info_of_mptcp_what_seldom_changes)
{
	struct message m = {.len = sizeof(struct inet_diag_msg)};
	struct diag_inet d = {0};
	uint8_t info[96];
	for (unsigned i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(i + 1);
	m.bytes[0] = AF_INET;
	put(&m, INET_DIAG_INFO, info, sizeof(info));
	cr_assert_eq(diag_inet_decode(m.bytes, m.len, PROTO_MPTCP, &d, NULL), 0);
	cr_assert_eq(d.row.state.has, HAS_TUPLE | HAS_EXTRA, "it is not tcp_info");
	cr_assert(d.extra.len == 6 + 16 && d.extra.bytes[0] == INET_DIAG_INFO &&
		  d.extra.bytes[2] == 16 && memcmp(d.extra.bytes + 6, info, 16) == 0);
	/* One that is shorter, or of SCTP, is not understood. */
	m.len = sizeof(struct inet_diag_msg);
	put(&m, INET_DIAG_INFO, info, 12);
	cr_assert_eq(diag_inet_decode(m.bytes, m.len, PROTO_MPTCP, &d, NULL), 0);
	cr_assert_eq(d.extra.len, 6 + 12);
	m.len = sizeof(struct inet_diag_msg);
	put(&m, INET_DIAG_INFO, info, sizeof(info));
	cr_assert_eq(diag_inet_decode(m.bytes, m.len, PROTO_SCTP, &d, NULL), 0);
	cr_assert_eq(d.extra.len, 6 + sizeof(info));
	diag_inet_fini(&d);
}
