/*
 * test_spell_marks.c - when a socket was made, by the marks of a recording: CPUs that go off line
 * and come back, one that comes for the first time, one that could not be marked, another boot.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "history.h"
#include "lives.h"
#include "rec_write.h"
#include "spell_marks.h"

#define S INT64_C(1000000000)

#define CPUS 3
#define OFF  REC_MARK_OFFLINE
#define LOST REC_MARK_MISSED
#define NONE HISTORY_NONE

static const uint32_t marks[][CPUS] = {
	{5000, 9000, OFF},   /* 0 */
	{5010, OFF, OFF},    /* 1: CPU 1 goes off line, with the rest of its batch */
	{5020, 9010, OFF},   /* 2: and is back */
	{5030, LOST, OFF},   /* 3 */
	{12000, 9020, OFF},  /* 4: CPU 0 has a new batch */
	{12010, 9030, 3000}, /* 5: CPU 2 comes for the first time, with a batch of old age */
	{12020, 9040, 3010}, /* 6 */
};
#define SNAPSHOTS (sizeof(marks) / sizeof(marks[0]))

static const struct {
	uint32_t inode;
	size_t lo, hi; /* made after the one and before the other */
} cases[] = {
	{5005, 0, 1},
	{5015, 1, 2},
	{9005, 1, 2},  /* CPU 1 is off line in 1: its last mark stands for it */
	{9015, 2, 4},  /* 3 has no mark of CPU 1, and knows nothing of its batch */
	{12005, 4, 5}, /* a batch that 4 has a mark in */
	{3005, 5, 6},
	{2000, NONE, 5}, /* no mark is in its batch: 5 and 6 alone know all CPUs */
	{20000, 6, NONE},
	{12020, 5, NONE}, /* the mark of 6 itself */
};

static void record(const char *dir, const char *boot, unsigned number)
{
	struct rec_host host = {
		.boot_id = boot, .hostname = "h", .kernel = "6", .arch = "x", .facts = "{}"};
	struct rec_writer_options options = {.key_every = 3};
	struct rec_writer *w;
	struct err e = {0};
	char path[96];
	snprintf(path, sizeof(path), "%s/h-%u.socklapse", dir, number);
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		int64_t at = (int64_t)(100 + 10 * i) * S;
		cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
		cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
		cr_assert_eq(rec_writer_watermark(w, 1000, 2000, marks[i], CPUS, &e), 0);
		struct rec_snapshot info = {.wall_begin_ns = (int64_t)number * 10000 * S + at,
					    .wall_end_ns = (int64_t)number * 10000 * S + at + S,
					    .boot_begin_ns = at,
					    .boot_end_ns = at + S,
					    .mono_begin_ns = at};
		cr_assert_eq(rec_writer_commit(w, &info, "{}", &e), 0, "%s", e.text);
	}
	rec_writer_close(w);
}

Test(spell_marks, between_two_snapshots)
{
	char dir[64];
	const char *dirs[] = {dir};
	struct history *h;
	struct spell_marks *m;
	struct spell_mark lo, hi;
	struct err e = {0};
	lives_dir(dir);
	record(dir, "first", 1);
	record(dir, "second", 2);
	cr_assert_eq(history_open(dirs, 1, &h, &e), 0, "%s", e.text);
	cr_assert_eq(spell_marks_new(h, &m, &e), 0);
	cr_assert_eq(spell_marks_read(m, 0, &e), 0, "%s", e.text);
	cr_assert_eq(spell_marks_read(m, SNAPSHOTS - 1, &e), 0, "%s", e.text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spell_marks_find(m, cases[i].inode, &lo, &hi);
		cr_expect_eq(lo.index, cases[i].lo, "case %zu: after %zd", i, lo.index);
		cr_expect_eq(hi.index, cases[i].hi, "case %zu: before %zd", i, hi.index);
		if (lo.index != NONE)
			cr_expect_eq(lo.boot_ns, (int64_t)(100 + 10 * lo.index) * S + S / 1000);
		if (hi.index != NONE)
			cr_expect_eq(hi.boot_ns, (int64_t)(100 + 10 * hi.index) * S + S / 500);
	}
	/* Another boot begins anew: what was before says nothing. */
	cr_assert_eq(spell_marks_read(m, SNAPSHOTS, &e), 0, "%s", e.text);
	spell_marks_find(m, 4990, &lo, &hi);
	cr_expect_eq(lo.index, NONE);
	cr_expect_eq(hi.index, SNAPSHOTS);
	spell_marks_free(m);
	history_close(h);
	lives_remove(dir);
}
