/*
 * test_port_owner.c - whose a netlink socket's port id is: columns port_pid and port_comm say what
 * pid and comm do, though they are found without carrying owners along.
 */
#include <criterion/criterion.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "db.h"
#include "lives.h"

#define S	  INT64_C(1000000000)
#define SNAPSHOTS 3

static const struct {
	uint32_t cookie, portid;
	unsigned proto;
	bool held, kept; /* by process 1: in the first snapshot, in the others */
} sockets[] = {
	{1, 0, PROTO_NETLINK, false, false}, /* the kernel's */
	{2, 100, PROTO_NETLINK, true, true},
	{3, 4711, PROTO_NETLINK, true, false}, /* nobody is seen to hold it any more */
	{4, 4712, PROTO_NETLINK, false, false},
	{5, 0, PROTO_TCP, true, true},
};
#define COUNT (sizeof(sockets) / sizeof(sockets[0]))

static void put_sockets(struct track *t, bool later)
{
	struct err e = {0};
	for (size_t i = 0; i < COUNT; i++) {
		struct sock_row r = {
			.member = {.cookie = sockets[i].cookie,
				   .netns = 1,
				   .proto = (uint8_t)sockets[i].proto,
				   .family = sockets[i].proto == PROTO_TCP ? AF_INET : AF_NETLINK}};
		r.state.has = sockets[i].proto == PROTO_TCP ? HAS_TUPLE : HAS_NETLINK | HAS_LINK;
		r.state.state = STATE_UNCONN;
		r.state.inode = 900 + (uint32_t)i;
		r.link.portid = sockets[i].portid;
		r.link.link_proto = NETLINK_ROUTE;
		cr_assert_eq(track_add(t, &r, 1000, 1000, &e), 0, "%s", e.text);
	}
	cr_assert_eq(track_batch(t, 0, 1000, &e), 0);
	cr_assert_eq(track_members(t, &e), 0);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct row_owner o = {.owner_process = 1, .owner_fd = 7};
		if (later ? sockets[i].kept : sockets[i].held)
			cr_assert_eq(track_owner(t, i, &o, &e), 0);
	}
}

static void record(const char *dir, uint32_t key_every)
{
	const struct rec_host host = {
		.boot_id = "b", .hostname = "h", .kernel = "6", .arch = "x", .facts = "{}"};
	const struct rec_writer_options options = {.key_every = key_every};
	const struct rec_process process = {.pid = 100, .start_ticks = 1, .comm = "daemon"};
	struct err e = {0};
	char path[96];
	struct rec_writer *w;
	uint32_t id;
	snprintf(path, sizeof(path), "%s/h.socklapse", dir);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (int i = 0; i < SNAPSHOTS; i++) {
		const int64_t at_ns = (1000 + 10 * i) * S;
		struct rec_snapshot info = {.wall_begin_ns = at_ns,
					    .wall_end_ns = at_ns + S,
					    .boot_begin_ns = at_ns,
					    .boot_end_ns = at_ns + S,
					    .mono_begin_ns = at_ns};
		cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
		cr_assert_eq(rec_writer_netns(w, 99, NULL, &id, &e), 0, "%s", e.text);
		cr_assert_eq(rec_writer_process(w, &process, &id, &e), 0, "%s", e.text);
		put_sockets(rec_writer_track(w), i > 0);
		cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
	}
	rec_writer_close(w);
}

/* The only row's only column. */
static void ask(struct history *h, const char *sql, const char *expect)
{
	struct err e = {0};
	sqlite3 *db;
	sqlite3_stmt *stmt;
	const struct vt_context context = {.history = h};
	cr_assert_eq(db_open(&context, &db, &e), 0, "%s", e.text);
	cr_assert_eq(db_prepare(db, sql, &stmt, &e), 0, "%s", e.text);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW, "%s", sqlite3_errmsg(db));
	cr_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), expect, "%s", sql);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

#define LIST(what)                                                                                 \
	"SELECT group_concat(snapshot || '.' || cookie || ' ' || " what ", ', ') "                 \
	"FROM (SELECT *, port_pid, port_comm FROM socket)"
#define EXPECT                                                                                     \
	"1.2 daemon/100, 1.3 daemon/100, 2.2 daemon/100, 2.3 daemon/100, 3.2 daemon/100, "         \
	"3.3 daemon/100"

Test(port_owner, is_told_of_netlink_sockets_alone)
{
	for (uint32_t key_every = 1; key_every <= SNAPSHOTS; key_every++) {
		char dir[64];
		const char *path = dir;
		struct history *h;
		struct err e = {0};
		lives_dir(dir);
		record(dir, key_every);
		cr_assert_eq(history_open(&path, 1, &h, &e), 0, "%s", e.text);
		ask(h,
		    "SELECT group_concat(snapshot || '.' || cookie || ' ' || port_comm || '/' || "
		    "port_pid, ', ') FROM socket",
		    EXPECT);
		ask(h, LIST("port_comm || '/' || port_pid"), EXPECT);
		ask(h,
		    "SELECT sum(port_pid IS NOT pid OR port_comm IS NOT comm) FROM socket WHERE "
		    "proto = 'netlink'",
		    "0");
		ask(h, "SELECT port_comm FROM socket WHERE snapshot = 3 AND cookie = 3", "daemon");
		history_close(h);
		lives_remove(dir);
	}
}
