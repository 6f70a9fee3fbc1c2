/* test_bounds_inode.c - the order of sockets and snapshots by inode number. */
#include <criterion/criterion.h>

#include "bounds_inode.h"

static const struct {
	uint32_t inode;
	uint32_t marks[3];
	enum bounds_side side;
} cases[] = {
	{5000, {5100, 9000, 0}, SIDE_BEFORE},  /* same batch as a mark, below it */
	{5100, {5000, 9000, 0}, SIDE_AFTER},   /* above it, though CPU 1 is far ahead */
	{5100, {5100, 9000, 0}, SIDE_UNKNOWN}, /* the throw-away socket itself */
	{3000, {5100, 9000, 0}, SIDE_BEFORE},  /* in a batch that is used up */
	{7000, {5100, 9000, 0}, SIDE_BEFORE},  /* the same, between the marks */
	{11000, {5100, 9000, 0}, SIDE_AFTER},  /* in a batch that nobody had begun */
	{1024, {1, 0, 0}, SIDE_AFTER},	       /* the last of the first batch */
	{1025, {1, 0, 0}, SIDE_AFTER},	       /* the first of the second one */
	{1024, {1025, 0, 0}, SIDE_BEFORE},
	{0, {5100, 9000, 0}, SIDE_UNKNOWN},	   /* no inode */
	{5000, {0, 0, 0}, SIDE_UNKNOWN},	   /* no marks */
	{5000, {4294960000u, 0, 0}, SIDE_UNKNOWN}, /* the counter has wrapped */
	{4294960000u, {5000, 0, 0}, SIDE_UNKNOWN},
};

Test(bounds_inode, cases)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(bounds_inode_side(cases[i].inode, cases[i].marks, 3, true),
			     cases[i].side, "case %zu", i);
}

Test(bounds_inode, a_cpu_without_a_mark)
{
	static const uint32_t marks[] = {5100, 0};
	cr_expect_eq(bounds_inode_side(5000, marks, 2, false), SIDE_BEFORE);
	cr_expect_eq(bounds_inode_side(5110, marks, 2, false), SIDE_AFTER);
	cr_expect_eq(bounds_inode_side(3000, marks, 2, false), SIDE_UNKNOWN);
	cr_expect_eq(bounds_inode_side(9000, marks, 2, false), SIDE_UNKNOWN);
}

#define CPUS 3

/* The kernel's counter: every CPU takes a batch when its own is used up. */
struct counter {
	uint32_t shared;
	uint32_t at[CPUS];
};

static uint32_t next_inode(struct counter *c, unsigned cpu)
{
	if (c->at[cpu] % 1024 == 0) {
		c->at[cpu] = c->shared;
		c->shared += 1024;
	}
	return ++c->at[cpu];
}

Test(bounds_inode, a_simulated_counter_is_never_contradicted)
{
	enum {
		SOCKETS = 4000,
		SNAPSHOTS = 40
	};
	struct counter c = {.shared = 1024 * 7};
	static uint32_t inodes[SOCKETS], marks[SNAPSHOTS][CPUS];
	uint32_t random = 1;
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (i % (SOCKETS / SNAPSHOTS) == 0)
			for (unsigned cpu = 0; cpu < CPUS; cpu++)
				marks[i / (SOCKETS / SNAPSHOTS)][cpu] = next_inode(&c, cpu);
		random = random * 1664525 + 1013904223;
		/* CPUs are busy to a different degree, and others take inodes, too. */
		unsigned cpu = (random >> 24) < 200 ? 0 : (random >> 24) < 250 ? 1 : 2;
		for (unsigned others = random >> 16 & 63; others; others--)
			next_inode(&c, cpu);
		inodes[i] = next_inode(&c, cpu);
	}
	for (unsigned i = 0; i < SOCKETS; i++) {
		for (unsigned s = 0; s < SNAPSHOTS; s++) {
			bool after = i >= s * (SOCKETS / SNAPSHOTS);
			cr_assert_eq(bounds_inode_side(inodes[i], marks[s], CPUS, true),
				     after ? SIDE_AFTER : SIDE_BEFORE, "socket %u, snapshot %u", i,
				     s);
		}
	}
}
