/*
 * bounds_rules.c - what one row proves about when its state was entered.
 *
 * One table says which rule applies to which state under which condition; each rule is a small
 * function that says what it rests on (EVIDENCE section 1, kernel files as of 6.18). D is the
 * dwell: the time from the entry until the row was filled. A rule finds "D is at least", "D is at
 * most", or a guess. A column that the kernel did not send makes no bound.
 *
 * A row's timer is read by the kernel before its tcp_info: between the two the connection may move
 * on. Rules are written such that tcp_info may be the later one.
 */
#include "bounds_rules.h"

#include <stddef.h>

/* TCPI_OPT_SYN_DATA: data in the SYN was accepted (TCP Fast Open). */
#define OPTION_SYN_DATA 32

/*
 * ESTAB: all three stamps are set at the establishment or later. The exception is the receive
 * stamp of a server that took data from the SYN: its socket is made before the establishment.
 * (busy_time is no bound: a socket that was disconnected and connected anew keeps counting.)
 */
static void estab_least(const struct bounds_clue *c, struct bounds_found *f)
{
	bounds_stamp_at_least(c, f, STAMP_SENT, BY_LAST_SENT);
	bounds_stamp_at_least(c, f, STAMP_ACK, BY_LAST_ACK);
	if (bounds_sent(c, COL_ID_options) && !(bounds_info(c)->options & OPTION_SYN_DATA))
		bounds_stamp_at_least(c, f, STAMP_RECEIVED, BY_LAST_RECEIVED);
}

/* ESTAB: a direction without data still has the stamp of the establishment (or of the SYN). */
static void estab_most(const struct bounds_clue *c, struct bounds_found *f)
{
	if (bounds_sent(c, COL_ID_data_segs_out) && bounds_info(c)->data_segs_out == 0)
		bounds_stamp_at_most(c, f, STAMP_SENT, BY_LAST_SENT);
	if (bounds_sent(c, COL_ID_data_segs_in) && bounds_info(c)->data_segs_in == 0)
		bounds_stamp_at_most(c, f, STAMP_RECEIVED, BY_LAST_RECEIVED);
}

/*
 * ESTAB with keepalive: the timer is set once, at the establishment, for tcp_keepalive_time, and
 * not again until it fires. The kernel does not tell the socket's own TCP_KEEPIDLE.
 */
static void estab_keepalive(const struct bounds_clue *c, struct bounds_found *f)
{
	int64_t left_ns = bounds_timer_ns(c->now->row);
	int64_t full_ns = c->host->keepalive_time_s * NS_PER_S;
	if (!full_ns || left_ns <= 0 || left_ns > full_ns)
		return;
	bounds_guess(c, f, full_ns - left_ns, full_ns - left_ns, ASSUME_KEEPALIVE);
}

/* Conditions of the table. */

bool bounds_is_mini(const struct sock_row *row)
{
	return row->queue.timer == TIMER_TIMEWAIT && !(row->state.has & HAS_INFO);
}

bool bounds_is_full(const struct sock_row *row)
{
	return bounds_row_sent(row, COL_ID_info_state) &&
	       row->evidence.info_state == row->state.state;
}

static bool is_full(const struct bounds_clue *c)
{
	return bounds_is_full(c->now->row);
}

static bool is_mini(const struct bounds_clue *c)
{
	return bounds_is_mini(c->now->row);
}

static bool is_request(const struct bounds_clue *c)
{
	return !(c->now->row->state.has & HAS_INFO) && c->now->row->queue.timer == TIMER_ON;
}

static bool is_full_retransmitting(const struct bounds_clue *c)
{
	return is_full(c) && c->now->row->queue.timer == TIMER_ON;
}

static bool is_full_keepalive(const struct bounds_clue *c)
{
	return is_full(c) && c->now->row->queue.timer == TIMER_KEEPALIVE;
}

#define IN(state) (1u << STATE_##state)

struct rule {
	uint32_t states;
	bool (*applies)(const struct bounds_clue *c);
	void (*find)(const struct bounds_clue *c, struct bounds_found *f);
};

static const struct rule rules[] = {
	{IN(SYN_SENT), is_full_retransmitting, bounds_syn_first},
	{IN(SYN_SENT), is_full, bounds_syn_rto_time},
	{IN(SYN_SENT), is_full_retransmitting, bounds_syn_retransmits},
	{IN(SYN_RECV) | IN(NEW_SYN_RECV), is_request, bounds_synack_timer},
	{IN(ESTAB), is_full, estab_least},
	{IN(ESTAB), is_full, estab_most},
	{IN(ESTAB), is_full_keepalive, estab_keepalive},
	{IN(CLOSE_WAIT) | IN(CLOSING), is_full, bounds_fin_arrived},
	{IN(ESTAB) | IN(CLOSE_WAIT) | IN(CLOSING) | IN(FIN_WAIT_2), is_full, bounds_one_segment},
	{IN(FIN_WAIT_2), is_full, bounds_fin_acked},
	{IN(FIN_WAIT_2), is_full_keepalive, bounds_fin_wait_long},
	{IN(FIN_WAIT_2), is_mini, bounds_fin_wait_timer},
	{IN(TIME_WAIT), is_mini, bounds_timewait_timer},
	{IN(LAST_ACK), is_full, bounds_last_ack_most},
	{IN(LAST_ACK) | IN(FIN_WAIT_1), is_full_retransmitting, bounds_fin_unacked},
};

void bounds_apply(const struct bounds_clue *clue, struct bounds_found *found)
{
	const struct sock_row *row = clue->now->row;
	if (row->member.proto != PROTO_TCP || row->state.state >= STATE_COUNT)
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((rules[i].states & (1u << row->state.state)) && rules[i].applies(clue))
			rules[i].find(clue, found);
}
