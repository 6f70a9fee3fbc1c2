/* test_stat_trend.c - counts over time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "stat_trend.h"

#define HOUR INT64_C(3600000000000)

static const int64_t hours[] = {0, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR};

static void add(struct trend *t, const char *key, size_t first, size_t last, int64_t by)
{
	struct err e = {0};
	cr_assert_eq(trend_add(t, (const uint8_t *)key, strlen(key), first, last, by, &e), 0);
}

Test(stat_trend, counts_and_slopes)
{
	struct trend t = {.times_ns = hours, .points = 5};
	for (size_t i = 0; i < 5; i++)
		add(&t, "leak", i, 4, 10); /* ten more an hour, none ever leaves */
	add(&t, "still", 0, 4, 7);
	add(&t, "once", 2, 2, 1);
	trend_finish(&t);
	cr_assert_eq(t.count, 3);
	const struct trend_group *leak = &t.groups[0];
	cr_assert_eq(memcmp(leak->key, "leak", 4), 0, "the steepest comes first");
	cr_assert_eq(leak->counts[0], 10);
	cr_assert_eq(leak->counts[4], 50);
	cr_assert_float_eq(leak->slope, 10, 1e-9);
	const struct trend_group *still = &t.groups[1];
	cr_assert_eq(memcmp(still->key, "still", 5), 0);
	cr_assert_eq(still->least, 7);
	cr_assert_float_eq(still->slope, 0, 1e-9);
	const struct trend_group *once = &t.groups[2];
	cr_assert_eq(once->most, 1);
	cr_assert_eq(once->counts[1], 0);
	cr_assert_eq(once->counts[3], 0);
	trend_fini(&t);
}

Test(stat_trend, many_groups_are_told_apart)
{
	struct trend t = {.times_ns = hours, .points = 5};
	char key[16];
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 1000; i++) {
			snprintf(key, sizeof(key), "%d", i);
			add(&t, key, 0, 4, i);
		}
	trend_finish(&t);
	cr_assert_eq(t.count, 1000);
	int64_t sum = 0;
	for (size_t i = 0; i < t.count; i++)
		sum += t.groups[i].most;
	cr_assert_eq(sum, 999 * 1000);
	trend_fini(&t);
}

Test(stat_trend, the_line_shows_the_greatest_of_each_place)
{
	struct trend t = {.times_ns = hours, .points = 5};
	struct buf line = {0};
	add(&t, "x", 1, 1, 4);
	add(&t, "x", 4, 4, 8);
	trend_finish(&t);
	trend_line(&t.groups[0], 5, 60, &line);
	cr_assert_str_eq(buf_str(&line), " \xe2\x96\x84  \xe2\x96\x88");
	buf_clear(&line);
	trend_line(&t.groups[0], 5, 2, &line);
	cr_assert_str_eq(buf_str(&line), "\xe2\x96\x84\xe2\x96\x88");
	buf_fini(&line);
	trend_fini(&t);
}
