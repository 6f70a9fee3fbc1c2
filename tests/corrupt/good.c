/*
 * good.c - writes the recording that damage.c damages: a small made-up host, always the same, with
 * something in every table, several key frames, and sockets that come, change and go.
 *
 *   good FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rec_write.h"

#define SNAPSHOTS 24
#define SOCKETS	  40
#define KEY_EVERY 6
#define SECOND_NS INT64_C(1000000000)
#define BEGIN_NS  (INT64_C(1795348800) * SECOND_NS)

static const struct rec_host host = {
	.boot_id = "6a2b5b0e-0a53-4b52-9a5d-0c1f6e0b7c11",
	.machine_id = "00112233445566778899aabbccddeeff",
	.hostname = "good",
	.kernel = "6.1.0-test",
	.arch = "x86_64",
	.hz = 250,
	.time_zone = "UTC",
	.cpus = 2,
	.facts = "{\"tcp_fin_timeout\": 60, \"ip_local_port_range\": [32768, 60999]}",
};

static void must(int rc, const struct err *e)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "good: %s\n", e->text);
	exit(1);
}

static const uint8_t states[] = {STATE_ESTAB,	  STATE_ESTAB,	  STATE_CLOSE_WAIT, STATE_LISTEN,
				 STATE_TIME_WAIT, STATE_SYN_SENT, STATE_FIN_WAIT_2};

static void make_row(struct sock_row *row, unsigned i, unsigned round, uint32_t cong)
{
	memset(row, 0, sizeof(*row));
	row->member.cookie = 1000 + i;
	row->member.proto = i % 8 == 7 ? PROTO_UDP : PROTO_TCP;
	row->member.family = i % 3 ? AF_INET : AF_INET6;
	row->member.local.b[0] = i % 3 ? 10 : 0xfd;
	row->member.peer.b[3] = (uint8_t)i;
	row->member.local_port = 443;
	row->member.peer_port = (uint16_t)(40000 + i);
	row->member.netns = 1;
	row->state.has = HAS_TUPLE | HAS_SHUTDOWN | HAS_CGROUP;
	row->state.state = states[(i + round / 5) % sizeof(states)];
	row->option.cgroup_id = 42;
	if (row->state.state == STATE_TIME_WAIT || row->member.proto == PROTO_UDP)
		return;
	row->state.has |= HAS_INFO | HAS_SKMEM | HAS_CONG;
	row->state.info_bytes = i % 2 ? 280 : 232;
	row->state.inode = 7000 + i;
	row->queue.recvq = i % 4 ? 0 : 100 * round;
	row->queue.timer = i % 6 ? TIMER_OFF : TIMER_ON;
	row->queue.timer_ms = i % 6 ? 0 : 500;
	row->evidence.last_data_recv_ms = 1000 * round;
	row->evidence.segs_in = i * round;
	row->info.bytes_received = (uint64_t)i * round * 1448;
	row->info.rtt_us = 20000 + i;
	row->memory.rcvbuf = 131072;
	row->option.cong = cong;
}

/* Four processes; socket i belongs to process i % 4, socket 5 to two of them. */
static void put_owners(struct rec_writer *w, struct err *e)
{
	static const char *const comms[] = {"nginx", "java", "a) b\n(c", "sshd"};
	uint32_t ids[4], more;
	for (unsigned i = 0; i < 4; i++) {
		struct rec_process p = {.pid = 100 + (int64_t)i,
					.start_ticks = 5000 + i,
					.ppid = 1,
					.uid = i,
					.comm = comms[i],
					.exe = "/usr/bin/thing",
					.cgroup = "/system.slice/thing.service"};
		must(rec_writer_process(w, &p, &ids[i], e), e);
	}
	struct track *t = rec_writer_track(w);
	for (uint32_t at = 0; at < track_rows(t); at++) {
		struct row_owner owner = {0};
		if (track_state(t, at)->inode) {
			owner.owner_process = ids[at % 4];
			owner.owner_fd = 5 + at;
		}
		if (owner.owner_process == ids[0]) {
			const uint8_t pair[] = {(uint8_t)ids[1], 9};
			must(rec_writer_text(w, pair, sizeof(pair), &more, e), e);
			owner.owner_more = more;
		}
		must(track_owner(t, at, &owner, e), e);
	}
}

static void put_tables(struct rec_writer *w, unsigned round, struct err *e)
{
	must(rec_writer_interface(w, 1, 1, "lo", e), e);
	must(rec_writer_counter(w, 1, "Tcp.ActiveOpens", 100 + 3 * (int64_t)round, e), e);
	must(rec_writer_name(w, "kafka.example:9200",
			     round < 9 ? "192.0.2.1" : "192.0.2.1 192.0.2.2", NULL, e),
	     e);
}

static void put_snapshot(struct rec_writer *w, unsigned round, struct err *e)
{
	int64_t at_ns = SECOND_NS * 10 * round;
	uint64_t tick_ms = (UINT64_C(1) << 32) + 1000 + 10000 * (uint64_t)round;
	uint32_t netns, cong;
	struct sock_row row;
	must(rec_writer_begin(w, e), e);
	struct track *t = rec_writer_track(w);
	must(rec_writer_netns(w, 4026531840, NULL, &netns, e), e);
	must(rec_writer_text(w, "cubic", 5, &cong, e), e);
	for (unsigned i = round; i < SOCKETS + 2 * round; i++) {
		make_row(&row, i, round, cong);
		must(track_add(t, &row, tick_ms, tick_ms + 4, e), e);
		if (i % 16 == 15)
			must(track_batch(t, 10 * i, 10 * i + 100, e), e);
	}
	must(track_batch(t, 10000, 10100, e), e);
	must(track_members(t, e), e);
	put_owners(w, e);
	put_tables(w, round, e);
	struct rec_snapshot info = {
		.wall_begin_ns = BEGIN_NS + at_ns,
		.wall_end_ns = BEGIN_NS + at_ns + SECOND_NS / 50,
		.boot_begin_ns = 5000 * SECOND_NS + at_ns,
		.boot_end_ns = 5000 * SECOND_NS + at_ns + SECOND_NS / 50,
		.mono_begin_ns = 5000 * SECOND_NS + at_ns,
	};
	must(rec_writer_cost(w, "dump_us", 20000, e), e);
	must(rec_writer_commit(w, &info, "[\"raw: from /proc/net\"]", e), e);
}

int main(int argc, char **argv)
{
	struct rec_writer_options options = {.key_every = KEY_EVERY};
	struct rec_writer *w = NULL;
	struct err e = {0};
	if (argc != 2) {
		fprintf(stderr, "usage: good FILE\n");
		return 2;
	}
	must(rec_writer_open(argv[1], &host, &options, &w, &e), &e);
	must(rec_writer_event(w, BEGIN_NS, "start", "made up", &e), &e);
	for (unsigned round = 0; round < SNAPSHOTS; round++)
		put_snapshot(w, round, &e);
	must(rec_writer_event(w, BEGIN_NS + 100 * SECOND_NS, "note", "deploy", &e), &e);
	rec_writer_close(w);
	return 0;
}
