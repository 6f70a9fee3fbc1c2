/*
 * stat_basis.h - what an answer over a history rests on: how many snapshots, how far apart, what
 * is missing.
 */
#ifndef SOCKLAPSE_STAT_BASIS_H
#define SOCKLAPSE_STAT_BASIS_H

#include "history.h"

/* Flags of a snapshot whose dump may lack sockets. */
#define BASIS_INCOMPLETE (SNAP_INTERRUPTED | SNAP_PARTIAL | SNAP_CUT | SNAP_NETNS_LOST)

/* Flags of one that did not look everywhere. */
#define BASIS_SCOPE                                                                                \
	(SNAP_FILTERED | SNAP_UNPRIVILEGED | SNAP_NETNS_PART | SNAP_SOME_NETNS | SNAP_SOME_TABLES)

struct basis {
	size_t snapshots;
	int64_t first_ns, last_ns; /* wall clock */
	int64_t cadence_ns;	   /* median distance of two; 0: there are not two */
	int64_t widest_ns;
	size_t gaps; /* distances of more than 1.5 times the cadence, reboots included */
	size_t reboots;
	size_t incomplete; /* some part of the dump is missing */
	uint32_t flags;	   /* all SNAP_* flags together */
};

/* Did both look at the same tables, namespaces and sockets, as far as is known? */
bool basis_same_scope(const struct rec_snapshot *a, const struct rec_snapshot *b);

/*
 * Looks at snapshots [first, last] of one host, and adds them to those looked at before (zero-
 * initialise the first time); the cadence then is the greater one. ERR_NOMEM.
 */
int basis_add(struct basis *b, const struct history_snapshot *all, size_t first, size_t last,
	      struct err *e) MUST_CHECK;

/* The cadence in ms, the nearest: of one a second the median is 999.99 as often as 1000.01 ms. */
static inline int64_t basis_cadence_ms(const struct basis *b)
{
	return b->cadence_ns / 1000000 + (b->cadence_ns % 1000000 >= 500000);
}

/* "partial no-owners", or "". */
void basis_flags_text(uint32_t flags, char ret_text[256]);

#endif
