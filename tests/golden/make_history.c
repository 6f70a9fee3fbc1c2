/*
 * make_history.c - writes recordings of known content through the real writer.
 *
 *   make_history FILE [HOST]     one host, six snapshots a minute apart: a leak in CLOSE-WAIT, a
 *                                connection that ends in TIME-WAIT, one that nobody accepts, one
 *                                that gets no answer, listeners shared by two workers
 *   make_history FILE ROWS SNAPSHOTS   many sockets, a few of which come and go, to be measured
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rec_write.h"

#define SECOND_NS INT64_C(1000000000)
/* 2026-11-22 14:00:00 in the zone of the host. */
#define BEGIN_NS (INT64_C(1795352400) * SECOND_NS)

static const struct rec_host host = {
	.boot_id = "11111111-2222-3333-4444-555555555555",
	.machine_id = "0123456789abcdef0123456789abcdef",
	.hostname = "web1",
	.kernel = "6.1.0",
	.arch = "x86_64",
	.hz = 250,
	.time_zone = "CET-1CEST,M3.5.0,M10.5.0/3",
	.cpus = 2,
	.facts = "{\"ip_local_port_range\": [32768, 60999]}",
};

/* What a socket is in a snapshot; the rest follows from its state. */
struct scene {
	int first, last; /* snapshots, from 1 */
	unsigned proto, state;
	uint64_t cookie;
	const char *local;
	unsigned local_port;
	const char *peer;
	unsigned peer_port;
	uint32_t inode, recvq, sendq;
	unsigned timer, timer_ms, retrans;
	int process; /* index in processes[] + 1; 0: none */
	uint32_t fd;
};

static const struct rec_process processes[] = {
	{.pid = 10,
	 .start_ticks = 100,
	 .ppid = 1,
	 .uid = 0,
	 .comm = "nginx",
	 .exe = "/usr/sbin/nginx",
	 .cgroup = "/system.slice/nginx.service"},
	{.pid = 11,
	 .start_ticks = 110,
	 .ppid = 10,
	 .uid = 33,
	 .comm = "nginx",
	 .exe = "/usr/sbin/nginx",
	 .cgroup = "/system.slice/nginx.service"},
	{.pid = 20,
	 .start_ticks = 120,
	 .ppid = 1,
	 .uid = 0,
	 .comm = "sshd",
	 .exe = "/usr/sbin/sshd"},
	{.pid = 30,
	 .start_ticks = 130,
	 .ppid = 1,
	 .uid = 1000,
	 .comm = "java",
	 .exe = "/usr/bin/java",
	 .cgroup = "/system.slice/app.service"},
	{.pid = 40,
	 .start_ticks = 140,
	 .ppid = 1,
	 .uid = 1000,
	 .comm = "cu)rl \x1b[1m",
	 .exe = "/usr/bin/curl"},
	{.pid = 50, .start_ticks = 150, .ppid = 1, .uid = 0, .comm = "unbound"},
};

#define PROCESSES (sizeof(processes) / sizeof(processes[0]))

#define TCP PROTO_TCP
#define UDP PROTO_UDP

static const struct scene scenes[] = {
	{1, 6, UDP, STATE_UNCONN, 9, "127.0.0.1", 53, "0.0.0.0", 0, 900, 0, 0, 0, 0, 0, 6, 4},
	{1, 6, TCP, STATE_LISTEN, 1, "::", 80, "::", 0, 100, 0, 511, 0, 0, 0, 1, 6},
	{1, 6, TCP, STATE_LISTEN, 2, "0.0.0.0", 22, "0.0.0.0", 0, 200, 0, 128, 0, 0, 0, 3, 3},
	{1, 6, TCP, STATE_ESTAB, 3, "10.0.0.1", 22, "10.0.0.99", 50000, 201, 0, 36, TIMER_ON, 204,
	 0, 3, 4},
	/* The leak: nobody reads the end of file. */
	{1, 2, TCP, STATE_ESTAB, 4, "10.0.0.1", 40000, "10.0.0.5", 50010, 300, 0, 0, 0, 0, 0, 4,
	 50},
	{3, 6, TCP, STATE_CLOSE_WAIT, 4, "10.0.0.1", 40000, "10.0.0.5", 50010, 300, 1, 0, 0, 0, 0,
	 4, 50},
	{2, 3, TCP, STATE_ESTAB, 5, "10.0.0.1", 40001, "10.0.0.5", 50010, 301, 0, 0, 0, 0, 0, 4,
	 51},
	{4, 6, TCP, STATE_CLOSE_WAIT, 5, "10.0.0.1", 40001, "10.0.0.5", 50010, 301, 1, 0, 0, 0, 0,
	 4, 51},
	/* Ends in TIME-WAIT: the kernel no longer says whose it was. */
	{2, 3, TCP, STATE_ESTAB, 6, "10.0.0.1", 40002, "203.0.113.7", 443, 400, 0, 0, 0, 0, 0, 5,
	 7},
	{4, 4, TCP, STATE_TIME_WAIT, 6, "10.0.0.1", 40002, "203.0.113.7", 443, 0, 0, 0,
	 TIMER_TIMEWAIT, 42000, 0, 0, 0},
	/* Never seen while somebody held it. */
	{3, 3, TCP, STATE_TIME_WAIT, 7, "10.0.0.1", 40003, "203.0.113.7", 443, 0, 0, 0,
	 TIMER_TIMEWAIT, 1000, 0, 0, 0},
	/* Shaken hands, not accepted. */
	{4, 6, TCP, STATE_ESTAB, 8, "::ffff:10.0.0.1", 80, "::ffff:198.51.100.4", 33333, 0, 512, 0,
	 0, 0, 0, 0, 0},
	/* Nobody answers. */
	{3, 6, TCP, STATE_SYN_SENT, 10, "10.0.0.1", 40004, "192.0.2.1", 9200, 302, 0, 1, TIMER_ON,
	 3000, 5, 4, 52},
	{5, 6, TCP, STATE_ESTAB, 11, "2001:db8::1", 40005, "2001:db8::2", 443, 303, 0, 0,
	 TIMER_KEEPALIVE, 6300000, 0, 4, 53},
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static void die(const struct err *e)
{
	fprintf(stderr, "make_history: %s\n", e->text);
	exit(1);
}

static void must(int rc, const struct err *e)
{
	if (rc < 0)
		die(e);
}

static void fill_info(struct sock_row *r, int snapshot)
{
	r->state.has |= HAS_INFO;
	r->state.info_bytes = 232;
	r->evidence.rto_us = 204000;
	r->info.rtt_us = 1500;
	r->info.rttvar_us = 750;
	r->info.cwnd = 10;
	r->info.snd_mss = 1448;
	r->info.bytes_sent = 1000;
	r->info.bytes_acked = r->member.local_port >= 32768; /* the SYN of who opened it */
	r->info.bytes_received = r->state.state == STATE_ESTAB ? 100u * (unsigned)snapshot : 5000;
	r->evidence.data_segs_in = (uint32_t)(r->info.bytes_received / 100);
}

static struct sock_row row_of(const struct scene *s, int snapshot)
{
	struct sock_row r;
	memset(&r, 0, sizeof(r));
	r.member.cookie = s->cookie;
	r.member.netns = 1;
	r.member.proto = (uint8_t)s->proto;
	r.member.family = (uint8_t)sock_addr_parse(s->local, &r.member.local);
	sock_addr_parse(s->peer, &r.member.peer);
	r.member.local_port = (uint16_t)s->local_port;
	r.member.peer_port = (uint16_t)s->peer_port;
	r.state.has = HAS_TUPLE;
	r.state.inode = s->inode;
	r.state.uid = s->process ? (uint32_t)processes[s->process - 1].uid : 0;
	r.state.state = (uint8_t)s->state;
	r.queue.recvq = s->recvq;
	r.queue.sendq = s->sendq;
	r.queue.timer = (uint8_t)s->timer;
	r.queue.timer_ms = s->timer_ms;
	r.queue.retrans = (uint8_t)s->retrans;
	if (s->inode && s->proto == TCP && s->state != STATE_LISTEN)
		fill_info(&r, snapshot);
	return r;
}

/* The second worker holds the listener too. */
static uint32_t second_holder(struct rec_writer *w, uint32_t process, uint32_t fd)
{
	struct buf b = {0};
	struct err e = {0};
	uint32_t id;
	buf_put_varint(&b, process);
	buf_put_varint(&b, fd);
	must(rec_writer_text(w, b.bytes, b.len, &id, &e), &e);
	buf_fini(&b);
	return id;
}

static void add_owners(struct rec_writer *w, const struct scene *const *shown, uint32_t count)
{
	struct err e = {0};
	uint32_t ids[PROCESSES];
	for (size_t i = 0; i < PROCESSES; i++)
		must(rec_writer_process(w, &processes[i], &ids[i], &e), &e);
	for (uint32_t i = 0; i < count; i++) {
		const struct scene *s = shown[i];
		if (!s->process)
			continue;
		struct row_owner o;
		memset(&o, 0, sizeof(o));
		o.owner_process = ids[s->process - 1];
		o.owner_fd = s->fd;
		if (s->cookie == 1)
			o.owner_more = second_holder(w, ids[1], 6);
		must(track_owner(rec_writer_track(w), i, &o, &e), &e);
	}
}

static void commit(struct rec_writer *w, int snapshot, int64_t every_ns)
{
	struct err e = {0};
	int64_t at = (snapshot - 1) * every_ns;
	struct rec_snapshot info = {
		.wall_begin_ns = BEGIN_NS + at,
		.wall_end_ns = BEGIN_NS + at + 5000000,
		.boot_begin_ns = 1000 * SECOND_NS + at,
		.boot_end_ns = 1000 * SECOND_NS + at + 5000000,
		.mono_begin_ns = 1000 * SECOND_NS + at,
		.flags = snapshot == 5 ? SNAP_OWNERS_PART : 0,
	};
	must(rec_writer_cost(w, "dump_us", 4000, &e), &e);
	must(rec_writer_commit(w, &info,
			       snapshot == 4 ? "[\"udp: the kernel lost messages\"]" : NULL, &e),
	     &e);
}

static void write_scenes(struct rec_writer *w, int snapshot)
{
	struct err e = {0};
	uint32_t netns, count = 0;
	const struct scene *shown[SCENES];
	uint64_t tick_ms = 1000000 + 60000 * (uint64_t)snapshot;
	must(rec_writer_begin(w, &e), &e);
	must(rec_writer_netns(w, 4026531840, NULL, &netns, &e), &e);
	for (size_t i = 0; i < SCENES; i++) {
		if (snapshot < scenes[i].first || snapshot > scenes[i].last)
			continue;
		struct sock_row r = row_of(&scenes[i], snapshot);
		must(track_add(rec_writer_track(w), &r, tick_ms, tick_ms, &e), &e);
		shown[count++] = &scenes[i];
	}
	must(track_batch(rec_writer_track(w), 100, 4000, &e), &e);
	must(track_members(rec_writer_track(w), &e), &e);
	add_owners(w, shown, count);
	commit(w, snapshot, 60 * SECOND_NS);
	/* Eleven rows of one reason become one; what lies far apart does not. */
	for (int64_t i = 0; snapshot == 4 && i < 12; i++) {
		const struct rec_gap gap = {
			.begin_ns = BEGIN_NS + (i < 11 ? 180 + i : 8000) * SECOND_NS,
			.end_ns = BEGIN_NS + (i < 11 ? 181 + i : 8000) * SECOND_NS,
			.count = i < 11 ? 3 : 1,
			.why = "the snapshot before took longer than the interval"};
		must(rec_writer_gap(w, &gap, &e), &e);
	}
	if (snapshot != 2)
		must(rec_writer_name(w, "kafka.example:9200",
				     snapshot < 4 ? "192.0.2.9" : "192.0.2.10 192.0.2.11", NULL,
				     &e),
		     &e);
	must(rec_writer_name(w, "old.example", "",
			     snapshot < 3 ? "Name or service not known" : REC_NOT_WATCHED, &e),
	     &e);
	if (snapshot == 3)
		must(rec_writer_event(w, BEGIN_NS + 130 * SECOND_NS, "note", "deploy 1.2", &e), &e);
}

/* Socket number n of a large host; every 50th changes at each turn. */
static struct sock_row many(uint64_t n, int snapshot, bool closed)
{
	struct scene s = scenes[3];
	s.state = closed ? STATE_TIME_WAIT : STATE_ESTAB;
	s.inode = closed ? 0 : (uint32_t)n + 1000;
	s.cookie = n + 100;
	s.peer_port = (unsigned)(n & 0xffff);
	struct sock_row r = row_of(&s, snapshot);
	r.member.peer.w[0] = htonl(0x0a000000u + (uint32_t)(n >> 10));
	uint64_t h = n * UINT64_C(0x9e3779b97f4a7c15);
	if (!closed) {
		r.info.rtt_us = (uint32_t)(h >> 50);
		r.info.bytes_sent = h >> 44;
		r.info.bytes_received = (h >> 40) + (n % 50 ? 0 : 100u * (unsigned)snapshot);
		r.evidence.data_segs_in = n % 50 ? 7 : 7 + (uint32_t)snapshot;
		r.evidence.rto_us = 200000 + (uint32_t)(h >> 52);
	}
	return r;
}

static void write_many(struct rec_writer *w, int snapshot, uint32_t rows)
{
	struct err e = {0};
	uint32_t netns, process;
	uint64_t tick_ms = 1000000 + 60000 * (uint64_t)snapshot;
	must(rec_writer_begin(w, &e), &e);
	must(rec_writer_netns(w, 4026531840, NULL, &netns, &e), &e);
	must(rec_writer_process(w, &processes[3], &process, &e), &e);
	/* A hundredth of them is gone at each turn, and as many are new; before, two in TIME-WAIT.
	 */
	uint64_t gone = (uint64_t)(snapshot - 1) * (rows / 100);
	uint32_t closed = rows / 50;
	for (uint64_t i = 0; i < rows; i++) {
		struct sock_row r = many(gone + i, snapshot, i < closed);
		must(track_add(rec_writer_track(w), &r, tick_ms, tick_ms, &e), &e);
	}
	must(track_batch(rec_writer_track(w), 100, 4000, &e), &e);
	must(track_members(rec_writer_track(w), &e), &e);
	for (uint32_t i = 0; i < rows; i++) {
		struct row_owner o;
		memset(&o, 0, sizeof(o));
		o.owner_process = process;
		o.owner_fd = (uint32_t)(gone + i) % 65536;
		if (i >= closed)
			must(track_owner(rec_writer_track(w), i, &o, &e), &e);
	}
	commit(w, snapshot, 60 * SECOND_NS);
}

int main(int argc, char **argv)
{
	struct err e = {0};
	struct rec_writer *w;
	struct rec_host who = host;
	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: make_history FILE [HOST | ROWS SNAPSHOTS]\n");
		return 2;
	}
	if (argc == 3) {
		who.hostname = argv[2];
		who.machine_id = who.boot_id = argv[2];
	}
	must(rec_writer_open(argv[1], &who, NULL, &w, &e), &e);
	int snapshots = argc == 4 ? atoi(argv[3]) : 6;
	for (int i = 1; i <= snapshots; i++) {
		if (argc == 4)
			write_many(w, i, (uint32_t)atoi(argv[2]));
		else
			write_scenes(w, i);
	}
	rec_writer_close(w);
	return 0;
}
