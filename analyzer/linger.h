/*
 * linger.h - what `socklapse linger` finds out: spells of a window of time that a filter means,
 * summed, and the longest of them.
 */
#ifndef SOCKLAPSE_LINGER_H
#define SOCKLAPSE_LINGER_H

#include "spell_ask.h"
#include "stat_basis.h"
#include "stat_dwell.h"

/* Lengths by half decades: [0, 1 ms), [1, 3), [3, 10), ... the last one is open. */
#define LINGER_HIST_BUCKETS 24u

enum linger_evidence {
	LINGER_AUTO, /* where it is cheap */
	LINGER_ALWAYS,
	LINGER_NEVER
};

struct linger_options {
	int64_t from_ns, to_ns; /* spells that were seen in between; nothing later is read */
	int64_t min_ms;		/* leave out those that may have been shorter */
	size_t top;		/* how many of the longest */
	struct spell_keys keys;
	enum linger_evidence evidence;
	bool by_rest; /* LISTEN and UNCONN may be among the longest */
	/* Called now and then with the snapshot that is being read; may be NULL. */
	void (*progress)(void *arg, size_t at);
	void *arg;
};

struct linger_result {
	struct basis basis; /* of the window */
	size_t unreadable;  /* snapshots, of all that was read */
	bool evidence;	    /* were bounds narrowed by it? */
	uint64_t spells;
	uint64_t resting; /* those in LISTEN and UNCONN that the longest do not have */
	size_t begin;	  /* first snapshot of the window, of the host being read */
	uint64_t opened;  /* TCP connections first seen after the first snapshot */
	struct dwell_sum sum;
	struct dwell_top top;
	uint64_t hist[LINGER_HIST_BUCKETS]; /* by at_least_ms */
	struct spell_look look;
};

/* Reads the history. Zero-initialise *ret before. `ask` says which spells count. */
int linger_run(struct history *h, const struct linger_options *options, struct spell_ask *ask,
	       const struct vt_context *context, struct linger_result *ret,
	       struct err *e) MUST_CHECK;
void linger_fini(struct linger_result *l);

/* The bucket of a length, and where it begins, in ms. */
unsigned linger_bucket(int64_t ms);
int64_t linger_bucket_begin(unsigned bucket);

#endif
