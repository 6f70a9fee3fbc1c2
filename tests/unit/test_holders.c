/* test_holders.c - the list of further holders that a filter looks at is bounded, whatever a
 * recording says. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "history.h"
#include "holders.h"
#include "lives.h"

#define S INT64_C(1000000000)

#define TEXT   7000
#define PAIRS  4096
#define LENGTH 65536

/* Thousands of descriptors of a process whose arguments are long: (process 7000, fd 1), ... */
static void add_holders(const char *dir)
{
	char path[96];
	uint8_t pairs[3 * PAIRS];
	sqlite3 *db;
	sqlite3_stmt *put;
	for (size_t i = 0; i < PAIRS; i++)
		memcpy(pairs + 3 * i, "\xd8\x36\x01", 3);
	snprintf(path, sizeof(path), "%s/host-000.socklapse", dir);
	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK, "%s",
		     path);
	cr_assert_eq(sqlite3_exec(db,
				  "INSERT INTO process (id, host, pid, start_ticks, comm, cmdline,"
				  " first_snapshot) VALUES (7000, 1, 77, 1, 'many',"
				  " printf('%.*c', 65536, 'x'), 1)",
				  NULL, NULL, NULL),
		     SQLITE_OK, "%s", sqlite3_errmsg(db));
	cr_assert_eq(sqlite3_prepare_v2(db, "INSERT INTO text VALUES (7000, ?1)", -1, &put, NULL),
		     SQLITE_OK);
	sqlite3_bind_blob(put, 1, pairs, sizeof(pairs), SQLITE_STATIC);
	cr_assert_eq(sqlite3_step(put), SQLITE_DONE);
	sqlite3_finalize(put);
	sqlite3_close(db);
}

Test(holders, bytes_are_bounded)
{
	char dir[64];
	struct lives l;
	struct history *h = NULL;
	struct buf list = {0};
	struct err e = {0};
	lives_dir(dir);
	lives_init(&l, 1, 3, 100 * S, 110 * S);
	const struct take take = {.dir = dir,
				  .first_ns = 100 * S,
				  .last_ns = 105 * S,
				  .every_ns = S,
				  .key_every = 10};
	lives_record(&l, &take);
	lives_fini(&l);
	add_holders(dir);
	const char *dirs = dir;
	cr_assert_eq(history_open(&dirs, 1, &h, &e), 0, "%s", e.text);
	cr_assert_eq(holders_list(h, 0, TEXT, &list, &e), 0, "%s", e.text);
	cr_assert_gt(list.len, HOLDERS_MAX_BYTES - 2 * LENGTH);
	cr_assert_leq(list.len, HOLDERS_MAX_BYTES + 2 * LENGTH);
	cr_assert_str_eq((const char *)list.bytes, "77");
	buf_fini(&list);
	history_close(h);
	lives_remove(dir);
}
