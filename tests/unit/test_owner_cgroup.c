/* test_owner_cgroup.c - whose a socket is by its cgroup, where no process is known. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "db.h"
#include "linger.h"
#include "lives.h"

#define S INT64_C(1000000000)

/* The sockets of the one snapshot. cgroup 0: the kernel tells none. */
static const struct {
	uint64_t cookie, cgroup;
	unsigned state, port;
	uint32_t inode, process;
} sockets[] = {
	{1, 50, STATE_FIN_WAIT_1, 4001, 0, 0}, /* orphan */
	{2, 50, STATE_ESTAB, 4002, 900, 1},    /* somebody holds it */
	{3, 51, STATE_ESTAB, 4003, 901, 0},    /* in another PID namespace */
	{4, 52, STATE_LAST_ACK, 4004, 0, 0},   /* its cgroup was removed */
	{5, 1, STATE_LAST_ACK, 4005, 0, 0},    /* the root */
	{6, 0, STATE_TIME_WAIT, 4006, 0, 0},   /* not told */
	{7, 77, STATE_CLOSING, 4007, 0, 0},    /* not in the table */
	{8, 50, STATE_LISTEN, 80, 902, 1},
	{9, 51, STATE_ESTAB, 80, 0, 0},	     /* not accepted; the listener is known */
	{10, 51, STATE_ESTAB, 81, 0, 0},     /* not accepted; nobody listens any more */
	{11, 50, STATE_CLOSING, 4008, 0, 0}, /* the same cgroup again */
};
#define COUNT (sizeof(sockets) / sizeof(sockets[0]))

static void put_cgroups(struct rec_writer *w)
{
	struct err e = {0};
	cr_assert_eq(rec_writer_cgroup(w, 50, "/system.slice/x.service", NULL, &e), 0);
	cr_assert_eq(rec_writer_cgroup(w, 51, "/docker/3f2a", "3f2a", &e), 0);
	cr_assert_eq(rec_writer_cgroup(w, 52, NULL, NULL, &e), 0);
	cr_assert_eq(rec_writer_cgroup(w, 1, "/", NULL, &e), 0);
}

/* Those that are in a later snapshot, too: number 3 in TIME-WAIT, of which no cgroup is told. */
static void put_sockets(struct track *t, bool later)
{
	struct err e = {0};
	for (size_t i = 0; i < COUNT; i++) {
		bool over = later && sockets[i].cookie == 3;
		struct sock_row r = {.member = {.cookie = sockets[i].cookie,
						.netns = 1,
						.local_port = (uint16_t)sockets[i].port,
						.peer_port = sockets[i].state == STATE_LISTEN
								     ? 0
								     : (uint16_t)(i + 1),
						.proto = PROTO_TCP,
						.family = AF_INET}};
		r.state.has = HAS_TUPLE | (sockets[i].cgroup && !over ? HAS_CGROUP : 0);
		r.state.state = (uint8_t)(over ? STATE_TIME_WAIT : sockets[i].state);
		r.state.inode = over ? 0 : sockets[i].inode;
		r.option.cgroup_id = sockets[i].cgroup;
		cr_assert_eq(track_add(t, &r, 1000, 1000, &e), 0, "%s", e.text);
	}
	cr_assert_eq(track_batch(t, 0, 1000, &e), 0);
	cr_assert_eq(track_members(t, &e), 0);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct row_owner o = {.owner_process = sockets[i].process, .owner_fd = 7};
		if (o.owner_process)
			cr_assert_eq(track_owner(t, i, &o, &e), 0);
	}
}

static void record(const char *dir, unsigned snapshots)
{
	const struct rec_host host = {
		.boot_id = "b", .hostname = "h", .kernel = "6", .arch = "x", .facts = "{}"};
	const struct rec_writer_options options = {.key_every = 10};
	const struct rec_process process = {.pid = 100, .start_ticks = 1, .comm = "daemon"};
	struct rec_snapshot info = {.wall_begin_ns = 1000 * S,
				    .wall_end_ns = 1001 * S,
				    .boot_begin_ns = 10 * S,
				    .boot_end_ns = 11 * S,
				    .mono_begin_ns = 10 * S};
	struct err e = {0};
	char path[96];
	struct rec_writer *w;
	uint32_t id;
	snprintf(path, sizeof(path), "%s/h.socklapse", dir);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (unsigned i = 0; i < snapshots; i++) {
		cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
		cr_assert_eq(rec_writer_netns(w, 99, NULL, &id, &e), 0, "%s", e.text);
		cr_assert_eq(rec_writer_process(w, &process, &id, &e), 0, "%s", e.text);
		put_cgroups(w);
		put_sockets(rec_writer_track(w), i > 0);
		cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
		info.wall_begin_ns += 10 * S, info.wall_end_ns += 10 * S;
		info.boot_begin_ns += 10 * S, info.boot_end_ns += 10 * S;
		info.mono_begin_ns += 10 * S;
	}
	rec_writer_close(w);
}

/* The first column of the only row; "" for NULL or no row. */
static void ask(const char *dir, const char *sql, const char *expect)
{
	struct err e = {0};
	struct history *h;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	cr_assert_eq(history_open(&dir, 1, &h, &e), 0, "%s", e.text);
	const struct vt_context context = {.history = h};
	cr_assert_eq(db_open(&context, &db, &e), 0, "%s", e.text);
	cr_assert_eq(db_prepare(db, sql, &stmt, &e), 0, "%s", e.text);
	int step = sqlite3_step(stmt);
	cr_assert(step == SQLITE_ROW || step == SQLITE_DONE, "%s", sqlite3_errmsg(db));
	const char *text = step == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	cr_assert_str_eq(text ? text : "", expect, "%s: %s", sql, text ? text : "NULL");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	history_close(h);
}

#define LIST(what, from)                                                                           \
	"SELECT group_concat(cookie || ' ' || " what ", ', ') FROM (SELECT * FROM " from           \
	" ORDER BY cookie)"

Test(owner_cgroup, what_no_process_holds_is_its_cgroups)
{
	char dir[64];
	lives_dir(dir);
	record(dir, 1);
	ask(dir, LIST("owner_source", "socket"),
	    "1 cgroup, 2 fd, 3 cgroup, 8 fd, 9 listener, 10 cgroup, 11 cgroup");
	ask(dir, LIST("cgroup || coalesce(container, '')", "socket"),
	    "1 /system.slice/x.service, 3 /docker/3f2a3f2a, 10 /docker/3f2a3f2a, "
	    "11 /system.slice/x.service");
	ask(dir, LIST("users", "(SELECT cookie, users FROM socket WHERE cookie = 3)"),
	    "3 /docker/3f2a");
	ask(dir, LIST("container", "(SELECT cookie, container FROM socket)"), "3 3f2a, 10 3f2a");
	ask(dir,
	    "SELECT count(*) FROM socket WHERE owner_source = 'cgroup' AND (pid OR comm OR fd)",
	    "0");
	ask(dir, LIST("source || coalesce(cgroup, '')", "owner"),
	    "1 cgroup/system.slice/x.service, 2 fd, 3 cgroup/docker/3f2a, 8 fd, 9 listener, "
	    "10 cgroup/docker/3f2a, 11 cgroup/system.slice/x.service");
	ask(dir, "SELECT count(*) FROM owner WHERE source = 'cgroup' AND coalesce(pid, comm, fd)",
	    "0");
	lives_remove(dir);
}

Test(owner_cgroup, spells_too)
{
	char dir[64];
	lives_dir(dir);
	record(dir, 1);
	ask(dir, LIST("owner_source", "spell"),
	    "1 cgroup, 2 fd, 3 cgroup, 8 fd, 9 listener, 10 cgroup, 11 cgroup");
	ask(dir, LIST("cgroup || coalesce(container, '')", "spell"),
	    "1 /system.slice/x.service, 3 /docker/3f2a3f2a, 10 /docker/3f2a3f2a, "
	    "11 /system.slice/x.service");
	ask(dir, LIST("container", "(SELECT cookie, container FROM spell)"), "3 3f2a, 10 3f2a");
	ask(dir,
	    "SELECT count(*) FROM spell WHERE owner_source = 'cgroup' AND coalesce(pid, comm, fd)",
	    "0");
	ask(dir, "SELECT count(*) FROM spell WHERE container = '3f2a' AND state = 'ESTAB'", "2");
	lives_remove(dir);
}

/* Groups of linger, and how many spells the largest has. */
static size_t sum_by(const char *dir, const char *by, uint64_t *ret_most)
{
	struct err e = {0};
	struct history *h;
	struct spell_ask ask = {.scope = {.states = UINT32_MAX}};
	struct linger_options options = {.to_ns = INT64_MAX, .top = 3, .by_rest = true};
	struct linger_result l;
	cr_assert_eq(history_open(&dir, 1, &h, &e), 0, "%s", e.text);
	const struct vt_context context = {.history = h};
	cr_assert_eq(spell_keys_parse(by, &options.keys, &e), 0, "%s", e.text);
	cr_assert_eq(linger_run(h, &options, &ask, &context, &l, &e), 0, "%s", e.text);
	size_t groups = l.sum.count;
	*ret_most = 0;
	for (size_t i = 0; i < groups; i++)
		if (l.sum.groups[i].spells > *ret_most)
			*ret_most = l.sum.groups[i].spells;
	linger_fini(&l);
	history_close(h);
	return groups;
}

Test(owner_cgroup, sums_by_cgroup_tell_them_apart)
{
	char dir[64];
	uint64_t most;
	lives_dir(dir);
	record(dir, 1);
	cr_assert_eq(sum_by(dir, "cgroup", &most), 3, "two, and none");
	cr_assert_eq(most, COUNT - 4);
	cr_assert_eq(sum_by(dir, "container", &most), 2);
	cr_assert_eq(most, COUNT - 2);
	cr_assert_eq(sum_by(dir, "cgroup,local", &most), COUNT - 1, "not by their briefs");
	lives_remove(dir);
}

Test(owner_cgroup, a_connection_keeps_its_cgroup)
{
	char dir[64];
	lives_dir(dir);
	record(dir, 2);
	ask(dir,
	    "SELECT group_concat(state || ' ' || owner_source || ' ' || container, ', ') FROM "
	    "(SELECT * FROM spell WHERE cookie = 3 ORDER BY first_snapshot)",
	    "ESTAB cgroup 3f2a, TIME-WAIT cgroup 3f2a");
	ask(dir, LIST("owner_source", "spell WHERE cookie < 3"), "1 cgroup, 2 fd");
	lives_remove(dir);
}

/* A recording of an earlier recorder has no such table. */
Test(owner_cgroup, a_recording_may_lack_them)
{
	char dir[64], path[96];
	sqlite3 *db;
	lives_dir(dir);
	record(dir, 1);
	snprintf(path, sizeof(path), "%s/h.socklapse", dir);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "DROP TABLE cgroup", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	ask(dir, LIST("owner_source", "socket"), "2 fd, 8 fd, 9 listener");
	ask(dir, LIST("owner_source", "spell"), "2 fd, 8 fd, 9 listener");
	lives_remove(dir);
}
