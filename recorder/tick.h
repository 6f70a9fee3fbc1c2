/*
 * tick.h - the kernel's own millisecond tick: the clock of tcpi_last_data_sent and its like.
 *
 * Those fields are differences of jiffies. A TCP socket that was never connected has all its
 * stamps at 0, so that getsockopt(TCP_INFO) on it reads the jiffies themselves, in milliseconds,
 * modulo 2^32 (EVIDENCE section 0, "Never"). Such a socket stands in no table that the kernel
 * dumps: it is neither bound nor connected.
 */
#ifndef SOCKLAPSE_TICK_H
#define SOCKLAPSE_TICK_H

#include <stdint.h>

#include "err.h"

struct tick {
	int fd; /* the helper socket; also good for ioctl()s in its network namespace */
	uint64_t last_ms;
	/*
	 * CLOCK_MONOTONIC_COARSE less the tick, in us modulo 2^32 ms: the greatest of all readings
	 * since tick_begin(). 0: there was none.
	 */
	uint64_t base_us;
};

/* Opens the helper socket. */
int tick_open(struct tick *t, struct err *e) MUST_CHECK NONNULL(1);
void tick_close(struct tick *t);

/* Readings from now on count for base_us. */
void tick_begin(struct tick *t) NONNULL(1);

/* Never 0, never descending; 2^32 + the kernel's reading until that has wrapped, and so on. */
uint64_t tick_read_ms(struct tick *t);

/*
 * The smallest value >= last_ms that is `reading` modulo 2^32, if that is less than half a circle
 * away; else (the reading has gone back) last_ms. Pure.
 */
uint64_t tick_extend(uint64_t last_ms, uint32_t reading);

/*
 * base_us, when it was `base_us` and a reading of the coarse clock was followed by one of the tick
 * (ms, modulo 2^32). Pure.
 *
 * The coarse clock stands where it was when the tick was last counted on, or less. A tick is
 * counted on within its length: jiffies follow CLOCK_MONOTONIC, and catch up when they lag
 * (kernel/time/tick-sched.c, tick_do_update_jiffies64). So tick 0 was at most one tick before this,
 * and the kernel's tick can be put on CLOCK_MONOTONIC from below (FORMAT.md section 5.5). Read the
 * other way round, a tick that comes between the two would make it too late.
 */
uint64_t tick_base(uint64_t base_us, uint64_t coarse_ns, uint32_t reading);

#endif
