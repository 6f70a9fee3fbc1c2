/*
 * tcpsim.h - a small model of what the kernel keeps of one TCP connection: stamps in ticks that
 * lag, timers that fire late, counters. It makes random lives and, at any time, the row that the
 * kernel would have sent; and it knows when each state was really entered.
 *
 * It is written from the kernel's behaviour (net/ipv4/tcp_*.c, inet_timewait_sock.c), not from the
 * rules that it tests.
 */
#ifndef SOCKLAPSE_TCPSIM_H
#define SOCKLAPSE_TCPSIM_H

#include "bounds.h"

#define SIM_MAX_EVENTS 64
#define SIM_MAX_STATES 8

enum sim_kernel {
	SIM_4_4,  /* tcp_info of 192 bytes */
	SIM_5_10, /* 232 */
	SIM_6_18, /* 280 */
	SIM_KERNELS
};

struct sim;

struct sim_event {
	int64_t ns;
	void (*happen)(struct sim *s);
};

struct sim {
	uint64_t random;
	struct bounds_host host;
	enum sim_kernel kernel;
	int64_t now_ns;
	uint64_t ticks; /* the kernel's tick, never going back */

	struct sim_event events[SIM_MAX_EVENTS];
	unsigned events_count;

	/* Truth: states in the order in which they were entered; the last one ends at gone_ns. */
	struct {
		uint8_t state;
		int64_t ns;
	} entered[SIM_MAX_STATES];
	unsigned entered_count;
	bool gone;
	int64_t gone_ns;

	/* What the kernel keeps. */
	bool full; /* a full socket: not a request, not a remnant */
	bool orphan;
	uint32_t sent_tick, received_tick, ack_tick;
	uint32_t segs_in, data_segs_in, data_segs_out;
	uint32_t sendq;
	bool fast_open;
	int64_t rto_ns;
	uint8_t retransmits, backoff, synack_retrans;
	unsigned stage;
	uint16_t total_rto, recoveries;
	int64_t rto_stamp_ns;
	uint8_t timer;
	uint64_t timer_ticks; /* runs out at this tick */
	unsigned timer_run;   /* counts settings: an older one does not fire */

	/* How this connection behaves. */
	unsigned linear; /* timeouts of a SYN before backoff begins */
	bool drops;	 /* this host drops SYNs now and then */
	bool defers;	 /* TCP_DEFER_ACCEPT */
	bool keepalive;	 /* probes in CLOSE-WAIT */
	bool active;
	uint64_t fin_ticks; /* length of FIN-WAIT-2 once closed */
};

/* A random connection that begins at `begin_ns` (CLOCK_MONOTONIC). */
void sim_begin(struct sim *s, uint64_t seed, int64_t begin_ns);

/* Lets time pass until `until_ns`. */
void sim_run(struct sim *s, int64_t until_ns);

/* The row as the kernel would send it now; false if there is no connection. */
bool sim_row(struct sim *s, struct sock_row *ret);

/* The kernel's tick now: it may lag, and never goes back. And tcp_jiffies32. */
uint64_t sim_tick(struct sim *s);
uint32_t sim_tick32(struct sim *s);

/* When the tick began: at the earliest, as the recorder measures it (less than a tick too early).
 */
int64_t sim_tick_ns(struct sim *s);

/* A number in [0, n). */
uint64_t sim_random(struct sim *s, uint64_t n);

#endif
