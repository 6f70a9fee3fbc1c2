/*
 * track_hash.c - which slot has the connection with this identity (all of group `member`, and
 * whether it is a shell: FORMAT.md section 5.1).
 * Open addressing with linear probing; a socket that goes leaves no tombstone.
 */
#include <stdlib.h>
#include <string.h>

#include "track_internal.h"

/* Cookies are counters: multiplication spreads them. Where there is none, the tuple must do. */
static uint32_t identity_hash(const struct row_member *m)
{
	uint64_t h = m->cookie;
	if (!h)
		h = ((uint64_t)m->peer.w[0] ^ m->peer.w[3]) << 32 | (uint64_t)m->local_port << 16 |
		    m->peer_port;
	h = (h + m->netns + m->proto) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

uint32_t track_hash_find(const struct track *t, const struct row_member *m, bool shell)
{
	if (!t->hash)
		return NO_SLOT;
	for (uint32_t i = identity_hash(m) & t->hash_mask; t->hash[i]; i = (i + 1) & t->hash_mask)
		if (track_is_same(t, t->hash[i] - 1, m, shell))
			return t->hash[i] - 1;
	return NO_SLOT;
}

void track_hash_put(struct track *t, uint32_t slot)
{
	uint32_t i = identity_hash(track_member_of(t, slot)) & t->hash_mask;
	while (t->hash[i])
		i = (i + 1) & t->hash_mask;
	t->hash[i] = slot + 1;
	t->hash_used++;
}

/* Linear probing without tombstones: what follows the hole moves up. */
void track_hash_remove(struct track *t, uint32_t slot)
{
	uint32_t i = identity_hash(track_member_of(t, slot)) & t->hash_mask;
	while (t->hash[i] != slot + 1) {
		if (!t->hash[i])
			return;
		i = (i + 1) & t->hash_mask;
	}
	t->hash_used--;
	for (uint32_t k = (i + 1) & t->hash_mask; t->hash[k]; k = (k + 1) & t->hash_mask) {
		uint32_t home = identity_hash(track_member_of(t, t->hash[k] - 1)) & t->hash_mask;
		if (((k - home) & t->hash_mask) < ((k - i) & t->hash_mask))
			continue;
		t->hash[i] = t->hash[k];
		i = k;
	}
	t->hash[i] = 0;
}

int track_hash_reserve(struct track *t, struct err *e)
{
	if (t->hash && t->hash_used < t->hash_mask - t->hash_mask / 4)
		return 0;
	uint32_t *old = t->hash;
	uint32_t old_size = old ? t->hash_mask + 1 : 0;
	uint32_t size = old_size ? old_size * 2 : 256;
	uint32_t *table = calloc(size, sizeof(*table));
	if (!table)
		return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
	t->hash = table;
	t->hash_mask = size - 1;
	t->hash_used = 0;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i])
			track_hash_put(t, old[i] - 1);
	free(old);
	return 0;
}
