/* spells.c - see spells.h. */
#include "spells.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static int compare_spells(const void *x, const void *y)
{
	const struct spell *a = x, *b = y;
	if (a->id.cookie != b->id.cookie)
		return a->id.cookie < b->id.cookie ? -1 : 1;
	if (a->id.local_port != b->id.local_port)
		return a->id.local_port < b->id.local_port ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

struct spells spells_of(const char *dir)
{
	struct err e = {0};
	struct history *h;
	struct spell_pass *p;
	struct spells s = {0};
	const struct spell_options options = {.last = SIZE_MAX, .owners = true};
	cr_assert_eq(history_open(&dir, 1, &h, &e), 0, "%s", e.text);
	cr_assert_eq(spell_pass_new(h, &options, &p, &e), 0, "%s", e.text);
	const struct spell *spell;
	int rc;
	while ((rc = spell_pass_next(p, &spell, &e)) > 0) {
		s.all = realloc(s.all, (s.count + 1) * sizeof(*s.all));
		cr_assert_not_null(s.all);
		s.all[s.count++] = *spell;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
	spell_pass_basis(p, &s.basis);
	spell_pass_free(p);
	history_close(h);
	if (s.count)
		qsort(s.all, s.count, sizeof(*s.all), compare_spells);
	return s;
}

struct take spells_take(const char *dir)
{
	return (struct take){
		.dir = dir,
		.wall_offset_ns = WALL_OFFSET,
		.first_ns = 1000 * S,
		.last_ns = 1600 * S,
		.every_ns = 20 * S,
		.dump_ns = S,
		.key_every = 10,
	};
}

void spell_check_moment(const struct spell_bound *b, int64_t truth_ns, const char *what)
{
	cr_assert_leq(b->lo_ns, truth_ns, "%s: begins too late by %lld ns", what,
		      (long long)(b->lo_ns - truth_ns));
	cr_assert_geq(b->hi_ns, truth_ns, "%s: ends too early by %lld ns", what,
		      (long long)(truth_ns - b->hi_ns));
}

void spell_check_same(const struct spell *a, const struct spell *b)
{
	cr_assert_eq(memcmp(&a->id, &b->id, sizeof(a->id)), 0);
	cr_assert_eq(a->netns, b->netns);
	cr_assert_eq(a->first, b->first);
	cr_assert_eq(a->last, b->last);
	cr_assert_eq(a->missed, b->missed);
	cr_assert_eq(a->state, b->state);
	cr_assert_eq(a->before, b->before);
	cr_assert_eq(a->after, b->after);
	cr_assert_eq(a->open, b->open);
	cr_assert_eq(a->early, b->early);
	cr_assert_eq(a->inode, b->inode);
	cr_assert_eq(a->entered.lo_ns, b->entered.lo_ns);
	cr_assert_eq(a->entered.hi_ns, b->entered.hi_ns);
	cr_assert_eq(a->left.lo_ns, b->left.lo_ns);
	cr_assert_eq(a->left.hi_ns, b->left.hi_ns);
	cr_assert_eq(a->at_least_ms, b->at_least_ms);
	cr_assert_eq(a->at_most_ms, b->at_most_ms);
	cr_assert_eq(a->estimate_ms, b->estimate_ms);
	cr_assert_eq(a->owner.process, b->owner.process);
	cr_assert_eq(a->owner.source, b->owner.source);
}
