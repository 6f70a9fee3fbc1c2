/*
 * test_differing.c - table `differing` leaves out what does not differ and nothing else: the stored
 * question diff gives the same rows with it as with every row of the snapshots.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "buf.h"
#include "db.h"
#include "lives.h"
#include "queries.h"

#define S UINT64_C(1000000000)

static sqlite3_int64 count(sqlite3 *db, const char *table, int a, int b)
{
	struct err e = {0};
	struct buf sql = {0};
	sqlite3_stmt *stmt;
	buf_printf(&sql, "SELECT count(*) FROM %s WHERE snapshot IN (%d, %d)", table, a, b);
	cr_assert_eq(db_prepare(db, buf_str(&sql), &stmt, &e), 0, "%s", e.text);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW, "%s", sqlite3_errmsg(db));
	sqlite3_int64 n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	buf_fini(&sql);
	return n;
}

/* All rows of the question, as text. */
static void ask(sqlite3_stmt *stmt, int a, int b, bool every, struct buf *ret)
{
	int step;
	sqlite3_reset(stmt);
	db_bind_int(stmt, ":a", a);
	db_bind_int(stmt, ":b", b);
	db_bind_int(stmt, ":through", 1);
	db_bind_int(stmt, ":every", every);
	buf_clear(ret);
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);
			buf_printf(ret, "%s|", text ? text : "NULL");
		}
		buf_put_str(ret, "\n");
	}
	cr_assert_eq(step, SQLITE_DONE, "%s", sqlite3_errmsg(sqlite3_db_handle(stmt)));
}

struct seen {
	sqlite3_int64 rows, all;
	size_t told;
	unsigned reused, handed;
};

static void compare(sqlite3 *db, int snapshots, struct seen *seen)
{
	struct err e = {0};
	struct buf some = {0}, every = {0}, table = {0};
	sqlite3_stmt *stmt;
	cr_assert_eq(db_prepare(db, sql_q_diff, &stmt, &e), 0, "%s", e.text);
	for (int a = 1; a < snapshots; a++) {
		for (int b = a + 1; b <= snapshots && b <= a + 4; b++) {
			ask(stmt, a, b, false, &some);
			ask(stmt, a, b, true, &every);
			cr_assert_str_eq(buf_str(&some), buf_str(&every), "#%d #%d", a, b);
			buf_clear(&table);
			buf_printf(&table, "differing(%d, %d)", a, b);
			seen->rows += count(db, buf_str(&table), a, b);
			seen->all += count(db, "socket", a, b);
			seen->told += some.len;
			seen->reused += strstr(buf_str(&some), "reused") != NULL;
			seen->handed += strstr(buf_str(&some), "owner|") != NULL;
		}
	}
	sqlite3_finalize(stmt);
	buf_fini(&some);
	buf_fini(&every);
	buf_fini(&table);
}

static void with(const struct lives *l, const struct take *take, struct seen *seen)
{
	struct err e = {0};
	struct history *h;
	sqlite3 *db;
	int snapshots = (int)lives_record(l, take);
	const char *dir = take->dir;
	cr_assert_eq(history_open(&dir, 1, &h, &e), 0, "%s", e.text);
	const struct vt_context context = {.history = h};
	cr_assert_eq(db_open(&context, &db, &e), 0, "%s", e.text);
	compare(db, snapshots, seen);
	sqlite3_close(db);
	history_close(h);
}

/*
 * Most are held in ESTAB, and some of them change hands; a tenth have the addresses of another one,
 * mostly at another time.
 */
static void settle(struct lives *l)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct life *life = &l->all[i];
		if (life->process && i % 5 == 1) {
			life->heir = life->process % 3 + 1;
			life->heir_from_ns = 1500 * S;
		}
		if (i % 10 == 9)
			life->id.local_port--;
		if (i % 3 == 0)
			continue;
		life->states--;
		memmove(life->state, life->state + 1, life->states);
		memmove(life->at_ns, life->at_ns + 1, (life->states + 1) * sizeof(*life->at_ns));
	}
}

static void try(uint64_t seed, unsigned per_file, struct seen *seen)
{
	char dir[64];
	struct lives l;
	lives_dir(dir);
	lives_init(&l, seed, 120, 1000 * S, 2000 * S);
	settle(&l);
	const struct take take = {.dir = dir,
				  .wall_offset_ns = 1000000 * S,
				  .first_ns = 1100 * S,
				  .last_ns = 1900 * S,
				  .every_ns = 60 * S,
				  .dump_ns = S / 10,
				  .key_every = 5,
				  .snapshots_per_file = per_file};
	with(&l, &take, seen);
	lives_fini(&l);
	lives_remove(dir);
}

Test(differing, leaves_out_what_does_not_differ)
{
	struct seen seen = {0};
	for (uint64_t seed = 1; seed <= 4; seed++)
		try(seed, 0, &seen);
	cr_assert_lt(20 * seen.rows, 19 * seen.all, "%lld of %lld", (long long)seen.rows,
		     (long long)seen.all);
	cr_assert_gt(seen.told, 1000);
	cr_assert_gt(seen.reused, 0);
	cr_assert_gt(seen.handed, 0);
}

Test(differing, knows_no_connection_across_files)
{
	struct seen seen = {0};
	try(5, 1, &seen);
	cr_assert_eq(seen.rows, seen.all);
	cr_assert_gt(seen.told, 100);
}

Test(differing, nothing_without_two_snapshots)
{
	char dir[64];
	struct lives l;
	struct err e = {0};
	struct history *h;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	const char *path = dir;
	lives_dir(dir);
	lives_init(&l, 7, 20, 1000 * S, 2000 * S);
	const struct take take = {
		.dir = dir, .first_ns = 1100 * S, .last_ns = 1900 * S, .every_ns = 200 * S};
	lives_record(&l, &take);
	cr_assert_eq(history_open(&path, 1, &h, &e), 0, "%s", e.text);
	const struct vt_context context = {.history = h};
	cr_assert_eq(db_open(&context, &db, &e), 0, "%s", e.text);
	cr_assert_neq(db_prepare(db, "SELECT 1 FROM differing", &stmt, &e), 0);
	cr_assert_eq(count(db, "differing(0, 2)", 1, 2), count(db, "socket", 1, 2));
	cr_assert_eq(count(db, "differing(2, 1)", 1, 2), 0);
	cr_assert_eq(count(db, "differing(NULL, 99)", 1, 2), count(db, "socket", 1, 2));
	sqlite3_close(db);
	history_close(h);
	lives_fini(&l);
	lives_remove(dir);
}
