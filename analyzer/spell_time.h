/*
 * spell_time.h - the clocks of a snapshot, made safe for arithmetic. Only for spell_*.c.
 *
 * Times in a recording are whatever its file says. Here time since boot is cut to [0, 2^60] ns (36
 * years) and wall-clock time to [0, 2^62] (the year 2116), so that a sum of a wall-clock time and
 * three others cannot overflow.
 */
#ifndef SOCKLAPSE_SPELL_TIME_H
#define SOCKLAPSE_SPELL_TIME_H

#include "rec.h"
#include "sockset.h"

struct moment {
	int64_t begin_ns, end_ns; /* CLOCK_BOOTTIME */
	int64_t wall_ns;	  /* CLOCK_REALTIME at begin_ns */
	int64_t offset_ns;	  /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	int64_t asleep_ns;	  /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
};

struct moment moment_of(const struct rec_snapshot *s);

/* When the kernel filled the row at `position`, CLOCK_BOOTTIME. */
void moment_fill(const struct moment *m, const struct sockset *set, uint32_t position,
		 int64_t *ret_lo_ns, int64_t *ret_hi_ns);

#endif
