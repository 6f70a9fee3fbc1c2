/*
 * stat_dwell.h - sums of spells by keys: how many, how long, and the quantiles of it.
 */
#ifndef SOCKLAPSE_STAT_DWELL_H
#define SOCKLAPSE_STAT_DWELL_H

#include "spell_key.h"
#include "stat_km.h"
#include "strpool.h"

/* More groups than this are refused (ERR_LIMIT): sum by something else. */
#define DWELL_MAX_GROUPS (1u << 20)

struct dwell_group {
	const uint8_t *key; /* spell_key_unpack() */
	size_t key_len;
	uint64_t hash;
	uint64_t spells, open, early;
	uint64_t at_first;   /* there when the time looked at begins */
	uint64_t since_boot; /* spell_is_since_boot() */
	uint64_t unread;     /* in CLOSE-WAIT with input or the EOF not read, when last seen */
	int64_t total_least_ms, total_most_ms; /* open ones: so far */
	int64_t max_least_ms, max_most_ms;     /* of the longest; most: while none is open */
	struct km km;
};

/* Zero-initialised but for `keys` it is empty. */
struct dwell_sum {
	struct spell_keys keys;
	struct dwell_group *groups;
	size_t cap, count;
	uint32_t *slots; /* hash table of numbers of groups */
	size_t slots_cap;
	struct buf scratch;
	struct strpool strings;
	/* Groups found last, by what their keys rest on; NULL: not begun, or the keys need more. */
	struct dwell_memo *memo;
	bool memo_asked;
};

void dwell_sum_fini(struct dwell_sum *d);

/* Counts the spell that `look` looks at; `at_first`: it was there when that begins. */
int dwell_sum_add(struct dwell_sum *d, struct spell_look *look, bool at_first,
		  struct err *e) MUST_CHECK;

/* Orders the groups: most total time first. No more may be added then. */
void dwell_sum_sort(struct dwell_sum *d);

/* The longest spells: by at_least_ms, then by how old they may be. */
struct dwell_top {
	size_t max;
	struct spell *heap; /* the shortest of them first */
	size_t cap, count;
};

void dwell_top_fini(struct dwell_top *t);
int dwell_top_add(struct dwell_top *t, const struct spell *s, struct err *e) MUST_CHECK;

/* Orders them: the longest first. No more may be added then. */
void dwell_top_sort(struct dwell_top *t);

#endif
