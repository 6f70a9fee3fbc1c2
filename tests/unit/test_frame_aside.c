/*
 * test_frame_aside.c - frames read by two threads show the same sockets as frames read by one; and
 * two threads are only made where there is enough to read.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen.h"
#include "rec_db.h"
#include "rec_read.h"
#include "rec_write.h"

#define SNAPSHOTS 24

static const struct rec_host host = {
	.boot_id = "boot-1", .hostname = "h", .kernel = "6.0", .arch = "x86_64", .facts = "{}"};

static void write_history(const char *path, uint32_t sockets)
{
	struct err e = {0};
	struct rec_writer *w = NULL;
	struct gen g;
	struct rec_writer_options options = {.key_every = 10};
	gen_init(&g, 11, sockets);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (int i = 0; i < SNAPSHOTS; i++) {
		struct rec_snapshot info = {.wall_begin_ns = 1 + i, .wall_end_ns = 2 + i};
		cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
		struct track *t = rec_writer_track(w);
		for (uint32_t k = 0; k < g.count; k++)
			cr_assert_eq(track_add(t, &g.rows[k], g.tick_ms, g.tick_ms + 8, &e), 0);
		cr_assert_eq(track_members(t, &e), 0);
		cr_assert_eq(rec_writer_commit(w, &info, "{}", &e), 0, "%s", e.text);
		gen_step(&g, 60, 80, 300, (unsigned)(i % 4 * 20));
	}
	rec_writer_close(w);
	gen_fini(&g);
}

static void check_same(const struct sockset *a, const struct sockset *b)
{
	cr_assert_eq(a->rows, b->rows);
	cr_assert_eq(memcmp(a->order, b->order, a->rows * sizeof(*a->order)), 0);
	for (unsigned g = 1; g < GRP_COUNT; g++) {
		cr_assert_eq(a->touched_count[g], b->touched_count[g]);
		for (uint32_t i = 0; i < a->rows; i++)
			cr_assert_eq(memcmp(sockset_block(a, g, a->order[i]),
					    sockset_block(b, g, a->order[i]),
					    column_groups[g].bytes),
				     0, "group %u, position %u", g, i);
	}
}

/* rec_walk_new_apart() reads by itself what rec_walk_new() may share. */
static void check_walks(const char *path, uint32_t groups)
{
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *one = NULL, *two = NULL;
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_new_apart(r, groups, true, &one, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_new(r, groups, true, &two, &e), 0, "%s", e.text);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		cr_assert_eq(rec_walk_to(one, i, &e), 0, "%s", e.text);
		cr_assert_eq(rec_walk_to(two, i, &e), 0, "%s", e.text);
		check_same(rec_walk_set(one), rec_walk_set(two));
	}
	rec_walk_free(one);
	rec_walk_free(two);
	rec_close(r);
}

/* One frame, read as `share` says: was a thread made for it? */
static bool makes_thread(const char *path, uint32_t groups, enum frame_share share)
{
	struct err e = {0};
	sqlite3 *db;
	sqlite3_stmt *stmt;
	struct rec_parts parts = {0};
	struct frame_scratch scratch = {.share = share};
	struct sockset set;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(rec_db_prepare(db, "SELECT bytes FROM snapshot WHERE id = 1", &stmt, &e), 0);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	uint64_t bytes = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	cr_assert_eq(rec_db_prepare(db, REC_SQL_GET_PARTS, &stmt, &e), 0, "%s", e.text);
	cr_assert_eq(rec_get_parts(stmt, 1, groups, bytes, &parts, &e), 0, "%s", e.text);
	sockset_init(&set, groups);
	cr_assert_eq(frame_apply(&set, parts.part, &scratch, &e), 0, "%s", e.text);
	bool made = scratch.aside;
	sockset_fini(&set);
	frame_scratch_fini(&scratch);
	rec_parts_fini(&parts);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return made;
}

Test(frame_aside, shows_what_one_thread_shows)
{
	char dir[] = "/tmp/socklapse-test-XXXXXX", path[64];
	const uint32_t few = GRP_BIT(state) | GRP_BIT(queue) | GRP_BIT(info);
	const bool processors = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.socklapse", dir);
	write_history(path, 1200);
	check_walks(path, GRP_ALL);
	check_walks(path, few);
	cr_assert_eq(makes_thread(path, GRP_ALL, FRAME_SHARE_AUTO), processors);
	cr_assert(!makes_thread(path, GRP_ALL, FRAME_SHARE_NEVER));
	cr_assert(!makes_thread(path, GRP_ALL & ~GRP_BIT(info), FRAME_SHARE_ALWAYS));
	cr_assert(!makes_thread(path, GRP_BIT(member) | GRP_BIT(info), FRAME_SHARE_AUTO));
	cr_assert_eq(unlink(path), 0);
	write_history(path, 20);
	cr_assert(!makes_thread(path, GRP_ALL, FRAME_SHARE_AUTO));
	cr_assert(makes_thread(path, GRP_ALL, FRAME_SHARE_ALWAYS));
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rmdir(dir), 0);
}
