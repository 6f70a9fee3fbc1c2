/* stat_trend.c - see stat_trend.h. */
#include "stat_trend.h"

#include <stdlib.h>
#include <string.h>

#define NO_GROUP    UINT32_MAX
#define NS_PER_HOUR 3.6e12

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "statistics: out of memory");
}

void trend_fini(struct trend *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->groups[i].counts);
	free(t->groups);
	free(t->slots);
	strpool_fini(&t->strings);
	*t = (struct trend){0};
}

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(const uint8_t *bytes, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h ^ (h >> 29);
}

static uint32_t *slot_of(const struct trend *t, uint64_t hash, const uint8_t *key, size_t len)
{
	size_t mask = t->slots_cap - 1;
	for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
		uint32_t number = t->slots[i];
		if (number == NO_GROUP)
			return &t->slots[i];
		const struct trend_group *g = &t->groups[number];
		if (g->hash == hash && g->key_len == len && memcmp(g->key, key, len) == 0)
			return &t->slots[i];
	}
}

static int grow_slots(struct trend *t, struct err *e)
{
	size_t cap = t->slots_cap ? t->slots_cap * 2 : 64;
	uint32_t *slots = malloc(cap * sizeof(*slots));
	if (!slots)
		return no_memory(e);
	memset(slots, 0xff, cap * sizeof(*slots));
	free(t->slots);
	t->slots = slots;
	t->slots_cap = cap;
	for (size_t i = 0; i < t->count; i++) {
		const struct trend_group *g = &t->groups[i];
		*slot_of(t, g->hash, g->key, g->key_len) = (uint32_t)i;
	}
	return 0;
}

static int new_group(struct trend *t, uint64_t hash, const uint8_t *key, size_t len, struct err *e)
{
	if (t->count >= TREND_MAX_GROUPS)
		return err_set(e, ERR_LIMIT, "--by: more than %u different values",
			       TREND_MAX_GROUPS);
	struct trend_group *all = array_grow(t->groups, &t->cap, t->count + 1, sizeof(*all));
	if (!all)
		return no_memory(e);
	t->groups = all;
	struct trend_group g = {.key_len = len, .hash = hash};
	g.key = (const uint8_t *)strpool_put(&t->strings, key, len);
	g.counts = g.key ? calloc(t->points + 1, sizeof(*g.counts)) : NULL;
	if (!g.counts)
		return no_memory(e);
	all[t->count++] = g;
	return 0;
}

int trend_add(struct trend *t, const uint8_t *key, size_t key_len, size_t first, size_t last,
	      int64_t by, struct err *e)
{
	if (t->count * 2 >= t->slots_cap) {
		int rc = grow_slots(t, e);
		if (rc)
			return rc;
	}
	uint64_t hash = hash_bytes(key, key_len);
	uint32_t *slot = slot_of(t, hash, key, key_len);
	if (*slot == NO_GROUP) {
		int rc = new_group(t, hash, key, key_len, e);
		if (rc)
			return rc;
		*slot = (uint32_t)(t->count - 1);
	}
	int64_t *counts = t->groups[*slot].counts;
	counts[first] += by;
	counts[last + 1] -= by;
	return 0;
}

double trend_slope(const int64_t *times_ns, const int64_t *counts, size_t n)
{
	double mean_x = 0, mean_y = 0, xy = 0, xx = 0;
	for (size_t i = 0; i < n; i++) {
		mean_x += (double)(times_ns[i] - times_ns[0]) / NS_PER_HOUR / (double)n;
		mean_y += (double)counts[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		double x = (double)(times_ns[i] - times_ns[0]) / NS_PER_HOUR - mean_x;
		xy += x * ((double)counts[i] - mean_y);
		xx += x * x;
	}
	double slope = xx > 0 ? xy / xx : 0;
	return slope > -1e-9 && slope < 1e-9 ? 0 : slope; /* what rounding leaves is no growth */
}

static double steepness(double slope)
{
	return slope < 0 ? -slope : slope;
}

static int compare_groups(const void *x, const void *y)
{
	const struct trend_group *a = x, *b = y;
	double p = steepness(a->slope), q = steepness(b->slope);
	if (p > q || p < q)
		return p > q ? -1 : 1;
	if (a->most != b->most)
		return a->most > b->most ? -1 : 1;
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int c = memcmp(a->key, b->key, len);
	return c ? c : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static void finish_group(const struct trend *t, struct trend_group *g)
{
	g->least = g->most = g->counts[0];
	for (size_t i = 1; i < t->points; i++) {
		g->counts[i] += g->counts[i - 1];
		g->least = g->counts[i] < g->least ? g->counts[i] : g->least;
		g->most = g->counts[i] > g->most ? g->counts[i] : g->most;
	}
	g->slope = trend_slope(t->times_ns, g->counts, t->points);
}

void trend_finish(struct trend *t)
{
	for (size_t i = 0; i < t->count; i++)
		finish_group(t, &t->groups[i]);
	if (t->count)
		qsort(t->groups, t->count, sizeof(*t->groups), compare_groups);
}

void trend_line(const struct trend_group *g, size_t points, size_t width, struct buf *ret)
{
	static const char *const heights[] = {" ",
					      "\xe2\x96\x81",
					      "\xe2\x96\x82",
					      "\xe2\x96\x83",
					      "\xe2\x96\x84",
					      "\xe2\x96\x85",
					      "\xe2\x96\x86",
					      "\xe2\x96\x87",
					      "\xe2\x96\x88"};
	size_t n = points < width ? points : width;
	for (size_t i = 0; i < n; i++) {
		int64_t count = 0; /* the greatest of those that share the place */
		for (size_t k = i * points / n; k < (i + 1) * points / n; k++)
			count = g->counts[k] > count ? g->counts[k] : count;
		int64_t height = g->most > 0 ? (count * 8 + g->most - 1) / g->most : 0;
		buf_put_str(ret, heights[height]);
	}
}
