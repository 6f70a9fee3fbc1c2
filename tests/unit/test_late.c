/*
 * test_late.c - work with a deadline: what is done in time comes back, what hangs is left alone;
 * and names.c, which asks for names that way.
 */
#include <criterion/criterion.h>
#include <time.h>

#include "late.h"
#include "names.h"

#define HANGS 1000000

struct item {
	int number;
	int square;
};

static void square(void *arg)
{
	struct item *it = arg;
	if (it->number == HANGS)
		nanosleep(&(struct timespec){.tv_sec = 30}, NULL);
	it->square = it->number * it->number;
}

static double now_s(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

Test(late, all_that_is_done_in_time_comes_back)
{
	struct item items[1000];
	size_t missing = 1;
	for (int i = 0; i < 1000; i++)
		items[i] = (struct item){.number = i};
	cr_assert_eq(late_run(square, items, 1000, sizeof(items[0]), 20000, &missing), 0);
	cr_assert_eq(missing, 0);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(items[i].square, i * i);
}

Test(late, nothing_to_do_is_done_at_once)
{
	size_t missing = 1;
	cr_assert_eq(late_run(square, NULL, 0, sizeof(struct item), 20000, &missing), 0);
	cr_assert_eq(missing, 0);
}

Test(late, who_hangs_is_not_waited_for)
{
	struct item items[] = {{3, -1}, {HANGS, -1}, {4, -1}};
	size_t missing = 0;
	double begin_s = now_s();
	cr_assert_eq(late_run(square, items, 3, sizeof(items[0]), 300, &missing), 0);
	cr_assert_lt(now_s() - begin_s, 10.0);
	cr_assert_eq(missing, 1);
	cr_assert_eq(items[0].square, 9);
	cr_assert_eq(items[1].square, -1, "what is not done stays as it was");
	cr_assert_eq(items[2].square, 16);
}

/* More that hang than there are threads: the others are not even begun. */
Test(late, more_hang_than_there_are_threads)
{
	struct item items[LATE_THREADS + 2];
	size_t missing = 0;
	for (size_t i = 0; i < LATE_THREADS + 2; i++)
		items[i] = (struct item){.number = i < LATE_THREADS ? HANGS : 5, .square = -1};
	cr_assert_eq(late_run(square, items, LATE_THREADS + 2, sizeof(items[0]), 200, &missing), 0);
	cr_assert_eq(missing, LATE_THREADS + 2);
	cr_assert_eq(items[LATE_THREADS].square, -1);
}

Test(names, an_address_is_asked_for_once_and_text_that_is_none_is_ignored)
{
	struct names *n;
	struct err e = {0};
	size_t missing = 1;
	cr_assert_eq(names_new(&n, &e), 0);
	for (int i = 0; i < 3 * NAMES_MAX; i++) {
		cr_assert_eq(names_want(n, i % 2 ? "127.0.0.1" : "127.0.0.2", &e), 0);
		cr_assert_eq(names_want(n, "no address", &e), 0);
	}
	cr_assert_eq(names_ask(n, 20000, &missing, &e), 0);
	cr_assert_eq(missing, 0, "%zu", missing);
	const char *name = names_of(n, "127.0.0.1");
	cr_assert(!name || *name);
	cr_assert_null(names_of(n, "10.1.2.3"));
	cr_assert_null(names_of(n, "no address"));
	names_free(n);
}
