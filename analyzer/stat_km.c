/* stat_km.c - see stat_km.h. */
#include "stat_km.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* Buckets: values below 128 are their own; then 64 for each power of two up to 2^46. */
#define EXACT_BELOW  128
#define PER_OCTAVE   64
#define LAST_OCTAVE  46
#define BUCKET_COUNT (EXACT_BELOW + (LAST_OCTAVE - 7) * PER_OCTAVE + 1)

/* What happens at one age. */
struct km_bucket {
	uint64_t soonest, latest; /* end, if all end as early, or as late, as they may */
	uint64_t censor_soonest, censor_latest;
	/* Come under observation behind this age (left truncation). */
	uint64_t enter_soonest, enter_latest;
};

/* The same with its age. */
struct km_point {
	int64_t at;
	struct km_bucket what;
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "statistics: out of memory");
}

void km_fini(struct km *k)
{
	free(k->samples);
	free(k->buckets);
	*k = (struct km){0};
}

/* The bucket that holds `v`. */
static size_t bucket_of(int64_t v)
{
	if (v < EXACT_BELOW)
		return v < 0 ? 0 : (size_t)v;
	unsigned octave = 63 - (unsigned)__builtin_clzll((unsigned long long)v);
	if (octave >= LAST_OCTAVE)
		return BUCKET_COUNT - 1;
	size_t within = (size_t)(v >> (octave - 6)) - PER_OCTAVE;
	return EXACT_BELOW + (octave - 7) * PER_OCTAVE + within;
}

/* The smallest value in a bucket. */
static int64_t bucket_floor(size_t bucket)
{
	if (bucket < EXACT_BELOW)
		return (int64_t)bucket;
	unsigned octave = (unsigned)((bucket - EXACT_BELOW) / PER_OCTAVE) + 7;
	int64_t within = (int64_t)((bucket - EXACT_BELOW) % PER_OCTAVE);
	return (PER_OCTAVE + within) << (octave - 6);
}

/* The bucket whose floor is not below `v`. */
static size_t bucket_above(int64_t v)
{
	size_t b = bucket_of(v);
	return b + 1 < BUCKET_COUNT && bucket_floor(b) < v ? b + 1 : b;
}

/* At risk from an age on that may be above 0? */
static bool is_late(const struct km_sample *s)
{
	return s->late && s->late_most > 0;
}

/*
 * Late, and perhaps not seen before it was censored? It then may never have been at risk at an age
 * that is known, and only the upper curve may count on it.
 */
static bool is_never_at_risk(const struct km_sample *s)
{
	return is_late(s) && !s->ended && s->late_most > s->least;
}

static void count_into(struct km_bucket *buckets, const struct km_sample *s)
{
	bool counts = !is_never_at_risk(s);
	struct km_bucket *least = &buckets[bucket_of(s->least)];
	struct km_bucket *most = &buckets[bucket_above(s->most)];
	least->soonest += s->ended;
	most->latest += s->ended;
	least->censor_soonest += !s->ended && counts;
	most->censor_latest += !s->ended;
	if (!is_late(s))
		return;
	/* One who enters at an age is at risk behind it: one bucket earlier than it is seen. */
	if (bucket_of(s->late_least))
		buckets[bucket_of(s->late_least) - 1].enter_soonest++;
	buckets[bucket_above(s->late_most) - 1].enter_latest += counts;
}

static int to_buckets(struct km *k, struct err *e)
{
	k->buckets = calloc(BUCKET_COUNT, sizeof(*k->buckets));
	if (!k->buckets)
		return no_memory(e);
	for (size_t i = 0; i < k->count; i++)
		count_into(k->buckets, &k->samples[i]);
	free(k->samples);
	k->samples = NULL;
	k->cap = 0;
	return 0;
}

int km_add(struct km *k, const struct km_sample *s, struct err *e)
{
	if (k->count == STAT_KM_EXACT && !k->buckets) {
		int rc = to_buckets(k, e);
		if (rc)
			return rc;
	}
	if (k->buckets) {
		count_into(k->buckets, s);
	} else {
		struct km_sample *all = array_grow(k->samples, &k->cap, k->count + 1, sizeof(*all));
		if (!all)
			return no_memory(e);
		k->samples = all;
		all[k->count] = *s;
	}
	if (s->least > k->greatest)
		k->greatest = s->least;
	k->count++;
	return 0;
}

static int compare_points(const void *x, const void *y)
{
	const struct km_point *a = x, *b = y;
	return (a->at > b->at) - (a->at < b->at);
}

static void add_up(struct km_bucket *to, const struct km_bucket *more)
{
	to->soonest += more->soonest;
	to->latest += more->latest;
	to->censor_soonest += more->censor_soonest;
	to->censor_latest += more->censor_latest;
	to->enter_soonest += more->enter_soonest;
	to->enter_latest += more->enter_latest;
}

static size_t points_of_sample(const struct km_sample *s, struct km_point *ret)
{
	bool counts = !is_never_at_risk(s);
	size_t n = 0;
	ret[n++] = (struct km_point){
		.at = s->least,
		.what = {.soonest = s->ended, .censor_soonest = !s->ended && counts}};
	ret[n++] = (struct km_point){.at = s->most,
				     .what = {.latest = s->ended, .censor_latest = !s->ended}};
	if (!is_late(s))
		return n;
	if (s->late_least > 0)
		ret[n++] = (struct km_point){.at = s->late_least - 1, .what = {.enter_soonest = 1}};
	ret[n++] = (struct km_point){.at = s->late_most - 1, .what = {.enter_latest = counts}};
	return n;
}

static size_t points_of_samples(const struct km *k, struct km_point *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < k->count; i++)
		n += points_of_sample(&k->samples[i], ret + n);
	qsort(ret, n, sizeof(*ret), compare_points);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (!kept || ret[kept - 1].at != ret[i].at)
			ret[kept++] = ret[i];
		else
			add_up(&ret[kept - 1].what, &ret[i].what);
	}
	return kept;
}

static size_t points_of_buckets(const struct km_bucket *buckets, struct km_point *ret)
{
	static const struct km_bucket nothing;
	size_t n = 0;
	for (size_t b = 0; b < BUCKET_COUNT; b++)
		if (memcmp(&buckets[b], &nothing, sizeof(nothing)) != 0)
			ret[n++] = (struct km_point){.at = bucket_floor(b), .what = buckets[b]};
	return n;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* What is left of `alive` when `ended` of those at risk end. */
static double survive(double alive, uint64_t ended, uint64_t at_risk)
{
	if (!ended)
		return alive;
	return ended < at_risk ? alive * (1 - (double)ended / (double)at_risk) : 0;
}

/* For all quantiles not found yet: is it here? */
static void note(double alive, int64_t at, const double *q, size_t n, int64_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (ret[i] == STAT_KM_UNKNOWN && alive <= 1 - q[i] + 1e-12)
			ret[i] = at;
}

/*
 * The lowest that the curve can be at an age: all that may have ended by then have, but as late as
 * they may, behind those that are censored as early as they may; then each is a greater part of
 * those at risk. So those that end for certain stand at their latest age, and `maybe` at this one.
 */
static void lowest_curve(const struct km_point *points, size_t n, const double *q, size_t quantiles,
			 int64_t *ret)
{
	uint64_t at_risk = 0, late = 0, maybe = 0;
	double alive = 1;
	for (size_t i = 0; i < n; i++) {
		at_risk += points[i].what.latest + points[i].what.censor_soonest;
		late += points[i].what.enter_latest;
	}
	at_risk = minus(at_risk, late);
	for (size_t i = 0; i < n; i++) {
		const struct km_bucket *w = &points[i].what;
		maybe += w->soonest;
		note(survive(alive, maybe, at_risk), points[i].at, q, quantiles, ret);
		maybe = minus(maybe, w->latest);
		alive = survive(alive, w->latest, at_risk);
		at_risk = minus(at_risk, w->latest + w->censor_soonest);
		/* Those censored here are not at risk just behind. */
		note(survive(alive, maybe, at_risk), points[i].at, q, quantiles, ret);
		at_risk += w->enter_latest;
	}
}

/*
 * The highest that it can be at an age: only those that must have ended by then have, and as early
 * as they may, before those that are censored as late as they may. So it is enough to know how
 * many must have ended by an age, and how far the curve falls with the so many earliest ends.
 */
static void highest_curve(const struct km_point *points, size_t n, const double *q,
			  size_t quantiles, int64_t *ret)
{
	uint64_t at_risk = 0, late = 0, ends = 0, must = 0;
	double alive = 1;
	size_t by = 0; /* the point up to which things must have ended */
	for (size_t i = 0; i < n; i++) {
		at_risk += points[i].what.soonest + points[i].what.censor_latest;
		late += points[i].what.enter_soonest;
	}
	at_risk = minus(at_risk, late);
	for (size_t i = 0; i < n; i++) {
		const struct km_bucket *w = &points[i].what;
		for (uint64_t k = 0; k < w->soonest; k++) {
			alive = survive(alive, 1, at_risk);
			at_risk = minus(at_risk, 1);
			ends++;
			while (must < ends)
				must += points[by++].what.latest;
			note(alive, points[by - 1].at, q, quantiles, ret);
		}
		at_risk = minus(at_risk, w->censor_latest) + w->enter_soonest;
	}
}

int km_quantiles(const struct km *k, const double *q, size_t n, struct km_quantile *ret,
		 struct err *e)
{
	int64_t *least = malloc((2 * n + 1) * sizeof(*least));
	struct km_point *points = malloc((k->buckets ? BUCKET_COUNT : 4 * k->count + 1) *
					 sizeof(*points));
	int rc = least && points ? 0 : no_memory(e);
	if (!rc) {
		int64_t *most = least + n;
		size_t count = k->buckets ? points_of_buckets(k->buckets, points)
					  : points_of_samples(k, points);
		for (size_t i = 0; i < 2 * n; i++)
			least[i] = STAT_KM_UNKNOWN;
		lowest_curve(points, count, q, n, least);
		highest_curve(points, count, q, n, most);
		for (size_t i = 0; i < n; i++) {
			/* Not so many have ended: it lies behind all that was seen. */
			ret[i].least = least[i] == STAT_KM_UNKNOWN ? k->greatest : least[i];
			ret[i].most = most[i];
			if (most[i] != STAT_KM_UNKNOWN && most[i] < ret[i].least)
				ret[i].least = most[i]; /* late ones have upset the order */
		}
	}
	free(points);
	free(least);
	return rc;
}
