/* diag_link.c - see diag_link.h. */
#include "diag_link.h"

#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/vm_sockets_diag.h>
#include <linux/xdp_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "diag_attr.h"

_Static_assert(sizeof(struct packet_diag_msg) == 16, "packet_diag_msg is not what it was");
_Static_assert(sizeof(struct netlink_diag_msg) == 28, "netlink_diag_msg is not what it was");
_Static_assert(sizeof(struct vsock_diag_msg) == 32, "vsock_diag_msg is not what it was");
_Static_assert(sizeof(struct xdp_diag_msg) == 16, "xdp_diag_msg is not what it was");

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The queues are told as memory only. */
static size_t take_mem(struct diag_inet *d, const struct attr *a)
{
	size_t taken = diag_take_mem(d, a);
	d->row.queue.recvq = d->row.memory.rmem_alloc;
	d->row.queue.sendq = d->row.memory.wmem_alloc;
	return taken;
}

static size_t take_uid(struct diag_inet *d, const struct attr *a)
{
	size_t taken = diag_take_fixed(d, a, &d->row.state.uid, 4, 0);
	if (taken)
		d->row.state.has &= ~HAS_NO_UID;
	return taken;
}

static int finish(struct diag_inet *d, struct span attrs, const attr_handler *handlers,
		  size_t handlers_count, struct err *e)
{
	diag_take_attrs(d, attrs, handlers, handlers_count);
	return d->extra.failed ? err_set(e, ERR_NOMEM, "sock_diag: out of memory") : 0;
}

/* ----------------------------------------------------------------------------------- packet */

static size_t take_packet_info(struct diag_inet *d, const struct attr *a)
{
	struct packet_diag_info i;
	if (a->len < sizeof(i))
		return 0;
	memcpy(&i, a->at, sizeof(i));
	d->row.state.ifindex = i.pdi_index;
	d->row.link.packet_version = i.pdi_version;
	d->row.link.packet_reserve = i.pdi_reserve;
	d->row.link.packet_copy_thresh = i.pdi_copy_thresh;
	d->row.link.packet_tstamp = i.pdi_tstamp;
	d->row.link.packet_flags = i.pdi_flags;
	d->row.state.has |= HAS_PACKET;
	return sizeof(i);
}

DIAG_FIXED(take_fanout, link.fanout, HAS_FANOUT)

static const attr_handler packet_handlers[] = {
	[PACKET_DIAG_INFO] = take_packet_info,
	[PACKET_DIAG_FANOUT] = take_fanout,
	[PACKET_DIAG_UID] = take_uid,
	[PACKET_DIAG_MEMINFO] = take_mem,
};

int diag_packet_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		       struct diag_inet *ret, struct err *e)
{
	struct packet_diag_msg m;
	struct span s;
	int rc = diag_begin(ret, payload, len, AF_PACKET, &m, sizeof(m), &s, e);
	if (rc)
		return rc;
	struct sock_row *row = &ret->row;
	row->member.proto = (uint8_t)proto;
	row->member.cookie = diag_cookie(m.pdiag_cookie);
	row->state.has = HAS_TYPE | HAS_LINK | HAS_NO_UID;
	row->state.sock_type = m.pdiag_type;
	row->state.state = STATE_UNCONN;
	row->state.inode = m.pdiag_ino;
	row->link.link_proto = m.pdiag_num;
	return finish(ret, s, packet_handlers, COUNT(packet_handlers), e);
}

/* ---------------------------------------------------------------------------------- netlink */

static size_t take_groups(struct diag_inet *d, const struct attr *a)
{
	if (!a->len)
		return 0;
	d->groups = a->at;
	d->groups_len = a->len;
	d->row.state.has |= HAS_GROUPS;
	return a->len;
}

DIAG_FIXED(take_netlink_flags, link.netlink_flags, HAS_NLFLAGS)

static const attr_handler netlink_handlers[] = {
	[NETLINK_DIAG_MEMINFO] = take_mem,
	[NETLINK_DIAG_GROUPS] = take_groups,
	[NETLINK_DIAG_FLAGS] = take_netlink_flags,
};

int diag_netlink_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
			struct diag_inet *ret, struct err *e)
{
	struct netlink_diag_msg m;
	struct span s;
	int rc = diag_begin(ret, payload, len, AF_NETLINK, &m, sizeof(m), &s, e);
	if (rc)
		return rc;
	struct sock_row *row = &ret->row;
	row->member.proto = (uint8_t)proto;
	row->member.cookie = diag_cookie(m.ndiag_cookie);
	row->state.has = HAS_TYPE | HAS_LINK | HAS_NETLINK | HAS_NO_UID;
	row->state.sock_type = m.ndiag_type;
	/* The kernel's number is NETLINK_CONNECTED or not, which is no state of TCP. */
	row->state.state = STATE_UNCONN;
	row->state.inode = m.ndiag_ino;
	row->link.link_proto = m.ndiag_protocol;
	row->link.portid = m.ndiag_portid;
	row->link.dst_portid = m.ndiag_dst_portid;
	row->link.dst_group = m.ndiag_dst_group;
	return finish(ret, s, netlink_handlers, COUNT(netlink_handlers), e);
}

/* -------------------------------------------------------------------------------- vsock, xdp */

int diag_vsock_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		      struct diag_inet *ret, struct err *e)
{
	struct vsock_diag_msg m;
	struct span s;
	int rc = diag_begin(ret, payload, len, AF_VSOCK, &m, sizeof(m), &s, e);
	if (rc)
		return rc;
	struct sock_row *row = &ret->row;
	row->member.proto = (uint8_t)proto;
	row->member.cookie = diag_cookie(m.vdiag_cookie);
	row->state.has = HAS_TYPE | HAS_VSOCK | HAS_SHUTDOWN | HAS_NO_UID;
	row->state.sock_type = m.vdiag_type;
	row->state.state = m.vdiag_state;
	row->state.inode = m.vdiag_ino;
	row->queue.shutdown = m.vdiag_shutdown;
	row->link.local_cid = m.vdiag_src_cid;
	row->link.local_vport = m.vdiag_src_port;
	row->link.peer_cid = m.vdiag_dst_cid;
	row->link.peer_vport = m.vdiag_dst_port;
	return finish(ret, s, NULL, 0, e);
}

static size_t take_xdp_info(struct diag_inet *d, const struct attr *a)
{
	struct xdp_diag_info i;
	if (a->len < sizeof(i))
		return 0;
	memcpy(&i, a->at, sizeof(i));
	d->row.state.ifindex = i.ifindex;
	d->row.link.queue_id = i.queue_id;
	d->row.state.has |= HAS_XDP;
	return sizeof(i);
}

static const attr_handler xdp_handlers[] = {
	[XDP_DIAG_INFO] = take_xdp_info,
	[XDP_DIAG_UID] = take_uid,
	[XDP_DIAG_MEMINFO] = take_mem,
};

int diag_xdp_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		    struct diag_inet *ret, struct err *e)
{
	struct xdp_diag_msg m;
	struct span s;
	int rc = diag_begin(ret, payload, len, AF_XDP, &m, sizeof(m), &s, e);
	if (rc)
		return rc;
	struct sock_row *row = &ret->row;
	row->member.proto = (uint8_t)proto;
	row->member.cookie = diag_cookie(m.xdiag_cookie);
	row->state.has = HAS_TYPE | HAS_NO_UID;
	row->state.sock_type = m.xdiag_type;
	row->state.state = STATE_UNCONN;
	row->state.inode = m.xdiag_ino;
	return finish(ret, s, xdp_handlers, COUNT(xdp_handlers), e);
}
