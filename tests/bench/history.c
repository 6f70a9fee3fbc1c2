/*
 * history.c - a day of a made-up host (world.h), written through the real writer.
 *
 *   history [-s SOCKETS] [-n SNAPSHOTS] [-S SEED] [-c CSV] FILE
 *
 * 1440 snapshots of about 20,000 sockets, a minute apart; with -c also as comma-separated values,
 * a line per socket and snapshot, for comparison with other ways of keeping them.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rec_write.h"
#include "world.h"

#define MS_NS UINT64_C(1000000)
/* 2026-11-21 00:00 UTC */
#define BEGIN_NS UINT64_C(1795219200000000000)

/* A 32 KiB datagram holds so many rows, and the kernel fills it in so many microseconds. */
#define BATCH_ROWS 75u
#define BATCH_US   130u
#define FIRST_US   40u

static const struct rec_host host = {
	.boot_id = "5f1d7a52-9c0e-4a7b-8a55-3c1e6f2b9d10",
	.machine_id = "9b2f4c1de07a4e5f8c6d3a1b2e4f6071",
	.hostname = "bench1",
	.kernel = "6.18.0",
	.arch = "x86_64",
	.hz = 250,
	.time_zone = "UTC",
	.cpus = 16,
	.facts = "{\"ip_local_port_range\": [32768, 60999], \"tcp_fin_timeout\": 60}",
};

struct plan {
	const char *file;
	const char *csv;
	uint32_t sockets;
	uint32_t snapshots;
	uint64_t seed;
};

static void must(int rc, const struct err *e)
{
	if (rc < 0) {
		fprintf(stderr, "history: %s\n", e->text);
		exit(1);
	}
}

/* The kernel's tick while the row at `position` was filled. */
static uint64_t tick_at(const struct world *w, size_t position)
{
	uint64_t ms = (FIRST_US + (uint64_t)(position / BATCH_ROWS) * BATCH_US) / 1000;
	return w->now_ms + ms / WORLD_TICK_MS * WORLD_TICK_MS;
}

static void write_csv_head(FILE *csv)
{
	fprintf(csv, "snapshot,wall_ms,proto,state,local,local_port,peer,peer_port,cookie,inode,"
		     "uid,pid,comm,fd,recvq,sendq,timer,timer_ms,retrans,rtt_us,cwnd,bytes_sent,"
		     "bytes_received,last_data_sent_ms,last_data_recv_ms,last_ack_recv_ms\n");
}

static void write_csv_row(FILE *csv, const struct world *w, const struct conn *c,
			  const struct sock_row *r)
{
	char local[46], peer[46];
	const struct world_process *p = c->process ? &w->processes[c->process - 1] : NULL;
	sock_addr_format(&r->member.local, r->member.family, local);
	sock_addr_format(&r->member.peer, r->member.family, peer);
	fprintf(csv,
		"%u,%" PRIu64 ",%s,%s,%s,%u,%s,%u,%" PRIu64 ",%u,%u,%" PRId64
		",%s,%u,%u,%u,%s,%" PRIu64 ",%u,%u,%u,%" PRIu64 ",%" PRIu64 ",%u,%u,%u\n",
		w->step + 1, BEGIN_NS / MS_NS + (uint64_t)w->step * WORLD_STEP_MS,
		sock_proto_name(r->member.proto), sock_state_name(r->state.state), local,
		r->member.local_port, peer, r->member.peer_port, r->member.cookie, r->state.inode,
		r->state.uid, p ? p->about.pid : 0, p ? p->comm : "", c->fd, r->queue.recvq,
		r->queue.sendq, sock_timer_name(r->queue.timer), r->queue.timer_ms,
		r->queue.retrans, r->info.rtt_us, r->info.cwnd, r->info.bytes_sent,
		r->info.bytes_received, r->evidence.last_data_sent_ms,
		r->evidence.last_data_recv_ms, r->evidence.last_ack_recv_ms);
}

static void add_sockets(struct rec_writer *rw, const struct world *w, FILE *csv)
{
	struct err e = {0};
	struct track *t = rec_writer_track(rw);
	uint64_t us = FIRST_US;
	for (size_t i = 0; i < w->count; i++) {
		struct sock_row row;
		uint64_t tick_ms = tick_at(w, i);
		world_row(w->conns[i], tick_ms, &row);
		must(track_add(t, &row, tick_ms, tick_ms, &e), &e);
		if (csv)
			write_csv_row(csv, w, w->conns[i], &row);
		if (i % BATCH_ROWS == BATCH_ROWS - 1 || i + 1 == w->count) {
			must(track_batch(t, us, us + BATCH_US, &e), &e);
			us += BATCH_US;
		}
	}
	must(track_members(t, &e), &e);
}

static void add_owners(struct rec_writer *rw, const struct world *w)
{
	struct err e = {0};
	uint32_t *ids = calloc(w->processes_count, sizeof(*ids));
	if (!ids)
		exit(1);
	for (size_t i = 0; i < w->processes_count; i++)
		must(rec_writer_process(rw, &w->processes[i].about, &ids[i], &e), &e);
	for (uint32_t i = 0; i < w->count; i++) {
		const struct conn *c = w->conns[i];
		if (!c->process)
			continue;
		struct row_owner o = {.owner_process = ids[c->process - 1], .owner_fd = c->fd};
		must(track_owner(rec_writer_track(rw), i, &o, &e), &e);
	}
	free(ids);
}

static void add_counters(struct rec_writer *rw, const struct world *w, uint32_t netns)
{
	struct err e = {0};
	must(rec_writer_counter(rw, netns, "Tcp.ActiveOpens", (int64_t)w->opened, &e), &e);
	must(rec_writer_counter(rw, netns, "Tcp.PassiveOpens", (int64_t)w->accepted, &e), &e);
}

/* Encodes and writes. The microseconds that encoding took. */
static uint64_t commit(struct rec_writer *rw, const struct world *w)
{
	struct err e = {0};
	uint64_t at_ns = (uint64_t)w->step * WORLD_STEP_MS * MS_NS;
	uint64_t took_ns = (FIRST_US + (w->count / BATCH_ROWS + 1) * BATCH_US) * 1000;
	int64_t boot_ns = (int64_t)(w->now_ms * MS_NS);
	struct rec_snapshot info = {
		.wall_begin_ns = (int64_t)(BEGIN_NS + at_ns),
		.wall_end_ns = (int64_t)(BEGIN_NS + at_ns + took_ns),
		.boot_begin_ns = boot_ns,
		.boot_end_ns = boot_ns + (int64_t)took_ns,
		.mono_begin_ns = boot_ns,
	};
	must(rec_writer_commit(rw, &info, NULL, &e), &e);
	return info.encode_us;
}

static uint64_t write_snapshot(struct rec_writer *rw, const struct world *w, FILE *csv)
{
	struct err e = {0};
	uint32_t netns, cong;
	must(rec_writer_begin(rw, &e), &e);
	must(rec_writer_netns(rw, 4026531840, NULL, &netns, &e), &e);
	must(rec_writer_text(rw, "cubic", 5, &cong, &e), &e);
	if (netns != 1 || cong != 1) {
		fprintf(stderr, "history: not a new file\n");
		exit(1);
	}
	add_sockets(rw, w, csv);
	add_owners(rw, w);
	add_counters(rw, w, netns);
	return commit(rw, w);
}

static struct plan plan_of(int argc, char **argv)
{
	struct plan p = {.sockets = 20000, .snapshots = 1440, .seed = 1};
	int c;
	while ((c = getopt(argc, argv, "s:n:S:c:")) != -1) {
		if (c == 's')
			p.sockets = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'n')
			p.snapshots = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'S')
			p.seed = strtoull(optarg, NULL, 10);
		else if (c == 'c')
			p.csv = optarg;
		else
			exit(2);
	}
	if (optind + 1 != argc || !p.sockets || !p.snapshots) {
		fprintf(stderr, "usage: history [-s SOCKETS] [-n SNAPSHOTS] [-S SEED] [-c CSV] "
				"FILE\n");
		exit(2);
	}
	p.file = argv[optind];
	return p;
}

int main(int argc, char **argv)
{
	struct plan plan = plan_of(argc, argv);
	struct err e = {0};
	struct rec_writer *rw;
	struct world w;
	FILE *csv = plan.csv ? fopen(plan.csv, "w") : NULL;
	uint64_t rows = 0, encode_us = 0;
	if (plan.csv && !csv) {
		perror(plan.csv);
		return 1;
	}
	if (csv)
		write_csv_head(csv);
	must(rec_writer_open(plan.file, &host, NULL, &rw, &e), &e);
	world_init(&w, plan.sockets, plan.snapshots, plan.seed);
	for (uint32_t i = 0; i < plan.snapshots; i++) {
		if (i)
			world_step(&w);
		encode_us += write_snapshot(rw, &w, csv);
		rows += w.count;
	}
	rec_writer_close(rw);
	if (csv && fclose(csv) != 0) {
		perror(plan.csv);
		return 1;
	}
	world_fini(&w);
	printf("%" PRIu32 " snapshots, %" PRIu64 " rows, encoded in %.3f us a row\n",
	       plan.snapshots, rows, (double)encode_us / (double)rows);
	return 0;
}
