/* tcpsim.c - see tcpsim.h. */
#include "tcpsim.h"

#include <string.h>

#define MS INT64_C(1000000)
#define S  (1000 * MS)

/* The tick may lag behind the clock by so much. */
#define LAG_NS (12 * MS)

/* And what a timer does may be done so much later. */
#define BUSY_NS (92 * MS)

uint64_t sim_random(struct sim *s, uint64_t n)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (s->random * UINT64_C(0x2545f4914f6cdd1d) >> 20) % n;
}

static bool chance(struct sim *s, unsigned percent)
{
	return sim_random(s, 100) < percent;
}

/* From microseconds to minutes, short times as often as long ones. */
static int64_t some_time(struct sim *s, int64_t most_ns)
{
	int64_t scale_ns = 10000;
	while (scale_ns < most_ns && chance(s, 94))
		scale_ns *= 3;
	return 1 + (int64_t)sim_random(s, (uint64_t)(scale_ns < most_ns ? scale_ns : most_ns));
}

/* Ticks. HZ divides a second. */

static int64_t tick_ns(const struct sim *s)
{
	return S / s->host.hz;
}

uint64_t sim_tick(struct sim *s)
{
	int64_t lag_ns = chance(s, 50) ? 0 : (int64_t)sim_random(s, LAG_NS);
	uint64_t ticks = (uint64_t)((s->now_ns - lag_ns) / tick_ns(s));
	if (ticks > s->ticks)
		s->ticks = ticks;
	return s->ticks;
}

int64_t sim_tick_ns(struct sim *s)
{
	int64_t ns = (int64_t)sim_tick(s) * tick_ns(s);
	return ns - (int64_t)sim_random(s, (uint64_t)tick_ns(s));
}

/* tcp_jiffies32: 32 bits, and 0 comes 300 s after the boot. */
uint32_t sim_tick32(struct sim *s)
{
	return (uint32_t)(sim_tick(s) - 300 * s->host.hz);
}

static uint64_t ticks_of(const struct sim *s, int64_t ns)
{
	return (uint64_t)(ns / tick_ns(s));
}

/* Events. */

static void at(struct sim *s, int64_t ns, void (*happen)(struct sim *s))
{
	if (s->events_count < SIM_MAX_EVENTS)
		s->events[s->events_count++] = (struct sim_event){s->now_ns + ns, happen};
}

static void forget_events(struct sim *s)
{
	s->events_count = 0;
}

void sim_run(struct sim *s, int64_t until_ns)
{
	for (;;) {
		unsigned next = 0;
		for (unsigned i = 1; i < s->events_count; i++)
			if (s->events[i].ns < s->events[next].ns)
				next = i;
		if (!s->events_count || s->events[next].ns > until_ns)
			break;
		struct sim_event event = s->events[next];
		s->events[next] = s->events[--s->events_count];
		s->now_ns = event.ns;
		event.happen(s);
	}
	s->now_ns = until_ns;
}

static unsigned state(const struct sim *s)
{
	return s->entered[s->entered_count - 1].state;
}

static void enter(struct sim *s, unsigned to)
{
	s->entered[s->entered_count].state = (uint8_t)to;
	s->entered[s->entered_count++].ns = s->now_ns;
}

static void vanish(struct sim *s)
{
	s->gone = true;
	s->gone_ns = s->now_ns;
	forget_events(s);
}

/* The timer. */

static void timer_stop(struct sim *s)
{
	s->timer = TIMER_OFF;
	s->timer_run++;
}

static void timer_fires(struct sim *s);

/* The wheel: 1, 8, 64, 512, ... ticks, from 63, 504, 4032, ... on. */
static uint64_t wheel(uint64_t ticks)
{
	uint64_t grain = 1;
	for (uint64_t end = 63; ticks >= end; end *= 8)
		grain *= 8;
	return grain;
}

static void timer_set(struct sim *s, unsigned kind, uint64_t ticks)
{
	s->timer = (uint8_t)kind;
	s->timer_ticks = sim_tick(s) + ticks;
	s->timer_run++;
	int64_t fire_ns = ((int64_t)s->timer_ticks + 1) * tick_ns(s) +
			  (int64_t)sim_random(s, wheel(ticks) * (uint64_t)tick_ns(s));
	if (kind == TIMER_ON && state(s) == STATE_SYN_SENT && chance(s, 12)) /* see BUSY_NS */
		fire_ns += (int64_t)sim_random(s, BUSY_NS);
	/* The event carries no number of the setting: an earlier one is recognised by its tick. */
	at(s, fire_ns - s->now_ns, timer_fires);
}

/* What arrives and what is sent. */

static void ack_arrives(struct sim *s)
{
	s->segs_in++;
	s->ack_tick = sim_tick32(s);
}

static void peer_acks(struct sim *s)
{
	if (s->full)
		ack_arrives(s);
}

static void we_send(struct sim *s)
{
	s->data_segs_out++;
	s->sent_tick = sim_tick32(s);
	at(s, some_time(s, 300 * MS), peer_acks);
}

static void peer_sends(struct sim *s)
{
	s->segs_in++;
	s->data_segs_in++;
	s->received_tick = sim_tick32(s);
	if (chance(s, 60))
		s->ack_tick = s->received_tick;
}

/* TIME-WAIT and FIN-WAIT-2 without a full socket. */

static void reset_comes(struct sim *s)
{
	vanish(s);
}

static void fin_comes_again(struct sim *s)
{
	timer_set(s, TIMER_TIMEWAIT, 60 * s->host.hz);
}

static void time_wait(struct sim *s)
{
	forget_events(s);
	s->full = false;
	enter(s, STATE_TIME_WAIT);
	timer_set(s, TIMER_TIMEWAIT, 60 * s->host.hz);
	if (chance(s, 20))
		at(s, some_time(s, 59 * S), fin_comes_again);
	if (chance(s, 10))
		at(s, some_time(s, 59 * S), reset_comes);
}

static void fin_wait_2_remnant(struct sim *s)
{
	forget_events(s);
	s->full = false;
	timer_set(s, TIMER_TIMEWAIT, s->fin_ticks);
	if (chance(s, 70))
		at(s, some_time(s, 59 * S), time_wait);
}

/* Our FIN, and how it is acknowledged. */

static void fin_acked_in_last_ack(struct sim *s)
{
	vanish(s);
}

static void window_update(struct sim *s)
{
	ack_arrives(s);
}

static void peer_sends_with_ack(struct sim *s)
{
	peer_sends(s);
	s->ack_tick = s->received_tick;
}

static void application_closes_late(struct sim *s)
{
	s->orphan = true;
	fin_wait_2_remnant(s);
}

static void fin_acked(struct sim *s)
{
	forget_events(s);
	timer_stop(s);
	ack_arrives(s);
	s->retransmits = s->backoff = 0;
	s->sendq = 0;
	s->rto_stamp_ns = 0;
	enter(s, STATE_FIN_WAIT_2);
	if (s->orphan) {
		fin_wait_2_remnant(s);
		return;
	}
	for (unsigned i = sim_random(s, 4); i; i--)
		at(s, some_time(s, 100 * S), peer_sends_with_ack);
	if (chance(s, 20))
		at(s, some_time(s, 100 * S), window_update);
	at(s, some_time(s, 200 * S), chance(s, 50) ? time_wait : application_closes_late);
}

static void fins_cross_acked(struct sim *s)
{
	time_wait(s);
}

static void fins_cross(struct sim *s)
{
	ack_arrives(s);
	enter(s, STATE_CLOSING);
	if (chance(s, 30))
		at(s, some_time(s, 30 * S), window_update);
	at(s, some_time(s, 100 * S), fins_cross_acked);
}

/* A tail loss probe comes before the first timeout; it is not counted. */
static void fin_probe(struct sim *s)
{
	if (s->sendq && s->full)
		timer_set(s, TIMER_ON, ticks_of(s, s->rto_ns));
}

static void fin_goes_out(struct sim *s)
{
	s->sendq = 1;
	if (chance(s, 50)) {
		at(s, (int64_t)sim_random(s, (uint64_t)s->rto_ns) + 1, fin_probe);
		s->timer = TIMER_ON;
		s->timer_ticks = sim_tick(s) + ticks_of(s, s->rto_ns / 2);
		s->timer_run++;
	} else {
		timer_set(s, TIMER_ON, ticks_of(s, s->rto_ns));
	}
}

static void data_before_fin_acked(struct sim *s)
{
	ack_arrives(s);
	s->retransmits = s->backoff = 0;
	if (s->rto_stamp_ns)
		s->recoveries++; /* the next timeout will begin another recovery */
	timer_stop(s);
	fin_goes_out(s);
}

static void our_fin(struct sim *s, unsigned to)
{
	forget_events(s);
	enter(s, to);
	s->rto_ns = (200 + (int64_t)sim_random(s, 900)) * MS;
	s->retransmits = s->backoff = 0;
	if (chance(s, 70)) {
		fin_goes_out(s);
	} else {
		s->sendq = 2 + (uint32_t)sim_random(s, 100000);
		s->sent_tick = sim_tick32(s);
		s->data_segs_out++;
		timer_set(s, TIMER_ON, ticks_of(s, s->rto_ns));
		at(s, some_time(s, 30 * S), data_before_fin_acked);
	}
}

static void we_close_after_peer(struct sim *s)
{
	s->orphan = true;
	our_fin(s, STATE_LAST_ACK);
	at(s, some_time(s, 200 * S), fin_acked_in_last_ack);
}

static void we_close_first(struct sim *s)
{
	s->orphan = chance(s, 50);
	our_fin(s, STATE_FIN_WAIT_1);
	at(s, some_time(s, 200 * S), chance(s, 60) ? fin_acked : fins_cross);
}

/* Established. */

static void keepalive_probe(struct sim *s)
{
	s->segs_in++;
	s->ack_tick = sim_tick32(s);
}

static void peer_closes(struct sim *s)
{
	/* Acknowledgements under way came before the FIN, or come for what is sent after it. */
	forget_events(s);
	if (chance(s, 30))
		peer_sends(s);
	else
		s->segs_in++;
	s->ack_tick = sim_tick32(s);
	enter(s, STATE_CLOSE_WAIT);
	for (unsigned i = sim_random(s, 3); i; i--)
		at(s, some_time(s, 100 * S), we_send);
	if (s->keepalive)
		at(s, some_time(s, 100 * S), keepalive_probe);
	/* Our acknowledgement was lost: the FIN comes again. */
	if (chance(s, 20))
		at(s, some_time(s, 100 * S), ack_arrives);
	at(s, some_time(s, 300 * S), we_close_after_peer);
}

static void establish(struct sim *s)
{
	forget_events(s);
	timer_stop(s);
	s->full = true;
	s->retransmits = s->backoff = 0;
	s->rto_stamp_ns = 0;
	if (s->active)
		s->segs_in++;
	s->sent_tick = s->ack_tick = sim_tick32(s);
	if (!s->fast_open)
		s->received_tick = s->sent_tick;
	enter(s, STATE_ESTAB);
	bool sends = chance(s, 60), receives = chance(s, 60);
	int64_t life_ns = some_time(s, 2000 * S);
	for (unsigned i = sim_random(s, 6); sends && i; i--)
		at(s, (int64_t)sim_random(s, (uint64_t)life_ns), we_send);
	for (unsigned i = sim_random(s, 6); receives && i; i--)
		at(s, (int64_t)sim_random(s, (uint64_t)life_ns), peer_sends);
	at(s, life_ns, chance(s, 50) ? peer_closes : we_close_first);
}

/* Opening. */

static void syn_unreachable(struct sim *s)
{
	if (s->retransmits && s->backoff) {
		s->backoff--;
		s->rto_ns /= 2;
	}
}

static void timeout(struct sim *s)
{
	if (!s->retransmits) {
		s->recoveries++;
		s->rto_stamp_ns = s->now_ns;
	}
	s->total_rto++;
	s->retransmits++;
	if (s->drops && chance(s, 20)) {
		timer_set(s, TIMER_ON, s->host.hz / 2);
		return;
	}
	if (state(s) != STATE_SYN_SENT || s->retransmits > s->linear) {
		s->backoff++;
		s->rto_ns = s->rto_ns > 60 * S ? 120 * S : s->rto_ns * 2;
	}
	timer_set(s, TIMER_ON, ticks_of(s, s->rto_ns));
}

static void synack_again(struct sim *s)
{
	s->synack_retrans++;
	timer_set(s, TIMER_ON, s->host.hz << s->stage);
}

static void synack_timeout(struct sim *s)
{
	s->stage++;
	if (!s->defers)
		s->synack_retrans++;
	timer_set(s, TIMER_ON, s->host.hz << s->stage);
}

static void timer_fires(struct sim *s)
{
	if (s->timer == TIMER_OFF || s->now_ns < (int64_t)s->timer_ticks * tick_ns(s))
		return;
	if (s->timer == TIMER_TIMEWAIT)
		vanish(s);
	else if (!s->full)
		synack_timeout(s);
	else
		timeout(s);
}

static void give_up(struct sim *s)
{
	vanish(s);
}

static void begin_active(struct sim *s)
{
	s->active = s->full = true;
	s->rto_ns = S;
	enter(s, STATE_SYN_SENT);
	timer_set(s, TIMER_ON, s->host.hz);
	if (chance(s, 20))
		at(s, some_time(s, 60 * S), syn_unreachable);
	at(s, some_time(s, 130 * S), chance(s, 80) ? establish : give_up);
}

static void begin_passive(struct sim *s)
{
	s->fast_open = chance(s, 10);
	if (s->fast_open) {
		s->data_segs_in = 1;
		s->segs_in = 1;
		s->received_tick = sim_tick32(s);
	}
	enter(s, STATE_SYN_RECV);
	timer_set(s, TIMER_ON, s->host.hz);
	for (unsigned i = chance(s, 30) ? sim_random(s, 5) : 0; i; i--)
		at(s, some_time(s, 60 * S), synack_again);
	at(s, some_time(s, 60 * S), chance(s, 90) ? establish : give_up);
}

void sim_begin(struct sim *s, uint64_t seed, int64_t begin_ns)
{
	static const uint32_t hz[] = {100, 250, 1000};
	memset(s, 0, sizeof(*s));
	s->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	s->host.hz = hz[sim_random(s, 3)];
	s->host.fin_timeout_s = 60;
	s->host.keepalive_time_s = 7200;
	s->kernel = (enum sim_kernel)sim_random(s, SIM_KERNELS);
	s->linear = s->kernel == SIM_6_18 && chance(s, 50) ? 4 : 0;
	s->drops = s->kernel == SIM_6_18 && chance(s, 30);
	s->defers = chance(s, 30);
	s->keepalive = chance(s, 20);
	s->fin_ticks = (chance(s, 70) ? 60 : 1 + sim_random(s, 59)) * s->host.hz;
	s->now_ns = begin_ns;
	if (chance(s, 50))
		begin_active(s);
	else
		begin_passive(s);
}
