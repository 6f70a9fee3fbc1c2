/*
 * stat_trend.h - how many there were over time: counts by group at a row of moments, their growth
 * and a line that shows it.
 */
#ifndef SOCKLAPSE_STAT_TREND_H
#define SOCKLAPSE_STAT_TREND_H

#include "buf.h"
#include "spell_key.h"
#include "strpool.h"

#define TREND_MAX_GROUPS (1u << 17)
#define TREND_MAX_POINTS 2000u

struct trend_group {
	const uint8_t *key; /* packed as by spell_keys_pack() */
	size_t key_len;
	uint64_t hash;
	int64_t *counts; /* at each point; differences until trend_finish() */
	double slope;	 /* per hour */
	int64_t least, most;
};

/* Zero-initialised but for the points it is empty. */
struct trend {
	const int64_t *times_ns; /* of the points, ascending */
	size_t points;
	struct trend_group *groups;
	size_t cap, count;
	uint32_t *slots; /* hash table */
	size_t slots_cap;
	struct strpool strings;
};

void trend_fini(struct trend *t);

/* `by` more in the group of a key from point `first` to point `last`. */
int trend_add(struct trend *t, const uint8_t *key, size_t key_len, size_t first, size_t last,
	      int64_t by, struct err *e) MUST_CHECK;

/* Makes counts of differences, finds slopes, sorts: the steepest first. */
void trend_finish(struct trend *t);

/* Least squares: growth per hour of `n` counts at these times; 0 for fewer than two. */
double trend_slope(const int64_t *times_ns, const int64_t *counts, size_t n);

/* A character of eight heights for each of at most `width` points, the greatest count on top. */
void trend_line(const struct trend_group *g, size_t points, size_t width, struct buf *ret);

#endif
