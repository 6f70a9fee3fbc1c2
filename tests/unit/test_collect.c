/*
 * test_collect.c - snapshots of the running machine: sockets that the test makes are in them, as
 * getsockname() and the like know them, with their holders; a fill time brackets each row. Needs
 * no rights: what of other users is not seen does not matter.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bytes.h"
#include "clocks.h"
#include "collect.h"
#include "diag_table.h"
#include "rec_read.h"
#include "tmpdir.h"

static const struct rec_host host = {
	.boot_id = "b", .hostname = "h", .kernel = "k", .arch = "a", .facts = "{}"};

struct fixture {
	struct tmpdir dir;
	struct rec *rec;
	struct rec_walk *walk;
	const struct sockset *set;
};

/* Takes `count` snapshots into one recording. */
static void record(struct fixture *f, unsigned count, struct rec_snapshot *ret_info,
		   struct collect_costs *ret_costs)
{
	struct collect_options options = {.cmdline = CMDLINE_FULL, .deadline_ns = 60000000000};
	struct collect *c;
	struct rec_writer *w;
	struct err e = {0};
	f->dir = tmpdir_make();
	const char *path = tmpdir_path(&f->dir, "r.socklapse");
	cr_assert_eq(collect_new(&options, &c, &e), 0, "%s", e.text);
	cr_assert_eq(rec_writer_open(path, &host, NULL, &w, &e), 0, "%s", e.text);
	for (unsigned i = 0; i < count; i++)
		cr_assert_eq(collect_snapshot(c, w, ret_info, ret_costs, &e), 0, "%s", e.text);
	rec_writer_close(w);
	collect_free(c);
	cr_assert_eq(rec_open(path, &f->rec, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_new(f->rec, GRP_ALL, true, &f->walk, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_to(f->walk, count - 1, &e), 0, "%s", e.text);
	f->set = rec_walk_set(f->walk);
}

static void teardown(struct fixture *f)
{
	rec_walk_free(f->walk);
	rec_close(f->rec);
	tmpdir_remove(&f->dir);
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);
	cr_assert_eq(getsockname(fd, (void *)&a, &len), 0);
	return ntohs(a.sin6_port); /* stands where sin_port stands */
}

static int listener(void)
{
	struct sockaddr_in a = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (void *)&a, sizeof(a)), 0);
	cr_assert_eq(listen(fd, 7), 0);
	return fd;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

static uint32_t inode_of(int fd)
{
	struct stat st;
	cr_assert_eq(fstat(fd, &st), 0);
	return (uint32_t)st.st_ino;
}

/* The position of the socket with this inode. */
static uint32_t find(const struct fixture *f, int fd)
{
	uint32_t inode = inode_of(fd);
	for (uint32_t i = 0; i < f->set->rows; i++)
		if (SLOT_GROUP(f->set, f->set->order[i], state)->inode == inode)
			return i;
	cr_assert_fail("inode %u is not in the snapshot", inode);
	return 0;
}

static int64_t query(const struct fixture *f, const char *sql, int64_t arg)
{
	sqlite3_stmt *stmt;
	cr_assert_eq(sqlite3_prepare_v2(rec_db(f->rec), sql, -1, &stmt, NULL), SQLITE_OK, "%s",
		     sqlite3_errmsg(rec_db(f->rec)));
	sqlite3_bind_int64(stmt, 1, arg);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW, "%s", sql);
	int64_t v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return v;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, 57 /* SO_COOKIE */, &cookie, &len), 0);
	return cookie;
}

Test(collect, rows_are_what_the_process_knows_of_its_sockets)
{
	struct fixture f;
	struct rec_snapshot info;
	struct collect_costs costs;
	struct sock_row row;
	int l = listener();
	int client = connect_to(port_of(l));
	int server = accept(l, NULL, NULL);
	int unaccepted = connect_to(port_of(l));
	cr_assert_eq(send(client, "hello", 5, 0), 5);
	shutdown(server, SHUT_WR);
	usleep(50000);
	record(&f, 2, &info, &costs);

	sockset_row(f.set, find(&f, l), &row);
	cr_assert(row.state.state == STATE_LISTEN && row.member.proto == PROTO_TCP);
	cr_assert(row.member.local_port == port_of(l) && row.member.peer_port == 0);
	cr_assert(row.queue.recvq == 1 && row.queue.sendq == 7, "one waits, of seven");

	sockset_row(f.set, find(&f, client), &row);
	cr_assert_eq(row.member.cookie, cookie_of(client));
	cr_assert_eq(row.state.state, STATE_CLOSE_WAIT);
	cr_assert_eq(row.member.local_port, port_of(client));
	cr_assert_eq(row.member.peer_port, port_of(l));
	cr_assert_eq(row.member.local.w[0], htonl(INADDR_LOOPBACK));
	cr_assert_eq(row.state.uid, geteuid());
	cr_assert(row.state.has & HAS_INFO && row.state.has & HAS_SKMEM &&
		  row.state.has & HAS_CONG);
	cr_assert_eq(row.info.bytes_sent, 5);

	sockset_row(f.set, find(&f, server), &row);
	cr_assert_eq(row.state.state, STATE_FIN_WAIT_2);
	cr_assert_eq(row.queue.recvq, 5);
	cr_assert_eq(row.queue.shutdown, 2);
	teardown(&f);
	close(l), close(client), close(server), close(unaccepted);
}

Test(collect, udp_of_both_families_and_bound_sockets)
{
	struct fixture f;
	struct rec_snapshot info;
	struct collect_costs costs;
	struct sock_row row;
	struct sockaddr_in a = loopback(0);
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int udp = socket(AF_INET, SOCK_DGRAM, 0), udp6 = socket(AF_INET6, SOCK_DGRAM, 0);
	cr_assert_eq(bind(udp, (void *)&a, sizeof(a)), 0);
	bool has_v6 = udp6 >= 0 && bind(udp6, (void *)&a6, sizeof(a6)) == 0;
	record(&f, 1, &info, &costs);
	sockset_row(f.set, find(&f, udp), &row);
	cr_assert(row.member.proto == PROTO_UDP && row.member.family == AF_INET);
	cr_assert_eq(row.state.state, STATE_UNCONN);
	cr_assert_eq(row.member.local_port, port_of(udp));
	cr_assert_not(row.state.has & HAS_INFO);
	if (has_v6) {
		sockset_row(f.set, find(&f, udp6), &row);
		cr_assert(row.member.proto == PROTO_UDP && row.member.family == AF_INET6);
		cr_assert_eq(memcmp(row.member.local.b, &in6addr_loopback, 16), 0);
		cr_assert_eq(row.member.local_port, port_of(udp6));
	}
	teardown(&f);
	close(udp), close(udp6);
}

Test(collect, every_holder_is_known)
{
	struct fixture f;
	struct rec_snapshot info;
	struct collect_costs costs;
	int l = listener();
	int second = dup(l), private = listener(), gate[2];
	cr_assert_eq(pipe(gate), 0);
	pid_t child = fork();
	if (child == 0) { /* holds the first listener once, and the second not */
		char c;
		close(second);
		close(private);
		close(gate[1]);
		_exit((int)read(gate[0], &c, 1));
	}
	usleep(50000);
	record(&f, 1, &info, &costs);
	cr_assert_gt(costs.holders, 1);
	const struct row_owner *o = SLOT_GROUP(f.set, f.set->order[find(&f, private)], owner);
	int64_t me = query(&f, "SELECT id FROM process WHERE pid = ?", getpid());
	int64_t it = query(&f, "SELECT id FROM process WHERE pid = ?", child);
	cr_assert_eq(o->owner_process, me);
	cr_assert_eq(o->owner_fd, (uint32_t) private);
	cr_assert_eq(o->owner_more, 0);

	o = SLOT_GROUP(f.set, f.set->order[find(&f, l)], owner);
	cr_assert_neq(o->owner_more, 0);
	sqlite3_stmt *stmt;
	sqlite3_prepare_v2(rec_db(f.rec), "SELECT bytes FROM text WHERE id = ?", -1, &stmt, NULL);
	sqlite3_bind_int64(stmt, 1, o->owner_more);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	struct span s = span_of(sqlite3_column_blob(stmt, 0),
				(size_t)sqlite3_column_bytes(stmt, 0));
	uint64_t holders[3][2] = {{o->owner_process, o->owner_fd}};
	for (unsigned i = 1; i < 3; i++) {
		holders[i][0] = span_varint(&s);
		holders[i][1] = span_varint(&s);
		cr_assert(holders[i][0] > holders[i - 1][0] ||
				  (holders[i][0] == holders[i - 1][0] &&
				   holders[i][1] > holders[i - 1][1]),
			  "ascending");
	}
	cr_assert(!s.bad && span_left(&s) == 0, "three holders");
	unsigned mine = 0, its = 0;
	for (unsigned i = 0; i < 3; i++) {
		mine += holders[i][0] == (uint64_t)me &&
			(holders[i][1] == (uint64_t)l || holders[i][1] == (uint64_t)second);
		its += holders[i][0] == (uint64_t)it && holders[i][1] == (uint64_t)l;
	}
	cr_assert(mine == 2 && its == 1);
	sqlite3_finalize(stmt);
	cr_assert_eq(query(&f, "SELECT ppid FROM process WHERE pid = ?", child), getpid());
	teardown(&f);
	close(gate[1]);
	waitpid(child, NULL, 0);
	close(l), close(second), close(private);
}

Test(collect, fill_times_and_ticks)
{
	struct fixture f;
	struct rec_snapshot info;
	struct collect_costs costs;
	int l = listener(), clients[200];
	for (unsigned i = 0; i < 200; i++) {
		clients[i] = connect_to(port_of(l));
		close(accept(l, NULL, NULL));
	}
	uint64_t before_ns = clocks_mono_ns();
	record(&f, 1, &info, &costs);
	uint64_t after_ns = clocks_mono_ns();
	cr_assert_gt(costs.datagrams, 3, "more than one batch of TCP");
	cr_assert_geq((uint64_t)info.mono_begin_ns, before_ns);
	size_t n;
	const uint64_t turn_us = (UINT64_C(1) << 32) * 1000;
	uint64_t base_us = rec_snapshots(f.rec, &n)[0].tick_base_us;
	cr_assert_neq(base_us, 0);
	cr_assert_eq(base_us, costs.tick_base_us);
	uint64_t lo = 0;
	for (uint32_t i = 0; i < f.set->rows; i++) {
		const struct fill_batch *b = sockset_batch(f.set, i);
		cr_assert_not_null(b);
		cr_assert_leq(b->lo_us, b->hi_us);
		cr_assert_geq(b->lo_us, lo);
		lo = b->lo_us;
		cr_assert_leq((uint64_t)info.mono_begin_ns + b->hi_us * 1000, after_ns + 1000);
		cr_assert_geq(sockset_tick(f.set, i), UINT64_C(1) << 32);
		/* A row's tick had begun, not long ago; the coarse clock may be ahead by less than
		 * 10 ms.
		 */
		uint64_t hi_us = (uint64_t)info.mono_begin_ns / 1000 + b->hi_us + 10000;
		uint64_t began_us = (base_us + sockset_tick(f.set, i) * 1000) % turn_us;
		cr_assert_lt((hi_us % turn_us + turn_us - began_us) % turn_us, 20000000);
	}
	cr_assert_geq(info.wall_end_ns, info.wall_begin_ns);
	cr_assert_geq(info.boot_end_ns, info.boot_begin_ns);
	teardown(&f);
	for (unsigned i = 0; i < 200; i++)
		close(clients[i]);
	close(l);
}

Test(collect, the_recorder_does_not_record_itself)
{
	struct fixture f;
	struct rec_snapshot info;
	struct collect_costs costs;
	record(&f, 2, &info, &costs);
	for (uint32_t i = 0; i < f.set->rows; i++) {
		const struct row_owner *o = SLOT_GROUP(f.set, f.set->order[i], owner);
		/* The test's harness has a socket to the test, of AF_UNIX. */
		if (o->owner_process &&
		    SLOT_GROUP(f.set, f.set->order[i], member)->proto != PROTO_UNIX)
			cr_assert_neq(
				query(&f, "SELECT pid FROM process WHERE id = ?", o->owner_process),
				getpid());
	}
	teardown(&f);
}

Test(diag_table, requests)
{
	uint8_t payload[DIAG_REQUEST_MAX];
	/* struct inet_diag_req: ext in byte 3, states in 4 bytes from 52. */
	cr_assert_eq(diag_table_request(&diag_tables[0], payload), 60);
	cr_assert_eq(payload[3], 0x7e);
	cr_assert_eq(memcmp(payload + 52, "\xff\xff\xff\xff", 4), 0);
	/* struct inet_diag_req_v2: family, protocol, ext; states in 4 bytes from 4. */
	for (unsigned i = 1; i < 3; i++) {
		cr_assert_eq(diag_table_request(&diag_tables[i], payload), 56);
		cr_assert_eq(payload[0], i == 1 ? AF_INET : AF_INET6);
		cr_assert_eq(payload[1], IPPROTO_UDP);
		cr_assert_eq(payload[2], 0x7e);
		cr_assert_eq(memcmp(payload + 4, "\xff\xff\xff\xff", 4), 0);
	}
	/* Of MPTCP the protocol stands in an attribute, and not where it would read as TCP. */
	for (unsigned i = 0; i < diag_tables_count; i++) {
		size_t len = diag_table_request(&diag_tables[i], payload);
		cr_assert_leq(len, DIAG_REQUEST_MAX);
		if (diag_tables[i].proto != PROTO_MPTCP)
			continue;
		cr_assert_eq(len, 64);
		cr_assert_eq(payload[1], 0);
		cr_assert_eq(memcmp(payload + 56, "\x08\0\x03\0\x06\x01\0\0", 8), 0);
	}
}

Test(diag_table, lists_of_tables)
{
	static const struct {
		const char *list;
		uint32_t protos;
	} cases[] = {
		{"tcp", 1u << PROTO_TCP},
		{"tcp,udp", 1u << PROTO_TCP | 1u << PROTO_UDP},
		{"unix,netlink,packet",
		 1u << PROTO_UNIX | 1u << PROTO_NETLINK | 1u << PROTO_PACKET},
		{"inet,!tcp,!mptcp,!sctp,!dccp,!raw", 1u << PROTO_UDP | 1u << PROTO_UDPLITE},
		{"tcp,!tcp,udp", 1u << PROTO_UDP},
	};
	static const char *const wrong[] = {"",	    "foo",	"tcp,",
					    ",tcp", "tcp,!tcp", "!all",
					    "ipx",  "tcp udp",	"averyveryverylongname"};
	struct err e = {0};
	uint32_t protos = 7;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(diag_protos_parse(cases[i].list, &protos, &e), 0, "%s", cases[i].list);
		cr_assert_eq(protos, cases[i].protos, "%s: %x", cases[i].list, protos);
	}
	cr_assert_eq(diag_protos_parse("all", &protos, &e), 0);
	cr_assert_eq(protos, diag_protos());
	cr_assert_eq(diag_protos_parse("!netlink", &protos, &e), 0);
	cr_assert_eq(protos, diag_protos() & ~(1u << PROTO_NETLINK));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		protos = 7;
		cr_assert_eq(diag_protos_parse(wrong[i], &protos, &e), ERR_USAGE, "%s", wrong[i]);
		cr_assert_eq(protos, 7);
	}
}
