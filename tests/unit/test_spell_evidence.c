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
};

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
		if (!sim_row(sim, &row))
			continue;
		row.member.cookie = i + 1;
		row.member.netns = 1;
		row.member.family = AF_INET;
		row.member.local_port = (uint16_t)(1000 + i);
		row.state.has |= HAS_TUPLE;
		uint64_t tick_ms = sim->ticks * 1000 / sim->host.hz;
		uint64_t at_us = (uint64_t)(i * ROW_NS) / 1000;
		cr_assert_eq(track_add(t, &row, tick_ms, tick_ms, &e), 0, "%s", e.text);
		cr_assert_eq(track_batch(t, at_us, at_us + 1, &e), 0, "%s", e.text);
	}
	cr_assert_eq(track_members(t, &e), 0, "%s", e.text);
}

static void record(struct scene *scene, const char *dir, uint32_t key_every)
{
	const struct rec_host host = {.boot_id = "b",
				      .hostname = "h",
				      .kernel = "6",
				      .arch = "x",
				      .facts = "{\"tcp_fin_timeout\":60}"};
	const struct rec_writer_options options = {.key_every = key_every};
	struct err e = {0};
	char path[96];
	struct rec_writer *w;
	uint32_t netns;
	snprintf(path, sizeof(path), "%s/h.socklapse", dir);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		int64_t at_ns = snapshot_ns(scene, i), end_ns = at_ns + SIMS * ROW_NS;
		cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
		cr_assert_eq(rec_writer_netns(w, 99, NULL, &netns, &e), 0, "%s", e.text);
		dump(scene, i, rec_writer_track(w));
		struct rec_snapshot info = {
			.wall_begin_ns = boot_ns(at_ns) + WALL_OFFSET,
			.wall_end_ns = boot_ns(end_ns) + WALL_OFFSET,
			.boot_begin_ns = boot_ns(at_ns),
			.boot_end_ns = boot_ns(end_ns),
			.mono_begin_ns = at_ns,
		};
		cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
	}
	rec_writer_close(w);
}

static void make_scene(struct scene *scene, uint64_t seed, int64_t every_ns)
{
	scene->every_ns = every_ns;
	for (unsigned i = 0; i < SIMS; i++) {
		int64_t span_ns = every_ns * SNAPSHOTS + 60 * S;
		scene->begin_ns[i] = FIRST_NS - 60 * S +
				     (int64_t)(lives_random(&seed) % (uint64_t)span_ns);
		sim_begin(&scene->sims[i], lives_random(&seed), scene->begin_ns[i]);
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

/* Which spells there are does not depend on where key frames stand; their bounds may. */
struct told {
	uint64_t cookie;
	size_t first, last;
	uint8_t state;
	bool open;
};

static int compare_told(const void *x, const void *y)
{
	const struct told *a = x, *b = y;
	if (a->cookie != b->cookie)
		return a->cookie < b->cookie ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

static size_t read_told(const char *dir, struct told *ret, size_t max)
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
		memset(&ret[n], 0, sizeof(ret[n]));
		ret[n].cookie = s->id.cookie;
		ret[n].first = s->first;
		ret[n].last = s->last;
		ret[n].state = s->state;
		ret[n++].open = s->open;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
	spell_pass_free(p);
	history_close(h);
	qsort(ret, n, sizeof(*ret), compare_told);
	return n;
}

Test(spell_evidence, key_frames_change_nothing, .timeout = 60)
{
	static const uint32_t keys[] = {200, 1, 7};
	static struct told expect[4096], told[4096];
	struct scene *scene = malloc(sizeof(*scene));
	size_t expected = 0;
	cr_assert_not_null(scene);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char dir[64];
		lives_dir(dir);
		make_scene(scene, 4711, 20 * S);
		record(scene, dir, keys[i]);
		size_t n = read_told(dir, i ? told : expect, 4096);
		expected = i ? expected : n;
		cr_assert_gt(n, 50);
		cr_assert_eq(n, expected, "a key every %u: %zu spells, not %zu", keys[i], n,
			     expected);
		cr_assert(!i || memcmp(told, expect, n * sizeof(*told)) == 0);
		lives_remove(dir);
	}
	free(scene);
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
		record(scene, dir, seed % 2 ? 200 : 7);
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
