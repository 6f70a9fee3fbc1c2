/* test_loop.c - the schedule's arithmetic, and signals that wait for their turn. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "clocks.h"
#include "loop.h"

Test(schedule, does_not_drift)
{
	struct schedule s = {.begin_ns = 1000, .interval_ns = 10};
	uint64_t missed;
	/* Each snapshot takes between 0 and 9 of 10: every moment is met, none shifts. */
	uint64_t now = 1000;
	for (uint64_t k = 1; k < 10000; k++) {
		uint64_t due = schedule_next(&s, now, &missed);
		cr_assert_eq(due, 1000 + k * 10);
		cr_assert_eq(missed, 0);
		now = due + k % 10;
	}
}

Test(schedule, moments_that_went_by_are_counted_not_made_up_for)
{
	static const struct {
		uint64_t now, due, missed;
	} steps[] = {
		{1000, 1010, 0},
		{1019, 1020, 0},
		{1029, 1030, 0},
		{1030, 1040, 0},
		{1050, 1060, 1},
		{1061, 1070, 0},
		{1123, 1130, 5},
		{1124, 1140, 0},
		{500, 1150, 0}, /* a clock that went back does not take moments twice */
		{5000000, 5000010, 499885},
	};
	struct schedule s = {.begin_ns = 1000, .interval_ns = 10};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t missed = 99;
		cr_assert_eq(schedule_next(&s, steps[i].now, &missed), steps[i].due, "%zu", i);
		cr_assert_eq(missed, steps[i].missed, "%zu: %lu", i, (unsigned long)missed);
	}
}

Test(schedule, why_moments_went_by)
{
	static const struct {
		uint64_t missed, took, asleep;
		const char *word;
	} cases[] = {
		{1, 5, 0, "run in time"},	{1, 9, 9, "run in time"},
		{1, 10, 0, "took longer"},	{1, 10, 9, "took longer"},
		{1, 10, 10, "suspended"},	{100, 3, 1000, "suspended"},
		{100, 900, 100, "took longer"},
	};
	struct schedule s = {.begin_ns = 1000, .interval_ns = 10, .slot = 7};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = schedule_why(&s, cases[i].missed, cases[i].took, cases[i].asleep);
		cr_assert_not_null(strstr(why, cases[i].word), "%zu: %s", i, why);
	}
	uint64_t missed;
	cr_assert_eq(schedule_next(&s, 1105, &missed), 1110);
	cr_assert_eq(missed, 3);
	cr_assert_eq(schedule_first_missed_ns(&s, missed), 1080);
}

Test(loop, the_time_comes)
{
	struct loop l;
	cr_assert_eq(loop_open(&l, NULL), 0);
	uint64_t until = (uint64_t)clocks_boot_ns() + 20000000;
	cr_assert_eq(loop_wait(&l, until, NULL), LOOP_DUE);
	cr_assert_geq((uint64_t)clocks_boot_ns(), until);
	cr_assert_eq(loop_wait(&l, 0, NULL), LOOP_DUE, "long past");
	loop_close(&l);
}

Test(loop, signals_wait_and_go_first)
{
	static const struct {
		int signal, event;
	} cases[] = {{SIGTERM, LOOP_STOP},
		     {SIGINT, LOOP_STOP},
		     {SIGHUP, LOOP_REOPEN},
		     {SIGUSR1, LOOP_NOW}};
	struct loop l;
	cr_assert_eq(loop_open(&l, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(kill(getpid(), cases[i].signal), 0);
		cr_assert_eq(loop_wait(&l, 0, NULL), cases[i].event);
		cr_assert_eq(loop_wait(&l, 0, NULL), LOOP_DUE, "and only once");
	}
	loop_close(&l);
}
