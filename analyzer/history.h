/*
 * history.h - several recordings (files, days, hosts) as one history.
 *
 * Snapshots of all recordings stand in one array: host by host (by name), within a host in the
 * order of time. The snapshot at index i is what users call #i+1. Within one boot the order is that
 * of CLOCK_BOOTTIME, so that a wall clock set backwards does not shuffle it; boots follow each
 * other by the wall-clock time at which they began. A snapshot that is in two of the files (a copy,
 * an excerpt beside its original) counts once.
 *
 * Sockets of the snapshots are read by history_walk.h.
 */
#ifndef SOCKLAPSE_HISTORY_H
#define SOCKLAPSE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "rec_read.h"

#define HISTORY_DEFAULT_DIR "/var/log/socklapse"
#define HISTORY_SUFFIX	    ".socklapse"

/* More than this is refused (ERR_LIMIT): it comes from files that nobody vouches for. */
#define HISTORY_MAX_FILES     4096u
#define HISTORY_MAX_SNAPSHOTS (1u << 24)
#define HISTORY_MAX_PROCESSES (1u << 22)     /* of one recording */
#define HISTORY_MAX_NETNS     (1u << 16)     /* of one recording */
#define HISTORY_MAX_CGROUPS   (1u << 20)     /* of one recording */
#define HISTORY_MAX_TEXTS     (1u << 22)     /* of one recording, by the highest id */
#define HISTORY_MAX_STRINGS   (1024u << 20u) /* bytes of all strings of one recording */

struct history;

/* One boot of a recorded host; containers on one kernel are several, with the same boot id. Strings
 * are the history's; NULL where the recording has none. */
struct history_boot {
	const char *boot_id;
	const char *machine_id; /* or NULL */
	const char *hostname;
	const char *kernel;
	const char *arch;
	const char *time_zone; /* or NULL */
	const char *facts;     /* JSON object; "{}" if there are none */
	const char *tool;
	int64_t hz;   /* 0: unknown */
	int64_t cpus; /* 0: unknown */
	uint32_t host;
};

/* A host: boots with the same name and machine id. */
struct history_host {
	const char *name;
	const char *machine_id; /* or NULL */
	size_t first;		/* its snapshots are [first, first + count) */
	size_t count;
};

struct history_snapshot {
	const struct rec_snapshot *rec; /* times, flags, counts; its id is the one in the file */
	uint32_t file;			/* which recording */
	uint32_t index;			/* in rec_snapshots() of it */
	uint32_t boot;
	uint32_t host;
};

/* A process of a recording. Strings are the history's. */
struct history_process {
	int64_t id; /* row of table process */
	int64_t pid;
	uint64_t start_ticks; /* USER_HZ ticks since boot; with pid and boot its identity */
	int64_t ppid;	      /* -1: unknown */
	int64_t uid;	      /* -1: unknown */
	const char *comm;     /* any bytes but NUL; not NULL */
	const char *exe, *cmdline, *cgroup, *container; /* NULL: unknown */
};

struct history_netns {
	int64_t id; /* row of table netns */
	uint64_t inode;
	const char *name; /* or NULL */
};

/* A cgroup (v2) by the path that it had, of one host row of a recording. */
struct history_cgroup {
	int64_t host, id;      /* row of table host; the kernel's number, as SQLite has it */
	const char *path;      /* not NULL */
	const char *container; /* or NULL */
};

/*
 * Opens files and directories (all *.socklapse in them, not deeper); `count` 0: the default
 * directory. A path that cannot be used is an error if it is the only one, else a warning (see
 * history_left_out()); a file found in a directory is a warning, unless nothing else is usable.
 * Codes of rec_open(); ERR_NOT_FOUND also for a directory without recordings.
 */
int history_open(const char *const *paths, size_t count, struct history **ret,
		 struct err *e) MUST_CHECK;
void history_close(struct history *h);

/* How many of several `paths` could not be read at all; history_warnings() says why. */
size_t history_left_out(const struct history *h);

/* One line for each file that was left out, as err.h has it. */
const char *const *history_warnings(const struct history *h, size_t *ret_count);

/* All snapshots, boots, hosts; the history's. There may be none. */
const struct history_snapshot *history_snapshots(const struct history *h, size_t *ret_count);
const struct history_boot *history_boots(const struct history *h, size_t *ret_count);
const struct history_host *history_hosts(const struct history *h, size_t *ret_count);

/* Recordings: how many, and one of them (its path by rec_path()). */
size_t history_files(const struct history *h);
struct rec *history_rec(const struct history *h, uint32_t file);

/*
 * What ids in the frames of recording `file` stand for. All are loaded when first asked for.
 * 0 and *ret set, or *ret NULL if the recording has no such row, or a negative code (the table
 * cannot be read).
 */
int history_process(struct history *h, uint32_t file, uint32_t id,
		    const struct history_process **ret, struct err *e) MUST_CHECK;
int history_netns(struct history *h, uint32_t file, uint32_t id, const struct history_netns **ret,
		  struct err *e) MUST_CHECK;

/*
 * The cgroup that sockets of the snapshot at `index` name by `id`; NULL, too, if its path is not
 * known or it is the root, which is everybody's. And does any recording tell of such?
 */
int history_cgroup(struct history *h, size_t index, uint64_t id, const struct history_cgroup **ret,
		   struct err *e) MUST_CHECK;
int history_has_cgroups(struct history *h, bool *ret, struct err *e) MUST_CHECK;

/* Bytes of a row of table text (a NUL stands behind them), and their number. */
int history_text(struct history *h, uint32_t file, uint32_t id, const char **ret_bytes,
		 size_t *ret_len, struct err *e) MUST_CHECK;

/* No snapshot: the time is before the first one. */
#define HISTORY_NONE SIZE_MAX

/*
 * The last snapshot of a host that began at or before `wall_ns` (ns since the epoch), or
 * HISTORY_NONE; the first one that began at or after it, or HISTORY_NONE.
 */
size_t history_before(const struct history *h, uint32_t host, int64_t wall_ns);
size_t history_after(const struct history *h, uint32_t host, int64_t wall_ns);

/* The index of the snapshot with id `id` in a recording, or HISTORY_NONE. */
size_t history_by_id(const struct history *h, uint32_t file, int64_t id);

#endif
