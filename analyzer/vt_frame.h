/*
 * vt_frame.h - what the tables over frames share: a cursor over (snapshot, socket) that walks only
 * the snapshots that the constraints leave and only the column groups that the query looks at, and
 * the columns that say which socket of which snapshot a row is of.
 *
 * HOW IT WORKS: xBestIndex writes the constraints it can use into idxStr, two characters each
 * (column, operator), and the groups that colUsed asks for into idxNum. Constraints only narrow:
 * SQLite checks every row again.
 */
#ifndef SOCKLAPSE_VT_FRAME_H
#define SOCKLAPSE_VT_FRAME_H

#include <stdbool.h>

#include "differing.h"
#include "history_walk.h"
#include "owner_carry.h"
#include "vt.h"

/* The first columns of every table over frames, and their declaration. */
enum frame_column {
	FRAME_SNAPSHOT,
	FRAME_TIME_NS,
	FRAME_HOST,
	FRAME_BOOT,
	FRAME_NETNS,
	FRAME_NETNS_NAME,
	FRAME_COOKIE,
	FRAME_PROTO,
	FRAME_FAMILY,
	FRAME_STATE,
	FRAME_LOCAL,
	FRAME_LOCAL_PORT,
	FRAME_PEER,
	FRAME_PEER_PORT,
	FRAME_INODE,
	FRAME_COLUMNS
};
#define FRAME_SCHEMA                                                                               \
	"snapshot INTEGER, time_ns INTEGER, host TEXT, boot TEXT, netns INTEGER, "                 \
	"netns_name TEXT, cookie INTEGER, proto TEXT, family INTEGER, state TEXT, local TEXT, "    \
	"local_port INTEGER, peer TEXT, peer_port INTEGER, inode INTEGER"

/* Hidden columns of table `differing`, which are its arguments: numbers of snapshots, and 0 or 1.
 */
enum frame_pair_column {
	PAIR_A,
	PAIR_B,
	PAIR_EVERY,
	PAIR_COLUMNS
};

/* Groups that the shared columns need besides `member`. */
#define FRAME_GROUPS (GRP_BIT(member) | GRP_BIT(state))

/* Bits of idxNum above those of the groups. */
#define FRAME_CLOCK  (1 << 16) /* a stamp is looked at */
#define FRAME_OWNERS (1 << 17) /* an owner is looked at */

/* What rows must have, as far as constraints say so. */
struct frame_test {
	enum frame_column column;
	uint64_t value;
};
#define FRAME_MAX_TESTS 8

struct frame_cursor {
	sqlite3_vtab_cursor base;
	const struct vt_context *context;
	const struct history_snapshot *snapshots;
	size_t snapshots_count;
	uint32_t groups;
	bool clock, owners;

	int64_t first, last;	/* numbers of snapshots, both included */
	int64_t from_ns, to_ns; /* of their begins, both included */
	struct frame_test tests[FRAME_MAX_TESTS];
	size_t tests_count;

	int64_t pair[PAIR_COLUMNS];	   /* of `differing` */
	struct differing *differing;	   /* held; NULL: nothing is left out */
	struct differing **differing_last; /* the table's; NULL: it is none that has a pair */

	uint32_t host; /* the next one to be walked */
	size_t end;    /* last index of the present host's walk */
	struct history_walk *walk;
	struct owner_carry *carry;
	struct owner_carry
		*late; /* of the snapshots up to late_index, and the walk that shows it */
	struct history_walk *late_walk;
	size_t late_index;
	size_t learnt_from; /* index of the first snapshot handed to `carry` */
	size_t gaps_told;

	const struct sockset *set; /* of the present snapshot */
	size_t index;		   /* its index in the history */
	uint32_t position;	   /* of the present row */
	bool eof;

	/* The process looked up last. */
	const struct history_process *process;
	uint32_t process_file, process_id;
};

/*
 * xBestIndex: `needs` is what idxNum shall be (groups and FRAME_* bits), `pair` the first of
 * `differing`'s hidden columns, or -1. Also says that rows come in the order of snapshots.
 */
int frame_best_index(const struct vt_context *context, sqlite3_index_info *info, int needs,
		     int pair);

/* Makes a cursor usable / gives back what it holds (the struct itself stays the caller's). */
void frame_init(struct frame_cursor *c, const struct vt_context *context);
void frame_fini(struct frame_cursor *c);

/* xFilter, xNext; both return SQLite codes. */
int frame_filter(struct frame_cursor *c, int needs, const char *plan, int argc,
		 sqlite3_value **argv);
int frame_next(struct frame_cursor *c);

/* One of the shared columns. */
int frame_result(struct frame_cursor *c, sqlite3_context *out, int column);

/* Row number: snapshot, then position. */
sqlite3_int64 frame_rowid(const struct frame_cursor *c);

/* The present row's slot. */
static inline uint32_t frame_slot(const struct frame_cursor *c)
{
	return c->set->order[c->position];
}

/* Which recording the present row is of. */
static inline uint32_t frame_file(const struct frame_cursor *c)
{
	return c->snapshots[c->index].file;
}

/* A process by recording and row; *ret NULL if there is no such row. SQLite code. */
int frame_process(struct frame_cursor *c, uint32_t file, uint32_t id,
		  const struct history_process **ret);

/*
 * The owner of the present row, for a query that asks for owners of few rows, with the group owner:
 * nothing is carried along, and only for a socket that nobody holds the snapshots before are read.
 * SQLite code.
 */
int frame_late_owner(struct frame_cursor *c, struct owner *ret);

/* The columns that say who a process is, in the order of FRAME_PROCESS_SCHEMA. */
enum frame_process_column {
	PROCESS_PID,
	PROCESS_COMM,
	PROCESS_EXE,
	PROCESS_CMDLINE,
	PROCESS_CGROUP,
	PROCESS_CONTAINER,
	PROCESS_UID,
	PROCESS_START_TICKS,
};
void frame_process_result(const struct history_process *p, sqlite3_context *out,
			  enum frame_process_column column);

#endif
