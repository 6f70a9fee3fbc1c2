/*
 * diag_inet.c - see diag_inet.h. The attributes with many columns are decoded by code that is
 * generated from columns.def.
 */
#include "diag_inet.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "bytes.h"
#include "diag_attr.h"

/* include/uapi/linux/inet_diag.h; the same on every machine. */
_Static_assert(sizeof(struct inet_diag_msg) == 72, "inet_diag_msg is not what it was");

/*
 * What a column's source in columns.def means. Each function below sets the macro of the source
 * that it is about and includes the table; the others are empty. `at` and `len` are the attribute;
 * `known` becomes the end of the last column that lies wholly in it.
 */
#define GROUP_BEGIN(id, group)
#define GROUP_END(group)
#define MSG
#define CODE
#define COL(id, group, type, name, kind, enc, predictor, has, source, ...)                         \
	{                                                                                          \
		type *const field __attribute__((unused)) = &row->group.name;                      \
		source                                                                             \
	}

#define TAKE(off, wide)                                                                            \
	_Static_assert(sizeof(*field) == (wide), "columns.def: type and width differ");            \
	if ((off) + (wide) <= len) {                                                               \
		memcpy(field, at + (off), (wide));                                                 \
		known = known < (off) + (wide) ? (off) + (wide) : known;                           \
	}

/* Bit fields begin at the other end of the byte on a big-endian machine. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BIT_SHIFT(shift, bits) (8 - (shift) - (bits))
#else
#define BIT_SHIFT(shift, bits) (shift)
#endif
#define TAKE_BITS(off, shift, bits)                                                                \
	if ((off) + 1 <= len) {                                                                    \
		*field = (at[off] >> BIT_SHIFT(shift, bits)) & ((1u << (bits)) - 1);               \
		known = known < (off) + 1 ? (off) + 1 : known;                                     \
	}

#define INFO(off, wide)		    TAKE(off, wide)
#define INFO_BITS(off, shift, bits) TAKE_BITS(off, shift, bits)
#define MEM(index)
#define CC(which, off, wide)
static inline __attribute__((always_inline)) size_t info_columns(struct sock_row *row,
								 const uint8_t *at, size_t len)
{
	size_t known = 0;
#include "columns.def"
	return known;
}
#undef INFO
#undef INFO_BITS
#undef MEM
#define INFO(off, wide)
#define INFO_BITS(off, shift, bits)

#define MEM(index) TAKE((index)*4, 4)
static size_t mem_columns(struct sock_row *row, const uint8_t *at, size_t len)
{
	size_t known = 0;
#include "columns.def"
	return known;
}
#undef MEM
#undef CC
#define MEM(index)

/* The congestion attributes, told apart by `wanted`. */
enum cc_kind {
	CC_VEGAS,
	CC_DCTCP,
	CC_BBR
};
#define CC(which, off, wide)                                                                       \
	if (CC_##which == wanted) {                                                                \
		TAKE(off, wide)                                                                    \
	}
static size_t cc_columns(struct sock_row *row, enum cc_kind wanted, const uint8_t *at, size_t len)
{
	size_t known = 0;
#include "columns.def"
	return known;
}
#undef MEM
#undef CC
#undef COL

/* How much of tcp_info the columns cover: the size of a union that reaches as far as each. */
#define COL(id, group, type, name, kind, enc, predictor, has, source, ...) char name[source];
#undef MSG
#undef CODE
#undef INFO
#undef INFO_BITS
#define MSG			    1
#define CODE			    1
#define INFO(off, wide)		    (off) + (wide)
#define INFO_BITS(off, shift, bits) (off) + 1
#define MEM(index)		    1
#define CC(which, off, wide)	    1
union info_extent {
#include "columns.def"
};
#define INFO_KNOWN sizeof(union info_extent)

/*
 * The handlers of attributes. Each returns how many bytes it understood, 0 if the length is none
 * that the type can have; what is left goes to `extra`.
 */
static size_t take_info(struct diag_inet *d, const struct attr *a)
{
	if (!a->len || a->len > UINT16_MAX)
		return 0;
	/* The constant length lets the compiler drop every test of it. */
	size_t understood = a->len >= INFO_KNOWN ? info_columns(&d->row, a->at, INFO_KNOWN)
						 : info_columns(&d->row, a->at, a->len);
	/* Not what the kernel sent: a later version, which knows more columns, must not find 0. */
	d->row.state.has |= HAS_INFO;
	d->row.state.info_bytes = (uint16_t)understood;
	return understood;
}

/* 8 words up to Linux 4.6, then a 9th: sk_drops. */
size_t diag_take_mem(struct diag_inet *d, const struct attr *a)
{
	if (a->len < 32)
		return 0;
	d->row.state.has |= a->len >= 36 ? HAS_SKMEM | HAS_DROPS : HAS_SKMEM;
	return mem_columns(&d->row, a->at, a->len);
}

static size_t take_cc(struct diag_inet *d, const struct attr *a, enum cc_kind kind, size_t bytes,
		      uint64_t has)
{
	if (a->len < bytes)
		return 0;
	d->row.state.has |= has;
	return cc_columns(&d->row, kind, a->at, a->len);
}

static size_t take_vegas(struct diag_inet *d, const struct attr *a)
{
	return take_cc(d, a, CC_VEGAS, sizeof(struct tcpvegas_info), HAS_VEGAS);
}

static size_t take_dctcp(struct diag_inet *d, const struct attr *a)
{
	return take_cc(d, a, CC_DCTCP, sizeof(struct tcp_dctcp_info), HAS_DCTCP);
}

static size_t take_bbr(struct diag_inet *d, const struct attr *a)
{
	return take_cc(d, a, CC_BBR, sizeof(struct tcp_bbr_info), HAS_BBR);
}

static size_t take_cong(struct diag_inet *d, const struct attr *a)
{
	const char *name = (const char *)a->at;
	size_t len = strnlen(name, a->len);
	if (!len)
		return 0;
	d->cong = name;
	d->cong_len = len;
	d->row.state.has |= HAS_CONG;
	return a->len;
}

DIAG_FIXED(take_tos, option.tos, HAS_TOS)
DIAG_FIXED(take_tclass, option.tclass, HAS_TCLASS)
DIAG_FIXED(take_shutdown, queue.shutdown, HAS_SHUTDOWN)
DIAG_FIXED(take_protocol, option.protocol, HAS_PROTOCOL)
DIAG_FIXED(take_v6only, option.v6only, HAS_V6ONLY)
DIAG_FIXED(take_mark, option.mark, HAS_MARK)
DIAG_FIXED(take_class_id, option.class_id, HAS_CLASS_ID)
DIAG_FIXED(take_cgroup, option.cgroup_id, HAS_CGROUP)

/* Two bytes of flags; the first byte is the low one, whatever the machine. */
static size_t take_sockopt(struct diag_inet *d, const struct attr *a)
{
	if (a->len < 2)
		return 0;
	d->row.option.sockopt = (uint16_t)(a->at[0] | a->at[1] << 8);
	d->row.state.has |= HAS_SOCKOPT;
	return 2;
}

/* Padding; and with CAP_NET_ADMIN the keys of TCP MD5, which are secrets. Not recorded. */
static size_t take_unseen(struct diag_inet *d, const struct attr *a)
{
	(void)d;
	return a->len;
}

static const attr_handler handlers[INET_DIAG_MAX + 1] = {
	[INET_DIAG_INFO] = take_info,	      [INET_DIAG_SKMEMINFO] = diag_take_mem,
	[INET_DIAG_VEGASINFO] = take_vegas,   [INET_DIAG_DCTCPINFO] = take_dctcp,
	[INET_DIAG_BBRINFO] = take_bbr,	      [INET_DIAG_CONG] = take_cong,
	[INET_DIAG_TOS] = take_tos,	      [INET_DIAG_TCLASS] = take_tclass,
	[INET_DIAG_SHUTDOWN] = take_shutdown, [INET_DIAG_PROTOCOL] = take_protocol,
	[INET_DIAG_SKV6ONLY] = take_v6only,   [INET_DIAG_MARK] = take_mark,
	[INET_DIAG_CLASS_ID] = take_class_id, [INET_DIAG_CGROUP_ID] = take_cgroup,
	[INET_DIAG_SOCKOPT] = take_sockopt,   [INET_DIAG_PAD] = take_unseen,
	[INET_DIAG_MD5SIG] = take_unseen,
};

/*
 * struct mptcp_info: what seldom changes, raw: subflows and addresses, flags (1: fallen back to
 * TCP), token. Behind it stand counters, which subflows have as rows of TCP.
 */
#define MPTCP_INFO_STEADY 16

static size_t take_mptcp_info(struct diag_inet *d, const struct attr *a)
{
	if (d->row.member.proto != PROTO_MPTCP || a->len < MPTCP_INFO_STEADY)
		return 0;
	diag_put_extra(d, INET_DIAG_INFO, a->at, MPTCP_INFO_STEADY);
	return a->len;
}

/* MPTCP, SCTP: INFO, if it comes, is another struct. */
static const attr_handler other_handlers[INET_DIAG_MAX + 1] = {
	[INET_DIAG_INFO] = take_mptcp_info,   [INET_DIAG_SKMEMINFO] = diag_take_mem,
	[INET_DIAG_CONG] = take_cong,	      [INET_DIAG_TOS] = take_tos,
	[INET_DIAG_TCLASS] = take_tclass,     [INET_DIAG_SHUTDOWN] = take_shutdown,
	[INET_DIAG_PROTOCOL] = take_protocol, [INET_DIAG_SKV6ONLY] = take_v6only,
	[INET_DIAG_MARK] = take_mark,	      [INET_DIAG_CLASS_ID] = take_class_id,
	[INET_DIAG_CGROUP_ID] = take_cgroup,  [INET_DIAG_SOCKOPT] = take_sockopt,
	[INET_DIAG_PAD] = take_unseen,	      [INET_DIAG_MD5SIG] = take_unseen,
};

static const attr_handler *handlers_of(enum sock_proto proto)
{
	return proto == PROTO_MPTCP || proto == PROTO_SCTP ? other_handlers : handlers;
}

static void take_addr(union addr_bytes *ret, const __be32 *words, unsigned family)
{
	memcpy(ret->b, words, family == AF_INET ? 4 : 16);
}

static uint16_t port_of(__be16 port)
{
	uint8_t b[2];
	memcpy(b, &port, sizeof(b));
	return (uint16_t)(b[0] << 8 | b[1]);
}

static void take_msg(struct sock_row *row, const struct inet_diag_msg *m)
{
	row->member.cookie = diag_cookie(m->id.idiag_cookie);
	take_addr(&row->member.local, m->id.idiag_src, m->idiag_family);
	take_addr(&row->member.peer, m->id.idiag_dst, m->idiag_family);
	row->member.local_port = port_of(m->id.idiag_sport);
	row->member.peer_port = port_of(m->id.idiag_dport);
	row->member.family = m->idiag_family;
	row->state.has = HAS_TUPLE;
	row->state.inode = m->idiag_inode;
	row->state.uid = m->idiag_uid;
	row->state.ifindex = m->id.idiag_if;
	row->state.state = m->idiag_state;
	row->queue.timer = m->idiag_timer;
	row->queue.timer_ms = m->idiag_expires;
	row->queue.retrans = m->idiag_retrans;
	row->queue.recvq = m->idiag_rqueue;
	row->queue.sendq = m->idiag_wqueue;
}

void diag_inet_fini(struct diag_inet *d)
{
	buf_fini(&d->extra);
	buf_fini(&d->icons);
}

int diag_inet_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		     struct diag_inet *ret, struct err *e)
{
	struct inet_diag_msg m;
	struct span s;
	unsigned family = len && payload[0] == AF_INET6 ? AF_INET6 : AF_INET;
	int rc = diag_begin(ret, payload, len, family, &m, sizeof(m), &s, e);
	if (rc)
		return rc;
	ret->row.member.proto = (uint8_t)proto;
	take_msg(&ret->row, &m);
	diag_take_attrs(ret, s, handlers_of(proto), INET_DIAG_MAX + 1);
	return ret->extra.failed ? err_set(e, ERR_NOMEM, "inet_diag: out of memory") : 0;
}
