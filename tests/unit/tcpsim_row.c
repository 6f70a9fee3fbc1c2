/* tcpsim_row.c - the row that the kernel would send of a simulated connection. */
#include <string.h>

#include "tcpsim.h"

#define MS INT64_C(1000000)

static uint32_t ms_of(const struct sim *s, uint64_t ticks)
{
	return (uint32_t)(ticks * 1000 / s->host.hz);
}

static uint32_t stamp_ms(struct sim *s, uint32_t stamp)
{
	return ms_of(s, (uint32_t)(sim_tick32(s) - stamp));
}

static void fill_info(struct sim *s, struct sock_row *row)
{
	static const uint16_t bytes[SIM_KERNELS] = {192, 232, 280};
	struct row_evidence *e = &row->evidence;
	row->state.has |= HAS_INFO;
	row->state.info_bytes = bytes[s->kernel];
	e->info_state = row->state.state;
	e->last_data_sent_ms = stamp_ms(s, s->sent_tick);
	e->last_data_recv_ms = stamp_ms(s, s->received_tick);
	e->last_ack_recv_ms = stamp_ms(s, s->ack_tick);
	e->segs_in = s->segs_in;
	e->data_segs_in = s->data_segs_in;
	e->data_segs_out = s->data_segs_out;
	e->options = s->fast_open ? 32 : 0;
	e->rto_us = (uint32_t)(s->rto_ns / 1000);
	e->retransmits = s->retransmits;
	e->backoff = s->backoff;
	if (s->kernel < SIM_6_18)
		return;
	e->total_rto = s->total_rto;
	e->total_rto_recoveries = s->recoveries;
	if (s->rto_stamp_ns)
		e->total_rto_time_ms = (uint32_t)(s->now_ns / MS - s->rto_stamp_ns / MS);
}

bool sim_row(struct sim *s, struct sock_row *ret)
{
	if (s->gone)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->member.proto = PROTO_TCP;
	ret->state.state = s->entered[s->entered_count - 1].state;
	ret->state.inode = s->full && !s->orphan ? 77 : 0;
	ret->queue.timer = s->timer;
	ret->queue.sendq = s->sendq;
	ret->queue.retrans = s->full ? s->retransmits : s->synack_retrans;
	uint64_t ticks = sim_tick(s);
	if (s->timer && s->timer_ticks > ticks)
		ret->queue.timer_ms = ms_of(s, s->timer_ticks - ticks);
	if (s->keepalive && s->full && !s->timer) {
		ret->queue.timer = TIMER_KEEPALIVE;
		ret->queue.timer_ms = 1 + sim_random(s, 7200000);
	}
	if (s->full)
		fill_info(s, ret);
	return true;
}
