/* diag_unix.c - see diag_unix.h. */
#include "diag_unix.h"

#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "diag_attr.h"

_Static_assert(sizeof(struct unix_diag_msg) == 16, "unix_diag_msg is not what it was");

static size_t take_name(struct diag_inet *d, const struct attr *a)
{
	if (!a->len)
		return 0;
	d->path = a->at;
	d->path_len = a->at[0] ? strnlen((const char *)a->at, a->len) : a->len;
	d->row.state.has |= HAS_PATH;
	return a->len;
}

static size_t take_vfs(struct diag_inet *d, const struct attr *a)
{
	struct unix_diag_vfs v;
	if (a->len != sizeof(v))
		return 0;
	memcpy(&v, a->at, sizeof(v));
	d->row.unix.path_inode = v.udiag_vfs_ino;
	d->row.unix.path_dev = v.udiag_vfs_dev;
	d->row.state.has |= HAS_VFS;
	return a->len;
}

static size_t take_icons(struct diag_inet *d, const struct attr *a)
{
	if (a->len % 4)
		return 0;
	for (size_t i = 0; i < a->len; i += 4) {
		uint32_t inode;
		memcpy(&inode, a->at + i, 4);
		uint8_t le[4] = {(uint8_t)inode, (uint8_t)(inode >> 8), (uint8_t)(inode >> 16),
				 (uint8_t)(inode >> 24)};
		buf_put(&d->icons, le, sizeof(le));
	}
	if (a->len)
		d->row.state.has |= HAS_ICONS;
	return a->len;
}

static size_t take_rqlen(struct diag_inet *d, const struct attr *a)
{
	struct unix_diag_rqlen q;
	if (a->len != sizeof(q))
		return 0;
	memcpy(&q, a->at, sizeof(q));
	d->row.queue.recvq = q.udiag_rqueue;
	d->row.queue.sendq = q.udiag_wqueue;
	return a->len;
}

static size_t take_uid(struct diag_inet *d, const struct attr *a)
{
	size_t taken = diag_take_fixed(d, a, &d->row.state.uid, 4, 0);
	if (taken)
		d->row.state.has &= ~HAS_NO_UID;
	return taken;
}

DIAG_FIXED(take_peer, unix.peer_inode, HAS_PEER)
DIAG_FIXED(take_shutdown, queue.shutdown, HAS_SHUTDOWN)

static const attr_handler handlers[] = {
	[UNIX_DIAG_NAME] = take_name,	      [UNIX_DIAG_VFS] = take_vfs,
	[UNIX_DIAG_PEER] = take_peer,	      [UNIX_DIAG_ICONS] = take_icons,
	[UNIX_DIAG_RQLEN] = take_rqlen,	      [UNIX_DIAG_MEMINFO] = diag_take_mem,
	[UNIX_DIAG_SHUTDOWN] = take_shutdown, [UNIX_DIAG_UID] = take_uid,
};

int diag_unix_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		     struct diag_inet *ret, struct err *e)
{
	struct unix_diag_msg m;
	struct span s;
	int rc = diag_begin(ret, payload, len, AF_UNIX, &m, sizeof(m), &s, e);
	if (rc)
		return rc;
	struct sock_row *row = &ret->row;
	row->member.proto = (uint8_t)proto;
	row->member.cookie = diag_cookie(m.udiag_cookie);
	row->state.has = HAS_TYPE | HAS_NO_UID; /* UID came with Linux 5.3 */
	row->state.sock_type = m.udiag_type;
	row->state.state = m.udiag_state;
	row->state.inode = m.udiag_ino;
	diag_take_attrs(ret, s, handlers, sizeof(handlers) / sizeof(handlers[0]));
	return ret->extra.failed || ret->icons.failed
		       ? err_set(e, ERR_NOMEM, "unix_diag: out of memory")
		       : 0;
}
