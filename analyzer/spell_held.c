/* spell_held.c - see spell_held.h. */
#include "spell_held.h"

#include <stdlib.h>

#include "buf.h"

void held_fini(struct held_pool *pool)
{
	free(pool->all);
	*pool = (struct held_pool){0};
}

struct held *held_at(const struct held_pool *pool, uint32_t number)
{
	return &pool->all[number - 1];
}

uint32_t held_new(struct held_pool *pool)
{
	uint32_t number = pool->free;
	if (number != HELD_NONE) {
		pool->free = held_at(pool, number)->next;
		return number;
	}
	if (pool->used >= UINT32_MAX - 1 || ARRAY_NEED(pool->all, pool->cap, pool->used + 1))
		return HELD_NONE;
	return (uint32_t)++pool->used;
}

void held_drop(struct held_pool *pool, uint32_t number)
{
	held_at(pool, number)->next = pool->free;
	pool->free = number;
}
