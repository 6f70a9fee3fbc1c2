/*
 * spell_held.h - spells that are over, but held back until the one after them is, too: the moment
 * at which they ended is that at which it began, and its later rows may still narrow that
 * (bounds_turn()). Only for spell_*.c.
 *
 * Few are held at a time: only those of connections that were seen in two states, and are now in
 * one of which later rows tell more.
 */
#ifndef SOCKLAPSE_SPELL_HELD_H
#define SOCKLAPSE_SPELL_HELD_H

#include "spell_pass.h"

struct held {
	struct conn conn;     /* as it was at the end of the spell */
	struct spell_end end; /* by snapshots alone; its queue is void */
	struct row_queue queue;
	bool queue_known;
	int64_t last_lo_ns, last_hi_ns; /* of its last row, CLOCK_MONOTONIC */
	uint32_t next;			/* in the list of free ones */
};

/* Numbers begin with 1. */
#define HELD_NONE 0u

struct held_pool {
	struct held *all;
	size_t cap, used;
	uint32_t free; /* HELD_NONE: none */
};

void held_fini(struct held_pool *pool);

/* A place for one more, its content void; HELD_NONE: out of memory. Moves all. */
uint32_t held_new(struct held_pool *pool);
struct held *held_at(const struct held_pool *pool, uint32_t number);
void held_drop(struct held_pool *pool, uint32_t number);

#endif
