/*
 * test_recording.c - what was written is what is read: random histories through the writer and
 * back, in order and at random, with and without damage.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "columns.h"
#include "gen.h"
#include "rec_db.h"
#include "rec_read.h"
#include "rec_write.h"

static const struct rec_host host = {.boot_id = "boot-1",
				     .hostname = "h",
				     .kernel = "6.0",
				     .arch = "x86_64",
				     .hz = 250,
				     .cpus = 2,
				     .facts = "{}"};

/* What was written, to be compared with. */
struct truth {
	struct sock_row *rows;
	uint32_t count;
};

static char dir[64];

static const char *new_path(void)
{
	static char path[96];
	snprintf(dir, sizeof(dir), "/tmp/socklapse-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.socklapse", dir);
	return path;
}

static void remove_dir(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static struct rec_writer *open_writer(const char *path, const struct rec_host *h)
{
	struct err e = {0};
	struct rec_writer *w = NULL;
	cr_assert_eq(rec_writer_open(path, h, NULL, &w, &e), 0, "%s", e.text);
	return w;
}

/* Gives the snapshot to the tracker; the truth gets ticks that fit what the reader will see. */
static void fill(struct rec_writer *w, const struct gen *g)
{
	struct err e = {0};
	cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
	struct track *t = rec_writer_track(w);
	for (uint32_t i = 0; i < g->count; i++) {
		uint64_t tick_ms = g->tick_ms + i / 10 * 4;
		cr_assert_eq(track_add(t, &g->rows[i], tick_ms, tick_ms + 8, &e), 0, "%s", e.text);
		if (i % 10 == 9)
			cr_assert_eq(track_batch(t, i, i + 5, &e), 0);
	}
	if (g->count)
		cr_assert_eq(track_add(t, &g->rows[g->count / 2], g->tick_ms, g->tick_ms, &e), 1);
	cr_assert_eq(track_members(t, &e), 0);
	for (uint32_t i = 0; i < g->count; i++)
		if (g->owners[i].owner_process)
			cr_assert_eq(track_owner(t, i, &g->owners[i], &e), 0);
}

static void commit(struct rec_writer *w)
{
	struct err e = {0};
	struct rec_snapshot info = {.wall_begin_ns = 1, .wall_end_ns = 2};
	cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
}

static struct truth remember(const struct gen *g)
{
	struct truth t = {.rows = malloc((g->count + 1) * sizeof(*g->rows)), .count = g->count};
	if (g->count)
		memcpy(t.rows, g->rows, g->count * sizeof(*g->rows));
	for (uint32_t i = 0; i < g->count; i++)
		t.rows[i].owner = g->owners[i];
	return t;
}

static void check(const struct sockset *set, const struct truth *t)
{
	cr_assert_eq(set->rows, t->count);
	for (uint32_t i = 0; i < t->count; i++) {
		struct sock_row row;
		sockset_row(set, i, &row);
		if (memcmp(&row, &t->rows[i], sizeof(row)) == 0)
			continue;
		for (unsigned k = 0; k < columns_count; k++) {
			const struct column *c = &columns[k];
			size_t at = column_groups[c->group].row_offset + (size_t)c->offset;
			cr_assert_eq(
				memcmp((uint8_t *)&row + at, (uint8_t *)&t->rows[i] + at, c->width),
				0, "row %u column %s", i, c->name);
		}
	}
}

#define SNAPSHOTS 40

static void write_history(const char *path, uint64_t seed, uint32_t rows, bool reopen,
			  struct truth *truths)
{
	struct gen g;
	gen_init(&g, seed, rows);
	struct rec_writer *w = open_writer(path, &host);
	for (int i = 0; i < SNAPSHOTS; i++) {
		if (reopen && i % 5 == 3) {
			rec_writer_close(w);
			w = open_writer(path, &host);
		}
		if (i % 7 == 4) { /* a snapshot that is given up leaves no trace */
			fill(w, &g);
			rec_writer_abandon(w);
		}
		if (i % 7 == 6) { /* nor does one that was packed: packing learns from all before */
			struct frame_part parts[PART_COUNT];
			struct err e = {0};
			fill(w, &g);
			cr_assert_eq(track_encode(rec_writer_track(w), 6, parts, &e), 0);
			rec_writer_abandon(w);
		}
		fill(w, &g);
		commit(w);
		truths[i] = remember(&g);
		gen_step(&g, i % 10 == 9 ? 900 : 30, i % 10 == 0 ? 900 : 40, i % 3 * 100,
			 i % 4 * 5);
	}
	rec_writer_close(w);
	gen_fini(&g);
}

static void check_history(const char *path, const struct truth *truths)
{
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *walk = NULL;
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_new(r, GRP_ALL, true, &walk, &e), 0, "%s", e.text);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		cr_assert_eq(rec_walk_to(walk, i, &e), 0, "%s", e.text);
		check(rec_walk_set(walk), &truths[i]);
	}
	struct gen g = {.seed = 7};
	for (int i = 0; i < 30; i++) {
		size_t to = gen_random(&g) % SNAPSHOTS;
		cr_assert_eq(rec_walk_to(walk, to, &e), 0, "%s", e.text);
		check(rec_walk_set(walk), &truths[to]);
	}
	rec_walk_free(walk);
	rec_close(r);
}

static void forget(struct truth *truths)
{
	for (int i = 0; i < SNAPSHOTS; i++)
		free(truths[i].rows);
}

Test(recording, what_was_written_is_read)
{
	static const uint32_t sizes[] = {0, 1, 7, 300};
	for (size_t i = 0; i < 4; i++) {
		struct truth truths[SNAPSHOTS];
		const char *path = new_path();
		write_history(path, i + 1, sizes[i], false, truths);
		check_history(path, truths);
		forget(truths);
		remove_dir();
	}
}

Test(recording, one_shot_runs_continue_the_chain)
{
	struct truth truths[SNAPSHOTS];
	const char *path = new_path();
	write_history(path, 11, 150, true, truths);
	check_history(path, truths);
	struct err e = {0};
	struct rec *r = NULL;
	cr_assert_eq(rec_open(path, &r, &e), 0);
	size_t n;
	const struct rec_snapshot *s = rec_snapshots(r, &n);
	unsigned keys = 0;
	for (size_t i = 0; i < n; i++)
		keys += s[i].key;
	cr_assert_lt(keys, n / 2, "%u of %zu are key frames", keys, n);
	rec_close(r);
	forget(truths);
	remove_dir();
}

Test(recording, one_group_can_be_read_without_the_others)
{
	struct truth truths[SNAPSHOTS];
	const char *path = new_path();
	write_history(path, 21, 100, false, truths);
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *walk = NULL;
	cr_assert_eq(rec_open(path, &r, &e), 0);
	cr_assert_eq(rec_walk_new(r, GRP_BIT(state), false, &walk, &e), 0);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		cr_assert_eq(rec_walk_to(walk, i, &e), 0, "%s", e.text);
		const struct sockset *set = rec_walk_set(walk);
		cr_assert_eq(set->rows, truths[i].count);
		for (uint32_t k = 0; k < set->rows; k++)
			cr_assert_eq(SLOT_GROUP(set, set->order[k], state)->state,
				     truths[i].rows[k].state.state);
		cr_assert_null(set->block[GRP_ID_info]);
	}
	rec_walk_free(walk);
	rec_close(r);
	forget(truths);
	remove_dir();
}

Test(recording, a_boot_begins_with_a_key_frame)
{
	const char *path = new_path();
	struct gen g;
	gen_init(&g, 3, 10);
	struct rec_host other = host;
	other.boot_id = "boot-2";
	for (int i = 0; i < 2; i++) {
		struct rec_writer *w = open_writer(path, i ? &other : &host);
		fill(w, &g);
		cr_assert(track_is_key(rec_writer_track(w)));
		commit(w);
		rec_writer_close(w);
	}
	gen_fini(&g);
	remove_dir();
}

Test(recording, the_first_snapshot_after_a_boot_says_so)
{
	static const char *const boots[] = {"boot-1", "boot-1", "boot-2", "boot-2", "boot-1"};
	static const bool says_so[] = {false, false, true, false, false, false, true};
	const char *path = new_path();
	struct gen g;
	struct err e = {0};
	struct rec *r = NULL;
	size_t count, n = 0;
	gen_init(&g, 3, 10);
	for (size_t i = 0; i < sizeof(boots) / sizeof(boots[0]); i++) {
		struct rec_host h = host;
		h.boot_id = boots[i];
		struct rec_writer *w = open_writer(path, &h);
		for (size_t k = 0; k < (i == 2 ? 3 : 1); k++) {
			fill(w, &g);
			commit(w);
		}
		rec_writer_close(w);
	}
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	const struct rec_snapshot *all = rec_snapshots(r, &count);
	cr_assert_eq(count, sizeof(says_so) / sizeof(says_so[0]));
	for (; n < count; n++)
		cr_assert_eq(all[n].flags, says_so[n] ? SNAP_REBOOT : 0, "%zu", n);
	rec_close(r);
	gen_fini(&g);
	remove_dir();
}

Test(recording, rows_are_written_once_and_processes_end)
{
	const char *path = new_path();
	struct err e = {0};
	struct rec_process p = {.pid = 5, .start_ticks = 9, .ppid = 1, .uid = -1, .comm = "a) b\n"};
	uint32_t first = 0;
	uint32_t second = 0;
	struct rec_writer *w = open_writer(path, &host);
	for (int i = 0; i < 3; i++) {
		uint32_t text;
		cr_assert_eq(rec_writer_begin(w, &e), 0);
		cr_assert_eq(rec_writer_text(w, "cubic", 5, &text, &e), 0);
		cr_assert_eq(text, 1);
		cr_assert_eq(rec_writer_netns(w, 77, "blue", &text, &e), 0);
		cr_assert_eq(text, 1);
		if (i < 2)
			cr_assert_eq(rec_writer_process(w, &p, i ? &second : &first, &e), 0);
		cr_assert_eq(rec_writer_counter(w, 1, "Tcp.ActiveOpens", 10 + i / 2, &e), 0);
		cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
		commit(w);
	}
	cr_assert_eq(first, second);
	rec_writer_close(w);
	sqlite3 *db;
	sqlite3_stmt *stmt;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db,
					"SELECT comm, uid IS NULL, first_snapshot, last_snapshot, "
					"(SELECT count(*) FROM counter_value) FROM process",
					-1, &stmt, NULL),
		     SQLITE_OK);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	cr_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), "a) b\n");
	cr_assert_eq(sqlite3_column_int(stmt, 1), 1);
	cr_assert_eq(sqlite3_column_int(stmt, 2), 1);
	cr_assert_eq(sqlite3_column_int(stmt, 3), 2);
	cr_assert_eq(sqlite3_column_int(stmt, 4), 2);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	remove_dir();
}

/* Any single flipped byte in any frame: an error or (never seen) the same rows, no crash. */
Test(recording, a_flipped_byte_is_noticed)
{
	struct truth truths[SNAPSHOTS];
	const char *path = new_path();
	write_history(path, 31, 20, false, truths);
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db,
				  "UPDATE frame SET bytes = CAST(substr(bytes, 1, 5) || x'aa' || "
				  "substr(bytes, 7) AS BLOB) WHERE id = 10 * 16 + 5",
				  NULL, NULL, NULL),
		     SQLITE_OK);
	cr_assert_eq(sqlite3_changes(db), 1);
	sqlite3_close(db);
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *walk = NULL;
	cr_assert_eq(rec_open(path, &r, &e), 0);
	cr_assert_eq(rec_walk_new(r, GRP_ALL, true, &walk, &e), 0);
	cr_assert_eq(rec_walk_to(walk, 8, &e), 0);
	check(rec_walk_set(walk), &truths[8]);
	cr_assert_eq(rec_walk_to(walk, 9, &e), ERR_CORRUPT);
	cr_assert_not_null(strstr(e.text, "a.socklapse: snapshot 10: part 5 fails its checksum"),
			   "%s", e.text);
	rec_walk_free(walk);
	rec_close(r);
	forget(truths);
	remove_dir();
}

Test(recording, files_that_are_not_ours)
{
	const char *path = new_path();
	struct err e = {0};
	struct rec *r = NULL;
	cr_assert_eq(rec_open(path, &r, &e), ERR_NOT_FOUND);
	FILE *f = fopen(path, "w");
	fclose(f);
	cr_assert_eq(rec_open(path, &r, &e), ERR_NOT_OURS);
	cr_assert_not_null(strstr(e.text, "empty"));
	f = fopen(path, "w");
	fputs("hello, this is not a database, it is a text that is longer than a header of SQLite, "
	      "which has one hundred bytes",
	      f);
	fclose(f);
	cr_assert_eq(rec_open(path, &r, &e), ERR_NOT_OURS);
	struct rec_writer *w = NULL;
	cr_assert_eq(rec_writer_open(path, &host, NULL, &w, &e), ERR_NOT_OURS);
	remove_dir();
}

Test(recording, a_future_format_is_refused)
{
	const char *path = new_path();
	struct err e = {0};
	rec_writer_close(open_writer(path, &host));
	static const char *const futures[] = {
		"UPDATE format SET incompatible = 2",
		"UPDATE format SET incompatible = 0; PRAGMA user_version = 2",
		"UPDATE format SET version = 2; PRAGMA user_version = 1",
	};
	for (size_t i = 0; i < 3; i++) {
		sqlite3 *db;
		cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
		cr_assert_eq(sqlite3_exec(db, futures[i], NULL, NULL, NULL), 0);
		sqlite3_close(db);
		struct rec *r = NULL;
		cr_assert_eq(rec_open(path, &r, &e), ERR_FUTURE, "%s", futures[i]);
		struct rec_writer *w = NULL;
		cr_assert_eq(rec_writer_open(path, &host, NULL, &w, &e), ERR_FUTURE, "%s",
			     futures[i]);
	}
	remove_dir();
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

Test(recording, a_missing_snapshot_is_told_up_to_the_next_key)
{
	struct truth truths[SNAPSHOTS];
	const char *path = new_path();
	write_history(path, 41, 20, false, truths);
	run_sql(path, "DELETE FROM snapshot WHERE id = 3; DELETE FROM frame WHERE id / 16 = 3");
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *walk = NULL;
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_new(r, GRP_ALL, true, &walk, &e), 0);
	cr_assert_eq(rec_walk_to(walk, 1, &e), 0, "%s", e.text);
	check(rec_walk_set(walk), &truths[1]);
	cr_assert_eq(rec_walk_to(walk, 2, &e), ERR_CORRUPT);
	cr_assert_not_null(strstr(e.text, "the one before it is missing"), "%s", e.text);
	rec_walk_free(walk);
	rec_close(r);
	forget(truths);
	remove_dir();
}

/* SQLite would delete the file that the journal's end names. */
Test(recording, a_journal_that_names_another_file_is_refused)
{
	const char *path = new_path();
	char journal[128];
	rec_writer_close(open_writer(path, &host));
	snprintf(journal, sizeof(journal), "%s-journal", path);
	FILE *f = fopen(journal, "w");
	fputs("some pages, then the name, then \xd9\xd5\x05\xf9\x20\xa1\x63\xd7", f);
	fclose(f);
	struct err e = {0};
	cr_assert_eq(rec_db_check_journal(path, &e), ERR_CORRUPT);
	struct rec_writer *w = NULL;
	cr_assert_eq(rec_writer_open(path, &host, NULL, &w, &e), ERR_CORRUPT, "%s", e.text);
	remove_dir();
}

Test(recording, a_view_in_a_tables_place_is_refused)
{
	const char *path = new_path();
	struct err e = {0};
	struct rec *r = NULL;
	rec_writer_close(open_writer(path, &host));
	run_sql(path,
		"ALTER TABLE format RENAME TO f2; CREATE VIEW format AS WITH RECURSIVE c(x) AS "
		"(SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) AS version, 0 AS "
		"incompatible, 0 AS compatible FROM c");
	cr_assert_eq(rec_open(path, &r, &e), ERR_CORRUPT);
	cr_assert_not_null(strstr(e.text, "its format is not a table"), "%s", e.text);
	remove_dir();
}

/* The value of a one-cell query. */
static int64_t cell(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	int64_t v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return v;
}

Test(recording, names_that_change_and_change_back_are_kept)
{
	static const char *const names[] = {"eth0", "wan0", "eth0", "eth0"};
	const char *path = new_path();
	struct err e = {0};
	struct rec_writer *w = open_writer(path, &host);
	for (int i = 0; i < 4; i++) {
		uint32_t netns;
		cr_assert_eq(rec_writer_begin(w, &e), 0);
		cr_assert_eq(rec_writer_netns(w, 7, i ? names[i] : NULL, &netns, &e), 0);
		cr_assert_eq(rec_writer_interface(w, netns, 2, names[i], &e), 0);
		cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
		commit(w);
	}
	rec_writer_close(w);
	cr_assert_eq(cell(path, "SELECT count(*) FROM interface"), 3);
	cr_assert_eq(cell(path, "SELECT name = 'eth0' FROM interface ORDER BY first_snapshot DESC"),
		     1);
	cr_assert_eq(cell(path, "SELECT name = 'eth0' FROM netns"), 1);
	cr_assert_eq(cell(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	remove_dir();
}

Test(recording, gaps_for_one_reason_that_follow_each_other_are_one_row)
{
	static const struct {
		int64_t begin_s, end_s, count;
		const char *why;
		int64_t rows, row_count, row_begin_s, row_end_s; /* of its reason's last row */
	} steps[] = {
		{100, 110, 2, "slow", 1, 2, 100, 110},
		{115, 120, 1, "slow", 1, 3, 100, 120},
		{121, 121, 1, "skipped", 2, 1, 121, 121},
		{130, 140, 1, "slow", 2, 4, 100, 140},
		{122, 122, 1, "skipped", 2, 2, 121, 122},
		{1041, 1041, 1, "slow", 3, 1, 1041, 1041},
		{1000, 1045, 1, "slow", 3, 2, 1000, 1045}, /* and a little out of order */
		{90, 91, 1, "slow", 4, 1, 90, 91},	   /* the clock was set back */
	};
	const char *path = new_path();
	struct err e = {0};
	const int64_t s_ns = 1000000000;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		char sql[160];
		struct rec_writer *w = open_writer(path, &host); /* one-shot runs merge, too */
		const struct rec_gap gap = {.begin_ns = steps[i].begin_s * s_ns,
					    .end_ns = steps[i].end_s * s_ns,
					    .count = steps[i].count,
					    .why = steps[i].why};
		cr_assert_eq(rec_writer_gap(w, &gap, &e), 0, "%s", e.text);
		rec_writer_close(w);
		cr_assert_eq(cell(path, "SELECT count(*) FROM event"), steps[i].rows, "%zu", i);
		static const char *const names[] = {"count", "wall_ns / 1000000000",
						    "end_ns / 1000000000"};
		const int64_t want[] = {steps[i].row_count, steps[i].row_begin_s,
					steps[i].row_end_s};
		for (size_t k = 0; k < 3; k++) {
			snprintf(sql, sizeof(sql),
				 "SELECT %s FROM event WHERE text = '%s' ORDER BY id DESC LIMIT 1",
				 names[k], steps[i].why);
			cr_assert_eq(cell(path, sql), want[k], "%zu %s", i, names[k]);
		}
	}
	remove_dir();
}

static void take_process(struct rec_writer *w, const struct rec_process *p, uint32_t flags)
{
	struct err e = {0};
	uint32_t row;
	struct rec_snapshot info = {.wall_begin_ns = 1, .wall_end_ns = 2, .flags = flags};
	cr_assert_eq(rec_writer_begin(w, &e), 0);
	if (p)
		cr_assert_eq(rec_writer_process(w, p, &row, &e), 0, "%s", e.text);
	cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
	cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
}

/* Its last snapshot is one that looked at all processes, not one in which nobody did. */
Test(recording, a_process_ends_where_it_was_last_looked_for)
{
	const struct rec_process p = {.pid = 5, .start_ticks = 9, .ppid = 1, .uid = 0, .comm = "a"};
	const struct rec_process q = {.pid = 6, .start_ticks = 9, .ppid = 1, .uid = 0, .comm = "b"};
	for (int reopen = 0; reopen < 2; reopen++) {
		const char *path = new_path();
		static const uint32_t flags[] = {0, 0, SNAP_NO_OWNERS, SNAP_CUT, 0};
		struct rec_writer *w = open_writer(path, &host);
		for (int i = 0; i < 5; i++) {
			take_process(w, i < 2 ? &p : i == 3 ? &q : NULL, flags[i]);
			if (reopen) {
				rec_writer_close(w);
				w = open_writer(path, &host);
			}
		}
		rec_writer_close(w);
		cr_assert_eq(cell(path, "SELECT last_snapshot FROM process WHERE pid = 5"), 2);
		cr_assert_eq(cell(path, "SELECT last_snapshot FROM process WHERE pid = 6"), 4,
			     "its first, when nobody looked at all");
		remove_dir();
	}
}

Test(recording, processes_end_with_their_boot)
{
	const struct rec_process p = {.pid = 5, .start_ticks = 9, .ppid = 1, .uid = 0, .comm = "a"};
	const char *path = new_path();
	struct rec_host other = host;
	other.boot_id = "boot-2";
	struct rec_writer *w = open_writer(path, &host);
	take_process(w, &p, 0);
	take_process(w, &p, 0);
	take_process(w, NULL, SNAP_NO_OWNERS);
	rec_writer_close(w);
	w = open_writer(path, &other);
	take_process(w, &p, SNAP_NO_OWNERS);
	rec_writer_close(w);
	cr_assert_eq(cell(path, "SELECT count(*) FROM process"), 2);
	cr_assert_eq(cell(path, "SELECT last_snapshot FROM process WHERE id = 1"), 2);
	cr_assert_eq(cell(path, "SELECT last_snapshot IS NULL FROM process WHERE id = 2"), 1);
	remove_dir();
}

Test(recording, a_lost_part_is_noticed)
{
	struct truth truths[SNAPSHOTS];
	const char *path = new_path();
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *walk = NULL;
	write_history(path, 51, 200, false, truths);
	run_sql(path,
		"DELETE FROM frame WHERE id = (SELECT max(id) FROM frame WHERE id / 16 = 11)");
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	/* Whatever group one asks for. */
	cr_assert_eq(rec_walk_new(r, GRP_BIT(state), false, &walk, &e), 0);
	cr_assert_eq(rec_walk_to(walk, 9, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_to(walk, 10, &e), ERR_CORRUPT);
	cr_assert_not_null(strstr(e.text, "one is lost"), "%s", e.text);
	rec_walk_free(walk);
	rec_close(r);
	forget(truths);
	remove_dir();
}

/* A row of snapshot that is not what its frame is: nothing is built upon that. */
Test(recording, a_chain_that_is_not_what_its_rows_say_is_left)
{
	static const char *const lies[] = {
		"UPDATE snapshot SET sockets = sockets + 1 WHERE id = 3",
		"UPDATE snapshot SET key = 0 WHERE id = 1",
		"UPDATE snapshot SET bytes = bytes - 1 WHERE id = 2",
		"DELETE FROM snapshot WHERE id = 2",
	};
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const char *path = new_path();
		struct gen g;
		gen_init(&g, 3, 50);
		struct rec_writer *w = open_writer(path, &host);
		for (int n = 0; n < 4; n++) {
			fill(w, &g);
			cr_assert_eq(track_is_key(rec_writer_track(w)), n == 0);
			commit(w);
			gen_step(&g, 30, 40, 100, 5);
		}
		rec_writer_close(w);
		run_sql(path, lies[i]);
		w = open_writer(path, &host);
		fill(w, &g);
		cr_assert(track_is_key(rec_writer_track(w)), "%s", lies[i]);
		commit(w);
		rec_writer_close(w);
		gen_fini(&g);
		remove_dir();
	}
}

/* Sockets so much alike that their frame has hardly any bytes are read all the same. */
Test(recording, sockets_that_are_much_alike)
{
	const char *path = new_path();
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *walk = NULL;
	struct rec_writer *w = open_writer(path, &host);
	cr_assert_eq(rec_writer_begin(w, &e), 0);
	for (uint64_t i = 0; i < 100000; i++) {
		struct sock_row row;
		memset(&row, 0, sizeof(row));
		row.member.proto = PROTO_UNIX;
		row.member.cookie = 1 + i;
		cr_assert_eq(track_add(rec_writer_track(w), &row, 1, 1, &e), 0, "%s", e.text);
	}
	cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
	commit(w);
	rec_writer_close(w);
	cr_assert_eq(cell(path, "SELECT sum(length(bytes)) FROM frame WHERE id = 16 + 13") > 500, 1,
		     "it is padded");
	cr_assert_eq(rec_open(path, &r, &e), 0);
	cr_assert_eq(rec_walk_new(r, GRP_ALL, true, &walk, &e), 0);
	cr_assert_eq(rec_walk_to(walk, 0, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_set(walk)->rows, 100000);
	rec_walk_free(walk);
	rec_close(r);
	/* And somebody else's, who says so much in so few bytes, are not. */
	run_sql(path, "UPDATE snapshot SET bytes = bytes - (SELECT length(bytes) FROM frame WHERE "
		      "id = 16 + 13); DELETE FROM frame WHERE id = 16 + 13");
	cr_assert_eq(rec_open(path, &r, &e), 0);
	cr_assert_eq(rec_walk_new(r, GRP_ALL, true, &walk, &e), 0);
	cr_assert_eq(rec_walk_to(walk, 0, &e), ERR_CORRUPT);
	cr_assert_not_null(strstr(e.text, "more new sockets than its bytes"), "%s", e.text);
	rec_walk_free(walk);
	rec_close(r);
	remove_dir();
}

/* Another time zone or version of the recorder makes a new row of host, not new processes. */
Test(recording, processes_outlive_a_change_of_facts)
{
	const char *path = new_path();
	struct err e = {0};
	struct rec_host other = host;
	struct rec_process p = {.pid = 5, .start_ticks = 9, .ppid = 1, .uid = 0, .comm = "a"};
	uint32_t process[2];
	uint32_t netns[2];
	other.facts = "{\"tcp_fin_timeout\":30}";
	for (int i = 0; i < 2; i++) {
		struct rec_writer *w = open_writer(path, i ? &other : &host);
		cr_assert_eq(rec_writer_begin(w, &e), 0);
		cr_assert_eq(rec_writer_process(w, &p, &process[i], &e), 0);
		cr_assert_eq(rec_writer_netns(w, 7, NULL, &netns[i], &e), 0);
		cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
		commit(w);
		rec_writer_close(w);
	}
	cr_assert_eq(process[0], process[1]);
	cr_assert_eq(netns[0], netns[1]);
	cr_assert_eq(cell(path, "SELECT count(*) FROM host"), 2);
	remove_dir();
}

/* Somebody holds the file when the snapshot begins: the change is stored by the next one. */
Test(recording, a_counter_survives_a_busy_file)
{
	const char *path = new_path();
	struct err e = {0};
	struct rec_writer_options options = {.busy_ms = 10};
	struct rec_writer *w = NULL;
	sqlite3 *db;
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), 0);
		cr_assert_eq(rec_writer_begin(w, &e), 0);
		int rc = rec_writer_counter(w, 1, "Tcp.ActiveOpens", i ? 11 : 10, &e);
		cr_assert_eq(rc, i == 1 ? ERR_BUSY : 0, "%s", e.text);
		if (rc) {
			rec_writer_abandon(w);
			cr_assert_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), 0);
			continue;
		}
		cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
		commit(w);
	}
	sqlite3_close(db);
	rec_writer_close(w);
	cr_assert_eq(cell(path, "SELECT max(value) FROM counter_value"), 11);
	remove_dir();
}
