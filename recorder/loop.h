/*
 * loop.h - when the next snapshot is due, and the signals that change it.
 */
#ifndef SOCKLAPSE_LOOP_H
#define SOCKLAPSE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/*
 * Snapshots are due at begin + k * interval, whatever each took: no drift. A moment that passes
 * while a snapshot is still under way is missed, not made up for.
 */
struct schedule {
	uint64_t begin_ns;
	uint64_t interval_ns; /* > 0 */
	uint64_t slot;	      /* k of the last moment that was taken */
};

/*
 * The next moment after `now_ns`; it becomes the schedule's slot. *ret_missed: how many moments
 * between the last slot and it went by. Pure.
 */
uint64_t schedule_next(struct schedule *s, uint64_t now_ns, uint64_t *ret_missed);

/*
 * Why moments went by, in words: the snapshot before them took `took_ns`; CLOCK_BOOTTIME ran
 * `asleep_ns` farther than CLOCK_MONOTONIC, which stands still while the machine is suspended.
 */
const char *schedule_why(const struct schedule *s, uint64_t missed, uint64_t took_ns,
			 uint64_t asleep_ns);

/* The moment of the first of the last `missed` slots before the schedule's present one. */
uint64_t schedule_first_missed_ns(const struct schedule *s, uint64_t missed);

enum loop_event {
	LOOP_DUE,    /* the time has come */
	LOOP_NOW,    /* SIGUSR1 */
	LOOP_REOPEN, /* SIGHUP */
	LOOP_STOP,   /* SIGTERM, SIGINT */
};

/* A timer and the signals, as descriptors. */
struct loop {
	int timer_fd;
	int signal_fd;
};

/*
 * Blocks the signals of enum loop_event for this thread and those that it starts from now on, so
 * that a snapshot under way is not interrupted: they wait until loop_wait().
 */
int loop_open(struct loop *l, struct err *e) MUST_CHECK NONNULL(1);
void loop_close(struct loop *l);

/*
 * Waits until CLOCK_BOOTTIME (which runs on while the machine sleeps) reaches `until_ns`, or for a
 * signal, whichever is first; signals go before. LOOP_* or a negative code.
 */
int loop_wait(struct loop *l, uint64_t until_ns, struct err *e) MUST_CHECK;

#endif
