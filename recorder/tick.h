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
};

/* Opens the helper socket. */
int tick_open(struct tick *t, struct err *e) MUST_CHECK NONNULL(1);
void tick_close(struct tick *t);

/* Never 0, never descending; 2^32 + the kernel's reading until that has wrapped, and so on. */
uint64_t tick_read_ms(struct tick *t);

/*
 * The smallest value >= last_ms that is `reading` modulo 2^32, if that is less than half a circle
 * away; else (the reading has gone back) last_ms. Pure.
 */
uint64_t tick_extend(uint64_t last_ms, uint32_t reading);

#endif
