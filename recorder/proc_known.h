/*
 * proc_known.h - which descriptors held a recorded socket when the last snapshot was taken, so that
 * a walk of /proc (proc_walk.h) need not read them again. Pure.
 *
 *   known_begin, known_add for every process, known_hold for every holder
 *   known_ready, known_hold once more: first to see how much room it takes, then to keep it
 *
 * Zero-initialised, and after known_clear(), nothing is known and everything will be read.
 */
#ifndef SOCKLAPSE_PROC_KNOWN_H
#define SOCKLAPSE_PROC_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define KNOWN_NOT_FOUND UINT32_MAX

/* Higher descriptors are read each time. */
#define KNOWN_MAX_FD (1u << 20)

struct known_process {
	int64_t pid;
	uint64_t start_ticks;
	uint32_t row;	 /* of table process */
	uint32_t fds;	 /* a bit for each descriptor below this */
	size_t bits_at;	 /* where they begin */
	uint64_t fd_dir; /* inode of /proc/PID/fd, by the walk */
	uint32_t found;	 /* index in proc_walk.processes, by the walk; or KNOWN_NOT_FOUND */
};

struct proc_known {
	bool on;       /* what is here may be trusted */
	bool ready;    /* bits[] has room */
	uint32_t turn; /* a process is read as a whole if its pid's turn comes (proc_walk.c) */
	struct known_process *processes; /* by pid, after known_ready() */
	size_t processes_cap;
	uint32_t count;
	uint32_t *by_row; /* row of table process -> index + 1; 0: none */
	size_t by_row_cap;
	uint32_t rows;
	uint8_t *bits;
	size_t bits_cap;
	size_t shared_at; /* from there on the same bits for shared sockets alone */
};

void known_fini(struct proc_known *k);
void known_clear(struct proc_known *k);

/* A process of the last snapshot. ERR_NOMEM. Rows that are too high are left out. */
int known_add(struct proc_known *k, uint32_t row, int64_t pid, uint64_t start_ticks,
	      struct err *e) MUST_CHECK;

/*
 * The process with this row holds a socket at `fd`; `shared`: others hold it too, so that it would
 * not go with this descriptor. Of an unknown row nothing is kept.
 */
void known_hold(struct proc_known *k, uint32_t row, uint32_t fd, bool shared);

/* After all holders were told once. ERR_NOMEM. */
int known_ready(struct proc_known *k, struct err *e) MUST_CHECK;

struct known_process *known_by_pid(const struct proc_known *k, int64_t pid);
struct known_process *known_by_row(const struct proc_known *k, uint32_t row);

/* Is the descriptor still trusted? */
bool known_has(const struct proc_known *k, const struct known_process *p, uint32_t fd);
/* The same, and its socket has other holders. */
bool known_shares(const struct proc_known *k, const struct known_process *p, uint32_t fd);
void known_drop(struct proc_known *k, const struct known_process *p, uint32_t fd);
void known_drop_all(struct proc_known *k, const struct known_process *p);

/* Drops the descriptors that are not in `listed` (as many bits). Returns whether any is left. */
bool known_keep(struct proc_known *k, const struct known_process *p, const uint8_t *listed);

#endif
