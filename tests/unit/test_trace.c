/* test_trace.c - the life of a connection is told in order, with all that happened to it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lives.h"
#include "trace.h"

#define S	    INT64_C(1000000000)
#define WALL_OFFSET (INT64_C(1763820000) * S)

static void record(const char *dir, struct lives *l)
{
	struct take take = {
		.dir = dir,
		.wall_offset_ns = WALL_OFFSET,
		.first_ns = 1000 * S,
		.last_ns = 1200 * S,
		.every_ns = 10 * S,
		.dump_ns = S / 10,
		.key_every = 7,
		.snapshots_per_file = 9,
	};
	lives_record(l, &take);
}

static struct trace trace_of(const char *dir, size_t top, struct history **ret_h)
{
	const struct vt_context context = {0};
	const struct trace_options options = {
		.from_ns = INT64_MIN, .to_ns = INT64_MAX, .top = top, .context = &context};
	struct spell_ask ask = {.scope = {.states = UINT32_MAX}};
	struct trace t = {0};
	struct err e = {0};
	cr_assert_eq(history_open(&dir, 1, ret_h, &e), 0, "%s", e.text);
	cr_assert_eq(trace_run(*ret_h, &options, &ask, &t, &e), 0, "%s", e.text);
	return t;
}

Test(trace, one_life_in_order)
{
	static const struct {
		enum trace_kind kind;
		const char *text;
		size_t snapshot;
	} expect[] = {
		{TRACE_STATE, "ESTAB (snapshot)", 3},
		{TRACE_OWNER, "daemon,pid=102,fd=7", 3},
		{TRACE_STATE, "CLOSE-WAIT (snapshot)", 9},
		{TRACE_OWNER, "nobody holds it any more", 9},
		{TRACE_GONE, "last seen in CLOSE-WAIT (snapshot)", 14},
	};
	char dir[64];
	lives_dir(dir);
	struct life life = {
		.id = {.cookie = 5, .netns = 1, .proto = PROTO_TCP, .family = 2, .local_port = 80},
		.states = 2,
		.state = {STATE_ESTAB, STATE_CLOSE_WAIT},
		.at_ns = {1025 * S, 1085 * S, 1145 * S},
		.process = 2,
	};
	struct lives l = {.all = &life, .count = 1};
	record(dir, &l);
	struct history *h;
	struct trace t = trace_of(dir, 3, &h);
	cr_assert_eq(t.count, 1);
	cr_assert_eq(t.events_count, 5);
	for (size_t i = 0; i < t.events_count; i++) {
		cr_assert_eq(t.events[i].kind, expect[i].kind, "event %zu: %s", i,
			     t.events[i].text);
		cr_assert_str_eq(t.events[i].text, expect[i].text);
		cr_assert_eq(t.events[i].snapshot, expect[i].snapshot, "event %zu: %zu", i,
			     t.events[i].snapshot);
		cr_assert_leq(t.events[i].lo_ns, t.events[i].hi_ns);
	}
	cr_assert_leq(t.events[2].lo_ns, WALL_OFFSET + 1085 * S);
	cr_assert_geq(t.events[2].hi_ns, WALL_OFFSET + 1085 * S);
	trace_fini(&t);
	history_close(h);
	lives_remove(dir);
}

Test(trace, at_most_so_many_connections_the_longest_first)
{
	char dir[64];
	struct lives l;
	struct history *h;
	lives_dir(dir);
	lives_init(&l, 9, 50, 900 * S, 1300 * S);
	record(dir, &l);
	struct trace t = trace_of(dir, 4, &h);
	cr_assert_eq(t.count, 4);
	cr_assert_gt(t.matching, 40);
	unsigned states = 0;
	for (size_t i = 0; i < t.events_count; i++) {
		cr_assert(!i || t.events[i].connection > t.events[i - 1].connection ||
			  t.events[i].hi_ns >= t.events[i - 1].hi_ns);
		states += t.events[i].kind == TRACE_STATE;
	}
	cr_assert_geq(states, 4);
	trace_fini(&t);
	history_close(h);
	lives_fini(&l);
	lives_remove(dir);
}

/* The kernel tells of the closed socket beside the TIME-WAIT, which itself has no holder. */
Test(trace, a_time_wait_whose_socket_is_held)
{
	struct life life = {
		.id = {.cookie = 5,
		       .netns = 1,
		       .proto = PROTO_TCP,
		       .family = 2,
		       .local_port = 4000,
		       .peer_port = 80},
		.states = 2,
		.state = {STATE_ESTAB, STATE_TIME_WAIT},
		.at_ns = {1025 * S, 1085 * S, 1145 * S},
		.process = 2,
		.shell_from_ns = 1085 * S,
	};
	struct lives l = {.all = &life, .count = 1};
	/* It is let go while TIME-WAIT goes on; when both are over; long after. */
	static const struct {
		int64_t shell_to_ns;
		size_t let_go; /* the snapshot that says so; 0: none does */
	} cases[] = {{1115 * S, 12}, {1145 * S, 0}, {1300 * S, 0}};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		char dir[64];
		struct history *h;
		size_t holders = 0, let_go = 0;
		lives_dir(dir);
		life.shell_to_ns = cases[k].shell_to_ns;
		record(dir, &l);
		struct trace t = trace_of(dir, 3, &h);
		for (size_t i = 0; i < t.events_count; i++) {
			const struct trace_event *v = &t.events[i];
			if (v->kind != TRACE_OWNER)
				continue;
			holders += strcmp(v->text, "daemon,pid=102,fd=7") == 0;
			if (strcmp(v->text, "nobody holds it any more") == 0)
				let_go = v->snapshot;
		}
		cr_assert_eq(t.count, 1);
		cr_assert_eq(holders, 1, "case %zu: %zu times", k, holders);
		cr_assert_eq(let_go, cases[k].let_go, "case %zu: snapshot %zu", k, let_go);
		trace_fini(&t);
		history_close(h);
		lives_remove(dir);
	}
}
