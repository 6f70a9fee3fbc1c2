/*
 * spells.h - all spells of a recorded history (lives.h), in order, to be held against the truth or
 * against those of the same history recorded otherwise.
 */
#ifndef TESTS_SPELLS_H
#define TESTS_SPELLS_H

#include "lives.h"
#include "spell.h"

#define S	    INT64_C(1000000000)
#define WALL_OFFSET (INT64_C(1763820000) * S)

/* By cookie, port and time. */
struct spells {
	struct spell *all;
	size_t count;
	struct spell_basis basis;
};

/* Of the recordings in a directory; .all is the caller's to free. */
struct spells spells_of(const char *dir);

/* 1000 s to 1600 s, every 20 s. */
struct take spells_take(const char *dir);

void spell_check_moment(const struct spell_bound *b, int64_t truth_ns, const char *what);
void spell_check_same(const struct spell *a, const struct spell *b);

#endif
