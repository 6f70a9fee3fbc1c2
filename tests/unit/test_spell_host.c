/* test_spell_host.c - a network namespace that is set otherwise than its host. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lives.h"
#include "spell.h"
#include "spell_host.h"

#define S  INT64_C(1000000000)
#define MS INT64_C(1000000)

/* Facts of namespace row 2, by snapshot. */
static const char *const facts[] = {"{}", "{\"tcp_fin_timeout\":17}",
				    "{\"tcp_fin_timeout\": 30,\"tcp_keepalive_time\":600}", "{}"};
#define SNAPSHOTS (sizeof(facts) / sizeof(facts[0]))

/* In both namespaces an orphan in FIN-WAIT-2 with 10 s left in its timer, in snapshot 2 alone. */
static void put_sockets(struct track *t, size_t snapshot)
{
	struct err e = {0};
	uint64_t tick_ms = 100000 + snapshot * 60000;
	for (uint32_t netns = 1; netns <= 2 && snapshot == 1; netns++) {
		struct sock_row r = {.member = {.cookie = netns,
						.netns = netns,
						.local_port = 4000,
						.peer_port = 80,
						.proto = PROTO_TCP,
						.family = AF_INET}};
		r.state.has = HAS_TUPLE;
		r.state.state = STATE_FIN_WAIT_2;
		r.queue.timer = TIMER_TIMEWAIT;
		r.queue.timer_ms = 10000;
		cr_assert_eq(track_add(t, &r, tick_ms, tick_ms, &e), 0, "%s", e.text);
	}
	cr_assert_eq(track_batch(t, 0, 1000, &e), 0);
	cr_assert_eq(track_members(t, &e), 0);
}

static void record(const char *dir)
{
	const struct rec_host host = {.boot_id = "b",
				      .hostname = "h",
				      .kernel = "6",
				      .arch = "x",
				      .hz = 1000,
				      .facts = "{\"tcp_fin_timeout\":60,"
					       "\"tcp_keepalive_time\":7200}"};
	const struct rec_writer_options options = {.key_every = 10};
	struct err e = {0};
	char path[96];
	struct rec_writer *w;
	uint32_t netns;
	snprintf(path, sizeof(path), "%s/h.socklapse", dir);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		int64_t at_ns = 100 * S + (int64_t)i * 60 * S;
		struct rec_snapshot info = {.wall_begin_ns = 1000 * S + at_ns,
					    .wall_end_ns = 1000 * S + at_ns + MS,
					    .boot_begin_ns = at_ns,
					    .boot_end_ns = at_ns + MS,
					    .mono_begin_ns = at_ns};
		cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
		cr_assert_eq(rec_writer_netns(w, 98, NULL, &netns, &e), 0, "%s", e.text);
		cr_assert_eq(rec_writer_netns(w, 99, NULL, &netns, &e), 0, "%s", e.text);
		cr_assert_eq(netns, 2);
		cr_assert_eq(rec_writer_netns_facts(w, netns, facts[i], &e), 0, "%s", e.text);
		put_sockets(rec_writer_track(w), i);
		cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
	}
	rec_writer_close(w);
}

Test(spell_host, a_namespace_has_its_own_settings)
{
	static const uint32_t fin_s[SNAPSHOTS] = {60, 17, 30, 60};
	static const uint32_t keepalive_s[SNAPSHOTS] = {7200, 7200, 600, 7200};
	char dir[64];
	const char *path = dir;
	struct err e = {0};
	struct history *h;
	lives_dir(dir);
	record(dir);
	cr_assert_eq(history_open(&path, 1, &h, &e), 0, "%s", e.text);
	struct spell_hosts *hosts = spell_hosts_new(h);
	cr_assert_not_null(hosts);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		const struct bounds_host *own = spell_host(hosts, i, 2);
		cr_assert_eq(own->fin_timeout_s, fin_s[i], "snapshot %zu", i);
		cr_assert_eq(own->keepalive_time_s, keepalive_s[i], "snapshot %zu", i);
		cr_assert_eq(own->hz, 1000);
		cr_assert_eq(spell_host(hosts, i, 1)->fin_timeout_s, 60);
		cr_assert_eq(spell_host(hosts, i, 3)->keepalive_time_s, 7200);
	}
	spell_hosts_free(hosts);
	history_close(h);
	lives_remove(dir);
}

/* With 10 s of 60 s left it began 50 s ago; with 10 s of 17 s left, 7 s ago; both end by it, or 4 s
 * later. */
Test(spell_host, guesses_rest_on_them)
{
	char dir[64];
	const char *path = dir;
	struct err e = {0};
	struct history *h;
	struct spell_pass *p;
	const struct spell *s;
	const struct spell_options options = {.last = SIZE_MAX, .evidence = true};
	int64_t lasted_ms[3] = {0};
	int rc;
	lives_dir(dir);
	record(dir);
	cr_assert_eq(history_open(&path, 1, &h, &e), 0, "%s", e.text);
	cr_assert_eq(spell_pass_new(h, &options, &p, &e), 0, "%s", e.text);
	while ((rc = spell_pass_next(p, &s, &e)) > 0) {
		cr_assert_not_null(s->assumption);
		lasted_ms[s->id.cookie] = s->estimate_ms;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
	spell_pass_free(p);
	history_close(h);
	lives_remove(dir);
	cr_assert_lt(llabs(lasted_ms[1] - 60000), 5000, "%lld", (long long)lasted_ms[1]);
	cr_assert_lt(llabs(lasted_ms[2] - 17000), 5000, "%lld", (long long)lasted_ms[2]);
}
