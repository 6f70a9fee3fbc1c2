/*
 * test_history_ahead.c - a walk decoded ahead by a thread shows the same snapshots, to the byte, as
 * one without: across files, key frames, damage and groups that are left out.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen.h"
#include "history_ahead.h"
#include "lives.h"
#include "rec_write.h"

#define S	  INT64_C(1000000000)
#define SNAPSHOTS 40

static const uint32_t kinds[] = {
	GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(owner),
	GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue) | GRP_BIT(evidence) | REC_TURNS,
	GRP_ALL,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct rec_host host = {
	.boot_id = "boot-1", .hostname = "h", .kernel = "6.0", .arch = "x86_64", .facts = "{}"};

static void write_snapshot(struct rec_writer *w, const struct gen *g, int64_t at_ns)
{
	struct err e = {0};
	struct rec_snapshot info = {.wall_begin_ns = at_ns,
				    .wall_end_ns = at_ns + 1,
				    .boot_begin_ns = at_ns,
				    .boot_end_ns = at_ns + 1};
	cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
	struct track *t = rec_writer_track(w);
	for (uint32_t i = 0; i < g->count; i++)
		cr_assert_eq(track_add(t, &g->rows[i], g->tick_ms, g->tick_ms + 8, &e), 0);
	cr_assert_eq(track_members(t, &e), 0);
	for (uint32_t i = 0; i < g->count; i++)
		cr_assert_eq(track_owner(t, i, &g->owners[i], &e), 0, "%s", e.text);
	cr_assert_eq(rec_writer_commit(w, &info, "{}", &e), 0, "%s", e.text);
}

/* One file, sockets with random values in all columns. */
static void write_file(const char *path, uint64_t seed, int64_t begin_ns)
{
	struct err e = {0};
	struct rec_writer *w = NULL;
	struct gen g;
	struct rec_writer_options options = {.key_every = 12};
	gen_init(&g, seed, 60);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (int i = 0; i < SNAPSHOTS; i++) {
		write_snapshot(w, &g, begin_ns + i * S);
		gen_step(&g, 60, 80, 300, (unsigned)(i % 4 * 20));
	}
	rec_writer_close(w);
	gen_fini(&g);
}

static void damage(const char *path, const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	cr_assert_gt(sqlite3_changes(db), 0);
	sqlite3_close(db);
}

/* Two files; the second has lost a part in the middle of a chain. */
static struct history *make_history(const char *dir)
{
	char path[96];
	struct history *h = NULL;
	struct err e = {0};
	snprintf(path, sizeof(path), "%s/a.socklapse", dir);
	write_file(path, 7, 1000 * S);
	snprintf(path, sizeof(path), "%s/b.socklapse", dir);
	write_file(path, 8, 2000 * S);
	damage(path, "UPDATE frame SET crc = crc + 1 WHERE id = 20 * 16 + 2");
	cr_assert_eq(history_open(&dir, 1, &h, &e), 0, "%s", e.text);
	return h;
}

#define SAME_LIST(a, b, list, count)                                                               \
	do {                                                                                       \
		cr_assert_eq((a)->count, (b)->count);                                              \
		cr_assert(!(a)->count ||                                                           \
			  !memcmp((a)->list, (b)->list, (a)->count * sizeof(*(a)->list)));         \
	} while (0)

/* Of groups that are left out only what the turn part tells means anything (sockset.h). */
static bool is_told(const struct sockset *set, unsigned group, uint32_t position)
{
	uint32_t slot = set->order[position];
	const struct turn *turn = sockset_turn(set, position);
	bool tells = group != GRP_ID_evidence || (SLOT_GROUP(set, slot, state)->has & HAS_INFO);
	if (!(set->left_out & 1u << group))
		return true;
	if (turn)
		return (turn->told & TURN_NOW) && tells;
	return sockset_is_born(set, position) &&
	       SLOT_GROUP(set, slot, member)->proto == PROTO_TCP && tells;
}

static void check_rows(const struct sockset *a, const struct sockset *b)
{
	cr_assert_eq(a->rows, b->rows);
	cr_assert_eq(memcmp(a->order, b->order, a->rows * sizeof(*a->order)), 0);
	for (unsigned g = 1; g < GRP_COUNT; g++)
		for (uint32_t i = 0; (a->groups & 1u << g) && i < a->rows; i++)
			cr_assert(!is_told(a, g, i) || memcmp(sockset_block(a, g, a->order[i]),
							      sockset_block(b, g, a->order[i]),
							      column_groups[g].bytes) == 0,
				  "group %u, position %u", g, i);
}

static void check_turns(const struct sockset *a, const struct sockset *b)
{
	cr_assert_eq(a->turns_count, b->turns_count);
	for (uint32_t i = 0; i < a->turns_count; i++) {
		cr_assert_eq(a->turns[i].position, b->turns[i].position);
		cr_assert_eq(a->turns[i].told, b->turns[i].told);
	}
}

static void check_sets(const struct sockset *a, const struct sockset *b)
{
	cr_assert_eq(a->is_key, b->is_key);
	cr_assert_eq(a->left_out, b->left_out);
	cr_assert_eq(a->slots, b->slots);
	SAME_LIST(a, b, born, born_count);
	SAME_LIST(a, b, died, died_count);
	for (unsigned g = 1; g < GRP_COUNT; g++)
		SAME_LIST(a, b, touched[g], touched_count[g]);
	cr_assert_eq(a->ticks_count, b->ticks_count);
	cr_assert_eq(a->batches_count, b->batches_count);
	for (uint32_t i = 0; i < a->rows; i++)
		cr_assert_eq(sockset_tick(a, i), sockset_tick(b, i));
	check_turns(a, b);
	check_rows(a, b);
}

static void check_gaps(const struct history_walk *walk, const struct history_ahead *ahead)
{
	size_t n[2], missed[2];
	const struct history_gap *a = history_walk_gaps(walk, &n[0], &missed[0]);
	const struct history_gap *b = history_ahead_gaps(ahead, &n[1], &missed[1]);
	cr_assert_eq(n[0], n[1]);
	cr_assert_eq(missed[0], missed[1]);
	for (size_t i = 0; i < n[0]; i++) {
		cr_assert_eq(a[i].first, b[i].first);
		cr_assert_eq(a[i].last, b[i].last);
		cr_assert_str_eq(a[i].why.text, b[i].why.text);
	}
}

static void compare_from(struct history *h, uint32_t groups, size_t first)
{
	struct history_walk *walk;
	struct history_ahead *ahead;
	struct err e = {0};
	int rc = 1;
	cr_assert_eq(history_walk_new(h, groups, true, first, SIZE_MAX, &walk, &e), 0);
	cr_assert_eq(history_ahead_new(h, groups, true, first, SIZE_MAX, true, &ahead, &e), 0);
	while (rc > 0) {
		rc = history_walk_next(walk, &e);
		cr_assert_eq(history_ahead_next(ahead, &e), rc, "%s", e.text);
		check_gaps(walk, ahead);
		if (rc <= 0)
			break;
		cr_assert_eq(history_ahead_index(ahead), history_walk_index(walk));
		cr_assert_eq(history_ahead_step(ahead), history_walk_step(walk));
		check_sets(history_walk_set(walk), history_ahead_set(ahead));
	}
	size_t gaps, missed;
	history_walk_gaps(walk, &gaps, &missed);
	cr_assert_gt(gaps, 0);
	cr_assert_eq(history_ahead_next(ahead, &e), 0, "and again");
	history_ahead_free(ahead);
	history_walk_free(walk);
}

Test(history_ahead, shows_what_a_walk_shows)
{
	char dir[64];
	lives_dir(dir);
	struct history *h = make_history(dir);
	for (size_t i = 0; i < KINDS; i++)
		compare_from(h, kinds[i], 0);
	history_close(h);
	lives_remove(dir);
}

/* The key frame before the first snapshot is decoded, too. */
Test(history_ahead, begins_in_the_middle_of_a_chain)
{
	char dir[64];
	lives_dir(dir);
	struct history *h = make_history(dir);
	for (size_t i = 0; i < KINDS; i++)
		compare_from(h, kinds[i], 5);
	history_close(h);
	lives_remove(dir);
}

/* Two recordings of the same time: each has its own sockets, and snapshots in turn. */
Test(history_ahead, shows_recordings_side_by_side)
{
	char dir[64], path[96];
	struct history *h = NULL;
	struct err e = {0};
	lives_dir(dir);
	snprintf(path, sizeof(path), "%s/a.socklapse", dir);
	write_file(path, 7, 1000 * S);
	snprintf(path, sizeof(path), "%s/b.socklapse", dir);
	write_file(path, 8, 1000 * S + S / 2);
	damage(path, "UPDATE frame SET crc = crc + 1 WHERE id = 20 * 16 + 2");
	const char *dirs = dir;
	cr_assert_eq(history_open(&dirs, 1, &h, &e), 0, "%s", e.text);
	for (size_t i = 0; i < KINDS; i++)
		compare_from(h, kinds[i], 7);
	history_close(h);
	lives_remove(dir);
}

Test(history_ahead, can_be_left_at_any_time)
{
	char dir[64];
	lives_dir(dir);
	struct history *h = make_history(dir);
	for (unsigned steps = 0; steps < 8; steps++) {
		struct history_ahead *ahead;
		struct err e = {0};
		cr_assert_eq(history_ahead_new(h, GRP_ALL, true, 3, SIZE_MAX, true, &ahead, &e), 0);
		for (unsigned i = 0; i < steps; i++)
			cr_assert_eq(history_ahead_next(ahead, &e), 1, "%s", e.text);
		cr_assert(!steps || history_ahead_index(ahead) == 2 + steps);
		history_ahead_free(ahead);
	}
	history_close(h);
	lives_remove(dir);
}

/* What was opened is read, although another file has its name now, or none. */
Test(history_ahead, reads_the_file_that_was_opened)
{
	char dir[64], path[96], other[96];
	lives_dir(dir);
	struct history *h = make_history(dir);
	snprintf(path, sizeof(path), "%s/a.socklapse", dir);
	snprintf(other, sizeof(other), "%s/b.socklapse", dir);
	cr_assert_eq(rename(other, path), 0);
	compare_from(h, GRP_ALL, 0);
	history_close(h);
	lives_remove(dir);
}
