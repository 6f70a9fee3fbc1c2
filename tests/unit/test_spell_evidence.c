/*
 * test_spell_evidence.c - spells whose bounds are narrowed by timers and stamps, on recordings of
 * a modelled kernel that knows when each state was really entered and left. The machine sleeps for
 * a while in the middle.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lives.h"
#include "spell.h"
#include "tcpsim.h"

#define S	    INT64_C(1000000000)
#define MS	    INT64_C(1000000)
#define WALL_OFFSET (INT64_C(1763820000) * S)

#define SIMS	  60u
#define SNAPSHOTS 60u
#define FIRST_NS  (5000 * S) /* CLOCK_MONOTONIC */

/* Rows are so far apart that ticks ascend, although each model's tick lags by its own time. */
#define ROW_NS (20 * MS)

/* The machine sleeps at this moment. */
#define SLEEP_AT_NS (FIRST_NS + 150 * S)
#define SLEEP_NS    (1000 * S)

struct scene {
	struct sim sims[SIMS];
	int64_t begin_ns[SIMS];
	int64_t every_ns;
	uint32_t hz; /* of all sims, and told by the recording; 0: of each its own */
};

/* If all have one tick, the recorder can say where it is on its clock: here 3 ms too early. */
#define TICK_BASE_US ((UINT64_C(1) << 32) * 1000 - 3000)

static int64_t asleep_ns(int64_t mono_ns)
{
	return 100 * S + (mono_ns >= SLEEP_AT_NS ? SLEEP_NS : 0);
}

static int64_t boot_ns(int64_t mono_ns)
{
	return mono_ns + asleep_ns(mono_ns);
}

static int64_t snapshot_ns(const struct scene *scene, size_t number)
{
	return FIRST_NS + (int64_t)number * scene->every_ns;
}

static int64_t fill_ns(const struct scene *scene, size_t snapshot, unsigned sim)
{
	return snapshot_ns(scene, snapshot) + sim * ROW_NS;
}

/* Without `t` only the models go on: what they do depends on when they are asked. */
static void dump(struct scene *scene, size_t number, struct track *t)
{
	struct err e = {0};
	for (unsigned i = 0; i < SIMS; i++) {
		struct sim *sim = &scene->sims[i];
		struct sock_row row;
		int64_t at_ns = fill_ns(scene, number, i);
		if (at_ns < scene->begin_ns[i])
			continue;
		sim_run(sim, at_ns);
		uint64_t tick_ms = sim_tick(sim) * 1000 / sim->host.hz;
		if (!sim_row(sim, &row) || !t)
			continue;
		row.member.cookie = i + 1;
		row.member.netns = 1;
		row.member.family = AF_INET;
		row.member.local_port = (uint16_t)(1000 + i);
		row.state.has |= HAS_TUPLE;
		uint64_t at_us = (uint64_t)(i * ROW_NS) / 1000;
		cr_assert_eq(track_add(t, &row, tick_ms, tick_ms, &e), 0, "%s", e.text);
		cr_assert_eq(track_batch(t, at_us, at_us + 1, &e), 0, "%s", e.text);
	}
	if (t)
		cr_assert_eq(track_members(t, &e), 0, "%s", e.text);
}

/* How a scene is recorded. */
struct way {
	uint32_t key_every;
	unsigned per_file; /* snapshots in a file; 0: all */
	unsigned every;	   /* of the snapshots every n-th; 0: each */
};

static struct rec_writer *open_file(const char *dir, unsigned number, uint32_t key_every,
				    uint32_t hz)
{
	const struct rec_host host = {.boot_id = "b",
				      .hostname = "h",
				      .kernel = "6",
				      .arch = "x",
				      .hz = hz,
				      .facts = "{\"tcp_fin_timeout\":60}"};
	const struct rec_writer_options options = {.key_every = key_every};
	struct err e = {0};
	char path[96];
	struct rec_writer *w;
	snprintf(path, sizeof(path), "%s/h-%u.socklapse", dir, number);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	return w;
}

static void take_snapshot(struct scene *scene, size_t number, struct rec_writer *w)
{
	struct err e = {0};
	uint32_t netns;
	int64_t at_ns = snapshot_ns(scene, number), end_ns = at_ns + SIMS * ROW_NS;
	cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
	cr_assert_eq(rec_writer_netns(w, 99, NULL, &netns, &e), 0, "%s", e.text);
	dump(scene, number, rec_writer_track(w));
	if (scene->hz)
		cr_assert_eq(rec_writer_cost(w, "tick_base_us", TICK_BASE_US, &e), 0);
	struct rec_snapshot info = {
		.wall_begin_ns = boot_ns(at_ns) + WALL_OFFSET,
		.wall_end_ns = boot_ns(end_ns) + WALL_OFFSET,
		.boot_begin_ns = boot_ns(at_ns),
		.boot_end_ns = boot_ns(end_ns),
		.mono_begin_ns = at_ns,
	};
	cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
}

static void record(struct scene *scene, const char *dir, struct way way)
{
	struct rec_writer *w = NULL;
	unsigned taken = 0;
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		if (way.every && i % way.every) {
			dump(scene, i, NULL);
			continue;
		}
		if (!w || (way.per_file && taken % way.per_file == 0)) {
			rec_writer_close(w);
			w = open_file(dir, taken, way.key_every, scene->hz);
		}
		take_snapshot(scene, i, w);
		taken++;
	}
	rec_writer_close(w);
}

static void make_scene(struct scene *scene, uint64_t seed, int64_t every_ns)
{
	scene->every_ns = every_ns;
	scene->hz = seed / 1000 % 2 ? 250 : 0;
	for (unsigned i = 0; i < SIMS; i++) {
		int64_t span_ns = every_ns * SNAPSHOTS + 60 * S;
		scene->begin_ns[i] = FIRST_NS - 60 * S +
				     (int64_t)(lives_random(&seed) % (uint64_t)span_ns);
		do
			sim_begin(&scene->sims[i], lives_random(&seed), scene->begin_ns[i]);
		while (scene->hz && scene->sims[i].host.hz != scene->hz);
	}
}

/* The state that connection was really in at a moment. */
static unsigned state_at(const struct sim *sim, int64_t mono_ns)
{
	unsigned i = sim->entered_count;
	while (i > 0 && sim->entered[i - 1].ns > mono_ns)
		i--;
	cr_assert_gt(i, 0);
	return i - 1;
}

static void check_moment(const struct spell *s, const struct spell_bound *b, int64_t mono_ns,
			 const char *what)
{
	int64_t wall_ns = boot_ns(mono_ns) + WALL_OFFSET;
	char source[64];
	spell_source_text(b, source);
	cr_assert_leq(b->lo_ns, wall_ns, "%s %s: %lld us too late by %s", sock_state_name(s->state),
		      what, (long long)(b->lo_ns - wall_ns) / 1000, source);
	cr_assert_geq(b->hi_ns, wall_ns, "%s %s: %lld us too early by %s",
		      sock_state_name(s->state), what, (long long)(wall_ns - b->hi_ns) / 1000,
		      source);
}

/* What the pass gave, for figures. */
struct widths {
	double with, without; /* sums of entered.hi - entered.lo, s */
	unsigned count, estimates;
	unsigned timed, timed_well; /* TIME-WAITs that ended when their timer said, by a guess */
};

static void check_guess(const struct spell *s, int64_t lasted_ns, struct widths *w)
{
	if (s->state != STATE_TIME_WAIT || !s->assumption_left ||
	    strncmp(s->assumption_left, "its timer", 9) != 0)
		return;
	w->timed++;
	w->timed_well += llabs(s->estimate_ms * MS - lasted_ns) < 2 * S;
}

static void check_spell(const struct scene *scene, const struct spell *s, struct widths *w)
{
	unsigned number = (unsigned)s->id.cookie - 1;
	const struct sim *sim = &scene->sims[number];
	unsigned i = state_at(sim, fill_ns(scene, s->first, number));
	int64_t entered_ns = sim->entered[i].ns;
	cr_assert_eq(sim->entered[i].state, s->state);
	check_moment(s, &s->entered, entered_ns, "entered");
	cr_assert(s->open || s->at_least_ms <= s->at_most_ms);
	if (s->open)
		return;
	int64_t left_ns = i + 1 < sim->entered_count ? sim->entered[i + 1].ns : sim->gone_ns;
	int64_t lasted_ns = boot_ns(left_ns) - boot_ns(entered_ns);
	check_moment(s, &s->left, left_ns, "left");
	cr_assert_leq(s->at_least_ms * MS, lasted_ns);
	cr_assert_geq(s->at_most_ms * MS, lasted_ns);
	check_guess(s, lasted_ns, w);
}

static void read_spells(const struct scene *scene, const char *dir, bool evidence, struct widths *w)
{
	struct err e = {0};
	struct history *h;
	struct spell_pass *p;
	const struct spell *s;
	int rc;
	const struct spell_options options = {.last = SIZE_MAX, .evidence = evidence};
	cr_assert_eq(history_open(&dir, 1, &h, &e), 0, "%s", e.text);
	cr_assert_eq(spell_pass_new(h, &options, &p, &e), 0, "%s", e.text);
	while ((rc = spell_pass_next(p, &s, &e)) > 0) {
		check_spell(scene, s, w);
		double width = (double)(s->entered.hi_ns - s->entered.lo_ns) / 1e9;
		if (s->early)
			continue;
		*(evidence ? &w->with : &w->without) += width;
		w->count += evidence;
		w->estimates += evidence && s->estimate_ms != SPELL_UNKNOWN;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
	spell_pass_free(p);
	history_close(h);
}

/* Which spells there are does not depend on where key frames stand or files begin; bounds may. */
struct told {
	uint64_t cookie;
	size_t first, last;
	uint8_t state;
	bool open;
};

static struct told told_of(const struct spell *s)
{
	struct told t;
	memset(&t, 0, sizeof(t)); /* padding is compared, too */
	t.cookie = s->id.cookie;
	t.first = s->first;
	t.last = s->last;
	t.state = s->state;
	t.open = s->open;
	return t;
}

static int compare_told(const void *x, const void *y)
{
	const struct told *a = x, *b = y;
	if (a->cookie != b->cookie)
		return a->cookie < b->cookie ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

static size_t read_all(const char *dir, struct spell *ret, size_t max)
{
	struct err e = {0};
	struct history *h;
	struct spell_pass *p;
	const struct spell *s;
	size_t n = 0;
	int rc;
	const struct spell_options options = {.last = SIZE_MAX, .evidence = true};
	cr_assert_eq(history_open(&dir, 1, &h, &e), 0, "%s", e.text);
	cr_assert_eq(spell_pass_new(h, &options, &p, &e), 0, "%s", e.text);
	while ((rc = spell_pass_next(p, &s, &e)) > 0) {
		cr_assert_lt(n, max);
		ret[n++] = *s;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
	spell_pass_free(p);
	history_close(h);
	return n;
}

#define MAX_SPELLS 4096

static size_t record_and_read(uint64_t seed, struct way way, struct spell *ret)
{
	struct scene *scene = malloc(sizeof(*scene));
	char dir[64];
	cr_assert_not_null(scene);
	lives_dir(dir);
	make_scene(scene, seed, 20 * S);
	record(scene, dir, way);
	size_t n = read_all(dir, ret, MAX_SPELLS);
	lives_remove(dir);
	free(scene);
	return n;
}

Test(spell_evidence, key_frames_and_files_change_nothing, .timeout = 120)
{
	static const struct way ways[] = {{.key_every = 200},
					  {.key_every = 1},
					  {.key_every = 7},
					  {.key_every = 200, .per_file = 20},
					  {.key_every = 7, .per_file = 13},
					  {.key_every = 200, .per_file = 1}};
	static struct spell all[MAX_SPELLS];
	static struct told expect[MAX_SPELLS], told[MAX_SPELLS];
	size_t expected = 0;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct told *t = i ? told : expect;
		size_t n = record_and_read(4711, ways[i], all);
		for (size_t k = 0; k < n; k++)
			t[k] = told_of(&all[k]);
		qsort(t, n, sizeof(*t), compare_told);
		expected = i ? expected : n;
		cr_assert_gt(n, 50);
		cr_assert_eq(n, expected, "way %zu: %zu spells, not %zu", i, n, expected);
		cr_assert(!i || memcmp(told, expect, n * sizeof(*told)) == 0, "way %zu", i);
	}
}

/* The spell of a denser history that is the same as one of a sparser. */
static const struct spell *find(const struct spell *all, size_t n, const struct spell *like)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].id.cookie == like->id.cookie && all[i].state == like->state)
			return &all[i];
	return NULL;
}

/*
 * The stamps of two rows differ by their ticks: a bound of one row may be a little better than the
 * same bound of another, earlier one. Less than the margin that either has.
 */
#define SLACK_NS (28 * MS)

static void check_within(const struct spell *wide, const struct spell *narrow)
{
	cr_assert_geq(narrow->entered.lo_ns, wide->entered.lo_ns - SLACK_NS);
	cr_assert_leq(narrow->entered.hi_ns, wide->entered.hi_ns + SLACK_NS);
	cr_assert(narrow->at_most_ms == SPELL_UNKNOWN || narrow->at_least_ms <= narrow->at_most_ms);
	if (wide->open || narrow->open)
		return;
	cr_assert_geq(narrow->left.lo_ns, wide->left.lo_ns - SLACK_NS);
	cr_assert_leq(narrow->left.hi_ns, wide->left.hi_ns + SLACK_NS);
}

Test(spell_evidence, more_snapshots_only_narrow, .timeout = 120)
{
	static struct spell few[MAX_SPELLS], many[MAX_SPELLS];
	size_t compared = 0;
	for (uint64_t seed = 100; seed < 106; seed++) {
		struct way way = {.key_every = 200, .every = 2 + seed % 3};
		size_t sparse = record_and_read(seed, way, few);
		way.every = 1;
		size_t dense = record_and_read(seed, way, many);
		for (size_t i = 0; i < sparse; i++, compared++) {
			const struct spell *narrow = find(many, dense, &few[i]);
			cr_assert_not_null(narrow);
			check_within(&few[i], narrow);
		}
	}
	cr_assert_gt(compared, 300);
}

/* Of those that follow each other with none between, one ends when and because the other begins. */
static bool is_direct(unsigned from, unsigned to)
{
	static const uint8_t pairs[][2] = {
		{STATE_SYN_RECV, STATE_ESTAB},	      {STATE_ESTAB, STATE_CLOSE_WAIT},
		{STATE_ESTAB, STATE_FIN_WAIT_1},      {STATE_CLOSE_WAIT, STATE_LAST_ACK},
		{STATE_FIN_WAIT_1, STATE_FIN_WAIT_2}, {STATE_FIN_WAIT_1, STATE_CLOSING},
		{STATE_FIN_WAIT_2, STATE_TIME_WAIT},  {STATE_CLOSING, STATE_TIME_WAIT}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i][0] == from && pairs[i][1] == to)
			return true;
	return false;
}

Test(spell_evidence, one_ends_when_the_next_begins, .timeout = 120)
{
	static struct spell all[MAX_SPELLS];
	unsigned compared = 0, by_later_rows = 0;
	for (uint64_t seed = 200; seed < 206; seed++) {
		size_t n = record_and_read(seed, (struct way){.key_every = 200}, all);
		for (size_t i = 0; i < n * n; i++) {
			const struct spell *a = &all[i / n], *b = &all[i % n];
			if (a->id.cookie != b->id.cookie || a->last >= b->first ||
			    a->after != b->state || b->before != a->state)
				continue;
			cr_assert_eq(a->left.hi_ns, b->entered.hi_ns);
			cr_assert_str_eq(a->left.hi_source, b->entered.hi_source);
			if (!is_direct(a->state, b->state))
				continue;
			cr_assert_eq(a->left.lo_ns, b->entered.lo_ns);
			cr_assert_str_eq(a->left.lo_source, b->entered.lo_source);
			compared++;
			by_later_rows += strcmp(b->entered.hi_source, "retransmits") == 0;
		}
	}
	cr_assert_gt(compared, 100);
	cr_assert_gt(by_later_rows, 3);
}

Test(spell_evidence, narrower_and_never_wrong, .timeout = 120)
{
	static const int64_t cadences_s[] = {5, 20, 60};
	struct scene *scene = malloc(sizeof(*scene));
	cr_assert_not_null(scene);
	struct widths w = {0};
	for (uint64_t seed = 1; seed <= 12; seed++) {
		char dir[64];
		lives_dir(dir);
		make_scene(scene, seed * 1000, cadences_s[seed % 3] * S);
		record(scene, dir,
		       (struct way){.key_every = seed % 2 ? 200 : 7,
				    .per_file = seed % 4 ? 0 : 15});
		read_spells(scene, dir, false, &w);
		read_spells(scene, dir, true, &w);
		lives_remove(dir);
	}
	cr_assert_gt(w.count, 500);
	cr_assert_gt(w.estimates, w.count / 2);
	cr_assert_lt(w.with, w.without * 0.7, "mean width %.2f s, of snapshots alone %.2f s",
		     w.with / w.count, w.without / w.count);
	cr_assert_gt(w.timed, 20);
	cr_assert_gt(w.timed_well, w.timed * 0.6, "%u of %u", w.timed_well, w.timed);
	free(scene);
}
