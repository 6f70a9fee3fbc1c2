/* spell_conn.c - see spell_conn.h. */
#include "spell_conn.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "owner_listen.h"

#define FIRST_BUCKETS 1024u

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "spells: out of memory");
}

int conn_table_init(struct conn_table *t, struct err *e)
{
	*t = (struct conn_table){.buckets_cap = FIRST_BUCKETS};
	t->buckets = malloc(FIRST_BUCKETS * sizeof(*t->buckets));
	t->listeners = malloc(CONN_LISTEN_CHAINS * sizeof(*t->listeners));
	if (!t->buckets || !t->listeners) {
		conn_table_fini(t);
		return no_memory(e);
	}
	memset(t->buckets, 0xff, FIRST_BUCKETS * sizeof(*t->buckets));
	memset(t->listeners, 0xff, CONN_LISTEN_CHAINS * sizeof(*t->listeners));
	return 0;
}

void conn_table_fini(struct conn_table *t)
{
	free(t->all);
	free(t->links);
	free(t->free);
	free(t->by_slot);
	free(t->buckets);
	free(t->missing);
	free(t->listeners);
	*t = (struct conn_table){0};
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ (h >> 32);
}

static uint32_t hash_of(const struct row_member *id, uint64_t netns)
{
	uint64_t h = mix(id->cookie ^ netns * 31);
	if (!id->cookie) {
		h = mix(h ^ id->local.w[0] ^ ((uint64_t)id->local.w[3] << 32));
		h = mix(h ^ id->peer.w[0] ^ ((uint64_t)id->peer.w[3] << 32));
		h = mix(h ^ id->local_port ^ ((uint64_t)id->peer_port << 16) ^
			((uint64_t)id->proto << 32));
	}
	return (uint32_t)h;
}

static uint32_t *bucket_of(const struct conn_table *t, uint32_t hash)
{
	return &t->buckets[hash & (t->buckets_cap - 1)];
}

/* Twice the buckets; without memory for them chains only become longer. */
static void grow_buckets(struct conn_table *t)
{
	size_t old_cap = t->buckets_cap, cap = old_cap * 2;
	uint32_t *old = t->buckets, *buckets = malloc(cap * sizeof(*buckets));
	if (!buckets)
		return;
	memset(buckets, 0xff, cap * sizeof(*buckets));
	t->buckets = buckets;
	t->buckets_cap = cap;
	for (size_t i = 0; i < old_cap; i++) {
		for (uint32_t n = old[i], next; n != CONN_NONE; n = next) {
			struct conn_link *link = &t->links[n];
			uint32_t *bucket = bucket_of(t, link->hash);
			next = link->next;
			link->next = *bucket;
			*bucket = n;
		}
	}
	free(old);
}

/* A number that is free; CONN_NONE if memory ran out. */
static uint32_t take_number(struct conn_table *t)
{
	if (t->free_count)
		return t->free[--t->free_count];
	if (t->used == CONN_NONE || ARRAY_NEED(t->all, t->cap, t->used + 1) ||
	    ARRAY_NEED(t->links, t->links_cap, t->used + 1) ||
	    ARRAY_NEED(t->free, t->free_cap, t->used + 1))
		return CONN_NONE;
	return (uint32_t)t->used++;
}

uint32_t conn_new(struct conn_table *t, const struct row_member *id, uint64_t netns)
{
	uint32_t number = take_number(t), hash = hash_of(id, netns);
	if (number == CONN_NONE)
		return CONN_NONE;
	if (t->count >= t->buckets_cap)
		grow_buckets(t);
	uint32_t *bucket = bucket_of(t, hash);
	t->all[number] = (struct conn){.id = *id,
				       .netns = netns,
				       .gone = HISTORY_NONE,
				       .made_lo_ns = SPELL_UNKNOWN,
				       .made_hi_ns = SPELL_UNKNOWN,
				       .guess_ns = SPELL_UNKNOWN};
	t->links[number] = (struct conn_link){.hash = hash, .next = *bucket};
	*bucket = number;
	t->count++;
	return number;
}

void conn_free(struct conn_table *t, uint32_t number)
{
	uint32_t *at = bucket_of(t, t->links[number].hash);
	while (*at != number)
		at = &t->links[*at].next;
	*at = t->links[number].next;
	t->count--;
	t->free[t->free_count++] = number;
}

uint32_t conn_find(const struct conn_table *t, const struct row_member *id, uint64_t netns)
{
	uint32_t hash = hash_of(id, netns);
	for (uint32_t n = *bucket_of(t, hash); n != CONN_NONE; n = t->links[n].next) {
		const struct conn *c = &t->all[n];
		if (t->links[n].hash == hash && c->netns == netns &&
		    memcmp(&c->id, id, sizeof(*id)) == 0)
			return n;
	}
	return CONN_NONE;
}

void conn_find_soon(const struct conn_table *t, const struct row_member *id, uint64_t netns)
{
	__builtin_prefetch(bucket_of(t, hash_of(id, netns)), 1);
}

uint32_t conn_new_soon(const struct conn_table *t)
{
	if (t->free_count <= CONN_AHEAD)
		return CONN_NONE;
	uint32_t number = t->free[t->free_count - 1 - CONN_AHEAD];
	conn_fetch(&t->all[number], sizeof(*t->all));
	__builtin_prefetch(&t->links[number], 1);
	return number;
}

int conn_need_slots(struct conn_table *t, size_t count, struct err *e)
{
	if (count <= t->by_slot_count)
		return 0;
	uint32_t *all = array_grow(t->by_slot, &t->by_slot_cap, count, sizeof(*all));
	if (!all)
		return no_memory(e);
	t->by_slot = all;
	memset(all + t->by_slot_count, 0xff, (t->by_slot_cap - t->by_slot_count) * sizeof(*all));
	t->by_slot_count = t->by_slot_cap;
	return 0;
}

int conn_put_missing(struct conn_table *t, uint32_t number, struct err *e)
{
	uint32_t *all = array_grow(t->missing, &t->missing_cap, t->missing_used + 1, sizeof(*all));
	if (!all)
		return no_memory(e);
	t->missing = all;
	all[t->missing_used++] = number;
	t->all[number].is_missing = true;
	return 0;
}

/* One that is likely to be dropped. */
static void sift_soon(const struct conn_table *t, uint32_t number, conn_soon_fn *soon, void *arg)
{
	conn_fetch(&t->all[number], sizeof(*t->all));
	__builtin_prefetch(bucket_of(t, t->links[number].hash), 1);
	soon(arg, number);
}

int conn_sift_missing(struct conn_table *t, conn_sift_fn *fn, conn_soon_fn *soon, void *arg,
		      struct err *e)
{
	size_t kept = 0;
	int rc = 0;
	for (size_t i = 0; i < t->missing_used; i++) {
		uint32_t number = t->missing[i];
		if (i + 2 * CONN_AHEAD < t->missing_sifted)
			__builtin_prefetch(&t->links[t->missing[i + 2 * CONN_AHEAD]]);
		if (i + CONN_AHEAD < t->missing_sifted)
			sift_soon(t, t->missing[i + CONN_AHEAD], soon, arg);
		if (!t->all[number].is_missing)
			continue;
		int verdict = rc ? 0 : fn(arg, number, e);
		if (verdict < 0)
			rc = verdict;
		if (verdict > 0) {
			t->all[number].is_missing = false;
			conn_free(t, number);
		} else {
			t->missing[kept++] = number;
		}
	}
	t->missing_used = t->missing_sifted = kept;
	return rc;
}

static uint32_t *listener_chain(const struct conn_table *t, uint16_t port)
{
	return &t->listeners[port % CONN_LISTEN_CHAINS];
}

void conn_list(struct conn_table *t, uint32_t number)
{
	struct conn *c = &t->all[number];
	if (c->listed)
		return;
	uint32_t *chain = listener_chain(t, c->id.local_port);
	c->next_listener = *chain;
	*chain = number;
	c->listed = true;
}

void conn_unlist(struct conn_table *t, uint32_t number)
{
	struct conn *c = &t->all[number];
	if (!c->listed)
		return;
	uint32_t *at = listener_chain(t, c->id.local_port);
	while (*at != number)
		at = &t->all[*at].next_listener;
	*at = c->next_listener;
	c->listed = false;
}

static bool same_owner(const struct spell_owner *a, const struct spell_owner *b)
{
	return a->process == b->process && a->file == b->file;
}

uint32_t conn_listener(const struct conn_table *t, const struct conn *c)
{
	uint32_t found = CONN_NONE;
	int best = 0;
	bool sure = false;
	for (uint32_t n = *listener_chain(t, c->id.local_port); n != CONN_NONE;
	     n = t->all[n].next_listener) {
		const struct conn *l = &t->all[n];
		if (l->id.local_port != c->id.local_port || l->netns != c->netns ||
		    l->id.proto != c->id.proto)
			continue;
		int fit = owner_listen_fit(&l->id, l->ifindex, &c->id, c->ifindex);
		if (fit > best) {
			best = fit;
			found = n;
			sure = true;
		} else if (fit && fit == best) {
			sure &= same_owner(&l->owner, &t->all[found].owner);
		}
	}
	return sure ? found : CONN_NONE;
}
