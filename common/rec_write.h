/*
 * rec_write.h - appends snapshots to a recording: the only writer of the file.
 *
 *   rec_writer_open
 *     rec_writer_begin -> fill rec_writer_track() (track.h) -> names, texts, processes
 *     rec_writer_commit or rec_writer_abandon
 *   rec_writer_close
 *
 * One snapshot is one SQLite transaction; when rec_writer_commit() returns 0, it is on the disk.
 * The caller holds the recording's lock (recorder/); other processes may read at the same time.
 */
#ifndef SOCKLAPSE_REC_WRITE_H
#define SOCKLAPSE_REC_WRITE_H

#include "buf.h"
#include "rec.h"
#include "track.h"

struct rec_writer;

struct rec_writer_options {
	int level;	    /* zlib's 1..9; 0: the default */
	uint32_t key_every; /* a key frame every so many snapshots; 0: the default */
	uint32_t busy_ms;   /* how long to wait for a reader's lock; 0: the default, 5 s */
};

/*
 * Opens or creates `path` (mode 0640). An existing recording's last snapshot of the same boot is
 * decoded, so that the next one can be a delta; if that fails, the next one is a key frame.
 * ERR_NOT_OURS, ERR_FUTURE, ERR_CORRUPT: the file is left as it is; see rec_set_aside().
 */
int rec_writer_open(const char *path, const struct rec_host *host,
		    const struct rec_writer_options *options, struct rec_writer **ret,
		    struct err *e) MUST_CHECK;
void rec_writer_close(struct rec_writer *w);

/* Was the file made by this open? */
bool rec_writer_created(const struct rec_writer *w);

/*
 * Renames a file that cannot be appended to as `PATH.damaged-N` (the first free N), its journal
 * with it, and fills ret_name with the new name. Nothing is deleted.
 */
int rec_set_aside(const char *path, char *ret_name, size_t name_size, struct err *e) MUST_CHECK;

/*
 * What the recorder was told to keep, "" for everything: holds for the snapshots that are begun
 * from now on. Where it changes, the next one is a key frame and table scope says so.
 */
int rec_writer_scope(struct rec_writer *w, const char *text, struct err *e) MUST_CHECK;

/* Begins a snapshot (no SQLite transaction yet). */
int rec_writer_begin(struct rec_writer *w, struct err *e) MUST_CHECK;
struct track *rec_writer_track(struct rec_writer *w);

/* Row of table text for these bytes; made if new, within the snapshot's transaction. */
int rec_writer_text(struct rec_writer *w, const void *bytes, size_t len, uint32_t *ret_id,
		    struct err *e) MUST_CHECK;

/*
 * Row of table netns; made if new. `name` may be NULL; a changed name is updated. Another cookie
 * under the same inode is another namespace.
 */
int rec_writer_netns_row(struct rec_writer *w, const struct rec_netns *netns, uint32_t *ret_id,
			 struct err *e) MUST_CHECK;

/* The same for a namespace without a known cookie. */
int rec_writer_netns(struct rec_writer *w, uint64_t inode, const char *name, uint32_t *ret_id,
		     struct err *e) MUST_CHECK;

/*
 * What is set in a namespace otherwise than in the host's own (host.facts), a JSON object; stored
 * if it differs from what was said last.
 */
int rec_writer_netns_facts(struct rec_writer *w, uint32_t netns, const char *facts,
			   struct err *e) MUST_CHECK;

/*
 * Row of table process; made if there is none alive with the same pid, start and values. A process
 * that was not named in a snapshot that looked at all processes gets last_snapshot = the snapshot
 * before that one.
 */
int rec_writer_process(struct rec_writer *w, const struct rec_process *process, uint32_t *ret_id,
		       struct err *e) MUST_CHECK;

/* The last snapshot in the file: its number (0: there is none) and flags. */
int64_t rec_writer_last(const struct rec_writer *w, uint32_t *ret_flags);

/* Each row of table process that the last snapshot named. */
int rec_writer_each_process(const struct rec_writer *w,
			    int (*take)(void *ctx, uint32_t row, int64_t pid, uint64_t start_ticks,
					struct err *e),
			    void *ctx, struct err *e) MUST_CHECK;

/* The bytes of a row of table text; none if there is no such row. */
int rec_writer_get_text(struct rec_writer *w, uint32_t id, struct buf *ret,
			struct err *e) MUST_CHECK;

/* Interface name, remembered if new or changed. */
int rec_writer_interface(struct rec_writer *w, uint32_t netns, uint32_t ifindex, const char *name,
			 struct err *e) MUST_CHECK;

/* A host counter of a namespace; stored if it differs from the snapshot before. */
int rec_writer_counter(struct rec_writer *w, uint32_t netns, const char *name, int64_t value,
		       struct err *e) MUST_CHECK;

/* What the snapshot cost, by names that are always the same; at most REC_MAX_COSTS of them. */
int rec_writer_cost(struct rec_writer *w, const char *name, uint64_t value,
		    struct err *e) MUST_CHECK;

/*
 * What a watched name resolved to as of the last snapshot (or the one that was begun); `error`
 * NULL: it did. Nothing is written if that is what the file says already. Without any snapshot in
 * the file nothing is, either.
 */
int rec_writer_name(struct rec_writer *w, const char *name, const char *answer, const char *error,
		    struct err *e) MUST_CHECK;

/*
 * How many files process row `process` has open, and how many it may (0: not known). Written if it
 * is the first time, or changed by a sixteenth or more.
 */
int rec_writer_files(struct rec_writer *w, uint32_t process, uint32_t files, uint64_t limit,
		     struct err *e) MUST_CHECK;

/* Is the path of this cgroup, or that it has none, in the recording already? */
bool rec_writer_knows_cgroup(struct rec_writer *w, uint64_t id);

/* The path of a cgroup that is not known yet. `path` NULL: it cannot be found. */
int rec_writer_cgroup(struct rec_writer *w, uint64_t id, const char *path, const char *container,
		      struct err *e) MUST_CHECK;

/* How far each CPU had come in giving out inodes, rec.h: REC_MARK_*; once a snapshot. */
int rec_writer_watermark(struct rec_writer *w, uint64_t begin_us, uint64_t end_us,
			 const uint32_t *inodes, size_t cpus, struct err *e) MUST_CHECK;

/*
 * These names are watched, and no others: those that the file speaks of get the error
 * REC_NOT_WATCHED (rec.h).
 */
int rec_writer_names_only(struct rec_writer *w, const char *const *names, size_t count,
			  struct err *e) MUST_CHECK;

/*
 * Encodes and writes the snapshot. `info`: times and flags in, the rest out. `problems`: a JSON
 * array of texts, or NULL. After an error the file is as it was before rec_writer_begin(); only if
 * syncing the directory failed after the commit may the snapshot be there, and the next one is a
 * key frame.
 */
int rec_writer_commit(struct rec_writer *w, struct rec_snapshot *info, const char *problems,
		      struct err *e) MUST_CHECK;
void rec_writer_abandon(struct rec_writer *w);

/* An event row, in its own transaction (or in the snapshot's, if one was begun). */
int rec_writer_event(struct rec_writer *w, int64_t wall_ns, const char *kind, const char *text,
		     struct err *e) MUST_CHECK;

/* Gaps for one reason that lie no farther apart than this become one row (FORMAT.md 3). */
#define REC_GAP_MERGE_NS (INT64_C(900) * 1000000000)

/* Snapshots that were not taken: moments of CLOCK_REALTIME, how many, why. */
struct rec_gap {
	int64_t begin_ns;
	int64_t end_ns;
	int64_t count;
	const char *why;
};

/* As rec_writer_event(), with kind `gap`; or the last gap for this reason is prolonged. */
int rec_writer_gap(struct rec_writer *w, const struct rec_gap *gap, struct err *e) MUST_CHECK;

#endif
