/*
 * test_bounds_sim.c - random lives of connections (tcpsim.h), looked at by random snapshots: the
 * brackets contain the truth, are never empty, and more snapshots never make them wider.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tcpsim.h"

#define MS   INT64_C(1000000)
#define S    (1000 * MS)
#define DAY  (86400 * S)
#define ROWS 60

/* What the recorder saw of one connection: one entry a snapshot. */
struct sighting {
	bool there;
	struct sock_row row;
	int64_t lo_ns, hi_ns; /* of the row; of the whole dump if there is none */
	int64_t tick_ns;      /* from when on it was the tick; 0: not known */
};

struct life {
	struct sim sim; /* as it is at the end */
	struct sighting seen[ROWS];
	unsigned count;
};

/* One spell as the engine found it. */
struct found {
	uint8_t state;
	bool ended;
	struct bounds_row last;
	struct bounds_spell spell;
	struct bounds_end end;
};

static const int64_t uptimes[] = {400 * S, 3 * DAY, 49 * DAY + 60000 * S, 60 * DAY, 400 * DAY};

static void observe(struct life *life, uint64_t seed)
{
	struct sim *s = &life->sim;
	int64_t begin_ns = uptimes[seed % 5] + (int64_t)(seed * 7919 % 1000) * 37 * MS;
	sim_begin(s, seed, begin_ns);
	int64_t cadence_ns = (int64_t)(1 + sim_random(s, 600)) * 100 * MS;
	int64_t at_ns = begin_ns - (int64_t)sim_random(s, (uint64_t)cadence_ns);
	for (life->count = 0; life->count < ROWS && (!s->gone || life->count < 3); life->count++) {
		struct sighting *seen = &life->seen[life->count];
		if (at_ns >= begin_ns)
			sim_run(s, at_ns);
		seen->tick_ns = seed % 3 ? sim_tick_ns(s) : 0;
		seen->there = at_ns >= begin_ns && sim_row(s, &seen->row);
		seen->lo_ns = at_ns - (int64_t)sim_random(s, 3 * MS);
		seen->hi_ns = at_ns + (int64_t)sim_random(s, 3 * MS);
		at_ns += cadence_ns + (int64_t)sim_random(s, (uint64_t)cadence_ns / 4);
	}
}

static void begin_spell(const struct bounds_host *host, const struct bounds_row *now,
			struct bounds_before *before, struct found *found, unsigned n)
{
	struct found *f = &found[n];
	before->row = n ? &found[n - 1].last : NULL;
	*f = (struct found){.state = now->row->state.state};
	bounds_enter(host, now, before, &f->spell);
}

/* The end of a spell is best known when the one after it is known best. */
static void end_spells(struct found *f, unsigned n)
{
	for (unsigned i = 0; i + 1 < n; i++) {
		bounds_turn(&f[i].last, f[i + 1].state, &f[i + 1].spell, &f[i].end);
		f[i].ended = true;
	}
}

/* The spells of a life by the snapshots whose bit is set in `use`; returns their number. */
static unsigned find_spells(const struct life *life, uint64_t use, struct found ret[SIM_MAX_STATES])
{
	const struct bounds_host *host = &life->sim.host;
	struct bounds_before before = {.absent_ns = BOUNDS_EARLY};
	unsigned n = 0;
	for (unsigned i = 0; i < life->count; i++) {
		const struct sighting *seen = &life->seen[i];
		struct bounds_row now = {.row = &seen->row,
					 .lo_ns = seen->lo_ns,
					 .hi_ns = seen->hi_ns,
					 .tick_ns = seen->tick_ns};
		if (!(use >> i & 1))
			continue;
		if (!seen->there && n) {
			bounds_gone(host, &ret[n - 1].last, seen->hi_ns, &ret[n - 1].end);
			ret[n - 1].ended = true;
			break;
		}
		if (!seen->there) {
			before.absent_ns = before.born_ns = seen->lo_ns;
			continue;
		}
		if (n && ret[n - 1].state == seen->row.state.state)
			bounds_more(host, &now, &ret[n - 1].spell);
		else
			begin_spell(host, &now, &before, ret, n++);
		ret[n - 1].last = now;
	}
	end_spells(ret, n);
	return n;
}

static unsigned truth_index(const struct sim *s, unsigned state)
{
	for (unsigned i = 0; i < s->entered_count; i++)
		if (s->entered[i].state == state)
			return i;
	cr_assert_fail("state %u was never entered", state);
	return 0;
}

static int64_t truth_left_ns(const struct sim *s, unsigned i)
{
	return i + 1 < s->entered_count ? s->entered[i + 1].ns : s->gone_ns;
}

static void check_span(const struct bounds_span *span, int64_t truth_ns, uint64_t seed,
		       unsigned state, const char *what)
{
	cr_assert(span->lo_ns <= truth_ns && truth_ns <= span->hi_ns,
		  "seed %lu: %s %s: truth is %.3f ms after lo (%s), %.3f ms before hi (%s)",
		  (unsigned long)seed, sock_state_name(state), what,
		  (double)(truth_ns - span->lo_ns) / 1e6, bounds_source_name(span->lo_source),
		  (double)(span->hi_ns - truth_ns) / 1e6, bounds_source_name(span->hi_source));
}

static void check_guess(const struct bounds_span *span, const struct bounds_guess *guess,
			uint64_t seed)
{
	if (!guess->assumption)
		return;
	cr_assert(guess->lo_ns <= guess->hi_ns && guess->lo_ns >= span->lo_ns &&
			  guess->hi_ns <= span->hi_ns,
		  "seed %lu: guess outside of the bracket", (unsigned long)seed);
}

/* Which bounds were used: a rule that never is would not be tested. */
struct tally {
	unsigned by[BOUNDS_SOURCES];
	unsigned guesses[BOUNDS_ASSUMPTIONS];
	unsigned spells;
};

static void check_life(const struct life *life, const struct found *f, unsigned n, uint64_t seed,
		       struct tally *tally)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned t = truth_index(&life->sim, f[i].state);
		check_span(&f[i].spell.entered, life->sim.entered[t].ns, seed, f[i].state,
			   "entered");
		cr_assert_eq(f[i].spell.flags & BOUNDS_CONTRADICTION, 0, "seed %lu: contradiction",
			     (unsigned long)seed);
		check_guess(&f[i].spell.entered, &f[i].spell.guess, seed);
		tally->spells++;
		tally->by[f[i].spell.entered.lo_source]++;
		tally->by[f[i].spell.entered.hi_source]++;
		tally->guesses[f[i].spell.guess.assumption]++;
		if (!f[i].ended)
			continue;
		check_span(&f[i].end.left, truth_left_ns(&life->sim, t), seed, f[i].state, "left");
		check_guess(&f[i].end.left, &f[i].end.guess, seed);
		tally->guesses[f[i].end.guess.assumption]++;
	}
}

#define LIVES 40000

static const unsigned must_be_used[] = {
	BY_NOTHING,	BY_SNAPSHOT,	 BY_RTO_TIME,	    BY_RTO_TIMER,
	BY_RETRANSMITS, BY_SYNACK_TIMER, BY_LAST_SENT,	    BY_LAST_RECEIVED,
	BY_LAST_ACK,	BY_ONE_SEGMENT,	 BY_TIMEWAIT_TIMER,
};

Test(bounds_sim, brackets_contain_the_truth)
{
	static struct life life;
	struct tally tally = {0};
	struct found f[SIM_MAX_STATES];
	for (uint64_t seed = 1; seed <= LIVES; seed++) {
		observe(&life, seed);
		unsigned n = find_spells(&life, UINT64_MAX, f);
		check_life(&life, f, n, seed, &tally);
		/* A recording that begins in the middle: nothing is known of the time before. */
		unsigned skip = (unsigned)(seed % ROWS);
		n = find_spells(&life, UINT64_MAX << skip, f);
		check_life(&life, f, n, seed, &tally);
	}
	for (size_t i = 0; i < sizeof(must_be_used) / sizeof(must_be_used[0]); i++)
		cr_expect(tally.by[must_be_used[i]] > 20, "%s used %u times",
			  bounds_source_name(must_be_used[i]), tally.by[must_be_used[i]]);
	for (unsigned i = 1; i < BOUNDS_ASSUMPTIONS; i++)
		cr_expect(i == ASSUME_KEEPALIVE || tally.guesses[i] > 20, "'%s' used %u times",
			  bounds_assumption_text(i), tally.guesses[i]);
	cr_expect(tally.spells > LIVES, "%u spells", tally.spells);
}

/*
 * A bracket may not reach further than one made from fewer snapshots, but for the uncertainty of
 * the times of rows themselves: the end of a spell may be bounded by another row.
 */
#define SLACK_NS (6 * MS)

static void check_no_wider(const struct bounds_span *more, const struct bounds_span *fewer,
			   int64_t slack_ns, uint64_t seed, unsigned state, const char *what)
{
	cr_assert(more->lo_ns >= fewer->lo_ns - slack_ns && more->hi_ns <= fewer->hi_ns + slack_ns,
		  "seed %lu: %s %s: wider with more snapshots: lo %.3f ms (%s, %s), hi %.3f ms "
		  "(%s, %s)",
		  (unsigned long)seed, sock_state_name(state), what,
		  (double)(fewer->lo_ns - more->lo_ns) / 1e6, bounds_source_name(more->lo_source),
		  bounds_source_name(fewer->lo_source), (double)(more->hi_ns - fewer->hi_ns) / 1e6,
		  bounds_source_name(more->hi_source), bounds_source_name(fewer->hi_source));
}

Test(bounds_sim, more_snapshots_never_widen)
{
	static struct life life;
	struct found all[SIM_MAX_STATES], some[SIM_MAX_STATES];
	unsigned compared = 0;
	for (uint64_t seed = 1; seed <= LIVES / 2; seed++) {
		observe(&life, seed);
		uint64_t use = sim_random(&life.sim, UINT64_MAX) |
			       sim_random(&life.sim, UINT64_MAX);
		unsigned n_all = find_spells(&life, UINT64_MAX, all);
		unsigned n_some = find_spells(&life, use, some);
		for (unsigned i = 0, j = 0; j < n_some; j++) {
			while (i < n_all && all[i].state != some[j].state)
				i++;
			cr_assert(i < n_all);
			check_no_wider(&all[i].spell.entered, &some[j].spell.entered, 0, seed,
				       all[i].state, "entered");
			if (all[i].ended && some[j].ended)
				check_no_wider(&all[i].end.left, &some[j].end.left, SLACK_NS, seed,
					       all[i].state, "left");
			compared++;
		}
	}
	cr_expect(compared > LIVES / 2, "%u compared", compared);
}
