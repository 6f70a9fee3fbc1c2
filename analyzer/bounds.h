/*
 * bounds.h - when was a TCP state entered, and when was it left?
 *
 * A snapshot says in which state a connection was; what else the kernel sent (running timers,
 * "milliseconds ago" stamps, counters) often proves since when, to some hundredths of a second.
 * Here are the rules, as pure functions: rows in, brackets out. Two things are kept apart:
 *
 *   the bracket   [lo, hi]: never wrong under the conditions written at each rule (bounds_rules.c)
 *   the guess     narrower, and true only if its named assumption is
 *
 * All times are CLOCK_MONOTONIC in nanoseconds: that is what the kernel's stamps follow (it stands
 * still while the machine sleeps, and so do they). 0 is the boot of the machine.
 *
 * How to call it, for one connection, in the order of the snapshots:
 *
 *   bounds_enter   at the first row of a spell
 *   bounds_more    at each later row of it (may be left out: the bracket is then wider, not wrong;
 *                  bounds_tightens() says for which states it can help)
 *   bounds_turn    at the end of a spell when the connection is next seen in another state
 *   bounds_gone    at the end of a spell when the connection is not seen any more
 *
 * The caller has already decided which rows belong to one connection (cookie and 4-tuple).
 */
#ifndef SOCKLAPSE_BOUNDS_H
#define SOCKLAPSE_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "columns.h"
#include "err.h"
#include "sock.h"

/*
 * The column groups that must be filled in a struct sock_row given to these functions. If group
 * `evidence` is not at hand, clear HAS_INFO in state.has, or zeros will be taken for facts.
 */
#define BOUNDS_GROUPS (GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue) | GRP_BIT(evidence))

/* What must be known of the recorded host. 0: unknown (rules that need it are then left out). */
struct bounds_host {
	uint32_t hz;		   /* kernel ticks a second */
	uint32_t fin_timeout_s;	   /* net.ipv4.tcp_fin_timeout */
	uint32_t keepalive_time_s; /* net.ipv4.tcp_keepalive_time */
};

/*
 * A row as the kernel sent it, and when: filled at some moment of [lo_ns, hi_ns]. Its stamps go
 * back from a tick of the kernel that began at tick_ns or later (bounds_tick_ns()); 0: that is not
 * known.
 */
struct bounds_row {
	const struct sock_row *row;
	int64_t lo_ns;
	int64_t hi_ns;
	int64_t tick_ns;
};

/* What a bound rests on. */
enum bounds_source {
	BY_NOTHING,	   /* early: there was no snapshot before; lo is the boot */
	BY_SNAPSHOT,	   /* the time of a snapshot */
	BY_RTO_TIME,	   /* total time in timeouts */
	BY_RTO_TIMER,	   /* the running retransmission timer */
	BY_RETRANSMITS,	   /* number of retransmissions */
	BY_SYNACK_TIMER,   /* the running timer of a half-open connection */
	BY_LAST_SENT,	   /* time since data was sent */
	BY_LAST_RECEIVED,  /* time since data arrived */
	BY_LAST_ACK,	   /* time since an ACK arrived */
	BY_ONE_SEGMENT,	   /* exactly one segment arrived: the one that made the state */
	BY_TIMEWAIT_TIMER, /* the running timer of TIME-WAIT */
	BOUNDS_SOURCES
};

/* What a guess takes for granted. */
enum bounds_assumption {
	ASSUME_NONE,	      /* there is no guess */
	ASSUME_NO_LOCAL_DROP, /* no SYN was dropped on this host, no ICMP, no TCP_USER_TIMEOUT */
	ASSUME_NO_DEFER,      /* the listener does not use TCP_DEFER_ACCEPT */
	ASSUME_KEEPALIVE,     /* keepalive on at the start, with the host's default time */
	ASSUME_NO_LATER_ACK,  /* the last ACK is the one that made the state */
	ASSUME_FIN_TIMEOUT,   /* the host's tcp_fin_timeout counts, not TCP_LINGER2 */
	ASSUME_NOT_REARMED,   /* the last ACK was not lost: TIME-WAIT did not begin anew */
	ASSUME_FIN_AT_ONCE,   /* nothing was unsent at close(): the FIN went out at once */
	ASSUME_ONE_SIDED,     /* the two ends did not open the connection at the same time */
	ASSUME_FULL_TIME, /* the timer ran out; nothing ended the socket before, or set it anew */
	BOUNDS_ASSUMPTIONS
};

/* "rto-time", "snapshot", ...; and a short sentence. Static; "" for numbers out of range. */
const char *bounds_source_name(unsigned source);
const char *bounds_assumption_text(unsigned assumption);

/* A moment in [lo_ns, hi_ns]. */
struct bounds_span {
	int64_t lo_ns;
	int64_t hi_ns;
	uint8_t lo_source; /* enum bounds_source */
	uint8_t hi_source;
};

/* The same moment if `assumption` holds. Lies within the bracket, and is narrower. */
struct bounds_guess {
	int64_t lo_ns;
	int64_t hi_ns;
	uint8_t assumption; /* ASSUME_NONE: no guess, the rest is 0 */
};

/* Flags. */
#define BOUNDS_CONTRADICTION 1u /* evidence against evidence: only snapshot times were used */
#define BOUNDS_REARMED	     2u /* the timer was seen set anew between two rows of the spell */
#define BOUNDS_KILLED	     4u /* gone before its timer could have run out */

/* The three stamps of tcp_info: sent, received, acknowledged. */
#define BOUNDS_STAMPS 3

/* The beginning of one spell. Kept by the caller; no pointers inside. */
struct bounds_spell {
	struct bounds_span entered;  /* the bracket */
	struct bounds_guess guess;   /* of the same moment */
	struct bounds_span snapshot; /* by snapshot times alone */
	uint32_t flags;

	/* What later rows need; of no use to others. */
	uint8_t from;	       /* the state at the row before, if that had segs_in; or 0 */
	uint32_t from_segs_in; /* and its count */
	int64_t stamp_ns[BOUNDS_STAMPS]; /* each stamp was set at this time, or later */
	int64_t expiry_lo_ns;		 /* when the timer of TIME-WAIT or a closed FIN-WAIT-2 */
	int64_t expiry_hi_ns;		 /* runs out, as last seen; lo > hi: there is none */
};

/* The end of one spell. */
struct bounds_end {
	struct bounds_span left;
	struct bounds_guess guess;
	uint32_t flags;
};

/*
 * How long the spell lasted:
 *   at least = left.lo_ns - entered.hi_ns (not below 0)
 *   at most  = left.hi_ns - entered.lo_ns
 * and for an open spell the last row's lo_ns and hi_ns stand in for left.
 */

/* What is known from before the first row of a spell. */
struct bounds_before {
	/* The last row of the same connection, in another state. NULL: none. */
	const struct bounds_row *row;
	/*
	 * If there is none: the begin of the last snapshot that looked at this kind of socket and
	 * did not have the connection. BOUNDS_EARLY: there was no snapshot before.
	 */
	int64_t absent_ns;
	/*
	 * The connection is not older than this: the begin of the last snapshot before the first
	 * one that had it. 0: unknown. Stamps of 32 bits wrap after 49.7 days; with this they can
	 * be used on hosts that run longer.
	 */
	int64_t born_ns;
};

#define BOUNDS_EARLY INT64_MIN

/* The first row of a spell. `before` may be NULL: as if nothing were known. Never fails. */
void bounds_enter(const struct bounds_host *host, const struct bounds_row *now,
		  const struct bounds_before *before, struct bounds_spell *ret) NONNULL(1, 2, 4);

/* A later row of the same spell: what it proves narrows the bracket, never widens it. */
void bounds_more(const struct bounds_host *host, const struct bounds_row *now,
		 struct bounds_spell *spell) NONNULL(1, 2, 3);

/* Can bounds_more() help in this state (enum tcp_state)? Otherwise a caller may save the work. */
bool bounds_tightens(unsigned state);

/*
 * A socket whose connection is in TIME-WAIT is itself closed as long as the application holds it,
 * under the same cookie and addresses, and a dump tells of the closed one first. Is that what state
 * `before` and then `now` (enum tcp_state) mean? Then the row before does not prove that TIME-WAIT
 * was not there.
 */
bool bounds_hides_remnant(unsigned before, unsigned now);

/*
 * The other way round: the TIME-WAIT is over, and the closed socket still held. A dump that has
 * only the latter, and tells of it first, does not show before its end that TIME-WAIT is over.
 */
bool bounds_is_remnant_over(unsigned before, unsigned now);

/*
 * The spell whose last row is `last` ended, because the same connection is next seen in state
 * `next_state`, whose spell begins as `next` says. Later rows of that spell narrow `next` and with
 * it this end: the best time to ask is when that spell is over, too.
 */
void bounds_turn(const struct bounds_row *last, unsigned next_state,
		 const struct bounds_spell *next, struct bounds_end *ret) NONNULL(1, 3, 4);

/*
 * The spell whose last row is `last` ended, because the next snapshot (finished at `gone_ns`)
 * does not have the connection, nor does any later one.
 */
void bounds_gone(const struct bounds_host *host, const struct bounds_row *last, int64_t gone_ns,
		 struct bounds_end *ret) NONNULL(1, 2, 4);

/*
 * When the kernel's tick `tick_ms` began, at the earliest: for bounds_row.tick_ns of a row that was
 * filled at that tick, about `near_ns`. `base_us` is what the recorder measured in that snapshot
 * (rec_snapshot.tick_base_us). 0: not known, or not to be had with ticks that are no whole ms.
 */
int64_t bounds_tick_ns(const struct bounds_host *host, uint64_t base_us, uint64_t tick_ms,
		       int64_t near_ns) NONNULL(1);

/* Middle of a guess, for printing one number. */
int64_t bounds_guess_ns(const struct bounds_guess *guess) NONNULL(1);

/* What a row tells beyond time. -1: the row does not tell, 0: no, 1: yes. */

/* Did this host open the connection? Needs column groups `evidence` and `info`. */
int bounds_is_active_opener(const struct sock_row *row) NONNULL(1);

/* The peer closed, and the application has not yet read so far as to learn of it. */
int bounds_is_eof_unread(const struct sock_row *row) NONNULL(1);

/* Established, but no process has called accept() for it yet. */
int bounds_is_unaccepted(const struct sock_row *row) NONNULL(1);

/* The application closed it; the kernel is still busy with it. */
int bounds_is_orphan(const struct sock_row *row) NONNULL(1);

#endif
