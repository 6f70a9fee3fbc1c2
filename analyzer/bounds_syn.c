/*
 * bounds_syn.c - rules for connections being opened: SYN-SENT and SYN-RECV.
 */
#include "bounds_rules.h"

/* TCP_TIMEOUT_INIT and TCP_RTO_MAX, include/net/tcp.h. */
#define RTO_INIT_NS (1 * NS_PER_S)
#define RTO_MAX_NS  (120 * NS_PER_S)

/* TCP_RESOURCE_PROBE_INTERVAL: the wait after a retransmission that this host itself dropped. */
#define RTO_LOCAL_DROP_NS (NS_PER_S / 2)

/*
 * What a timer does is done in a softirq, which waits when the CPUs are busy: at a load of four
 * times the CPUs the first timeout of 3 SYNs in 640 was 40 to 92 ms later than the wheel allows
 * (tests/README.md). What follows is counted from there.
 */
#define BUSY_NS (128 * NS_PER_MS)

/* Two readings of a clock in whole ms. */
#define ROUNDED_NS (1 * NS_PER_MS)

/* How long a timer of `ns` may take, from when it is set. */
static int64_t most_timeout_ns(const struct bounds_clue *c, int64_t ns)
{
	return ns + bounds_late_ns(c->host, ns) + BUSY_NS;
}

/* The first timeout of a SYN, never too short: it is TCP_TIMEOUT_INIT if nobody changed it. */
static int64_t syn_base_most_ns(const struct bounds_clue *c)
{
	int64_t base_ns = bounds_rto_base_ns(c);
	return base_ns > RTO_INIT_NS ? base_ns : RTO_INIT_NS;
}

/* Any segment may have changed the timeout meanwhile; a SYN that got an answer is no SYN-SENT. */
static bool is_syn_unanswered(const struct bounds_clue *c)
{
	return !bounds_sent(c, COL_ID_segs_in) || bounds_info(c)->segs_in == 0;
}

/*
 * SYN-SENT, no retransmission yet: D = rto - exp. The timer was set when the SYN was sent, that
 * is, at the entry, and nothing sets it anew before it fires.
 */
void bounds_syn_first(const struct bounds_clue *c, struct bounds_found *f)
{
	const struct row_evidence *e = bounds_info(c);
	int64_t left_ns = bounds_timer_ns(c->now->row);
	if (e->retransmits || c->now->row->queue.retrans || e->backoff || !is_syn_unanswered(c))
		return;
	if (left_ns < 0 || left_ns > bounds_rto_ns(c) || (bounds_has_rto_time(c) && e->total_rto))
		return;
	int64_t rto_ns = bounds_rto_ns(c);
	bounds_at_least(c, f, rto_ns - left_ns, BY_RTO_TIMER);
	bounds_at_most(c, f, left_ns ? rto_ns - left_ns : most_timeout_ns(c, rto_ns), BY_RTO_TIMER);
}

/*
 * SYN-SENT since Linux 6.7: total_rto_time counts from the first timeout, which came after `base`
 * (late by the wheel's rounding at most). In SYN-SENT there is one recovery only.
 */
void bounds_syn_rto_time(const struct bounds_clue *c, struct bounds_found *f)
{
	if (!bounds_has_rto_time(c) || bounds_info(c)->total_rto_recoveries != 1 ||
	    !bounds_info(c)->total_rto)
		return;
	if (!is_syn_unanswered(c))
		return;
	int64_t since_ns = bounds_rto_time_ns(c);
	int64_t first_ns = most_timeout_ns(c, syn_base_most_ns(c));
	bounds_at_least(c, f, bounds_rto_base_ns(c) + since_ns - ROUNDED_NS, BY_RTO_TIME);
	bounds_at_most_clock(c, f, first_ns + since_ns + ROUNDED_NS, BY_RTO_TIME);
}

/* The longest that `n` timeouts of a SYN can take, and in *ret_next_ns the timer after them. */
static int64_t syn_timeouts_most_ns(const struct bounds_clue *c, unsigned n, int64_t *ret_next_ns)
{
	int64_t sum_ns = 0;
	int64_t stage_ns = syn_base_most_ns(c);
	for (unsigned i = 0; i < n; i++) {
		sum_ns += most_timeout_ns(c, stage_ns);
		stage_ns = stage_ns > RTO_MAX_NS / 2 ? RTO_MAX_NS : stage_ns * 2;
	}
	*ret_next_ns = stage_ns;
	return sum_ns;
}

/* Under the assumption that every timeout took its time: T of EVIDENCE, plus the running timer. */
static void syn_retransmits_guess(const struct bounds_clue *c, struct bounds_found *f,
				  int64_t left_ns)
{
	const struct row_evidence *e = bounds_info(c);
	if (e->retransmits < e->backoff || e->backoff > 30 || left_ns > bounds_rto_ns(c))
		return;
	int64_t base_ns = bounds_rto_base_ns(c);
	int64_t count = e->retransmits - e->backoff + (INT64_C(1) << e->backoff) - 1;
	int64_t least_ns = base_ns * count + bounds_rto_ns(c) - left_ns;
	int64_t late_ns = (e->retransmits + 1) * bounds_late_ns(c->host, bounds_rto_ns(c));
	bounds_guess(c, f, least_ns, least_ns + late_ns, ASSUME_NO_LOCAL_DROP);
}

/*
 * SYN-SENT before Linux 6.7, n retransmissions. At least: the first timeout is never cut short,
 * later ones take half a second even if this host drops what it sends. At most: each took its full
 * backoff (an ICMP message takes steps of backoff back, so `backoff` is not believed).
 */
void bounds_syn_retransmits(const struct bounds_clue *c, struct bounds_found *f)
{
	int64_t left_ns = bounds_timer_ns(c->now->row);
	unsigned n = bounds_info(c)->retransmits;
	if (bounds_has_rto_time(c) || !n || left_ns < 0 || !is_syn_unanswered(c))
		return;
	bounds_at_least(c, f, bounds_rto_base_ns(c) + (n - 1) * RTO_LOCAL_DROP_NS, BY_RETRANSMITS);
	int64_t next_ns;
	int64_t most_ns = syn_timeouts_most_ns(c, n, &next_ns);
	if (left_ns > next_ns)
		return;
	most_ns += left_ns ? next_ns - left_ns : most_timeout_ns(c, next_ns);
	bounds_at_most(c, f, most_ns, BY_RETRANSMITS);
	syn_retransmits_guess(c, f, left_ns);
}

/*
 * SYN-RECV, half open. The timer's stages are 1, 2, 4, ... s; the present one is the first that is
 * long enough for what is left, or a later one. A repeated SYN sets the present stage anew, which
 * only makes D longer. The number of retransmissions proves nothing: it counts answers to repeated
 * SYNs too, and not the timeouts that TCP_DEFER_ACCEPT lets pass.
 */
void bounds_synack_timer(const struct bounds_clue *c, struct bounds_found *f)
{
	int64_t left_ns = bounds_timer_ns(c->now->row);
	if (left_ns < 0 || left_ns > RTO_MAX_NS)
		return;
	int64_t stage_ns = RTO_INIT_NS;
	int64_t before_ns = 0;
	while (stage_ns < left_ns) {
		before_ns += stage_ns;
		stage_ns = stage_ns > RTO_MAX_NS / 2 ? RTO_MAX_NS : stage_ns * 2;
	}
	int64_t dwell_ns = before_ns + stage_ns - left_ns;
	bounds_at_least(c, f, dwell_ns, BY_SYNACK_TIMER);
	if (c->now->row->queue.retrans || before_ns)
		return;
	int64_t late_ns = left_ns ? 0 : bounds_late_ns(c->host, RTO_INIT_NS);
	bounds_guess(c, f, dwell_ns, dwell_ns + late_ns, ASSUME_NO_DEFER);
}
