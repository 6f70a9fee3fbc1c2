/*
 * proc_walk_internal.h - the insides of a walk of /proc, shared by proc_walk.c (which processes and
 * descriptors are read), proc_read.c (the files of a process) and proc_again.c (what is read once
 * more after the dumps).
 */
#ifndef SOCKLAPSE_PROC_WALK_INTERNAL_H
#define SOCKLAPSE_PROC_WALK_INTERNAL_H

#include <sys/types.h>

#include "proc_walk.h"

#define DENTS_BYTES 32768

/* A file of /proc/PID that is read whole is not longer than this; the rest is cut off. */
#define FILE_MAX 8192

/* What getdents64(2) writes; glibc's struct dirent64 is the same. */
struct dents {
	char bytes[DENTS_BYTES] __attribute__((aligned(8)));
	long len;
	long at;
};

/* The scratch memory of one walk. */
struct walk {
	struct proc_walk *w;
	const atomic_bool *stop;
	enum cmdline_mode mode;
	struct dents pids;
	struct dents fds;
	char file[FILE_MAX];
};

/* NULL: no memory. free() it. */
struct walk *walk_scratch(struct proc_walk *w, enum cmdline_mode mode, const atomic_bool *stop);

void walk_close_fd(const int *fd);
int walk_open_dir(int at, const char *name);

/* All about a process whose directory is `dir`. False if it is gone. */
bool walk_read_process(struct walk *walk, int dir, struct proc_found *ret);

/* Open descriptors of a process, and its limit if they are many. */
void walk_read_limit(struct walk *walk, int dir, uint64_t files, struct proc_found *p);

/* The next process of the result, all but counted. 1: it is gone. */
int walk_next_process(struct walk *walk, int dir, struct err *e) MUST_CHECK;

/* The socket that a descriptor refers to, if it does, as held by processes[process]. */
int walk_read_fd(struct proc_walk *w, int fd_dir, const char *name, uint32_t process, uint32_t fd,
		 struct err *e) MUST_CHECK;

/*
 * Every descriptor of a process that refers to a socket: those known of `k` (or NULL) are only
 * listed, and forgotten if they are not there any more.
 */
int walk_read_fds(struct walk *walk, int fd_dir, uint32_t process, struct known_process *k,
		  bool *ret_holds, struct err *e) MUST_CHECK;

/* How a process looks from outside. */
struct proc_seen walk_look(int fd_dir, uint32_t pid);

/* After the last holder. */
int walk_build_index(struct proc_walk *w, struct err *e) MUST_CHECK;

#endif
