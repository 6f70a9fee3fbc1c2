/*
 * sizes.c - where the bytes of a recording go.
 *
 *   sizes FILE
 *
 * For each part: packed and unpacked bytes a socket-snapshot; for each column: bytes of its births
 * and changes before packing, and packed on their own (deflate 9), which is a hint at its share.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "columns.h"
#include "frame.h"
#include "rec_db.h"

struct sums {
	uint64_t packed[2][PART_COUNT]; /* [key][part] */
	uint64_t raw[PART_COUNT];
	uint64_t births[256], changes[256];
	uint64_t births_packed[256], changes_packed[256];
	uint64_t frames[2], sockets[2];
};

static uint64_t deflated(const uint8_t *bytes, size_t len)
{
	uLongf n = compressBound(len);
	uint8_t *out = malloc(n);
	if (!len || !out || compress2(out, &n, bytes, len, 9) != Z_OK)
		n = 6;
	free(out);
	return n - 6;
}

static void skip_script(struct span *s)
{
	if (span_u8(s) == FRAME_KEY) {
		span_varint(s);
		return;
	}
	for (uint64_t n = span_varint(s); n && !s->bad; n--) {
		span_varint(s);
		span_varint(s);
	}
	for (uint64_t n = span_varint(s); n && !s->bad; n--)
		for (int i = 0; i < 3; i++)
			span_varint(s);
}

static void count_columns(struct sums *sums, unsigned part, struct span s)
{
	if (part == GRP_ID_member) {
		skip_script(&s);
	} else {
		for (uint64_t n = span_varint(&s); n && !s.bad; n--)
			span_varint(&s);
	}
	while (span_left(&s)) {
		uint8_t id = span_u8(&s);
		uint64_t births = span_varint(&s);
		uint64_t changes = span_varint(&s);
		sums->births[id] += births;
		sums->changes[id] += changes;
		const uint8_t *p = span_take(&s, births);
		if (p)
			sums->births_packed[id] += deflated(p, births);
		p = span_take(&s, changes);
		if (p)
			sums->changes_packed[id] += deflated(p, changes);
	}
}

static void count(struct sums *sums, sqlite3 *db)
{
	sqlite3_stmt *stmt;
	struct frame_scratch x = {0};
	struct err e = {0};
	if (sqlite3_prepare_v2(db,
			       "SELECT f.id % 16, f.codec, f.raw_bytes, f.bytes, s.key, s.sockets "
			       "FROM frame AS f JOIN snapshot AS s ON s.id = f.id / 16",
			       -1, &stmt, NULL) != SQLITE_OK) {
		fprintf(stderr, "sizes: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		unsigned part = (unsigned)sqlite3_column_int(stmt, 0) % PART_COUNT;
		unsigned key = sqlite3_column_int(stmt, 4) != 0;
		struct frame_part p = {.codec = (uint8_t)sqlite3_column_int(stmt, 1),
				       .raw_bytes = (uint32_t)sqlite3_column_int64(stmt, 2),
				       .bytes = sqlite3_column_blob(stmt, 3),
				       .len = (size_t)sqlite3_column_bytes(stmt, 3),
				       .there = true};
		sums->packed[key][part] += p.len;
		sums->raw[part] += p.raw_bytes;
		if (part == GRP_ID_member) {
			sums->frames[key]++;
			sums->sockets[key] += (uint64_t)sqlite3_column_int64(stmt, 5);
		}
		if (part != PART_CLOCK && !key && frame_unpack(&p, &x, &e) == 0)
			count_columns(sums, part, span_of(x.raw.bytes, x.raw.len));
	}
	sqlite3_finalize(stmt);
	frame_scratch_fini(&x);
}

static double per(uint64_t bytes, uint64_t sockets)
{
	return sockets ? (double)bytes / (double)sockets : 0;
}

static void print(const struct sums *sums)
{
	uint64_t all[2] = {0, 0};
	printf("%-12s %12s %12s\n", "part", "key B/sock", "delta B/sock");
	for (unsigned i = 1; i < PART_COUNT; i++) {
		all[0] += sums->packed[0][i];
		all[1] += sums->packed[1][i];
		if (sums->packed[0][i] || sums->packed[1][i])
			printf("%-12s %12.3f %12.3f\n",
			       i == PART_CLOCK ? "clock" : column_groups[i].name,
			       per(sums->packed[1][i], sums->sockets[1]),
			       per(sums->packed[0][i], sums->sockets[0]));
	}
	printf("%-12s %12.3f %12.3f   (%llu key, %llu delta frames)\n", "all",
	       per(all[1], sums->sockets[1]), per(all[0], sums->sockets[0]),
	       (unsigned long long)sums->frames[1], (unsigned long long)sums->frames[0]);
	printf("%-12s %12.3f\n\n", "file",
	       per(all[0] + all[1], sums->sockets[0] + sums->sockets[1]));
	printf("%-20s %9s %9s %9s %9s  (of delta frames, B/sock)\n", "column", "births", "packed",
	       "changes", "packed");
	for (unsigned i = 0; i < columns_count; i++) {
		unsigned id = columns[i].id;
		if (sums->births[id] + sums->changes[id])
			printf("%-20s %9.4f %9.4f %9.4f %9.4f\n", columns[i].name,
			       per(sums->births[id], sums->sockets[0]),
			       per(sums->births_packed[id], sums->sockets[0]),
			       per(sums->changes[id], sums->sockets[0]),
			       per(sums->changes_packed[id], sums->sockets[0]));
	}
}

int main(int argc, char **argv)
{
	static struct sums sums;
	sqlite3 *db;
	if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		fprintf(stderr, "usage: sizes FILE\n");
		return 2;
	}
	count(&sums, db);
	print(&sums);
	sqlite3_close(db);
	return 0;
}
