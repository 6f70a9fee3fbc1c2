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

#define MOMENT_RANGE_NS (INT64_C(1) << 60)
#define MOMENT_WALL_NS	(INT64_C(1) << 62)

static inline int64_t moment_clamp(int64_t v, int64_t lo, int64_t hi)
{
	if (v < lo)
		return lo;
	return v > hi ? hi : v;
}

static inline struct moment moment_of(const struct rec_snapshot *s)
{
	struct moment m;
	m.begin_ns = moment_clamp(s->boot_begin_ns, 0, MOMENT_RANGE_NS);
	m.end_ns = moment_clamp(s->boot_end_ns, m.begin_ns, MOMENT_RANGE_NS);
	m.wall_ns = moment_clamp(s->wall_begin_ns, 0, MOMENT_WALL_NS);
	m.offset_ns = m.wall_ns - m.begin_ns;
	m.asleep_ns = m.begin_ns - moment_clamp(s->mono_begin_ns, 0, m.begin_ns);
	return m;
}

/* When the kernel filled the row at `position`, CLOCK_BOOTTIME. `batch_at`: sockset_batch_near().
 */
void moment_fill(const struct moment *m, const struct sockset *set, uint32_t position,
		 uint32_t *batch_at, int64_t *ret_lo_ns, int64_t *ret_hi_ns);

#endif
