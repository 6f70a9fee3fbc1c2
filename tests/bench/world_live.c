/* world_live.c - what a minute does to a connection. See world.h. */
#include "world_priv.h"

#include <string.h>

/* ---------------------------------------------------------------------------------- chance */

uint64_t world_chance(struct world *w)
{
	uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t world_below(struct world *w, uint32_t n)
{
	return n ? (uint32_t)(((world_chance(w) >> 32) * n) >> 32) : 0;
}

bool world_one_in(struct world *w, uint32_t n)
{
	return world_below(w, n) == 0;
}

/* Geometric with mean about `mean`, at least 1, without floating point. */
uint32_t world_life(struct world *w, uint32_t mean)
{
	uint32_t n = 1;
	while (n < 8 * mean && !world_one_in(w, mean))
		n++;
	return n;
}

/* A tick some time within the last minute. */
uint64_t world_lately(struct world *w)
{
	return w->now_ms - WORLD_TICK_MS * world_below(w, WORLD_STEP_MS / WORLD_TICK_MS);
}
void conn_to_time_wait(struct world *w, struct conn *c)
{
	struct sock_row *r = &c->row;
	struct row_member m = r->member;
	memset(r, 0, sizeof(*r));
	r->member = m;
	r->state.has = HAS_TUPLE;
	r->state.state = STATE_TIME_WAIT;
	r->queue.timer = TIMER_TIMEWAIT;
	c->expiry_ms = world_lately(w) + 60000;
	c->process = 0;
	c->active = false;
	c->ends = w->step + 1;
}

/* ---------------------------------------------------------------------------- connections */

static void move_stamps(struct world *w, struct conn *c)
{
	c->sent_ms = world_lately(w);
	c->recv_ms = c->sent_ms + WORLD_TICK_MS * world_below(w, 4);
	c->recv_ms = c->recv_ms > w->now_ms ? w->now_ms : c->recv_ms;
	c->ack_ms = world_one_in(w, 8) ? c->recv_ms + 40 : c->recv_ms;
	c->ack_ms = c->ack_ms > w->now_ms ? w->now_ms : c->ack_ms;
}

static void move_counters(struct world *w, struct sock_row *r)
{
	uint32_t requests = 1 + world_below(w, 4) * world_below(w, 4);
	uint32_t out = requests + world_below(w, requests), in = requests * (1 + world_below(w, 3));
	uint64_t sent = (uint64_t)requests * (180 + world_below(w, 1200));
	r->evidence.data_segs_out += out;
	r->evidence.data_segs_in += in;
	r->evidence.segs_out += out + in / 2 + world_below(w, 3);
	r->evidence.segs_in += in + out / 2 + world_below(w, 3);
	r->evidence.delivered += out;
	r->evidence.busy_time_us += (uint64_t)requests * r->info.rtt_us / 1000 * 1000;
	r->info.bytes_sent += sent;
	r->info.bytes_acked += sent;
	r->info.bytes_received += (uint64_t)requests * (300 + world_below(w, 9000));
	if (world_one_in(w, 60)) {
		r->info.bytes_retrans += 1448;
		r->info.bytes_sent += 1448;
		r->info.total_retrans++;
		r->evidence.data_segs_out++;
		r->evidence.segs_out++;
		r->info.dsack_dups += world_one_in(w, 4);
		r->info.snd_ssthresh = r->info.cwnd = 5 + world_below(w, 8);
	}
}

static void move_gauges(struct world *w, struct sock_row *r)
{
	uint32_t step = r->info.rtt_us / 16 + 2;
	r->info.rtt_us += world_below(w, 2 * step);
	r->info.rtt_us -= r->info.rtt_us > step + 20 ? step : 0;
	r->info.rttvar_us = r->info.rtt_us / 8 + world_below(w, r->info.rtt_us / 2 + 1);
	if (r->info.rtt_us < r->info.min_rtt_us || world_one_in(w, 40))
		r->info.min_rtt_us = r->info.rtt_us - world_below(w, step);
	r->info.rcv_rtt_us = world_one_in(w, 6) ? r->info.rtt_us + world_below(w, step)
						: r->info.rcv_rtt_us;
	r->info.ato_us = 40000;
	r->info.cwnd += world_one_in(w, 5) && r->info.cwnd < 90;
	r->info.rcv_mss = r->info.advmss;
	r->info.delivery_rate = UINT64_C(1448000000) * (1 + world_below(w, 10)) / r->info.rtt_us;
	r->info.pacing_rate = UINT64_C(1448000000) * 2 * r->info.cwnd / r->info.rtt_us;
	if (world_one_in(w, 30))
		r->info.rcv_space = 14600 + 1448 * world_below(w, 40);
	if (world_one_in(w, 30))
		r->info.rcv_ssthresh = 64076 + 1448 * world_below(w, 200);
	if (world_one_in(w, 10))
		r->info.snd_wnd = 64256 + 128 * world_below(w, 400);
	if (world_one_in(w, 10))
		r->info.rcv_wnd = 64256 + 128 * world_below(w, 400);
	r->memory.fwd_alloc = world_one_in(w, 8) ? 4096 - world_below(w, 3) * 768 : 0;
}

/* Data in flight or unread at the moment of the dump: seldom. */
static void move_queues(struct world *w, struct conn *c)
{
	struct sock_row *r = &c->row;
	r->queue.recvq = world_one_in(w, 50) ? world_below(w, 9000) : 0;
	r->memory.rmem_alloc = r->queue.recvq ? r->queue.recvq + 768 : 0;
	if (r->queue.timer == TIMER_KEEPALIVE)
		return;
	bool flies = world_one_in(w, 12);
	r->queue.timer = flies ? TIMER_ON : TIMER_OFF;
	r->queue.sendq = flies ? 100 + world_below(w, 3000) : 0;
	r->info.unacked = flies ? 1 + world_below(w, 3) : 0;
	r->memory.wmem_queued = flies ? 2304 : 0;
	c->expiry_ms = flies ? c->sent_ms + r->evidence.rto_us / 1000 : 0;
	c->expiry_ms = flies && c->expiry_ms < w->now_ms + WORLD_TICK_MS ? w->now_ms + 200
									 : c->expiry_ms;
}

void conn_exchange(struct world *w, struct conn *c)
{
	move_stamps(w, c);
	move_counters(w, &c->row);
	move_gauges(w, &c->row);
	move_queues(w, c);
}

/* Keepalive timers that fired: a probe, its answer, and the timer anew. */
static void probe(struct world *w, struct conn *c)
{
	if (c->row.queue.timer != TIMER_KEEPALIVE || c->expiry_ms > w->now_ms)
		return;
	uint32_t every_ms = c->row.option.cgroup_id % 2 ? 60000 : 7200000;
	c->ack_ms = c->expiry_ms > w->now_ms - WORLD_STEP_MS ? c->expiry_ms : world_lately(w);
	c->row.evidence.segs_out++;
	c->row.evidence.segs_in++;
	do
		c->expiry_ms += every_ms;
	while (c->expiry_ms <= w->now_ms);
}

static void to_close_wait(struct world *w, struct conn *c)
{
	c->leaks = false;
	c->row.state.state = c->row.evidence.info_state = STATE_CLOSE_WAIT;
	c->row.queue = (struct row_queue){.recvq = 1, .shutdown = 1};
	c->row.evidence.segs_in++;
	c->row.evidence.segs_out++;
	c->ack_ms = world_lately(w);
	c->expiry_ms = 0;
}

void conn_live(struct world *w, struct conn *c)
{
	if (c->ends <= w->step) {
		/* Half of them were closed here first. */
		if (c->row.state.state == STATE_ESTAB && world_one_in(w, 2))
			conn_to_time_wait(w, c);
		else
			c->gone = true;
	} else if (c->leaks) {
		to_close_wait(w, c);
	} else if (c->active) {
		conn_exchange(w, c);
		probe(w, c);
	} else {
		probe(w, c);
	}
}
