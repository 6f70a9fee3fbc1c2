/*
 * test_diag_other.c - the decoders of unix, packet and netlink against recorded dumps of sockets
 * that tests/tools/nlmsg_capture.c made, and lines of /proc/net/raw.
 */
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "diag_link.h"
#include "diag_unix.h"
#include "dump_msg.h"
#include "nlmsg_file.h"
#include "proc_raw.h"

typedef int (*decoder)(const uint8_t *payload, size_t len, enum sock_proto proto,
		       struct diag_inet *ret, struct err *e);

static const struct {
	const char *file;
	enum sock_proto proto;
	decoder decode;
} files[] = {
	{"unix.bin", PROTO_UNIX, diag_unix_decode},
	{"packet.bin", PROTO_PACKET, diag_packet_decode},
	{"netlink.bin", PROTO_NETLINK, diag_netlink_decode},
};

/* Decodes every message of a file and calls fn with it. */
static void each(unsigned file, void (*fn)(const struct diag_inet *d, void *ctx), void *ctx)
{
	struct nlmsg_file f = nlmsg_file_open(files[file].file);
	struct diag_inet d = {0};
	struct span datagram;
	struct err e = {0};
	while (nlmsg_file_next(&f, &datagram)) {
		struct dump_msg m;
		while (dump_msg_next(&datagram, 1, &m)) {
			if (m.kind != DUMP_DATA)
				continue;
			cr_assert_eq(
				files[file].decode(m.payload, m.len, files[file].proto, &d, &e), 0,
				"%s", e.text);
			cr_assert(!d.malformed);
			cr_assert_eq(d.row.member.proto, files[file].proto);
			cr_assert_neq(d.row.member.cookie, 0);
			cr_assert(!(d.row.state.has & HAS_TUPLE));
			cr_assert(d.row.state.has & HAS_TYPE);
			fn(&d, ctx);
		}
	}
	diag_inet_fini(&d);
	free(f.bytes);
}

struct seen {
	unsigned rows, listener, waiting, abstract, pair, all, ip, grouped, kernel;
};

static void see_unix(const struct diag_inet *d, void *ctx)
{
	struct seen *s = ctx;
	const struct sock_row *r = &d->row;
	s->rows++;
	cr_assert(r->state.has & HAS_SKMEM);
	cr_assert(!(r->state.has & HAS_EXTRA));
	cr_assert_eq(r->member.family, AF_UNIX);
	if (r->state.state == STATE_LISTEN) {
		s->listener++;
		cr_assert_eq(d->path_len, 15);
		cr_assert_eq(memcmp(d->path, "/tmp/nlmsg.sock", 15), 0);
		cr_assert_eq(r->state.sock_type, SOCK_STREAM);
		cr_assert(r->queue.recvq == 1 && r->queue.sendq == 5);
		cr_assert_eq(d->icons.len, 4);
		cr_assert(r->state.has & HAS_VFS);
		cr_assert_neq(r->unix.path_inode, 0);
	} else if (r->state.has & HAS_PATH) {
		s->abstract++;
		cr_assert_eq(d->path_len, 7);
		cr_assert_eq(memcmp(d->path, "\0nl\0msg", 7), 0);
		cr_assert_eq(r->queue.recvq, 5);
		cr_assert_eq(r->state.sock_type, SOCK_DGRAM);
	} else if (r->state.sock_type == SOCK_SEQPACKET) {
		s->pair++;
		cr_assert(r->state.has & HAS_PEER);
		cr_assert_neq(r->unix.peer_inode, 0);
		cr_assert(r->queue.shutdown == 1 || r->queue.shutdown == 2);
	} else if (r->state.sock_type == SOCK_STREAM) {
		s->waiting++;
		cr_assert(r->state.has & HAS_PEER);
		cr_assert_eq(r->unix.peer_inode, 0);
	}
}

static void see_packet(const struct diag_inet *d, void *ctx)
{
	struct seen *s = ctx;
	const struct sock_row *r = &d->row;
	s->rows++;
	cr_assert(r->state.has & HAS_PACKET);
	cr_assert(!(r->state.has & HAS_NO_UID));
	s->all += r->link.link_proto == 3 && r->state.ifindex == 1 &&
		  r->state.sock_type == SOCK_RAW && (r->link.packet_flags & 1);
	s->ip += r->link.link_proto == 0x800 && r->state.ifindex == 0 &&
		 r->state.sock_type == SOCK_DGRAM;
}

static void see_netlink(const struct diag_inet *d, void *ctx)
{
	struct seen *s = ctx;
	const struct sock_row *r = &d->row;
	s->rows++;
	cr_assert(r->state.has & HAS_NO_UID);
	cr_assert_eq(r->state.state, STATE_UNCONN);
	if (r->link.portid == 4711) {
		s->grouped++;
		cr_assert_eq(r->link.link_proto, NETLINK_ROUTE);
		cr_assert(d->groups_len >= 4 && d->groups[0] == 0x11);
	}
	s->kernel += r->link.portid == 0;
}

Test(diag_other, values_of_recorded_dumps)
{
	struct seen s = {0};
	each(0, see_unix, &s);
	cr_assert(s.rows == 6 && s.listener == 1 && s.waiting == 1 && s.abstract == 1 &&
		  s.pair == 2);
	s = (struct seen){0};
	each(1, see_packet, &s);
	cr_assert(s.rows == 2 && s.all == 1 && s.ip == 1);
	s = (struct seen){0};
	each(2, see_netlink, &s);
	cr_assert_gt(s.kernel, 0);
	cr_assert_gt(s.grouped, 0); /* the kernel tells of it twice */
}

/* Every beginning of every message, in memory that ends with it. */
Test(diag_other, truncated_messages)
{
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct nlmsg_file f = nlmsg_file_open(files[i].file);
		struct diag_inet d = {0};
		struct span datagram;
		struct err e = {0};
		const size_t head = files[i].proto == PROTO_NETLINK ? 28 : 16;
		while (nlmsg_file_next(&f, &datagram)) {
			struct dump_msg m;
			while (dump_msg_next(&datagram, 1, &m)) {
				for (size_t n = 0; m.kind == DUMP_DATA && n < m.len; n++) {
					uint8_t *copy = malloc(n + 1);
					memcpy(copy + 1, m.payload, n);
					int rc = files[i].decode(copy + 1, n, files[i].proto, &d,
								 &e);
					cr_assert_eq(rc, n < head ? ERR_KERNEL : 0);
					free(copy);
				}
			}
		}
		diag_inet_fini(&d);
		free(f.bytes);
	}
}

Test(proc_raw, lines)
{
	static const char line[] =
		"  32: 0100007F:0001 00000000:0000 07 00000000:00000010 00:00000000 00000000  "
		"1000        0 4230328 2 00000000e570a42b 9";
	static const char six[] =
		"  254: 00000000000000000000000001000000:003A "
		"00000000000000000000000000000000:0000 07 00000002:00000000 00:00000000 00000000  "
		"   0        0 4230330 2 00000000f5b9a997 0";
	struct sock_row r;
	cr_assert(proc_raw_parse(line, sizeof(line) - 1, AF_INET, &r));
	cr_assert(r.member.local.b[0] == 127 && r.member.local.b[3] == 1);
	cr_assert(r.member.local_port == 1 && r.member.family == AF_INET);
	cr_assert_eq(r.member.cookie, (UINT64_C(1) << 63) + 4230328);
	cr_assert(r.state.uid == 1000 && r.state.inode == 4230328 && r.state.state == 7);
	cr_assert(r.queue.recvq == 16 && r.queue.sendq == 0 && r.memory.sk_drops == 9);
	cr_assert_eq(r.state.has, HAS_TUPLE | HAS_PROC | HAS_DROPS);
	cr_assert(proc_raw_parse(six, sizeof(six) - 1, AF_INET6, &r));
	cr_assert(r.member.local.b[15] == 1 && r.member.local_port == 58 && r.queue.sendq == 2);
	cr_assert(!proc_raw_parse(six, sizeof(six) - 1, AF_INET, &r));
	cr_assert(!proc_raw_parse(line, sizeof(line) - 1, AF_INET6, &r));
	cr_assert(!proc_raw_parse("  sl  local_address", 19, AF_INET, &r));
	for (size_t n = 0; n < sizeof(line) - 2; n++)
		cr_assert(!proc_raw_parse(line, n, AF_INET, &r), "%zu", n);
}
