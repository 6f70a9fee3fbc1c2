/*
 * test_spell_shell.c - a socket that is held while its connection is in TIME-WAIT, and longer, is
 * told of twice by the kernel: one connection all the same, wherever frames and files begin.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "spells.h"

static struct life closer(unsigned cookie, int64_t shell_to_ns)
{
	return (struct life){.states = 3,
			     .state = {STATE_ESTAB, STATE_FIN_WAIT_2, STATE_TIME_WAIT},
			     .at_ns = {1010 * S, 1050 * S, 1090 * S, 1150 * S},
			     .process = 2,
			     .shell_from_ns = 1090 * S,
			     .shell_to_ns = shell_to_ns,
			     .id = {.cookie = cookie,
				    .netns = 1,
				    .local_port = 1000,
				    .peer_port = 80,
				    .proto = PROTO_TCP,
				    .family = 2}};
}

static struct spells record(struct lives *l, uint32_t key_every, unsigned per_file)
{
	char dir[64];
	lives_dir(dir);
	struct take take = spells_take(dir);
	take.key_every = key_every;
	take.snapshots_per_file = per_file;
	lives_record(l, &take);
	struct spells s = spells_of(dir);
	lives_remove(dir);
	return s;
}

static const struct {
	uint32_t key_every;
	unsigned per_file;
} cuts[] = {{200, 0}, {1, 0}, {5, 0}, {7, 3}, {200, 1}};
#define CUTS (sizeof(cuts) / sizeof(cuts[0]))

Test(spell_shell, time_wait_begins_when_it_does)
{
	struct life life = closer(1, 1130 * S); /* closed before TIME-WAIT is over */
	struct lives l = {.all = &life, .count = 1};
	for (size_t i = 0; i < CUTS; i++) {
		struct spells s = record(&l, cuts[i].key_every, cuts[i].per_file);
		cr_assert_eq(s.count, 3, "cut %zu: %zu spells", i, s.count);
		cr_assert_eq(s.basis.connections, 1);
		cr_assert_eq(s.all[2].state, STATE_TIME_WAIT);
		cr_assert_eq(s.all[2].before, STATE_FIN_WAIT_2);
		cr_assert_eq(s.all[2].owner.source, OWNER_HISTORY);
		spell_check_moment(&s.all[2].entered, life.at_ns[2] + WALL_OFFSET, "entered");
		spell_check_moment(&s.all[2].left, life.at_ns[3] + WALL_OFFSET, "left");
		cr_assert_geq(s.all[2].entered.lo_ns, 1080 * S + WALL_OFFSET);
		free(s.all);
	}
}

Test(spell_shell, what_outlives_time_wait_is_closed)
{
	struct life life = closer(1, 1400 * S);
	struct lives l = {.all = &life, .count = 1};
	for (size_t i = 0; i < CUTS; i++) {
		struct spells s = record(&l, cuts[i].key_every, cuts[i].per_file);
		cr_assert_eq(s.count, 4, "cut %zu: %zu spells", i, s.count);
		cr_assert_eq(s.all[2].state, STATE_TIME_WAIT);
		cr_assert_eq(s.all[2].after, STATE_UNCONN);
		cr_assert_eq(s.all[3].state, STATE_UNCONN);
		cr_assert_eq(s.all[3].owner.source, OWNER_FD);
		spell_check_moment(&s.all[2].left, life.at_ns[3] + WALL_OFFSET, "left");
		spell_check_moment(&s.all[3].entered, life.at_ns[3] + WALL_OFFSET, "entered");
		spell_check_moment(&s.all[3].left, life.shell_to_ns + WALL_OFFSET, "left");
		free(s.all);
	}
}

Test(spell_shell, a_reset_leaves_a_closed_socket)
{
	struct life life = closer(1, 1400 * S);
	struct lives l = {.all = &life, .count = 1};
	life.states = 1;
	life.at_ns[1] = life.shell_from_ns;
	for (size_t i = 0; i < CUTS; i++) {
		struct spells s = record(&l, cuts[i].key_every, cuts[i].per_file);
		cr_assert_eq(s.count, 2, "cut %zu: %zu spells", i, s.count);
		cr_assert_eq(s.all[0].after, STATE_UNCONN);
		spell_check_moment(&s.all[1].entered, life.at_ns[1] + WALL_OFFSET, "entered");
		free(s.all);
	}
}

/* A dump that misses the TIME-WAIT and has the shell takes it for closed, until the next one. */
Test(spell_shell, a_time_wait_that_was_overlooked)
{
	struct life life = closer(1, 1400 * S);
	struct lives l = {.all = &life, .count = 1};
	life.states = 4; /* as if it were not there from 1110 s to 1130 s */
	life.state[3] = STATE_TIME_WAIT;
	life.state[2] = 0;
	life.at_ns[3] = 1130 * S;
	life.at_ns[4] = 1150 * S;
	struct spells expect = record(&l, 200, 0);
	cr_assert_gt(expect.count, 4);
	for (size_t i = 1; i < CUTS; i++) {
		struct spells s = record(&l, cuts[i].key_every, cuts[i].per_file);
		cr_assert_eq(s.count, expect.count, "cut %zu: %zu spells", i, s.count);
		for (size_t k = 0; k < s.count; k++)
			spell_check_same(&s.all[k], &expect.all[k]);
		free(s.all);
	}
	free(expect.all);
}

/* Many lives at once, some with shells: the same spells however they are cut. */
Test(spell_shell, files_and_key_frames_change_nothing)
{
	struct lives l;
	lives_init(&l, 99, 150, 900 * S, 1700 * S);
	for (unsigned i = 0; i < l.count; i += 2) {
		struct life *life = &l.all[i];
		life->shell_from_ns = life->at_ns[life->states - 1];
		life->shell_to_ns = life->shell_from_ns +
				    (int64_t)(lives_random(&l.seed) % 200) * S;
		if (life->state[life->states - 1] != STATE_TIME_WAIT)
			life->shell_from_ns = life->at_ns[life->states];
	}
	struct spells expect = record(&l, 200, 0);
	unsigned closed = 0;
	for (size_t k = 0; k < expect.count; k++)
		closed += expect.all[k].state == STATE_UNCONN;
	cr_assert_gt(closed, 10);
	for (size_t i = 1; i < CUTS; i++) {
		struct spells s = record(&l, cuts[i].key_every, cuts[i].per_file);
		cr_assert_eq(s.count, expect.count, "cut %zu: %zu spells, not %zu", i, s.count,
			     expect.count);
		for (size_t k = 0; k < s.count; k++)
			spell_check_same(&s.all[k], &expect.all[k]);
		free(s.all);
	}
	free(expect.all);
	lives_fini(&l);
}
