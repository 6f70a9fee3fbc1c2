/*
 * sizes.c - where the bytes of a recording go.
 *
 *   sizes FILE
 *
 * For each part: packed bytes a socket-snapshot, in key and in delta frames.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "frame.h"
#include "rec_db.h"

struct sums {
	uint64_t packed[2][PART_COUNT]; /* [key][part] */
	uint64_t frames[2], sockets[2];
};

static void count(struct sums *sums, sqlite3 *db)
{
	sqlite3_stmt *stmt, *get;
	struct rec_parts parts = {0};
	struct err e;
	if (sqlite3_prepare_v2(db, "SELECT id, key, sockets, bytes FROM snapshot", -1, &stmt,
			       NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, REC_SQL_GET_PARTS, -1, &get, NULL) != SQLITE_OK) {
		fprintf(stderr, "sizes: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		unsigned key = sqlite3_column_int(stmt, 1) != 0;
		if (rec_get_parts(get, sqlite3_column_int64(stmt, 0), UINT32_MAX,
				  (uint64_t)sqlite3_column_int64(stmt, 3), &parts, &e)) {
			fprintf(stderr, "sizes: %s\n", e.text);
			exit(1);
		}
		for (unsigned i = 1; i < PART_COUNT; i++)
			sums->packed[key][i] += parts.part[i].len;
		sums->frames[key]++;
		sums->sockets[key] += (uint64_t)sqlite3_column_int64(stmt, 2);
	}
	sqlite3_finalize(stmt);
	sqlite3_finalize(get);
	rec_parts_fini(&parts);
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
			       i == PART_CLOCK	? "clock"
			       : i == PART_TURN ? "turn"
						: column_groups[i].name,
			       per(sums->packed[1][i], sums->sockets[1]),
			       per(sums->packed[0][i], sums->sockets[0]));
	}
	printf("%-12s %12.3f %12.3f   (%llu key, %llu delta frames)\n", "all",
	       per(all[1], sums->sockets[1]), per(all[0], sums->sockets[0]),
	       (unsigned long long)sums->frames[1], (unsigned long long)sums->frames[0]);
	printf("%-12s %12.3f\n", "file", per(all[0] + all[1], sums->sockets[0] + sums->sockets[1]));
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
