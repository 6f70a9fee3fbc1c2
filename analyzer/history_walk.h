/*
 * history_walk.h - the sockets of a history's snapshots, one snapshot after the other, across the
 * borders of files and past damaged frames.
 *
 *   history_walk_new
 *     while (history_walk_next(w, &e) > 0)
 *       history_walk_set(w), history_walk_index(w), history_walk_step(w)
 *   history_walk_free
 *
 * or history_walk_to() for any one snapshot.
 */
#ifndef SOCKLAPSE_HISTORY_WALK_H
#define SOCKLAPSE_HISTORY_WALK_H

#include <stdbool.h>

#include "history.h"

struct history_walk;

/* More damaged stretches than this are counted, but not told one by one. */
#define HISTORY_WALK_MAX_GAPS 256u

/* Snapshots [first, last] of the history cannot be shown; why. */
struct history_gap {
	size_t first, last;
	struct err why;
};

/*
 * A walk over the snapshots [first, last] of `h` (last is cut to what there is), with the column
 * groups `groups` (GRP_BIT()s) and, if `clock`, the kernel's ticks and fill times. It stands before
 * the first one. `h` must outlive it.
 */
int history_walk_new(struct history *h, uint32_t groups, bool clock, size_t first, size_t last,
		     struct history_walk **ret, struct err *e) MUST_CHECK;
void history_walk_free(struct history_walk *w);

/*
 * To be called before the first step: the walk will be used in another thread than `h`. It then
 * touches nothing of `h` that can change, and reads through connections of its own
 * (rec_walk_new_apart()).
 */
void history_walk_apart(struct history_walk *w);

/*
 * May two threads walk, and are there processors for both? A program that loads us may have told
 * SQLite that there is one thread.
 */
bool history_walk_can_part(const struct history *h);

/*
 * Goes on to the next snapshot that can be shown. 1: there it is; 0: no more; negative: memory ran
 * out or the file cannot be read at all. Damaged frames and what depends on them are left out
 * (history_walk_gaps()).
 */
int history_walk_next(struct history_walk *w, struct err *e) MUST_CHECK;

/*
 * The walk, which shows a snapshot, shall go on with the next one, up to `last` (cut to what there
 * is) instead of what it was made for.
 */
void history_walk_extend(struct history_walk *w, size_t last);

/* Shows the snapshot at `index`, wherever the walk stands. Damage is an error. */
int history_walk_to(struct history_walk *w, size_t index, struct err *e) MUST_CHECK;

/* The snapshot shown: index in the history, sockets (valid until the next step). */
size_t history_walk_index(const struct history_walk *w);
const struct sockset *history_walk_set(const struct history_walk *w);

/*
 * Do born, died and touched of the set describe the difference to the snapshot that this walk
 * showed before? Not at the first one, at a file's first, at a key frame, and after a gap or jump.
 */
bool history_walk_step(const struct history_walk *w);

/* The stretches left out so far, and how many snapshots they hold in all. */
const struct history_gap *history_walk_gaps(const struct history_walk *w, size_t *ret_count,
					    size_t *ret_snapshots);

#endif
