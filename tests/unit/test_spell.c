/*
 * test_spell.c - spells of histories whose truth is known: bounds never miss it, more snapshots
 * only narrow them, and files, days and key frames change nothing.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "spells.h"

/* The state of `l` that a spell stands for. */
static unsigned state_of(const struct life *l, const struct spell *s)
{
	for (unsigned i = 0; i < l->states; i++)
		if (l->state[i] == s->state)
			return i;
	cr_assert(false, "cookie %llu never was in state %u", (unsigned long long)s->id.cookie,
		  s->state);
	return 0;
}

static void check_truth(const struct lives *l, const struct take *take, const struct spell *s)
{
	const struct life *life = &l->all[s->id.cookie - 1];
	unsigned i = state_of(life, s);
	int64_t entered = life->at_ns[i], left = life->at_ns[i + 1];
	spell_check_moment(&s->entered, take_wall(take, entered), "entered");
	cr_assert_leq(s->at_least_ms * 1000000, left - entered);
	cr_assert_leq(s->seen_least_ms, s->seen_most_ms);
	if (s->open) {
		cr_assert_eq(s->at_most_ms, SPELL_UNKNOWN);
		cr_assert_eq(s->left.lo_ns, SPELL_UNKNOWN);
		cr_assert_leq(s->at_least_ms, s->age_most_ms);
		return;
	}
	spell_check_moment(&s->left, take_wall(take, left), "left");
	cr_assert_geq(s->at_most_ms * 1000000, left - entered);
	cr_assert_leq(s->at_least_ms, s->at_most_ms);
}

/* Every state that a snapshot shows must be in a spell. */
static unsigned seen_spells(const struct lives *l, const struct take *take)
{
	unsigned seen = 0;
	for (unsigned c = 0; c < l->count; c++) {
		unsigned before = 0;
		for (int64_t at = take->first_ns; at <= take->last_ns; at += take->every_ns) {
			int64_t fill = at + take->dump_ns * c / (int64_t)l->count;
			unsigned state = life_state(&l->all[c], fill);
			seen += state && state != before;
			before = state;
		}
	}
	return seen;
}

Test(spell, bounds_hold_the_truth)
{
	char dir[64];
	for (unsigned seed = 1; seed <= 8; seed++) {
		struct lives l;
		lives_dir(dir);
		struct take take = spells_take(dir);
		lives_init(&l, seed, 120, 900 * S, 1700 * S);
		if (seed % 2) { /* the clock is set while they live */
			take.step_at_ns = 1300 * S;
			take.step_ns = seed % 4 == 1 ? 3600 * S : -3600 * S;
		}
		unsigned snapshots = lives_record(&l, &take);
		struct spells s = spells_of(dir);
		cr_assert_eq(s.basis.snapshots, snapshots);
		cr_assert_eq(s.count, seen_spells(&l, &take));
		for (size_t i = 0; i < s.count; i++)
			check_truth(&l, &take, &s.all[i]);
		free(s.all);
		lives_fini(&l);
		lives_remove(dir);
	}
}

/* A snapshot that looked elsewhere does not say that a connection has ended, or not begun. */
Test(spell, what_looked_elsewhere_proves_nothing)
{
	char dir[64];
	for (unsigned seed = 1; seed <= 4; seed++) {
		struct lives l;
		lives_dir(dir);
		struct take take = spells_take(dir);
		take.other_per_mille = 600;
		take.other_flag = seed % 2 ? SNAP_SOME_TABLES : SNAP_NETNS_PART;
		lives_init(&l, seed, 120, 900 * S, 1700 * S);
		lives_record(&l, &take);
		struct spells s = spells_of(dir);
		cr_assert_gt(s.count, 50);
		for (size_t i = 0; i < s.count; i++)
			check_truth(&l, &take, &s.all[i]);
		free(s.all);
		lives_fini(&l);
		lives_remove(dir);
	}
}

Test(spell, early_and_open_are_marked)
{
	char dir[64];
	struct lives l;
	lives_dir(dir);
	struct take take = spells_take(dir);
	lives_init(&l, 77, 120, 900 * S, 1700 * S);
	unsigned snapshots = lives_record(&l, &take);
	struct spells s = spells_of(dir);
	unsigned early = 0, open = 0;
	for (size_t i = 0; i < s.count; i++) {
		const struct spell *spell = &s.all[i];
		cr_assert_eq(spell->early, spell->first == 0);
		cr_assert_eq(spell->open, spell->last == snapshots - 1);
		early += spell->early;
		open += spell->open;
		if (spell->early)
			cr_assert_str_eq(spell->entered.lo_source, "boot");
	}
	cr_assert_gt(early, 5);
	cr_assert_gt(open, 5);
	free(s.all);
	lives_fini(&l);
	lives_remove(dir);
}

Test(spell, files_and_key_frames_change_nothing)
{
	static const struct {
		uint32_t key_every;
		unsigned per_file;
	} cuts[] = {{1, 0}, {7, 0}, {200, 0}, {200, 1}, {5, 6}, {3, 17}};
	char dir[64];
	struct lives l;
	lives_dir(dir);
	struct take take = spells_take(dir);
	take.miss_per_mille = 20;
	lives_init(&l, 5, 150, 900 * S, 1700 * S);
	lives_record(&l, &take);
	struct spells expect = spells_of(dir);
	lives_remove(dir);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		lives_dir(dir);
		take.dir = dir;
		take.key_every = cuts[i].key_every;
		take.snapshots_per_file = cuts[i].per_file;
		lives_record(&l, &take);
		struct spells s = spells_of(dir);
		cr_assert_eq(s.count, expect.count, "cut %zu: %zu spells, not %zu", i, s.count,
			     expect.count);
		for (size_t k = 0; k < s.count; k++)
			spell_check_same(&s.all[k], &expect.all[k]);
		free(s.all);
		lives_remove(dir);
	}
	free(expect.all);
	lives_fini(&l);
}

/* A kernel's dump may tell of a socket twice (EVIDENCE section 4). */
Test(spell, told_twice_in_a_dump_is_one)
{
	char dir[64];
	struct lives l;
	lives_init(&l, 6, 80, 900 * S, 1700 * S);
	lives_dir(dir);
	struct take take = spells_take(dir);
	lives_record(&l, &take);
	struct spells expect = spells_of(dir);
	lives_remove(dir);
	lives_dir(dir);
	take.dir = dir;
	take.twice = true;
	lives_record(&l, &take);
	struct spells s = spells_of(dir);
	lives_remove(dir);
	cr_assert_eq(s.count, expect.count);
	for (size_t k = 0; k < s.count; k++)
		spell_check_same(&s.all[k], &expect.all[k]);
	free(s.all);
	free(expect.all);
	lives_fini(&l);
}

/* Old kernels have no cookies: the tuple is the connection, across key frames and files. */
Test(spell, without_cookies_the_addresses_tell)
{
	char dir[64];
	struct lives l;
	lives_init(&l, 7, 80, 900 * S, 1700 * S);
	lives_dir(dir);
	struct take take = spells_take(dir);
	take.key_every = 3;
	take.snapshots_per_file = 7;
	lives_record(&l, &take);
	struct spells expect = spells_of(dir);
	lives_remove(dir);
	for (unsigned i = 0; i < l.count; i++)
		l.all[i].id.cookie = 0;
	lives_dir(dir);
	take.dir = dir;
	lives_record(&l, &take);
	struct spells s = spells_of(dir);
	lives_remove(dir);
	cr_assert_eq(s.count, expect.count);
	cr_assert_eq(s.basis.connections, expect.basis.connections);
	for (size_t k = 0; k < s.count; k++) {
		cr_assert_eq(s.all[k].id.local_port, expect.all[k].id.local_port);
		cr_assert_eq(s.all[k].state, expect.all[k].state);
		cr_assert_eq(s.all[k].entered.lo_ns, expect.all[k].entered.lo_ns);
		cr_assert_eq(s.all[k].at_least_ms, expect.all[k].at_least_ms);
	}
	free(s.all);
	free(expect.all);
	lives_fini(&l);
}

static const struct spell *find(const struct spells *s, const struct spell *like)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->all[i].id.cookie == like->id.cookie && s->all[i].state == like->state)
			return &s->all[i];
	return NULL;
}

static void check_within(const struct spell *wide, const struct spell *narrow)
{
	cr_assert_geq(narrow->entered.lo_ns, wide->entered.lo_ns);
	cr_assert_leq(narrow->entered.hi_ns, wide->entered.hi_ns);
	cr_assert_geq(narrow->at_least_ms, wide->at_least_ms);
	if (wide->open || narrow->open)
		return;
	cr_assert_geq(narrow->left.lo_ns, wide->left.lo_ns);
	cr_assert_leq(narrow->left.hi_ns, wide->left.hi_ns);
	cr_assert_leq(narrow->at_most_ms, wide->at_most_ms);
}

Test(spell, more_snapshots_only_narrow)
{
	char few[64], many[64];
	for (unsigned seed = 20; seed < 24; seed++) {
		struct lives l;
		lives_dir(few);
		lives_dir(many);
		lives_init(&l, seed, 100, 900 * S, 1700 * S);
		struct take take = spells_take(few);
		lives_record(&l, &take);
		take.dir = many;
		take.every_ns = 5 * S;
		lives_record(&l, &take);
		struct spells a = spells_of(few), b = spells_of(many);
		cr_assert_gt(b.count, a.count);
		for (size_t i = 0; i < a.count; i++) {
			const struct spell *narrow = find(&b, &a.all[i]);
			cr_assert_not_null(narrow);
			check_within(&a.all[i], narrow);
		}
		free(a.all);
		free(b.all);
		lives_fini(&l);
		lives_remove(few);
		lives_remove(many);
	}
}

/* A connection that lives through all of it; its dumps are made by hand below. */
static struct lives one_life(struct life *life, unsigned cookie, uint16_t port)
{
	*life = (struct life){.states = 1,
			      .state = {STATE_ESTAB},
			      .at_ns = {900 * S, 9000 * S},
			      .process = 1,
			      .id = {.cookie = cookie,
				     .netns = 1,
				     .local_port = port,
				     .peer_port = 80,
				     .proto = PROTO_TCP,
				     .family = 2}};
	return (struct lives){.all = life, .count = 1};
}

Test(spell, a_cookie_used_again_is_another_connection)
{
	char dir[64];
	struct life lives[2];
	lives_dir(dir);
	one_life(&lives[0], 42, 1000);
	struct lives l = one_life(&lives[1], 42, 2000);
	lives[0].at_ns[1] = lives[1].at_ns[0] = 1300 * S;
	l.all = lives;
	l.count = 2;
	struct take take = spells_take(dir);
	lives_record(&l, &take);
	struct spells s = spells_of(dir);
	cr_assert_eq(s.count, 2);
	cr_assert_eq(s.basis.connections, 2);
	cr_assert(!s.all[0].open && s.all[1].open);
	cr_assert_eq(s.all[0].id.local_port, 1000);
	free(s.all);
	lives_remove(dir);
}

Test(spell, missing_from_a_dump_and_back_is_one_spell)
{
	char dir[64];
	struct life life;
	lives_dir(dir);
	struct lives l = one_life(&life, 1, 1000);
	struct take take = spells_take(dir);
	take.last_ns = 1100 * S;
	unsigned before = lives_record(&l, &take);
	take.first_ns = take.last_ns = 1120 * S; /* one dump without it */
	take.first_file = 1;
	take.miss_per_mille = 1000;
	lives_record(&l, &take);
	take.first_ns = 1140 * S;
	take.last_ns = 1200 * S;
	take.first_file = 2;
	take.miss_per_mille = 0;
	lives_record(&l, &take);
	struct spells s = spells_of(dir);
	cr_assert_eq(s.count, 1);
	cr_assert_eq(s.all[0].missed, 1);
	cr_assert(s.all[0].open);
	cr_assert_gt(s.all[0].last, before);
	free(s.all);
	lives_remove(dir);
}

Test(spell, a_reboot_ends_all)
{
	char dir[64];
	struct life life;
	lives_dir(dir);
	struct lives l = one_life(&life, 1, 1000);
	struct take take = spells_take(dir);
	lives_record(&l, &take); /* until 1600 s of the first boot */
	take.boot_id = "boot-2";
	take.first_file = 1;
	take.wall_offset_ns += 1650 * S; /* the next one begins 50 s later */
	lives_record(&l, &take);
	struct spells s = spells_of(dir);
	cr_assert_eq(s.count, 2);
	const struct spell *old = &s.all[0], *new = &s.all[1];
	cr_assert(!old->open && old->early && new->open &&new->early);
	cr_assert_str_eq(old->left.hi_source, "reboot");
	cr_assert_eq(old->left.hi_ns, WALL_OFFSET + 1650 * S);
	cr_assert_eq(new->entered.lo_ns, WALL_OFFSET + 1650 * S);
	cr_assert_neq(old->boot, new->boot);
	free(s.all);
	lives_remove(dir);
}

Test(spell, owners_are_carried)
{
	char dir[64];
	struct life life[2];
	lives_dir(dir);
	one_life(&life[1], 2, 22); /* the listener */
	life[1].state[0] = STATE_LISTEN;
	life[1].id.peer_port = 0;
	struct lives l = one_life(&life[0], 1, 1000);
	life[0].states = 2;
	life[0].state[1] = STATE_TIME_WAIT;
	life[0].at_ns[1] = 1200 * S;
	life[0].at_ns[2] = 1250 * S;
	struct life unaccepted;
	one_life(&unaccepted, 3, 22);
	unaccepted.process = 0;
	struct life all[3] = {life[1], life[0], unaccepted};
	l.all = all;
	l.count = 3;
	struct take take = spells_take(dir);
	lives_record(&l, &take);
	struct spells s = spells_of(dir);
	cr_assert_eq(s.count, 4);
	cr_assert_eq(s.all[0].owner.source, OWNER_FD);
	cr_assert_eq(s.all[1].state, STATE_TIME_WAIT);
	cr_assert_eq(s.all[1].owner.source, OWNER_HISTORY);
	cr_assert_eq(s.all[1].owner.process, 1);
	cr_assert_eq(s.all[3].owner.source, OWNER_LISTENER);
	cr_assert_eq(s.all[3].owner.process, 1);
	free(s.all);
	lives_remove(dir);
}

/* Which of two listeners with SO_REUSEPORT it came to is not known: neither is blamed. */
Test(spell, nobody_is_blamed_for_what_came_to_one_of_two_listeners)
{
	char dir[64];
	struct life all[3];
	lives_dir(dir);
	struct lives l = one_life(&all[2], 3, 22);
	for (unsigned i = 0; i < 2; i++) {
		one_life(&all[i], 1 + i, 22);
		all[i].state[0] = STATE_LISTEN;
		all[i].id.peer_port = 0;
		all[i].process = 1 + i;
	}
	all[2].process = 0;
	l.all = all;
	l.count = 3;
	struct take take = spells_take(dir);
	lives_record(&l, &take);
	struct spells s = spells_of(dir);
	cr_assert_eq(s.count, 3);
	cr_assert_eq(s.all[0].owner.process, 1);
	cr_assert_eq(s.all[1].owner.process, 2);
	cr_assert_eq(s.all[2].owner.source, OWNER_NONE);
	free(s.all);
	lives_remove(dir);
}
