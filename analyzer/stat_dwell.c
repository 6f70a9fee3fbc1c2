/* stat_dwell.c - see stat_dwell.h. */
#include "stat_dwell.h"

#include <stdlib.h>
#include <string.h>

#define NO_GROUP UINT32_MAX

#define MEMO_COUNT 512u

struct dwell_memo {
	struct spell_brief brief;
	uint32_t group; /* 1 + its number; 0: empty */
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "statistics: out of memory");
}

void dwell_sum_fini(struct dwell_sum *d)
{
	for (size_t i = 0; i < d->count; i++)
		km_fini(&d->groups[i].km);
	free(d->groups);
	free(d->slots);
	free(d->memo);
	buf_fini(&d->scratch);
	strpool_fini(&d->strings);
	*d = (struct dwell_sum){0};
}

_Static_assert(sizeof(struct spell_brief) % 8 == 0, "it is hashed in steps of 8 bytes");

/* FNV-1a in steps of eight bytes; for the memo. */
static size_t memo_hash(const struct spell_brief *brief)
{
	uint64_t words[sizeof(*brief) / 8], h = UINT64_C(0xcbf29ce484222325);
	memcpy(words, brief, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		h = (h ^ words[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32 ^ h >> 48) % MEMO_COUNT;
}

/* Where a spell's group is noted, whatever stands there now; NULL: it cannot be. */
static struct dwell_memo *memo_of(struct dwell_sum *d, const struct spell *s,
				  struct spell_brief *ret)
{
	if (!d->memo_asked && spell_keys_are_brief(&d->keys))
		d->memo = calloc(MEMO_COUNT, sizeof(*d->memo));
	d->memo_asked = true;
	if (!d->memo)
		return NULL;
	spell_brief_of(s, ret);
	return &d->memo[memo_hash(ret)];
}

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(const uint8_t *bytes, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h ^ (h >> 29);
}

/* The place of a key in the hash table: where it is, or where it would be. */
static uint32_t *slot_of(const struct dwell_sum *d, uint64_t hash, const uint8_t *key, size_t len)
{
	size_t mask = d->slots_cap - 1;
	for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
		uint32_t number = d->slots[i];
		if (number == NO_GROUP)
			return &d->slots[i];
		const struct dwell_group *g = &d->groups[number];
		if (g->hash == hash && g->key_len == len && memcmp(g->key, key, len) == 0)
			return &d->slots[i];
	}
}

static int grow_slots(struct dwell_sum *d, struct err *e)
{
	size_t cap = d->slots_cap ? d->slots_cap * 2 : 64;
	uint32_t *slots = malloc(cap * sizeof(*slots));
	if (!slots)
		return no_memory(e);
	memset(slots, 0xff, cap * sizeof(*slots));
	free(d->slots);
	d->slots = slots;
	d->slots_cap = cap;
	for (size_t i = 0; i < d->count; i++) {
		const struct dwell_group *g = &d->groups[i];
		*slot_of(d, g->hash, g->key, g->key_len) = (uint32_t)i;
	}
	return 0;
}

static int new_group(struct dwell_sum *d, uint64_t hash, struct dwell_group **ret, struct err *e)
{
	if (d->count >= DWELL_MAX_GROUPS)
		return err_set(e, ERR_LIMIT, "--by: more than %u different values",
			       DWELL_MAX_GROUPS);
	struct dwell_group *all = array_grow(d->groups, &d->cap, d->count + 1, sizeof(*all));
	if (!all)
		return no_memory(e);
	d->groups = all;
	struct dwell_group *g = &all[d->count];
	*g = (struct dwell_group){.key_len = d->scratch.len, .hash = hash};
	g->key = (const uint8_t *)strpool_put(&d->strings, d->scratch.bytes, d->scratch.len);
	if (!g->key)
		return no_memory(e);
	d->count++;
	*ret = g;
	return 0;
}

/* The group of the key in d->scratch. */
static int group_of(struct dwell_sum *d, struct dwell_group **ret, struct err *e)
{
	if (d->count * 2 >= d->slots_cap) {
		int rc = grow_slots(d, e);
		if (rc)
			return rc;
	}
	uint64_t hash = hash_bytes(d->scratch.bytes, d->scratch.len);
	uint32_t *slot = slot_of(d, hash, d->scratch.bytes, d->scratch.len);
	if (*slot != NO_GROUP) {
		*ret = &d->groups[*slot];
		return 0;
	}
	int rc = new_group(d, hash, ret, e);
	if (!rc)
		*slot = (uint32_t)(d->count - 1);
	return rc;
}

static void add_to(int64_t *total, int64_t more)
{
	if (__builtin_add_overflow(*total, more, total))
		*total = INT64_MAX;
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct km_sample sample_of(const struct spell *s)
{
	return (struct km_sample){
		.least = s->at_least_ms,
		.most = s->open ? s->age_most_ms : s->at_most_ms,
		.ended = !s->open,
		.late = s->early,
		.late_least = s->seen_least_ms,
		.late_most = s->seen_most_ms,
	};
}

static int find_group(struct dwell_sum *d, struct spell_look *look, struct dwell_group **ret,
		      struct err *e)
{
	struct spell_brief brief;
	struct dwell_memo *memo = memo_of(d, look->spell, &brief);
	if (memo && memo->group && memcmp(&memo->brief, &brief, sizeof(brief)) == 0) {
		*ret = &d->groups[memo->group - 1];
		return 0;
	}
	int rc = spell_keys_pack(&d->keys, look, &d->scratch, e);
	if (!rc)
		rc = group_of(d, ret, e);
	if (!rc && memo)
		*memo = (struct dwell_memo){brief, (uint32_t)(*ret - d->groups) + 1};
	return rc;
}

int dwell_sum_add(struct dwell_sum *d, struct spell_look *look, bool at_first, struct err *e)
{
	const struct spell *s = look->spell;
	struct dwell_group *g = NULL;
	int rc = find_group(d, look, &g, e);
	if (rc)
		return rc;
	struct km_sample sample = sample_of(s);
	g->spells++;
	g->open += s->open;
	g->early += s->early;
	g->at_first += at_first;
	g->since_boot += spell_is_since_boot(s);
	g->unread += s->state == STATE_CLOSE_WAIT && s->recvq > 0;
	add_to(&g->total_least_ms, sample.least);
	add_to(&g->total_most_ms, sample.most);
	g->max_least_ms = greater(g->max_least_ms, sample.least);
	g->max_most_ms = greater(g->max_most_ms, sample.most);
	return km_add(&g->km, &sample, e);
}

static int compare_groups(const void *x, const void *y)
{
	const struct dwell_group *a = x, *b = y;
	if (a->total_least_ms != b->total_least_ms)
		return a->total_least_ms > b->total_least_ms ? -1 : 1;
	if (a->total_most_ms != b->total_most_ms)
		return a->total_most_ms > b->total_most_ms ? -1 : 1;
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int c = memcmp(a->key, b->key, len);
	return c ? c : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

void dwell_sum_sort(struct dwell_sum *d)
{
	if (d->count)
		qsort(d->groups, d->count, sizeof(*d->groups), compare_groups);
}

void dwell_top_fini(struct dwell_top *t)
{
	free(t->heap);
	*t = (struct dwell_top){0};
}

/* Below 0 if `a` is longer; ends in what makes the order the same every time. */
static int compare_spells(const void *x, const void *y)
{
	const struct spell *a = x, *b = y;
	if (a->at_least_ms != b->at_least_ms)
		return a->at_least_ms > b->at_least_ms ? -1 : 1;
	if (a->age_most_ms != b->age_most_ms)
		return a->age_most_ms > b->age_most_ms ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return memcmp(&a->id, &b->id, sizeof(a->id));
}

static void swap(struct spell *a, struct spell *b)
{
	struct spell c = *a;
	*a = *b;
	*b = c;
}

static void sift_down(struct dwell_top *t)
{
	for (size_t i = 0;;) {
		size_t shortest = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < t->count; child++)
			if (compare_spells(&t->heap[child], &t->heap[shortest]) > 0)
				shortest = child;
		if (shortest == i)
			return;
		swap(&t->heap[i], &t->heap[shortest]);
		i = shortest;
	}
}

static void sift_up(struct dwell_top *t)
{
	for (size_t i = t->count - 1; i > 0;) {
		size_t parent = (i - 1) / 2;
		if (compare_spells(&t->heap[i], &t->heap[parent]) <= 0)
			return;
		swap(&t->heap[i], &t->heap[parent]);
		i = parent;
	}
}

int dwell_top_add(struct dwell_top *t, const struct spell *s, struct err *e)
{
	if (!t->max)
		return 0;
	if (t->count == t->max) {
		if (compare_spells(s, &t->heap[0]) < 0) {
			t->heap[0] = *s;
			sift_down(t);
		}
		return 0;
	}
	struct spell *all = array_grow(t->heap, &t->cap, t->count + 1, sizeof(*all));
	if (!all)
		return no_memory(e);
	t->heap = all;
	all[t->count++] = *s;
	sift_up(t);
	return 0;
}

void dwell_top_sort(struct dwell_top *t)
{
	if (t->count)
		qsort(t->heap, t->count, sizeof(*t->heap), compare_spells);
}
