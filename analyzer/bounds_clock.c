/*
 * bounds_clock.c - how exact the kernel's stamps and timers are.
 */
#include "bounds_rules.h"

/* CONFIG_HZ as distributions and architectures have it; for hosts whose HZ is not known. */
static const uint32_t usual_hz[] = {100, 250, 300, 1000};

#define HZ_LEAST 24u
#define HZ_MOST	 10000u

#define MARGIN_TICKS	7
#define MARGIN_LEAST_NS (28 * NS_PER_MS)

/* Ticks are told modulo 2^32 ms; a row's is not farther than this from the row's time. */
#define TICK_TURN_US ((UINT64_C(1) << 32) * 1000)
#define TICK_NEAR_US INT64_C(10000000)

/* Beyond this the wheel holds a timer at its last level (kernel/time/timer.c, WHEEL_TIMEOUT_MAX) */
#define WHEEL_LEVELS	 9u
#define WHEEL_SLOTS	 INT64_C(63)
#define WHEEL_LEVEL_BITS 3u

static bool hz_known(const struct bounds_host *host)
{
	return host->hz >= HZ_LEAST && host->hz <= HZ_MOST;
}

int64_t bounds_margin_ns(const struct bounds_host *host)
{
	uint32_t hz = hz_known(host) ? host->hz : usual_hz[0];
	int64_t ns = MARGIN_TICKS * NS_PER_S / hz;
	return ns > MARGIN_LEAST_NS ? ns : MARGIN_LEAST_NS;
}

/* TICK_NSEC of include/linux/jiffies.h is rounded: half a nanosecond in a tick of 1 to 42 ms. */
#define DRIFT_PART INT64_C(1000000)

int64_t bounds_drift_ns(const struct bounds_host *host, int64_t ns)
{
	bool whole = hz_known(host) && NS_PER_S % host->hz == 0;
	return whole || ns <= 0 ? 0 : ns / DRIFT_PART;
}

int64_t bounds_since_ns(const struct bounds_host *host, const struct bounds_row *at)
{
	if (at->tick_ns && at->tick_ns <= at->hi_ns)
		return at->tick_ns;
	return bounds_sub(at->lo_ns, bounds_margin_ns(host));
}

/*
 * The recorder says how far the coarse clock was ahead of the tick. It stands where
 * CLOCK_MONOTONIC was when the tick was last counted on, at the latest, and that was within the
 * length of the tick: so much may have to be taken off.
 */
int64_t bounds_tick_ns(const struct bounds_host *host, uint64_t base_us, uint64_t tick_ms,
		       int64_t near_ns)
{
	if (!base_us || !tick_ms || near_ns < 0 || !hz_known(host) || 1000 % host->hz)
		return 0;
	uint64_t near_us = (uint64_t)near_ns / 1000;
	uint64_t at_us = base_us % TICK_TURN_US + tick_ms % (TICK_TURN_US / 1000) * 1000;
	int64_t ago_us = (int64_t)((near_us + 2 * TICK_TURN_US - at_us) % TICK_TURN_US);
	if (ago_us > (int64_t)(TICK_TURN_US / 2))
		ago_us -= (int64_t)TICK_TURN_US;
	if (ago_us > TICK_NEAR_US || ago_us < -TICK_NEAR_US)
		return 0;
	int64_t ns = ((int64_t)near_us - ago_us) * 1000 - NS_PER_S / host->hz;
	return ns > 0 ? ns : 0;
}

static int64_t late_at(uint32_t hz, int64_t ns)
{
	/* The wheel's own clock may lag, too: a timer then seems further away. */
	int64_t ticks = ns / (NS_PER_S / hz) + 1 + MARGIN_TICKS;
	unsigned level = 0;
	while (level + 1 < WHEEL_LEVELS && ticks >= WHEEL_SLOTS << (level * WHEEL_LEVEL_BITS))
		level++;
	return (INT64_C(1) << (level * WHEEL_LEVEL_BITS)) * NS_PER_S / hz;
}

int64_t bounds_late_ns(const struct bounds_host *host, int64_t ns)
{
	if (hz_known(host))
		return late_at(host->hz, ns);
	int64_t worst = 0;
	for (size_t i = 0; i < sizeof(usual_hz) / sizeof(usual_hz[0]); i++) {
		int64_t late = late_at(usual_hz[i], ns);
		worst = late > worst ? late : worst;
	}
	return worst;
}

int64_t bounds_timer_ns(const struct sock_row *row)
{
	uint64_t ms = row->queue.timer_ms;
	if (row->queue.timer == TIMER_OFF || ms > UINT32_MAX)
		return -1;
	/* Kernels before 5.10 let a timer that is due go below 0, in 32 bits. */
	if (ms > INT32_MAX)
		return 0;
	return (int64_t)ms * NS_PER_MS;
}

bool bounds_expiry(const struct bounds_host *host, const struct bounds_row *at, int64_t *ret_lo_ns,
		   int64_t *ret_hi_ns)
{
	int64_t left_ns = bounds_timer_ns(at->row);
	if (left_ns < 0)
		return false;
	int64_t margin_ns = bounds_margin_ns(host);
	/* One that is due fires soon: its time was not long ago. */
	int64_t ago_ns = left_ns ? 0 : bounds_late_ns(host, TIMEWAIT_NS);
	*ret_lo_ns = bounds_add(at->lo_ns, left_ns - ago_ns - margin_ns);
	*ret_hi_ns = bounds_add(at->hi_ns, left_ns + margin_ns);
	return true;
}
