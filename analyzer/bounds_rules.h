/*
 * bounds_rules.h - internal to bounds*.c: the clues that a rule looks at, and what it finds.
 */
#ifndef SOCKLAPSE_BOUNDS_RULES_H
#define SOCKLAPSE_BOUNDS_RULES_H

#include "bounds.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* TCP_TIMEWAIT_LEN, include/net/tcp.h. */
#define TIMEWAIT_NS (60 * NS_PER_S)

/* What a rule may look at. */
struct bounds_clue {
	const struct bounds_host *host;
	const struct bounds_row *now;
	const struct bounds_row *prev; /* at the first row: the row in another state, or NULL */
	const struct bounds_spell *spell;
	int64_t margin_ns;
};

/* What the rules have found so far: a bracket that only shrinks, and a guess. */
struct bounds_found {
	struct bounds_span entered;
	struct bounds_guess guess;
};

/* Applies every rule that fits the row. The bracket may end up empty (lo > hi). */
void bounds_apply(const struct bounds_clue *clue, struct bounds_found *found);

/*
 * How far the kernel's tick may lag behind CLOCK_MONOTONIC, its own length included: EVIDENCE
 * section 0. That is more than a tick when the machine is busy or its CPU stolen (21 ms were seen).
 * 7 ticks, and never below 28 ms.
 *
 * It never runs ahead (kernel/time/tick-sched.c counts whole ticks of CLOCK_MONOTONIC that are
 * over). So what a stamp or timer was set for happened after the begin of its tick, and at most
 * this much later. "n ms ago" goes back from the tick at which the row was filled, which lagged in
 * its turn: from the row's time at the latest, and from the begin of that tick at the earliest; if
 * that begin is not known, from this much before the row's time.
 */
int64_t bounds_margin_ns(const struct bounds_host *host);

/*
 * How far so much time, told in ticks, may be off on either side: the kernel's tick is a whole
 * number of nanoseconds, and not 1/HZ s where that is none (HZ 300: 35 ms in 4 days). 0 for HZ that
 * divide; also used where HZ is not known.
 */
int64_t bounds_drift_ns(const struct bounds_host *host, int64_t ns);

/*
 * What the stamps of a row ("n ms ago") go back from, at the earliest. At the latest it is hi_ns.
 * Not for its timer: that is read before tcp_info, and the tick is known from tcp_info.
 */
int64_t bounds_since_ns(const struct bounds_host *host, const struct bounds_row *at);

/*
 * How much later than asked for a timer of `ns` may fire: the timer wheel of kernel/time/timer.c
 * rounds up to 1, 8, 64, 512, ... ticks, the more the further away. Unknown HZ: the worst of all.
 */
int64_t bounds_late_ns(const struct bounds_host *host, int64_t ns);

/* Time until the row's timer fires (0: due), or -1 if none runs or the value is no time. */
int64_t bounds_timer_ns(const struct sock_row *row);

/* When that will be, margins included. False if no timer runs. */
bool bounds_expiry(const struct bounds_host *host, const struct bounds_row *at, int64_t *ret_lo_ns,
		   int64_t *ret_hi_ns);

/* Is it a remnant without a full socket: TIME-WAIT, or FIN-WAIT-2 after the application closed? */
bool bounds_is_mini(const struct sock_row *row);

/* Is it a socket with tcp_info, and was that taken in the same state as the rest of the row? */
bool bounds_is_full(const struct sock_row *row);

/* Reading clues (bounds_found.c). */

const struct row_evidence *bounds_info(const struct bounds_clue *c);

/* Did the kernel send the column, for the row at hand or another one? */
bool bounds_sent(const struct bounds_clue *c, enum column_id id);
bool bounds_row_sent(const struct sock_row *row, enum column_id id);

enum bounds_stamp {
	STAMP_SENT,
	STAMP_RECEIVED,
	STAMP_ACK
};

/*
 * A stamp ("so many milliseconds ago"), if it was sent and ever set. Stamps wrap after 49.7 days.
 * _least: it may have, the time is then longer; _most: it has not, in the life of the connection
 * or at least since the row before (until which the state was not entered anyway).
 */
bool bounds_stamp_least(const struct bounds_clue *c, enum bounds_stamp stamp, int64_t *ret_ns);
bool bounds_stamp_most(const struct bounds_clue *c, enum bounds_stamp stamp, int64_t *ret_ns);

/* Fills in what `spell` keeps for later rows. */
void bounds_remember(const struct bounds_before *before, struct bounds_spell *spell);

/* The retransmission timeout, and the first one before backoff (never too long). */
int64_t bounds_rto_ns(const struct bounds_clue *c);
int64_t bounds_rto_base_ns(const struct bounds_clue *c);

/* Since Linux 6.7: the time since the first timeout of this recovery (plus earlier ones). */
bool bounds_has_rto_time(const struct bounds_clue *c);
int64_t bounds_rto_time_ns(const struct bounds_clue *c);

/*
 * Putting down what is proved: the dwell is ... Margins are added here, but for what was counted on
 * a clock, not in ticks (_clock).
 */
void bounds_at_least(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
		     enum bounds_source source);
void bounds_at_most(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
		    enum bounds_source source);
void bounds_at_most_clock(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
			  enum bounds_source source);
/* The state was entered at the stamp, `ago_ns` before the row. */
void bounds_stamped(const struct bounds_clue *c, struct bounds_found *f, int64_t ago_ns,
		    enum bounds_source source);
void bounds_stamp_at_least(const struct bounds_clue *c, struct bounds_found *f,
			   enum bounds_stamp stamp, enum bounds_source source);
void bounds_stamp_at_most(const struct bounds_clue *c, struct bounds_found *f,
			  enum bounds_stamp stamp, enum bounds_source source);

/* The dwell is in [least_ns, most_ns] if the assumption holds. The first guess counts. */
void bounds_guess(const struct bounds_clue *c, struct bounds_found *f, int64_t least_ns,
		  int64_t most_ns, enum bounds_assumption assumption);

/* The rules; each is described where it is defined. */
typedef void bounds_rule(const struct bounds_clue *c, struct bounds_found *f);
bounds_rule bounds_syn_first;
bounds_rule bounds_syn_rto_time;
bounds_rule bounds_syn_retransmits;
bounds_rule bounds_synack_timer;
bounds_rule bounds_fin_arrived;
bounds_rule bounds_one_segment;
bounds_rule bounds_fin_acked;
bounds_rule bounds_fin_wait_timer;
bounds_rule bounds_fin_wait_long;
bounds_rule bounds_timewait_timer;
bounds_rule bounds_last_ack_most;
bounds_rule bounds_fin_unacked;

/* a + b, held at the ends of the range: times may come from a damaged file. */
static inline int64_t bounds_add(int64_t a, int64_t b)
{
	int64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

/* a - b, held likewise. */
static inline int64_t bounds_sub(int64_t a, int64_t b)
{
	int64_t difference;
	if (__builtin_sub_overflow(a, b, &difference))
		return b < 0 ? INT64_MAX : INT64_MIN;
	return difference;
}

#endif
