/* diag_tipc.c - see diag_tipc.h. */
#include "diag_tipc.h"

#include <linux/netlink.h>
#include <linux/tipc_netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "diag_attr.h"

static size_t take_u32(const struct attr *a, uint32_t *ret)
{
	if (a->len != sizeof(*ret))
		return 0;
	memcpy(ret, a->at, sizeof(*ret));
	return sizeof(*ret);
}

static size_t take_type(struct diag_inet *d, const struct attr *a)
{
	uint32_t v;
	size_t taken = take_u32(a, &v);
	if (!taken)
		return 0;
	d->row.state.sock_type = (uint8_t)v;
	d->row.state.has |= HAS_TYPE;
	return taken;
}

/* TIPC names its states after those of TCP and has their numbers. */
static size_t take_state(struct diag_inet *d, const struct attr *a)
{
	uint32_t v;
	size_t taken = take_u32(a, &v);
	if (taken)
		d->row.state.state = (uint8_t)v;
	return taken;
}

static size_t take_uid(struct diag_inet *d, const struct attr *a)
{
	size_t taken = take_u32(a, &d->row.state.uid);
	if (taken)
		d->row.state.has &= ~HAS_NO_UID;
	return taken;
}

static size_t take_inode(struct diag_inet *d, const struct attr *a)
{
	return take_u32(a, &d->row.state.inode);
}

static size_t take_cookie(struct diag_inet *d, const struct attr *a)
{
	return diag_take_fixed(d, a, &d->row.member.cookie, sizeof(d->row.member.cookie), 0);
}

static size_t take_pad(struct diag_inet *d, const struct attr *a)
{
	(void)d;
	return a->len;
}

static size_t take_recvq(struct diag_inet *d, const struct attr *a)
{
	return take_u32(a, &d->row.queue.recvq);
}

static size_t take_sendq(struct diag_inet *d, const struct attr *a)
{
	return take_u32(a, &d->row.queue.sendq);
}

DIAG_FIXED(take_drops, memory.sk_drops, HAS_DROPS)

static const attr_handler stat_handlers[] = {
	[TIPC_NLA_SOCK_STAT_RCVQ] = take_recvq,	   [TIPC_NLA_SOCK_STAT_SENDQ] = take_sendq,
	[TIPC_NLA_SOCK_STAT_LINK_CONG] = take_pad, [TIPC_NLA_SOCK_STAT_CONN_CONG] = take_pad,
	[TIPC_NLA_SOCK_STAT_DROP] = take_drops,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t take_stat(struct diag_inet *d, const struct attr *a)
{
	diag_take_attrs(d, span_of(a->at, a->len), stat_handlers, COUNT(stat_handlers));
	return a->len;
}

static const attr_handler sock_handlers[] = {
	[TIPC_NLA_SOCK_STAT] = take_stat,	 [TIPC_NLA_SOCK_TYPE] = take_type,
	[TIPC_NLA_SOCK_INO] = take_inode,	 [TIPC_NLA_SOCK_UID] = take_uid,
	[TIPC_NLA_SOCK_TIPC_STATE] = take_state, [TIPC_NLA_SOCK_COOKIE] = take_cookie,
	[TIPC_NLA_SOCK_PAD] = take_pad,
};

static size_t take_sock(struct diag_inet *d, const struct attr *a)
{
	diag_take_attrs(d, span_of(a->at, a->len), sock_handlers, COUNT(sock_handlers));
	return a->len;
}

static const attr_handler handlers[] = {[TIPC_NLA_SOCK] = take_sock};

int diag_tipc_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		     struct diag_inet *ret, struct err *e)
{
	diag_clear(ret, AF_TIPC);
	ret->row.member.proto = (uint8_t)proto;
	ret->row.state.state = STATE_UNCONN;
	ret->row.state.has = HAS_NO_UID;
	diag_take_attrs(ret, span_of(payload, len), handlers, COUNT(handlers));
	if (ret->extra.failed)
		return err_set(e, ERR_NOMEM, "tipc: out of memory");
	/* A socket has an inode or, if it was closed, at least a cookie. */
	return ret->row.member.cookie || ret->row.state.inode
		       ? 0
		       : err_set(e, ERR_KERNEL, "tipc: a message without a socket");
}
