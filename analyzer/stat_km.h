/*
 * stat_km.h - how long things last, from observations that are incomplete: the product-limit
 * estimator (Kaplan and Meier 1958), with those that are not over yet censored, and those that
 * were already going on when observation began entering late (left truncation).
 *
 * Every duration is a bracket, and so is a quantile: whatever the true durations and ages within
 * their brackets are, the quantile that the estimator finds of them lies in it. That is not what
 * two estimates would say, one with all durations as short and one with all as long as possible:
 * an end that comes before another one is censored weighs less than one that comes after it.
 * It is not proven where some entered late: their ages then stand at the two extremes, too.
 *
 * Up to STAT_KM_EXACT durations are kept as they are. Beyond that they are counted in buckets of at
 * most 1/64 of their value, rounded down where they are as short, and up where they are as long as
 * possible, so that the brackets stay true and memory is bounded.
 */
#ifndef SOCKLAPSE_STAT_KM_H
#define SOCKLAPSE_STAT_KM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define STAT_KM_EXACT	4096u
#define STAT_KM_UNKNOWN INT64_MIN /* no such quantile: too few ended */

/* One duration, in any unit >= 0. */
struct km_sample {
	int64_t least; /* it lasted at least; if not ended: so far */
	int64_t most;  /* at most; if not ended: so far */
	bool ended;
	bool late;	    /* it was going on when first seen, being at least */
	int64_t late_least; /* this old, */
	int64_t late_most;  /* at most this old */
};

struct km_bucket;

/* Zero-initialised it is empty. */
struct km {
	struct km_sample *samples; /* while there are few */
	size_t cap, count;
	struct km_bucket *buckets; /* else */
	int64_t greatest;	   /* that something lasted at least */
};

struct km_quantile {
	int64_t least; /* never unknown if there is any sample */
	int64_t most;  /* STAT_KM_UNKNOWN: cannot be bounded */
};

void km_fini(struct km *k);

int km_add(struct km *k, const struct km_sample *s, struct err *e) MUST_CHECK;

/* ret[i]: the time by which the fraction q[i] (0 < q < 1) has ended. */
int km_quantiles(const struct km *k, const double *q, size_t n, struct km_quantile *ret,
		 struct err *e) MUST_CHECK;

#endif
