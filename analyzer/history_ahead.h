/*
 * history_ahead.h - a walk over a history (history_walk.h) whose frames a thread of its own decodes
 * while the caller works on the snapshots before: two processors, nearly half the time. Short walks
 * and machines with one processor do without the thread; what comes out is the same.
 *
 *   history_ahead_new
 *     while (history_ahead_next(a, &e) > 0)
 *       history_ahead_set(a), history_ahead_index(a), history_ahead_step(a)
 *   history_ahead_free
 */
#ifndef SOCKLAPSE_HISTORY_AHEAD_H
#define SOCKLAPSE_HISTORY_AHEAD_H

#include "history_walk.h"

struct history_ahead;

/* As history_walk_new(). The thread is made where it pays, or `always`. */
int history_ahead_new(struct history *h, uint32_t groups, bool clock, size_t first, size_t last,
		      bool always, struct history_ahead **ret, struct err *e) MUST_CHECK;

/* Also in the middle of a walk: the thread is waited for. */
void history_ahead_free(struct history_ahead *a);

/* As history_walk_next() and the functions behind it, of the snapshot that the caller has come to.
 */
int history_ahead_next(struct history_ahead *a, struct err *e) MUST_CHECK;
size_t history_ahead_index(const struct history_ahead *a);
const struct sockset *history_ahead_set(const struct history_ahead *a);
bool history_ahead_step(const struct history_ahead *a);
const struct history_gap *history_ahead_gaps(const struct history_ahead *a, size_t *ret_count,
					     size_t *ret_snapshots);

#endif
