/*
 * bounds_fin.c - rules for connections being closed.
 */
#include "bounds_rules.h"

/*
 * CLOSE-WAIT and CLOSING begin with the peer's FIN. It goes through tcp_ack(), which stamps it:
 * the last ACK is the FIN or later. Data does not come after the FIN: the last data is not later.
 * Not so if the FIN carries an older ACK than a segment that overtook it (the error is then the
 * time by which it was overtaken). That the last ACK is the FIN itself is a guess even if nothing
 * was ever sent: a FIN whose acknowledgement was lost comes again, is acceptable, and is stamped
 * again.
 */
void bounds_fin_arrived(const struct bounds_clue *c, struct bounds_found *f)
{
	bounds_stamp_at_least(c, f, STAMP_ACK, BY_LAST_ACK);
	bounds_stamp_at_most(c, f, STAMP_RECEIVED, BY_LAST_RECEIVED);
	int64_t ns;
	if (bounds_stamp_most(c, STAMP_ACK, &ns))
		bounds_guess(c, f, ns, ns, ASSUME_NO_LATER_ACK);
}

/*
 * CLOSE-WAIT, CLOSING, FIN-WAIT-2, or ESTAB after SYN-SENT, when the connection was in another
 * state at the row before and exactly one segment came since: it is the one that made the state.
 */
void bounds_one_segment(const struct bounds_clue *c, struct bounds_found *f)
{
	const struct bounds_spell *spell = c->spell;
	if (!spell->from || !bounds_sent(c, COL_ID_segs_in))
		return;
	if (c->now->row->state.state == STATE_ESTAB && spell->from != STATE_SYN_SENT)
		return;
	if (bounds_info(c)->segs_in - spell->from_segs_in != 1)
		return;
	int64_t ns;
	if (bounds_stamp_most(c, STAMP_ACK, &ns))
		bounds_stamped(c, f, ns, BY_ONE_SEGMENT);
}

/*
 * FIN-WAIT-2 with a full socket begins with the ACK of our FIN, which is stamped; data is sent
 * before the FIN, never after it was acknowledged. If no data came with or after the last ACK, that
 * was a pure one: the ACK of the FIN, or a late window update.
 */
void bounds_fin_acked(const struct bounds_clue *c, struct bounds_found *f)
{
	bounds_stamp_at_least(c, f, STAMP_ACK, BY_LAST_ACK);
	bounds_stamp_at_most(c, f, STAMP_SENT, BY_LAST_SENT);
	int64_t ack_ns, data_ns;
	if (bounds_stamp_most(c, STAMP_ACK, &ack_ns) &&
	    bounds_stamp_most(c, STAMP_RECEIVED, &data_ns) && data_ns > ack_ns)
		bounds_guess(c, f, ack_ns, ack_ns, ASSUME_NO_LATER_ACK);
}

/*
 * FIN-WAIT-2 without a full socket: its time began when both our FIN was acknowledged and the
 * application had closed. TCP_LINGER2 may have changed its length and is not told.
 */
void bounds_fin_wait_timer(const struct bounds_clue *c, struct bounds_found *f)
{
	int64_t left_ns = bounds_timer_ns(c->now->row);
	int64_t full_ns = c->host->fin_timeout_s * NS_PER_S;
	if (!full_ns || left_ns < 0 || left_ns > TIMEWAIT_NS || left_ns > full_ns)
		return;
	int64_t late_ns = left_ns ? 0 : bounds_late_ns(c->host, TIMEWAIT_NS);
	bounds_guess(c, f, full_ns - left_ns, full_ns - left_ns + late_ns, ASSUME_FIN_TIMEOUT);
}

/* FIN-WAIT-2 kept as a full socket by tcp_fin_timeout > 60 s: the keepalive timer runs first. */
void bounds_fin_wait_long(const struct bounds_clue *c, struct bounds_found *f)
{
	int64_t left_ns = bounds_timer_ns(c->now->row);
	int64_t full_ns = c->host->fin_timeout_s * NS_PER_S - TIMEWAIT_NS;
	if (c->now->row->state.inode || left_ns <= 0 || left_ns > full_ns)
		return;
	bounds_guess(c, f, full_ns - left_ns, full_ns - left_ns, ASSUME_FIN_TIMEOUT);
}

/*
 * Was this the same timer already at the row before? Then the state has just changed, and the new
 * one's timer was not yet set: tcp_timewait_state_process() does one after the other. If the former
 * timer had only just been set to 60 s, the new one may well end at the same time.
 */
static bool is_timer_old(const struct bounds_clue *c)
{
	int64_t lo_ns, hi_ns, prev_lo_ns, prev_hi_ns;
	return c->prev && bounds_is_mini(c->prev->row) &&
	       bounds_timer_ns(c->prev->row) < TIMEWAIT_NS - 4 * c->margin_ns &&
	       bounds_expiry(c->host, c->prev, &prev_lo_ns, &prev_hi_ns) &&
	       bounds_expiry(c->host, c->now, &lo_ns, &hi_ns) && lo_ns <= prev_hi_ns &&
	       prev_lo_ns <= hi_ns;
}

/*
 * TIME-WAIT: the timer was set to 60 s at the entry, and perhaps again by a FIN that the peer sent
 * anew: D is at least 60 s - exp, and just that if the last ACK was not lost.
 */
void bounds_timewait_timer(const struct bounds_clue *c, struct bounds_found *f)
{
	int64_t left_ns = bounds_timer_ns(c->now->row);
	if (left_ns < 0 || left_ns > TIMEWAIT_NS || is_timer_old(c))
		return;
	int64_t late_ns = left_ns ? 0 : bounds_late_ns(c->host, TIMEWAIT_NS);
	bounds_at_least(c, f, TIMEWAIT_NS - left_ns, BY_TIMEWAIT_TIMER);
	bounds_guess(c, f, TIMEWAIT_NS - left_ns, TIMEWAIT_NS - left_ns + late_ns,
		     ASSUME_NOT_REARMED);
}

/* LAST-ACK: no data came after the peer's FIN, and that came before we closed. */
void bounds_last_ack_most(const struct bounds_clue *c, struct bounds_found *f)
{
	bounds_stamp_at_most(c, f, STAMP_RECEIVED, BY_LAST_RECEIVED);
}

/*
 * FIN-WAIT-1 and LAST-ACK with the retransmission timer running, when only our FIN is
 * unacknowledged (send queue 1): it has timed out n times, and was sent after the entry. n counts
 * from the last progress of the peer's ACKs, so all n were the FIN's. The running timer itself
 * proves nothing: TCP_USER_TIMEOUT may have cut it, and with n = 0 it may be a tail loss probe. If
 * the FIN went out at close(), the timeouts began one round and one probe after the entry.
 */
void bounds_fin_unacked(const struct bounds_clue *c, struct bounds_found *f)
{
	const struct row_evidence *e = bounds_info(c);
	unsigned n = e->retransmits;
	if (c->now->row->queue.sendq != 1 || !n || n != e->backoff || n > 30)
		return;
	int64_t base_ns = bounds_rto_base_ns(c);
	bounds_at_least(c, f, base_ns * ((INT64_C(1) << n) - 1), BY_RETRANSMITS);
	if (!bounds_has_rto_time(c) || e->total_rto_recoveries != 1)
		return;
	int64_t least_ns = base_ns + bounds_rto_time_ns(c);
	bounds_at_least(c, f, least_ns, BY_RTO_TIME);
	bounds_guess(c, f, least_ns, least_ns + base_ns + bounds_late_ns(c->host, base_ns),
		     ASSUME_FIN_AT_ONCE);
}
