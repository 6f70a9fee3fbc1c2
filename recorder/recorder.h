/*
 * recorder.h - one run of the recorder: the lock, the recording of the day, and what is written
 * into it. Prints nothing: what a user should know is left in `notice`.
 */
#ifndef SOCKLAPSE_RECORDER_H
#define SOCKLAPSE_RECORDER_H

#include <limits.h>

#include "collect.h"
#include "hostfacts.h"
#include "options.h"
#include "sieve.h"

struct recorder {
	const struct options *options;
	int64_t (*wall_ns)(void); /* the clock of file names and events; a test puts its own here */
	names_lookup lookup;	  /* and so with this */
	struct hostfacts facts;
	struct collect *collect; /* NULL: not needed yet */
	struct sieve *sieve;	 /* set after recorder_open(); NULL: every socket */
	struct names *names;	 /* NULL: none is watched */
	struct rec_writer *writer;
	bool new_writer; /* it has not been told yet which names are watched */
	int lock_fd;
	uint64_t retain_due_ns; /* CLOCK_MONOTONIC; 0: with the next snapshot */
	char base[PATH_MAX];	/* what the names of the lock and of the recordings begin with */
	char path[PATH_MAX];	/* of the recording that `writer` has open */
	char lock_path[PATH_MAX];
	char pending_path[PATH_MAX];
	char notice[PATH_MAX + 512]; /* "", or a line about the last call */
};

/* What one snapshot was. */
struct recorder_snapshot {
	struct rec_snapshot info;
	struct collect_costs costs;
};

/*
 * Takes the lock. ERR_BUSY: another run has it; a snapshot that is so skipped is left to it as an
 * event, and recorder_note() can still be called. *s must not move until recorder_close(), which is
 * to be called whatever this returned.
 */
int recorder_open(struct recorder *s, const struct options *options, struct err *e) MUST_CHECK;
void recorder_close(struct recorder *s);

/*
 * A snapshot into the recording of the day, which is opened or made if need be. A damaged one is
 * set aside first (notice). ERR_NOT_OURS, ERR_FUTURE: the file was left as it is.
 */
int recorder_take(struct recorder *s, struct recorder_snapshot *ret, struct err *e) MUST_CHECK;

/* Is an answer for a watched name still to come that is worth waiting for? */
bool recorder_awaits_names(const struct recorder *s) MUST_CHECK;

/*
 * recorder_take() writes what watched names are known to resolve to; this does it once more, as of
 * the last snapshot. A failure is left in `notice`.
 */
void recorder_late_names(struct recorder *s);

/* An event of the present moment; without the lock it is left to the run that has it. */
int recorder_event(struct recorder *s, const char *kind, const char *text,
		   struct err *e) MUST_CHECK;

/* Snapshots that were not taken; without the lock: ERR_BUSY. */
int recorder_gap(struct recorder *s, const struct rec_gap *gap, struct err *e) MUST_CHECK;

/* The next snapshot opens its file anew. */
void recorder_reopen(struct recorder *s);

/* One line of JSON about a snapshot. The text stays `json`'s. */
const char *recorder_stats(const struct recorder *s, const struct recorder_snapshot *snap,
			   struct buf *json);

#endif
