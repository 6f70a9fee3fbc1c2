/*
 * rec_write_internal.h - the writer's insides, shared by rec_write.c (file and snapshots) and
 * rec_write_rows.c (the rows of the plain tables).
 */
#ifndef SOCKLAPSE_REC_WRITE_INTERNAL_H
#define SOCKLAPSE_REC_WRITE_INTERNAL_H

#include "buf.h"
#include "intern.h"
#include "rec_db.h"
#include "rec_write.h"

enum writer_stmt {
	W_PUT_PART,
	W_PUT_SNAPSHOT,
	W_PUT_TEXT,
	W_GET_TEXT,
	W_TEXT_OF,
	W_PUT_PROCESS,
	W_END_PROCESS,
	W_END_BOOTS,
	W_PUT_NETNS,
	W_NAME_NETNS,
	W_PUT_NETNS_FACT,
	W_PUT_INTERFACE,
	W_PUT_COUNTER,
	W_PUT_CHANGES,
	W_PUT_COST_NAME,
	W_PUT_NAME,
	W_PUT_SCOPE,
	W_PUT_EVENT,
	W_PUT_GAP,
	W_PROLONG_GAP,
	W_PUT_MARKS,
	W_PUT_CGROUP,
	W_PUT_FILES,
	W_COUNT
};

/* Table host, column tool. */
#define TOOL "socklapse " SOCKLAPSE_VERSION

/* A chain's deltas may weigh this many times its key frame (FORMAT.md section 4). */
#define MAX_CHAIN_WEIGHT 8

struct rec_writer {
	char *path;
	char *boot_id;
	sqlite3 *db;
	sqlite3_stmt *stmt[W_COUNT];
	struct rec_writer_options options;
	struct track *track;
	bool created;
	bool in_snapshot;
	bool in_txn;
	bool stale;	 /* what is in memory of the rows may be wrong: to be read anew */
	bool rebooted;	 /* the last snapshot in the file is of an earlier boot */
	int64_t host;	 /* row of table host */
	int64_t last_id; /* of the last snapshot, 0: none */
	int64_t sure_id; /* of the last one that looked at all processes, 0: none */
	uint32_t last_flags;
	int64_t epoch;	/* counts snapshots of this writer; marks who was named */
	uint64_t chain; /* frames since the key frame, itself included */
	uint64_t key_bytes;
	uint64_t chain_bytes; /* of the deltas behind it */

	char *scope;	 /* what the file says last; NULL: not looked up yet */
	char *new_scope; /* what the next snapshot is to say; NULL: the same */

	struct intern texts;
	struct intern processes;   /* values -> row; data: epoch */
	struct intern netns;	   /* inode, cookie -> row; data: mark of its name */
	struct intern netns_facts; /* row; data: mark of its facts */
	struct intern cgroups;	   /* id -> 1 */
	struct intern interfaces;  /* netns, ifindex; data: mark of its name */
	struct intern counters;	   /* name -> row */
	struct intern names;	   /* watched name -> 1; data: mark of what it resolved to */
	struct intern values;	   /* netns, counter -> 1; data: the last value */
	struct intern cost_names;  /* name -> row */

	uint32_t changes_netns; /* the counters of this namespace that changed, as JSON members */
	struct buf changes;
	uint64_t costs[REC_MAX_COSTS]; /* of the snapshot, by row of cost_name, less 1 */
	unsigned costs_count;
};

/* Begins the snapshot's SQLite transaction, if it has not begun. */
int rec_writer_txn(struct rec_writer *w, struct err *e) MUST_CHECK;

/* A statement of table_sql[], prepared when first needed. */
int rec_writer_stmt(struct rec_writer *w, enum writer_stmt which, sqlite3_stmt **ret,
		    struct err *e) MUST_CHECK;

/* The same within the snapshot's transaction, ready to be bound. */
int rec_writer_row(struct rec_writer *w, enum writer_stmt which, sqlite3_stmt **ret,
		   struct err *e) MUST_CHECK;

/* Runs an INSERT and remembers its row under the key. */
int rec_writer_insert(struct rec_writer *w, sqlite3_stmt *stmt, struct intern *in, const void *key,
		      size_t key_len, struct intern_entry **ret, struct err *e) MUST_CHECK;

/* Forgets counters and costs of a snapshot that is given up, or done. */
void rec_writer_clear_stats(struct rec_writer *w);

/* Writes the counters that were named and not written yet. */
int rec_writer_flush_counters(struct rec_writer *w, struct err *e) MUST_CHECK;

/* Columns tally and costs of the snapshot. Errors: json->failed. */
void rec_writer_tally_json(const struct rec_writer *w, struct buf *json);
void rec_writer_costs_json(const struct rec_writer *w, struct buf *json);

/*
 * The last snapshot into the tracker, so that the next one can be a delta. If anything is wrong
 * with its chain, the next one is a key frame.
 */
int rec_writer_restore(struct rec_writer *w, const char *boot_id, struct err *e) MUST_CHECK;

/* What tells namespaces of one boot apart. */
struct rec_netns_key {
	uint64_t inode, cookie;
};

/* ERR_NOMEM about a row. */
int rec_writer_no_memory(struct err *e);

/* What is remembered of a name (or of NULL), to see that it changed. */
int64_t rec_writer_mark(const char *name);

/* What tells processes apart, put behind what `key` has. */
void rec_writer_process_key(struct buf *key, const struct rec_process *p);

/* Host rows differ within a boot when facts, time zone or tool do; its processes live on. */
#define SAME_BOOT                                                                                  \
	"host IN (SELECT id FROM host WHERE boot_id = "                                            \
	"(SELECT boot_id FROM host WHERE id = ?1))"

/* Reads what the plain tables say already; forgets what was known before. */
int rec_writer_load_rows(struct rec_writer *w, struct err *e) MUST_CHECK;

/* Within the snapshot's transaction, and when that is committed. */
int rec_writer_put_scope(struct rec_writer *w, int64_t snapshot, struct err *e) MUST_CHECK;
void rec_writer_scope_written(struct rec_writer *w);

/* The same for table name, by itself. */
int rec_writer_load_names(struct rec_writer *w, struct err *e) MUST_CHECK;

/* Flags of snapshots that did not look at all processes: one that is not named may live. */
#define REC_UNSURE (SNAP_NO_OWNERS | SNAP_OWNERS_PART | SNAP_CUT)

/* Processes that were not named in this snapshot are over. */
int rec_writer_end_processes(struct rec_writer *w, struct err *e) MUST_CHECK;

/* So are all those of other boots. */
int rec_writer_end_boots(struct rec_writer *w, struct err *e) MUST_CHECK;

#endif
