/* test_timeparse.c - times and durations as people type them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "timeparse.h"

#define ZONE "CET-1CEST,M3.5.0,M10.5.0/3"

/* 2026-11-20 08:00:00 .. 2026-11-22 13:00:00 in ZONE; asked on the 23rd at 09:00. */
#define START_NS (1795158000 * NS_PER_S)
#define END_NS	 (1795348800 * NS_PER_S)
#define NOW_NS	 (1795420800 * NS_PER_S)

static int snapshot_time(const void *history, int64_t number, int64_t *ret_ns)
{
	(void)history;
	if (number < 1 || number > 9)
		return -1;
	*ret_ns = START_NS + number * NS_PER_MIN;
	return 0;
}

static const struct time_ref ref = {
	.now_ns = NOW_NS,
	.has_history = true,
	.start_ns = START_NS,
	.end_ns = END_NS,
	.snapshot_time = snapshot_time,
};

static const struct {
	const char *text;
	const char *is; /* NULL: not a time */
} times[] = {
	{"12:30", "2026-11-22 12:30:00"},
	{"12:30:15", "2026-11-22 12:30:15"},
	{"14:05", "2026-11-21 14:05:00"},
	{"2:00", "2026-11-22 02:00:00"},
	{"yesterday 14:05", "2026-11-22 14:05:00"},
	{"yesterday", "2026-11-22 00:00:00"},
	{"TODAY 01:00", "2026-11-23 01:00:00"},
	{"2026-11-22 14:05", "2026-11-22 14:05:00"},
	{"2026-11-22", "2026-11-22 00:00:00"},
	{"2026-07-01 12:00", "2026-07-01 12:00:00"},
	{"2026-07-01T12:00:00Z", "2026-07-01 14:00:00"},
	{"2026-11-22T14:05:00.25+01:00", "2026-11-22 14:05:00.250"},
	{"2026-11-22T14:05:00-0500", "2026-11-22 20:05:00"},
	{"2026-11-22 14:05-10min", "2026-11-22 13:55:00"},
	{"@1795348800", "2026-11-22 13:00:00"},
	{"@1795348800.5", "2026-11-22 13:00:00.500"},
	{"-15min", "2026-11-22 12:45:00"},
	{"2h ago", "2026-11-23 07:00:00"},
	{"1h 30 min ago", "2026-11-23 07:30:00"},
	{"now", "2026-11-23 09:00:00"},
	{"start", "2026-11-20 08:00:00"},
	{"end", "2026-11-22 13:00:00"},
	{"end-10min", "2026-11-22 12:50:00"},
	{"start + 1h30min", "2026-11-20 09:30:00"},
	{"#3", "2026-11-20 08:03:00"},
	{"#3+5s", "2026-11-20 08:03:05"},
	{"", NULL},
	{"noon", NULL},
	{"24:00", NULL},
	{"14:5", NULL},
	{"14:05x", NULL},
	{"2026-02-29", NULL},
	{"2026-13-01", NULL},
	{"2026-11-22 14:05 tomorrow", NULL},
	{"@", NULL},
	{"@99999999999999999999", NULL},
	{"15min", NULL},
	{"-15", NULL},
	{"end-", NULL},
	{"startle", NULL},
	{"#", NULL},
	{"-9999999999999d", NULL},
};

Test(timeparse, every_way_to_say_it)
{
	cr_assert_eq(zone_use(ZONE, NULL), 0);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct time_point p = {.wall_ns = -1};
		struct err e = {0};
		char text[TIME_TEXT_BYTES];
		int rc = time_parse(times[i].text, &ref, &p, &e);
		if (!times[i].is) {
			cr_assert_eq(rc, ERR_USAGE, "'%s'", times[i].text);
			cr_assert_eq(p.wall_ns, -1);
			cr_assert(strstr(e.text, "not a time"), "%s", e.text);
			continue;
		}
		cr_assert_eq(rc, 0, "'%s': %s", times[i].text, e.text);
		time_format(p.wall_ns, text);
		cr_assert_str_eq(text, times[i].is, "'%s' is %s", times[i].text, text);
	}
}

Test(timeparse, a_number_alone_is_a_snapshot)
{
	struct time_point p;
	struct err e = {0};
	cr_assert_eq(time_parse("#7", &ref, &p, NULL), 0);
	cr_assert_eq(p.snapshot, 7);
	cr_assert_eq(time_parse("#7-1s", &ref, &p, NULL), 0);
	cr_assert_eq(p.snapshot, 0);
	cr_assert_eq(time_parse("#12", &ref, &p, &e), ERR_NOT_FOUND);
}

Test(timeparse, a_time_of_day_on_a_history_that_has_none)
{
	cr_assert_eq(zone_use("utc", NULL), 0);
	struct time_ref short_ref = ref;
	short_ref.start_ns = END_NS - 2 * NS_PER_H; /* 10:00 .. 12:00 UTC */
	struct time_point p;
	char text[TIME_TEXT_BYTES];
	cr_assert_eq(time_parse("14:00", &short_ref, &p, NULL), 0);
	time_format(p.wall_ns, text);
	cr_assert_str_eq(text, "2026-11-22 14:00:00");
	short_ref.has_history = false;
	cr_assert_eq(time_parse("14:00", &short_ref, &p, NULL), ERR_USAGE);
	cr_assert_eq(time_parse("#1", &short_ref, &p, NULL), ERR_USAGE);
}

static const struct {
	const char *text;
	int64_t ns; /* -1: none */
} durations[] = {
	{"500ms", 500 * NS_PER_MS},
	{"90s", 90 * NS_PER_S},
	{"1h30min", 90 * NS_PER_MIN},
	{"1.5d", 36 * NS_PER_H},
	{"0.25 s", 250 * NS_PER_MS},
	{"2 weeks", 14 * NS_PER_DAY},
	{"100us", 100000},
	{"5", -1},
	{"", -1},
	{"-5s", -1},
	{"5 parsecs", -1},
	{"99999999999w", -1},
	{"5s5", -1},
};

Test(timeparse, durations)
{
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t ns = -1;
		int rc = duration_parse(durations[i].text, &ns, NULL);
		cr_assert_eq(ns, durations[i].ns, "'%s' is %lld", durations[i].text, (long long)ns);
		cr_assert_eq(rc, durations[i].ns < 0 ? ERR_USAGE : 0);
	}
}

static const struct {
	int64_t ns;
	const char *text, *up; /* NULL: the same */
} texts[] = {
	{0, "0ms", NULL},
	{44 * NS_PER_MS, "44ms", NULL},
	{1250 * NS_PER_MS, "1.25s", NULL},
	{59999 * NS_PER_MS, "59.9s", "1min"},
	{303 * NS_PER_S, "5min 3s", NULL},
	{2 * NS_PER_H, "2h", NULL},
	{2 * NS_PER_H + 10 * NS_PER_MIN, "2h 10min", NULL},
	{3 * NS_PER_DAY + 4 * NS_PER_H + 59 * NS_PER_MIN, "3d 4h", "3d 5h"},
	{-NS_PER_MIN, "-1min", NULL},
};

Test(timeparse, durations_as_text)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char text[TIME_TEXT_BYTES];
		duration_format(texts[i].ns, text);
		cr_assert_str_eq(text, texts[i].text);
		/* A bound that it is below of is never shown too low. */
		duration_format_up(texts[i].ns, text);
		cr_assert_str_eq(text, texts[i].up ? texts[i].up : texts[i].text);
	}
}

Test(timeparse, rfc3339)
{
	char text[TIME_TEXT_BYTES];
	cr_assert_eq(zone_use(ZONE, NULL), 0);
	time_format_rfc3339(END_NS + 7, text);
	cr_assert_str_eq(text, "2026-11-22T13:00:00.000000007+01:00");
	cr_assert_eq(zone_use("<-0330>3:30", NULL), 0);
	time_format_rfc3339(END_NS, text);
	cr_assert_str_eq(text, "2026-11-22T08:30:00.000000000-03:30");
}

Test(timeparse, zones_from_a_file_cannot_name_another_file)
{
	static const char *const bad[] = {
		"/etc/passwd", "../../../etc/passwd", ":UTC", "", "Europe/Nowhere", "a b", "UTC\n",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(zone_use(bad[i], NULL), ERR_USAGE, "%s", bad[i]);
}
