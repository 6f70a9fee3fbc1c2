/*
 * proc_walk.h - who holds which socket: walks a /proc, given as a directory descriptor, and keeps
 * for every socket inode each (process, fd) that refers to it. Allocates only to grow its arrays.
 *
 * A walk is not atomic. All of a process is read below one descriptor of its directory, which goes
 * dead with the process: values of two processes with the same pid are never mixed. Threads that
 * do not share their process's descriptors (unshare(CLONE_FILES)) are not looked at.
 *
 * Reading a link is nearly all of the cost. With `known` filled a walk takes over what the snapshot
 * before knew: of a process with as many descriptors as then it reads nothing, of others only
 * descriptors that held no socket, or a shared one; one process in PROC_REREAD_EVERY is read as a
 * whole whatever it looks like. After the dumps proc_walk_recheck() reads the descriptors whose
 * socket is gone, and proc_walk_rest() what was left out, if there is a socket without a holder.
 * recorder/README.md says what can be stale.
 */
#ifndef SOCKLAPSE_PROC_WALK_H
#define SOCKLAPSE_PROC_WALK_H

#include <stdatomic.h>

#include "buf.h"
#include "err.h"
#include "proc_known.h"

/* How much of a process's command is kept. */
enum cmdline_mode {
	CMDLINE_NONE, /* neither executable nor arguments */
	CMDLINE_EXE,  /* the executable's path */
	CMDLINE_FULL, /* and the arguments */
};

/* Longer arguments are cut off here. */
#define PROC_CMDLINE_MAX 4096

/* No more processes or holders than this are kept (sockset.h: SOCKSET_MAX_ROWS sockets). */
#define PROC_MAX_HOLDERS (1u << 24)

/* From so many open files on a process's limit is read. */
#define PROC_MANY_FILES 128u

#define PROC_NO_HOLDER UINT32_MAX

/* Every process is read as a whole at least each so many snapshots. */
#define PROC_REREAD_EVERY 16u

/* A descriptor that refers to a socket. */
struct proc_holder {
	uint32_t inode;
	uint32_t process; /* index in processes[] */
	uint32_t fd;
	uint32_t next; /* index of the next holder with the same hash; PROC_NO_HOLDER: none */
};

/* A process that holds a socket. Texts are offsets in proc_walk.text; 0: unknown. */
struct proc_found {
	int64_t pid;
	int64_t ppid;
	int64_t uid;
	uint64_t start_ticks;
	uint32_t comm, exe, cmdline, cgroup, container;
	uint32_t files;	      /* open descriptors of any kind */
	uint64_t files_limit; /* RLIMIT_NOFILE, of those with PROC_MANY_FILES; 0: not known */
};

/* How a process looked when it was last read. */
struct proc_seen {
	uint32_t pid;
	uint32_t fds;	 /* how many, by the size of /proc/PID/fd (Linux 6.2); 0: not known */
	uint64_t fd_dir; /* inode of /proc/PID/fd: another one is of another process */
};

/* A process of which nothing was read because it looks as it did. */
struct proc_skipped {
	struct proc_seen seen;
	struct known_process *known; /* NULL: it held no socket */
};

struct proc_walk {
	struct proc_known known; /* filled by the caller before a walk, or cleared */
	struct proc_seen *seen;	 /* of this walk, in its order */
	size_t seen_cap;
	uint32_t seen_count;
	struct proc_seen *former; /* of the one before */
	size_t former_cap;
	uint32_t former_count;
	uint32_t former_at; /* /proc is in the order of pids: here the next one is expected */
	struct proc_skipped *skipped;
	size_t skipped_cap;
	uint32_t skipped_count;
	uint8_t *listed; /* a bit for each known descriptor of a process that is still there */
	size_t listed_cap;

	struct proc_holder *holders; /* in the order of the walk */
	size_t holders_cap;
	uint32_t holders_count;
	struct proc_found *processes;
	size_t processes_cap;
	uint32_t processes_count;
	struct buf text;
	uint32_t *buckets; /* hash of inode -> first holder */
	unsigned bucket_bits;

	uint64_t fds_seen;	 /* descriptors of any kind */
	uint64_t fds_trusted;	 /* of those, not read but taken over */
	uint32_t processes_seen; /* processes, with sockets or without */
	uint32_t denied;	 /* processes that could not be looked into */
	bool cut;		 /* `stop` was set, or a limit was reached */
};

void proc_walk_fini(struct proc_walk *w);

/*
 * Holders were asked for and are not needed any more: if they are many, their memory is for the
 * rest of the snapshot. Most walks find few.
 */
void proc_walk_done(struct proc_walk *w);

/* The last walk came to nothing: the next one must not compare with it. */
void proc_walk_forget(struct proc_walk *w);

/*
 * Walks. `proc_fd` is a directory like /proc; the walk starts from an empty result but keeps
 * memory. `stop` may be set by another thread to end it early. Processes that vanish meanwhile are
 * left out. ERR_IO: /proc itself cannot be read; ERR_NOMEM.
 */
int proc_walk_run(struct proc_walk *w, int proc_fd, enum cmdline_mode mode, const atomic_bool *stop,
		  struct err *e) MUST_CHECK NONNULL(1, 4);

/* A descriptor whose socket is gone, and whose process is in `known`. */
struct proc_doubt {
	struct known_process *known;
	uint32_t fd;
};

/*
 * Reads doubtful descriptors (by process, and not in `known` any more then), or all that the walk
 * took over unseen. Holders found are added to the walk's. ERR_NOMEM.
 */
int proc_walk_recheck(struct proc_walk *w, int proc_fd, const struct proc_doubt *doubts,
		      size_t count, struct err *e) MUST_CHECK;
int proc_walk_rest(struct proc_walk *w, int proc_fd, enum cmdline_mode mode,
		   struct err *e) MUST_CHECK;

/* The first holder of a socket, or PROC_NO_HOLDER; go on with proc_walk_next(). */
uint32_t proc_walk_find(const struct proc_walk *w, uint32_t inode);
uint32_t proc_walk_next(const struct proc_walk *w, uint32_t holder);

/* A text of a process, or NULL if it is unknown. */
const char *proc_walk_text(struct proc_walk *w, uint32_t offset);

#endif
