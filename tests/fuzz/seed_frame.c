/*
 * seed_frame.c - makes the first corpus of fuzz_frame: FOLDER/small and FOLDER/churn, runs of good
 * frames (a key frame, then deltas) of a few made-up sockets, not compressed.
 *
 *   seed_frame FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bytes.h"
#include "track.h"

static _Noreturn void die(const struct err *e)
{
	fprintf(stderr, "seed_frame: %s\n", e->text);
	exit(1);
}

static void make_row(struct sock_row *row, unsigned i, unsigned round)
{
	memset(row, 0, sizeof(*row));
	row->member.cookie = 1000 + i;
	row->member.proto = PROTO_TCP;
	row->member.family = i % 3 ? AF_INET : AF_INET6;
	row->member.local.b[0] = 10;
	row->member.peer.b[3] = (uint8_t)i;
	row->member.local_port = 443;
	row->member.peer_port = (uint16_t)(40000 + i);
	row->member.netns = 1;
	row->state.has = HAS_TUPLE | HAS_INFO | HAS_SKMEM | HAS_CGROUP;
	row->state.info_bytes = i % 2 ? 280 : 232;
	row->state.state = i % 5 == round % 5 ? STATE_CLOSE_WAIT : STATE_ESTAB;
	row->state.inode = 7000 + i;
	row->queue.recvq = i % 4 ? 0 : 100 * round;
	row->queue.timer_ms = i % 6 ? 0 : 500;
	row->evidence.last_data_recv_ms = 10 * round;
	row->evidence.segs_in = i * round;
	row->info.bytes_received = (uint64_t)i * round * 1448;
	row->memory.rcvbuf = 131072;
	row->option.cgroup_id = 42;
}

static void put_frame(struct buf *out, const struct frame_part parts[PART_COUNT])
{
	uint8_t count = 0;
	for (unsigned i = 0; i < PART_COUNT; i++)
		count = (uint8_t)(count + parts[i].there);
	buf_put_u8(out, count);
	for (unsigned i = 0; i < PART_COUNT; i++) {
		if (!parts[i].there)
			continue;
		buf_put_u8(out, (uint8_t)(i | (unsigned)parts[i].codec << 4));
		buf_put_varint(out, parts[i].raw_bytes);
		buf_put_varint(out, parts[i].len);
		buf_put(out, parts[i].bytes, parts[i].len);
	}
}

static void put_snapshot(struct track *t, struct buf *out, unsigned first, unsigned last,
			 unsigned round)
{
	struct frame_part parts[PART_COUNT] = {0};
	struct sock_row row;
	struct err e;
	uint64_t tick = 100000 + 1000 * round;
	if (track_begin(t, false, &e))
		die(&e);
	for (unsigned i = first; i < last; i++) {
		make_row(&row, i, round);
		if (track_add(t, &row, tick, tick + 4, &e) < 0)
			die(&e);
	}
	if (track_batch(t, 10, 20 + round, &e) || track_members(t, &e))
		die(&e);
	for (uint32_t at = 0; at < track_rows(t); at++) {
		struct row_owner owner = {.owner_process = 1 + at % 3, .owner_fd = 5 + at};
		if (track_owner(t, at, &owner, &e))
			die(&e);
	}
	if (track_encode(t, 6, parts, &e))
		die(&e);
	put_frame(out, parts);
	track_commit(t);
}

static void write_seed(const char *folder, const char *name, const struct buf *b)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(b->bytes, 1, b->len, f) != b->len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct buf out = {0};
	struct track *t;
	struct err e;
	if (argc != 2)
		return 2;
	if (track_new(&t, &e))
		die(&e);
	for (unsigned round = 0; round < 3; round++)
		put_snapshot(t, &out, 0, 3, round);
	write_seed(argv[1], "small", &out);
	buf_clear(&out);
	track_forget(t);
	for (unsigned round = 0; round < 6; round++)
		put_snapshot(t, &out, round * 2, 12 + round * (round % 2 ? 3 : 1), round);
	write_seed(argv[1], "churn", &out);
	buf_fini(&out);
	track_free(t);
	return 0;
}
