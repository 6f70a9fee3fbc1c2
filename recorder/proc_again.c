/* proc_again.c - what a walk of /proc took over unseen, read after the dumps. See proc_walk.h. */
#include <stdio.h>
#include <stdlib.h>

#include "proc_walk_internal.h"

/* /proc/PID/fd of the same process as in the walk, or -1. *ret_dir: /proc/PID. */
static int open_again(int proc_fd, const struct proc_seen *seen, int *ret_dir)
{
	char name[16];
	snprintf(name, sizeof(name), "%u", seen->pid);
	*ret_dir = walk_open_dir(proc_fd, name);
	int fd_dir = *ret_dir < 0 ? -1 : walk_open_dir(*ret_dir, "fd");
	if (fd_dir < 0 || walk_look(fd_dir, seen->pid).fd_dir == seen->fd_dir)
		return fd_dir;
	walk_close_fd(&fd_dir);
	return -1;
}

/* The doubts about one process; returns how many there were. */
static size_t recheck_process(struct proc_walk *w, int proc_fd, const struct proc_doubt *doubts,
			      size_t count, int *ret_rc, struct err *e)
{
	struct known_process *k = doubts->known;
	const struct proc_seen seen = {.pid = (uint32_t)k->pid, .fd_dir = k->fd_dir};
	CLEANUP(walk_close_fd) int dir = -1;
	CLEANUP(walk_close_fd) int fd_dir = open_again(proc_fd, &seen, &dir);
	size_t n = 0;
	for (; n < count && doubts[n].known == k; n++) {
		char name[16];
		known_drop(&w->known, k, doubts[n].fd);
		snprintf(name, sizeof(name), "%u", doubts[n].fd);
		if (fd_dir >= 0 && !*ret_rc)
			*ret_rc = walk_read_fd(w, fd_dir, name, k->found, doubts[n].fd, e);
	}
	return n;
}

int proc_walk_recheck(struct proc_walk *w, int proc_fd, const struct proc_doubt *doubts,
		      size_t count, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < count && !rc;)
		i += recheck_process(w, proc_fd, doubts + i, count - i, &rc, e);
	return rc || !count ? rc : walk_build_index(w, e);
}

static int read_skipped(struct walk *walk, int proc_fd, const struct proc_skipped *s, struct err *e)
{
	struct proc_walk *w = walk->w;
	CLEANUP(walk_close_fd) int dir = -1;
	CLEANUP(walk_close_fd) int fd_dir = open_again(proc_fd, &s->seen, &dir);
	uint32_t process = s->known ? s->known->found : w->processes_count;
	uint32_t first = w->holders_count;
	uint64_t fds_before = w->fds_seen;
	bool holds;
	if (fd_dir < 0)
		return 0;
	int rc = walk_read_fds(walk, fd_dir, process, s->known, &holds, e);
	if (rc || !holds || s->known)
		return rc;
	rc = walk_next_process(walk, dir, e);
	if (rc) {
		w->holders_count = first;
		return rc < 0 ? rc : 0;
	}
	walk_read_limit(walk, dir, w->fds_seen - fds_before, &w->processes[w->processes_count]);
	w->processes_count++;
	return 0;
}

int proc_walk_rest(struct proc_walk *w, int proc_fd, enum cmdline_mode mode, struct err *e)
{
	const atomic_bool stop = false;
	struct walk *walk = walk_scratch(w, mode, &stop);
	if (!walk)
		return err_set(e, ERR_NOMEM, "/proc: out of memory");
	int rc = 0;
	for (uint32_t i = 0; i < w->skipped_count && !rc; i++) {
		w->fds_seen -= w->skipped[i].seen.fds; /* they are counted again */
		w->fds_trusted -= w->skipped[i].seen.fds;
		rc = read_skipped(walk, proc_fd, &w->skipped[i], e);
	}
	w->skipped_count = 0;
	free(walk);
	return rc ? rc : walk_build_index(w, e);
}
