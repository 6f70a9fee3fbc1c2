/* owner_map.c - see owner_map.h. Open addressing, at most half full. */
#include "owner_map.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_CAP 64

static uint64_t mix(uint64_t v)
{
	v ^= v >> 32;
	v *= UINT64_C(0x9e3779b97f4a7c15);
	return v ^ v >> 29;
}

static uint64_t hash(const struct owner_key *k)
{
	return mix(k->cookie + mix(k->tuple + mix(k->netns)));
}

static int same(const struct owner_key *a, const struct owner_key *b)
{
	return a->cookie == b->cookie && a->netns == b->netns && a->tuple == b->tuple;
}

void owner_map_fini(struct owner_map *m)
{
	free(m->held);
	*m = (struct owner_map){0};
}

void owner_map_clear(struct owner_map *m)
{
	if (m->count)
		memset(m->held, 0, m->cap * sizeof(*m->held));
	m->count = 0;
}

/* The place of the key, or the free one where it belongs. */
static struct owner_held *place(const struct owner_map *m, const struct owner_key *key)
{
	size_t i = (size_t)hash(key) & (m->cap - 1);
	while (m->held[i].process && !same(&m->held[i].key, key))
		i = (i + 1) & (m->cap - 1);
	return &m->held[i];
}

static int grow(struct owner_map *m)
{
	struct owner_map bigger = {.cap = m->cap ? m->cap * 2 : LEAST_CAP};
	bigger.held = calloc(bigger.cap, sizeof(*bigger.held));
	if (!bigger.held)
		return -1;
	for (size_t i = 0; i < m->cap; i++)
		if (m->held[i].process)
			*place(&bigger, &m->held[i].key) = m->held[i];
	bigger.count = m->count;
	free(m->held);
	*m = bigger;
	return 0;
}

int owner_map_put(struct owner_map *m, const struct owner_held *held)
{
	if (m->count * 2 >= m->cap && grow(m) != 0)
		return -1;
	struct owner_held *p = place(m, &held->key);
	m->count += !p->process;
	*p = *held;
	return 0;
}

const struct owner_held *owner_map_get(const struct owner_map *m, const struct owner_key *key)
{
	if (!m->count)
		return NULL;
	const struct owner_held *p = place(m, key);
	return p->process ? p : NULL;
}
