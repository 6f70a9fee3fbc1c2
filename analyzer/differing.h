/*
 * differing.h - of two snapshots and those between them, the sockets in which anything may differ.
 *
 * Most connections stand still between two snapshots, and nearly all of those between were in one
 * of the two. Whoever compares snapshots need not look at them. Left out is only what is sure:
 *
 * - of A and B: an inet socket that is in both, ESTAB, held by the same process first, with an
 *   inode and empty queues in B; unless one that is new in B has its addresses and ports;
 * - between: an inet socket that is in A or in B.
 */
#ifndef SOCKLAPSE_DIFFERING_H
#define SOCKLAPSE_DIFFERING_H

#include "history.h"
#include "sockset.h"

struct differing;

/*
 * Reads the snapshots `a` < `b` (indexes of the history). Nothing is left out if they are not of
 * one recording and boot, with what lies between, or cannot be read; of A and B themselves nothing
 * if `every`. ERR_NOMEM. Held once.
 */
int differing_new(struct history *h, size_t a, size_t b, bool every, struct differing **ret,
		  struct err *e) MUST_CHECK;
void differing_hold(struct differing *d);
/* Frees it when nobody holds it any more. */
void differing_release(struct differing *d);

/* Is it of these two, and made so? */
bool differing_is_of(const struct differing *d, size_t a, size_t b, bool every);

/*
 * May the socket in `slot` differ? `set` is of snapshot `index`, which lies in [a, b], with the
 * groups member and state.
 */
bool differing_wants(const struct differing *d, size_t index, const struct sockset *set,
		     uint32_t slot);

#endif
