/*
 * test_turns.c - the turn parts tell what they should (FORMAT.md section 5.7): a walk that leaves
 * the queue and evidence parts out knows the same of every row around a change of state as one
 * that reads everything.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "columns.h"
#include "gen.h"
#include "rec_db.h"
#include "rec_read.h"
#include "rec_write.h"

#define SNAPSHOTS 40
#define WHOLE	  (GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue) | GRP_BIT(evidence))

static const struct rec_host host = {
	.boot_id = "boot-1", .hostname = "h", .kernel = "6.0", .arch = "x86_64", .facts = "{}"};

static void write_snapshot(struct rec_writer *w, const struct gen *g)
{
	struct err e = {0};
	struct rec_snapshot info = {.wall_begin_ns = 1, .wall_end_ns = 2};
	cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
	struct track *t = rec_writer_track(w);
	for (uint32_t i = 0; i < g->count; i++)
		cr_assert_eq(track_add(t, &g->rows[i], g->tick_ms, g->tick_ms + 8, &e), 0);
	cr_assert_eq(track_members(t, &e), 0);
	cr_assert_eq(rec_writer_commit(w, &info, "{}", &e), 0, "%s", e.text);
}

static void write_history(const char *path, uint64_t seed)
{
	struct err e = {0};
	struct rec_writer *w = NULL;
	struct gen g;
	struct rec_writer_options options = {.key_every = 12};
	gen_init(&g, seed, 60);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (int i = 0; i < SNAPSHOTS; i++) {
		write_snapshot(w, &g);
		gen_step(&g, 60, 80, 300, i % 4 * 20);
	}
	rec_writer_close(w);
	gen_fini(&g);
}

/* Columns of both groups that `state` says are there. */
static void check_values(const struct row_state *state, const void *queue, const void *evidence,
			 const struct sockset *truth, uint32_t slot)
{
	for (unsigned i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		if ((c->group != GRP_ID_queue && c->group != GRP_ID_evidence) ||
		    !column_present(c, state->has, state->info_bytes))
			continue;
		cr_assert_eq(column_load(c, c->group == GRP_ID_queue ? queue : evidence),
			     column_load(c, sockset_block(truth, c->group, slot)), "%s", c->name);
	}
}

static void check_now(const struct sockset *set, const struct sockset *truth, uint32_t position)
{
	uint32_t slot = set->order[position];
	check_values(SLOT_GROUP(truth, slot, state), SLOT_GROUP(set, slot, queue),
		     SLOT_GROUP(set, slot, evidence), truth, slot);
}

/* What a survivor was in the snapshot before, by slot: the same in both walks. */
struct before {
	struct row_state *state;
	struct turn_values *values;
	size_t state_cap, values_cap;
};

static void remember(const struct sockset *truth, struct before *b)
{
	cr_assert_eq(ARRAY_NEED(b->state, b->state_cap, truth->slots + 1u), 0);
	cr_assert_eq(ARRAY_NEED(b->values, b->values_cap, truth->slots + 1u), 0);
	for (uint32_t i = 0; i < truth->rows; i++) {
		uint32_t slot = truth->order[i];
		b->state[slot] = *SLOT_GROUP(truth, slot, state);
		b->values[slot].queue = *SLOT_GROUP(truth, slot, queue);
		b->values[slot].evidence = *SLOT_GROUP(truth, slot, evidence);
	}
}

static void check_before(const struct turn *turn, const struct before *b, uint32_t slot)
{
	cr_assert_not_null(turn);
	cr_assert(turn->told & TURN_BEFORE);
	for (unsigned i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		bool queue = c->group == GRP_ID_queue;
		if ((!queue && c->group != GRP_ID_evidence) ||
		    !column_present(c, b->state[slot].has, b->state[slot].info_bytes))
			continue;
		cr_assert_eq(column_load(c, queue ? (const void *)&turn->before.queue
						  : (const void *)&turn->before.evidence),
			     column_load(c, queue ? (const void *)&b->values[slot].queue
						  : (const void *)&b->values[slot].evidence),
			     "%s", c->name);
	}
}

/* How many turns were seen: a test that sees none proves nothing. */
static unsigned check_step(const struct sockset *set, const struct sockset *truth,
			   const struct before *b)
{
	unsigned turns = 0;
	uint32_t born = 0;
	for (uint32_t i = 0; i < set->rows; i++) {
		uint32_t slot = set->order[i];
		const struct row_state *state = SLOT_GROUP(truth, slot, state);
		bool is_born = born < set->born_count && set->born[born] == i;
		born += is_born;
		cr_assert_eq(slot, truth->order[i]);
		if (SLOT_GROUP(set, slot, member)->proto != PROTO_TCP)
			continue;
		if (is_born || sock_state_passes(state->state) ||
		    state->state != b->state[slot].state)
			check_now(set, truth, i);
		if (is_born || state->state == b->state[slot].state)
			continue;
		turns++;
		if (!sock_state_passes(b->state[slot].state))
			check_before(sockset_turn(set, i), b, slot);
	}
	return turns;
}

static void check_history(const char *path)
{
	struct err e = {0};
	struct rec *r = NULL;
	struct rec_walk *full = NULL, *light = NULL;
	struct before b = {0};
	unsigned turns = 0;
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	cr_assert(rec_has_turns(r));
	cr_assert_eq(rec_walk_new(r, WHOLE, true, &full, &e), 0);
	cr_assert_eq(rec_walk_new(r, WHOLE | REC_TURNS, true, &light, &e), 0);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		cr_assert_eq(rec_walk_to(full, i, &e), 0, "%s", e.text);
		cr_assert_eq(rec_walk_to(light, i, &e), 0, "%s", e.text);
		const struct sockset *set = rec_walk_set(light), *truth = rec_walk_set(full);
		cr_assert_eq(set->left_out != 0, !set->is_key);
		for (uint32_t k = 0; set->is_key && k < set->rows; k++)
			check_now(set, truth, k);
		if (!set->is_key)
			turns += check_step(set, truth, &b);
		remember(truth, &b);
	}
	cr_assert_gt(turns, 100);
	/* Where nothing can be left out, nothing is: after a jump. */
	cr_assert_eq(rec_walk_to(light, 20, &e), 0);
	cr_assert_eq(rec_walk_to(full, 20, &e), 0);
	for (uint32_t k = 0; k < rec_walk_set(light)->rows; k++)
		check_now(rec_walk_set(light), rec_walk_set(full), k);
	rec_walk_free(full);
	rec_walk_free(light);
	rec_close(r);
	free(b.state);
	free(b.values);
}

Test(turns, tell_the_rows_around_every_change_of_state)
{
	char dir[] = "/tmp/socklapse-test-XXXXXX", path[64];
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.socklapse", dir);
	for (uint64_t seed = 1; seed <= 8; seed++) {
		write_history(path, seed);
		check_history(path);
		cr_assert_eq(unlink(path), 0);
	}
	cr_assert_eq(rmdir(dir), 0);
}
