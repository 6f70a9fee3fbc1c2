/* world.c - see world.h. Numbers come from one generator, in one order: nothing else decides. */
#include "world_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A program that keeps a pool of connections. */
struct service {
	const char *comm;
	const char *unit;
	uint32_t uid;
	unsigned processes;
	unsigned share;	   /* of all pools, in percent */
	unsigned life_min; /* mean life of a connection */
	bool serves;	   /* accepts: local port fixed; else connects: peer port fixed */
	uint16_t port;
	uint32_t peer_net; /* host order; peers are in it */
	unsigned peers;
	unsigned keepalive_s; /* 0: none */
	unsigned rtt_us;
};

static const struct service services[] = {
	{"nginx", "nginx", 33, 8, 22, 25, true, 443, 0x52000000, 1u << 22, 0, 38000},
	{"nginx", "nginx", 33, 4, 10, 400, false, 8080, 0x0a010200, 40, 60, 420},
	{"java", "orders", 1001, 3, 14, 700, false, 5432, 0x0a010310, 6, 7200, 350},
	{"java", "billing", 1001, 3, 9, 900, false, 9092, 0x0a010320, 9, 0, 510},
	{"php-fpm", "php-fpm", 33, 20, 9, 150, false, 6379, 0x7f000001, 1, 300, 45},
	{"redis-server", "redis", 110, 1, 9, 150, true, 6379, 0x7f000001, 1, 300, 45},
	{"postgres", "postgresql", 112, 12, 8, 500, true, 5432, 0x0a010400, 200, 7200, 400},
	{"envoy", "mesh", 1337, 2, 10, 300, true, 15006, 0x0a010500, 250, 0, 600},
	{"beam.smp", "rabbitmq", 115, 1, 5, 1200, true, 5672, 0x0a010600, 90, 0, 480},
	{"prometheus", "prometheus", 120, 1, 2, 1400, false, 9100, 0x0a010700, 220, 15, 900},
	{"sshd", "ssh", 0, 12, 2, 200, true, 22, 0x0a0a0000, 60, 7200, 15000},
};
#define SERVICES (sizeof(services) / sizeof(services[0]))

/* The one that never closes; and what comes and goes within seconds. */
static const struct service leaky = {"datanode-client", "archive", 1002, 1,  0, 0, false, 50010,
				     0x0a010800,	4,	   0,	 430};
static const struct service brief = {"curl", "batch", 1003,	  1,  0, 0,
				     false,  443,     0x0a010900, 12, 0, 800};

#define HAS_FULL                                                                                   \
	(HAS_TUPLE | HAS_INFO | HAS_SKMEM | HAS_DROPS | HAS_SHUTDOWN | HAS_TOS | HAS_TCLASS |      \
	 HAS_CLASS_ID | HAS_CGROUP | HAS_SOCKOPT | HAS_CONG)
#define INFO_BYTES	   280
#define ACTIVE_PER_MILLE   270
#define TIME_WAIT_PER_HUND 8
#define LISTENERS	   40
#define UDP_SOCKETS	   60
#define FIRST_PORT	   32768u
#define PORTS		   28232u

/* ---------------------------------------------------------------------------------- memory */

static void out_of_memory(void)
{
	fprintf(stderr, "history: out of memory\n");
	exit(1);
}

static void *grown(void *array, size_t *cap, size_t n, size_t item)
{
	if (n <= *cap)
		return array;
	*cap = n + n / 2 + 1024;
	array = realloc(array, *cap * item);
	if (!array)
		out_of_memory();
	return array;
}

static struct conn *take(struct world *w)
{
	struct conn *c = w->spare_count ? w->spare[--w->spare_count] : malloc(sizeof(*c));
	if (!c)
		out_of_memory();
	memset(c, 0, sizeof(*c));
	w->fresh = grown(w->fresh, &w->fresh_cap, w->fresh_count + 1, sizeof(struct conn *));
	w->fresh[w->fresh_count++] = c;
	return c;
}

static void give_back(struct world *w, struct conn *c)
{
	w->spare = grown(w->spare, &w->spare_cap, w->spare_count + 1, sizeof(struct conn *));
	w->spare[w->spare_count++] = c;
}

/* ------------------------------------------------------------------------------- processes */

static void add_processes(struct world *w, const struct service *s)
{
	for (unsigned i = 0; i < s->processes; i++) {
		w->processes = realloc(w->processes,
				       (w->processes_count + 1) * sizeof(*w->processes));
		if (!w->processes)
			out_of_memory();
		struct world_process *p = &w->processes[w->processes_count++];
		memset(p, 0, sizeof(*p));
		p->about.pid = 700 + 13 * (int64_t)w->processes_count;
		p->about.start_ticks = 900 + 7 * (uint64_t)w->processes_count;
		p->about.ppid = 1;
		p->about.uid = s->uid;
		p->next_fd = 5;
		snprintf(p->comm, sizeof(p->comm), "%s", s->comm);
		snprintf(p->exe, sizeof(p->exe), "/usr/bin/%s", s->comm);
		snprintf(p->cgroup, sizeof(p->cgroup), "/system.slice/%s.service", s->unit);
	}
}

/* The index + 1 of one of the service's processes. Services stand one after the other. */
static uint32_t process_of(struct world *w, const struct service *s)
{
	uint32_t first = 0;
	for (size_t i = 0; i < SERVICES && &services[i] != s; i++)
		first += services[i].processes;
	if (s == &brief)
		first += leaky.processes;
	return first + world_below(w, s->processes) + 1;
}

/* ----------------------------------------------------------------------------- connections */

static void hold(struct world *w, struct conn *c, const struct service *s)
{
	c->process = process_of(w, s);
	c->fd = w->processes[c->process - 1].next_fd++;
	c->row.state.inode = w->inode += 1 + world_below(w, 7);
	c->row.state.uid = s->uid;
}

static void name_ends(struct world *w, struct conn *c, const struct service *s)
{
	struct row_member *m = &c->row.member;
	uint32_t peer = s->peer_net + (s->peers > 1 ? world_below(w, s->peers) : 0);
	uint16_t chosen = (uint16_t)(FIRST_PORT + world_below(w, PORTS));
	m->cookie = ++w->cookie;
	m->netns = 1;
	m->proto = PROTO_TCP;
	m->family = AF_INET;
	m->local.w[0] = htonl(s->peer_net == 0x7f000001 ? 0x7f000001 : 0x0a010064);
	m->peer.w[0] = htonl(peer);
	m->local_port = s->serves ? s->port : chosen;
	m->peer_port = s->serves ? chosen : s->port;
	c->place = (UINT64_C(1) << 32) | (world_chance(w) & 0xffffffff);
	c->row.state.has = HAS_TUPLE;
	*(s->serves ? &w->accepted : &w->opened) += 1;
}

/* What an established connection says of itself right after the handshake. */
static void fill_info(struct world *w, struct conn *c, const struct service *s)
{
	struct sock_row *r = &c->row;
	r->state.has = HAS_FULL;
	r->state.info_bytes = INFO_BYTES;
	r->evidence.info_state = r->state.state;
	r->evidence.rto_us = 200000 + WORLD_TICK_MS * 1000 * ((s->rtt_us + 3999) / 4000);
	r->evidence.segs_out = 2;
	r->evidence.segs_in = 2;
	r->evidence.options = 7;
	r->info.rtt_us = s->rtt_us + world_below(w, s->rtt_us);
	r->info.rttvar_us = r->info.rtt_us / 2;
	r->info.min_rtt_us = r->info.rtt_us;
	r->info.snd_mss = s->peer_net == 0x7f000001 ? 32768 : 1448;
	r->info.rcv_mss = 536;
	r->info.advmss = s->peer_net == 0x7f000001 ? 65483 : 1448;
	r->info.pmtu = s->peer_net == 0x7f000001 ? 65535 : 1500;
	r->info.rcv_ssthresh = 64076;
	r->info.snd_ssthresh = 0x7fffffff;
	r->info.cwnd = 10;
	r->info.reordering = 3;
	r->info.rcv_space = 14600;
	r->info.snd_wnd = 64256;
	r->info.rcv_wnd = 64256;
	r->info.snd_wscale = 7;
	r->info.rcv_wscale = 7;
	r->info.app_limited = 1;
	r->info.pacing_rate = 20000000000ull / (r->info.rtt_us + 1);
	r->info.max_pacing_rate = UINT64_MAX;
	r->info.bytes_acked = !s->serves;
	r->evidence.delivered = !s->serves;
	r->memory.rcvbuf = 131072;
	r->memory.sndbuf = 87040;
	r->option.cgroup_id = 4000 + 37 * (uint64_t)(s - services);
	r->option.cong = 1;
	r->option.sockopt = 0x0101;
	c->sent_ms = c->recv_ms = c->ack_ms = world_lately(w);
	if (s->keepalive_s) {
		r->queue.timer = TIMER_KEEPALIVE;
		c->expiry_ms = c->ack_ms + 1000ull * s->keepalive_s;
	}
}

static void add_pooled(struct world *w, const struct service *s)
{
	struct conn *c = take(w);
	name_ends(w, c, s);
	hold(w, c, s);
	c->row.state.state = STATE_ESTAB;
	fill_info(w, c, s);
	c->ends = w->step + world_life(w, s->life_min);
	/* Of the pools' sockets, which are 87 % of all. */
	c->active = world_below(w, 870) < ACTIVE_PER_MILLE;
	conn_exchange(w, c);
}

static void add_leak(struct world *w)
{
	struct conn *c = take(w);
	name_ends(w, c, &leaky);
	hold(w, c, &leaky);
	c->row.state.state = STATE_ESTAB;
	fill_info(w, c, &leaky);
	c->row.option.cgroup_id = 9001;
	conn_exchange(w, c);
	c->leaks = true;
	c->ends = UINT32_MAX;
}

static void add_time_wait(struct world *w)
{
	struct conn *c = take(w);
	name_ends(w, c, &brief);
	conn_to_time_wait(w, c);
}

static void add_syn_sent(struct world *w)
{
	struct conn *c = take(w);
	name_ends(w, c, &brief);
	hold(w, c, &brief);
	fill_info(w, c, &brief);
	c->row.state.state = c->row.evidence.info_state = STATE_SYN_SENT;
	c->row.queue.timer = TIMER_ON;
	c->row.queue.retrans = 4;
	c->row.queue.sendq = 1;
	c->row.evidence.backoff = 4;
	c->row.evidence.retransmits = 4;
	c->row.info.unacked = 1;
	c->expiry_ms = w->now_ms + WORLD_TICK_MS * world_below(w, 4000);
	c->ends = w->step + 1;
}

static void add_listener(struct world *w, unsigned n)
{
	struct conn *c = take(w);
	const struct service *s = &services[n % SERVICES];
	name_ends(w, c, s);
	hold(w, c, s);
	c->row.member.local.w[0] = 0;
	c->row.member.peer.w[0] = 0;
	c->row.member.local_port = (uint16_t)(n < SERVICES ? s->port : 20000 + n);
	c->row.member.peer_port = 0;
	c->row.state.state = STATE_LISTEN;
	c->row.state.has = HAS_FULL;
	c->row.state.info_bytes = INFO_BYTES;
	c->row.evidence.info_state = STATE_LISTEN;
	c->row.info.sacked = c->row.queue.sendq = 511;
	c->row.option.cong = 1;
	c->place = n;
	c->ends = UINT32_MAX;
}

static void add_udp(struct world *w, unsigned n)
{
	struct conn *c = take(w);
	name_ends(w, c, &services[n % SERVICES]);
	hold(w, c, &services[n % SERVICES]);
	c->row.member.proto = PROTO_UDP;
	c->row.member.peer.w[0] = 0;
	c->row.member.peer_port = 0;
	c->row.state.has = HAS_TUPLE | HAS_SKMEM | HAS_DROPS | HAS_SHUTDOWN | HAS_CGROUP;
	c->row.state.state = STATE_UNCONN;
	c->row.memory.rcvbuf = c->row.memory.sndbuf = 212992;
	c->place = (UINT64_C(2) << 32) | n;
	c->ends = UINT32_MAX;
}

/* ------------------------------------------------------------------------------- a minute */

static int by_place(const void *a, const void *b)
{
	const struct conn *x = *(struct conn *const *)a, *y = *(struct conn *const *)b;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->row.member.cookie < y->row.member.cookie ? -1 : 1;
}

/* Takes out who went, puts in who is new. */
static void merge(struct world *w)
{
	size_t kept = 0;
	for (size_t i = 0; i < w->count; i++)
		if (w->conns[i]->gone)
			give_back(w, w->conns[i]);
		else
			w->conns[kept++] = w->conns[i];
	qsort(w->fresh, w->fresh_count, sizeof(struct conn *), by_place);
	w->count = kept + w->fresh_count;
	w->conns = grown(w->conns, &w->cap, w->count, sizeof(struct conn *));
	size_t to = w->count, old = kept, fresh = w->fresh_count;
	while (fresh) {
		bool is_old = old && by_place(&w->conns[old - 1], &w->fresh[fresh - 1]) > 0;
		w->conns[--to] = is_old ? w->conns[--old] : w->fresh[--fresh];
	}
	w->fresh_count = 0;
}

static void add_new(struct world *w, size_t pooled)
{
	uint32_t leaked = w->sockets / 10;
	uint32_t leak = (uint32_t)((uint64_t)leaked * (w->step + 1) / w->steps -
				   (uint64_t)leaked * w->step / w->steps);
	size_t waiting = (size_t)w->sockets * TIME_WAIT_PER_HUND / 100;
	size_t wanted = w->sockets - waiting - w->sockets / 20; /* the leak, on average */
	while (leak--)
		add_leak(w);
	for (size_t n = waiting * 9 / 10 + world_below(w, (uint32_t)waiting / 5 + 1); n; n--)
		add_time_wait(w);
	for (unsigned n = world_below(w, 4); n; n--)
		add_syn_sent(w);
	while (pooled++ < wanted) {
		unsigned p = world_below(w, 100), i = 0;
		for (; i + 1 < SERVICES && p >= services[i].share; i++)
			p -= services[i].share;
		add_pooled(w, &services[i]);
	}
}

void world_init(struct world *w, uint32_t sockets, uint32_t steps, uint64_t seed)
{
	*w = (struct world){.random = seed,
			    .sockets = sockets,
			    .steps = steps,
			    .now_ms = UINT64_C(864000000), /* up for ten days */
			    .cookie = 400000,
			    .inode = 5000000};
	for (size_t i = 0; i < SERVICES; i++)
		add_processes(w, &services[i]);
	add_processes(w, &leaky);
	add_processes(w, &brief);
	for (size_t i = 0; i < w->processes_count; i++) {
		struct world_process *p = &w->processes[i];
		p->about.comm = p->comm;
		p->about.exe = p->exe;
		p->about.cgroup = p->cgroup;
	}
	for (unsigned i = 0; i < LISTENERS; i++)
		add_listener(w, i);
	for (unsigned i = 0; i < UDP_SOCKETS; i++)
		add_udp(w, i);
	add_new(w, 0);
	merge(w);
}

void world_fini(struct world *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->conns[i]);
	for (size_t i = 0; i < w->spare_count; i++)
		free(w->spare[i]);
	free(w->conns);
	free(w->spare);
	free(w->fresh);
	free(w->processes);
}

void world_step(struct world *w)
{
	size_t pooled = 0;
	w->step++;
	w->now_ms += WORLD_STEP_MS;
	for (size_t i = 0; i < w->count; i++) {
		struct conn *c = w->conns[i];
		conn_live(w, c);
		pooled += !c->gone && c->row.state.state == STATE_ESTAB;
	}
	add_new(w, pooled);
	merge(w);
}

static uint32_t ago(uint64_t tick_ms, uint64_t then_ms)
{
	return tick_ms > then_ms ? (uint32_t)(tick_ms - then_ms) : 0;
}

void world_row(const struct conn *c, uint64_t tick_ms, struct sock_row *ret_row)
{
	*ret_row = c->row;
	ret_row->queue.timer_ms = c->expiry_ms > tick_ms ? c->expiry_ms - tick_ms : 0;
	if (!(c->row.state.has & HAS_INFO) || c->row.state.state == STATE_LISTEN)
		return;
	ret_row->evidence.last_data_sent_ms = ago(tick_ms, c->sent_ms);
	ret_row->evidence.last_data_recv_ms = ago(tick_ms, c->recv_ms);
	ret_row->evidence.last_ack_recv_ms = ago(tick_ms, c->ack_ms);
}
