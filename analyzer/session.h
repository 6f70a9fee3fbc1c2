/*
 * session.h - what nearly every command begins with: the history of -f, its zone, the database
 * over it, the output, and the meaning of --from, --to, --last and --at.
 */
#ifndef SOCKLAPSE_SESSION_H
#define SOCKLAPSE_SESSION_H

#include "cmd.h"
#include "db.h"
#include "timeparse.h"

/* So many different reasons for snapshots that are left out are told. */
#define SESSION_MAX_TOLD 32

struct session {
	const struct cmd *cmd;
	struct history *history;
	const struct history_snapshot *snapshots; /* the history's; #N is snapshots[N - 1] */
	size_t count;
	struct vt_context context;
	sqlite3 *db;
	struct out *out;
	struct time_ref ref;
	uint64_t told[SESSION_MAX_TOLD]; /* hashes of what was warned of: once is enough */
	size_t told_count;
	const char *zone; /* of the times in text: a name to be told */
};

/*
 * Opens all that. Warnings about files that were left out go to stderr. The session must not move
 * while it is open (the database points into it).
 */
int session_open(const struct cmd *c, struct session *ret, struct err *e) MUST_CHECK;
void session_close(struct session *s);

/*
 * The wall-clock range [from, to] of --from, --to and --last, for `time_ns BETWEEN`: all of
 * history without them.
 */
int session_range(const struct session *s, int64_t *ret_from_ns, int64_t *ret_to_ns,
		  struct err *e) MUST_CHECK;

/*
 * The snapshot meant by `text` (NULL: the last one) on host `host`: index in snapshots[]. A time
 * means the snapshot that began nearest to it; one that lies outside the history by more than a
 * minute and more than twice the mean interval is ERR_NOT_FOUND. #N may be of any host.
 */
int session_at(const struct session *s, uint32_t host, const char *text, size_t *ret_index,
	       struct err *e) MUST_CHECK;

/* The value of --top, or `otherwise`. */
int session_top(const struct session *s, int64_t otherwise, int64_t *ret, struct err *e) MUST_CHECK;

/* Begin of a snapshot on the wall clock, ns since the epoch. */
static inline int64_t session_time(const struct session *s, size_t index)
{
	return s->snapshots[index].rec->wall_begin_ns;
}

#endif
