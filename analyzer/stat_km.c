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
	uint64_t enter; /* come under observation behind this age (left truncation) */
	uint64_t end;
	uint64_t censor;
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
	free(k->least);
	free(k->most);
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

static void count_into(struct km *k, const struct km_sample *s)
{
	size_t least = bucket_of(s->least), most = bucket_above(s->most);
	if (s->ended) {
		k->least[least].end++;
		k->most[most].end++;
	} else {
		k->least[least].censor++;
		k->most[most].censor++;
	}
	/* One who enters at an age is at risk behind it: one bucket earlier than it is seen. */
	if (s->late && s->late_least > 0 && bucket_of(s->late_least) > 0)
		k->least[bucket_of(s->late_least) - 1].enter++;
	if (s->late && s->late_most > 0 && bucket_of(s->late_most) > 0)
		k->most[bucket_of(s->late_most) - 1].enter++;
}

static int to_buckets(struct km *k, struct err *e)
{
	k->least = calloc(BUCKET_COUNT, sizeof(*k->least));
	k->most = calloc(BUCKET_COUNT, sizeof(*k->most));
	if (!k->least || !k->most)
		return no_memory(e);
	for (size_t i = 0; i < k->count; i++)
		count_into(k, &k->samples[i]);
	free(k->samples);
	k->samples = NULL;
	k->cap = 0;
	return 0;
}

int km_add(struct km *k, const struct km_sample *s, struct err *e)
{
	if (k->count == STAT_KM_EXACT && !k->least) {
		int rc = to_buckets(k, e);
		if (rc)
			return rc;
	}
	if (k->least) {
		count_into(k, s);
	} else {
		struct km_sample *all = array_grow(k->samples, &k->cap, k->count + 1, sizeof(*all));
		if (!all)
			return no_memory(e);
		k->samples = all;
		all[k->count] = *s;
	}
	k->count++;
	return 0;
}

static int compare_points(const void *x, const void *y)
{
	const struct km_point *a = x, *b = y;
	return (a->at > b->at) - (a->at < b->at);
}

static size_t points_of_samples(const struct km *k, bool most, struct km_point *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < k->count; i++) {
		const struct km_sample *s = &k->samples[i];
		int64_t late = most ? s->late_most : s->late_least;
		if (s->late && late > 0)
			ret[n++] = (struct km_point){.at = late - 1, .what = {.enter = 1}};
		ret[n++] = (struct km_point){.at = most ? s->most : s->least,
					     .what = {.end = s->ended, .censor = !s->ended}};
	}
	qsort(ret, n, sizeof(*ret), compare_points);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (!kept || ret[kept - 1].at != ret[i].at) {
			ret[kept++] = ret[i];
			continue;
		}
		ret[kept - 1].what.enter += ret[i].what.enter;
		ret[kept - 1].what.end += ret[i].what.end;
		ret[kept - 1].what.censor += ret[i].what.censor;
	}
	return kept;
}

static size_t points_of_buckets(const struct km_bucket *buckets, struct km_point *ret)
{
	size_t n = 0;
	for (size_t b = 0; b < BUCKET_COUNT; b++)
		if (buckets[b].enter || buckets[b].end || buckets[b].censor)
			ret[n++] = (struct km_point){.at = bucket_floor(b), .what = buckets[b]};
	return n;
}

/*
 * Goes along the curve; ret[i] is where it first falls to 1 - q[i], or STAT_KM_UNKNOWN. Returns the
 * last age seen.
 */
static int64_t follow(const struct km_point *points, size_t n, uint64_t count, const double *q,
		      size_t quantiles, int64_t *ret)
{
	uint64_t late = 0;
	for (size_t i = 0; i < n; i++)
		late += points[i].what.enter;
	uint64_t at_risk = count - late;
	double alive = 1;
	for (size_t i = 0; i < quantiles; i++)
		ret[i] = STAT_KM_UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		const struct km_bucket *w = &points[i].what;
		if (w->end && at_risk)
			alive *= w->end < at_risk ? 1 - (double)w->end / (double)at_risk : 0;
		for (size_t k = 0; k < quantiles; k++)
			if (ret[k] == STAT_KM_UNKNOWN && alive <= 1 - q[k] + 1e-12)
				ret[k] = points[i].at;
		uint64_t gone = w->end + w->censor;
		at_risk = at_risk > gone ? at_risk - gone : 0;
		at_risk += w->enter;
	}
	return n ? points[n - 1].at : 0;
}

static int one_curve(const struct km *k, bool most, const double *q, size_t n, int64_t *ret,
		     int64_t *ret_last, struct err *e)
{
	size_t room = k->least ? BUCKET_COUNT : 2 * k->count + 1;
	struct km_point *points = malloc(room * sizeof(*points));
	if (!points)
		return no_memory(e);
	size_t count = k->least ? points_of_buckets(most ? k->most : k->least, points)
				: points_of_samples(k, most, points);
	*ret_last = follow(points, count, k->count, q, n, ret);
	free(points);
	return 0;
}

int km_quantiles(const struct km *k, const double *q, size_t n, struct km_quantile *ret,
		 struct err *e)
{
	int64_t *least = malloc((2 * n + 1) * sizeof(*least));
	if (!least)
		return no_memory(e);
	int64_t *most = least + n;
	int64_t last_least, last_most;
	int rc = one_curve(k, false, q, n, least, &last_least, e);
	if (!rc)
		rc = one_curve(k, true, q, n, most, &last_most, e);
	for (size_t i = 0; !rc && i < n; i++) {
		/* Not so many have ended: it lies behind all that was seen. */
		ret[i].least = least[i] == STAT_KM_UNKNOWN ? last_least : least[i];
		ret[i].most = most[i];
		if (most[i] != STAT_KM_UNKNOWN && most[i] < ret[i].least)
			ret[i].most = ret[i].least;
	}
	free(least);
	return rc;
}
