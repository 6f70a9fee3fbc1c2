/* clocks.h - the clocks of the machine, in nanoseconds. */
#ifndef SOCKLAPSE_CLOCKS_H
#define SOCKLAPSE_CLOCKS_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clocks_read_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static inline uint64_t clocks_mono_ns(void)
{
	return clocks_read_ns(CLOCK_MONOTONIC);
}

static inline int64_t clocks_wall_ns(void)
{
	return (int64_t)clocks_read_ns(CLOCK_REALTIME);
}

static inline int64_t clocks_boot_ns(void)
{
	return (int64_t)clocks_read_ns(CLOCK_BOOTTIME);
}

#endif
