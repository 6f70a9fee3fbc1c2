/*
 * walker.h - a walk of /proc (proc_walk.h) in a thread of its own, beside the netlink dumps.
 */
#ifndef SOCKLAPSE_WALKER_H
#define SOCKLAPSE_WALKER_H

#include <pthread.h>

#include "proc_walk.h"

/* One walk under way. */
struct walker {
	struct proc_walk *walk;
	int proc_fd;
	enum cmdline_mode mode;
	atomic_bool stop;
	pthread_t thread;
	bool threaded; /* false: no thread could be made, the walk is done when it is waited for */
	pthread_mutex_t mutex;
	pthread_cond_t done_cond;
	bool done;
	uint64_t duration_ns;
	int rc;
	struct err err;
};

/* Starts it; walker_finish() must follow. *w must not move until then. */
void walker_start(struct walker *w, struct proc_walk *walk, int proc_fd, enum cmdline_mode mode)
	NONNULL(1, 2);

/*
 * Waits for the end of the walk, but from `deadline_ns` (CLOCK_MONOTONIC; 0: none) on asks it to
 * stop where it is. Returns what proc_walk_run() did.
 */
int walker_finish(struct walker *w, uint64_t deadline_ns, struct err *e) MUST_CHECK;

#endif
