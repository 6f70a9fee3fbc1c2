/* timetext.c - times and durations as text, and the zone they are in. See timeparse.h. */
#include "timeparse.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define ZONE_DIR       "/usr/share/zoneinfo/"
#define ZONE_MAX_BYTES 64

/* Letters, digits and what names and POSIX strings use; never a path that leads elsewhere. */
static bool zone_is_harmless(const char *zone)
{
	size_t len = strlen(zone);
	if (!len || len > ZONE_MAX_BYTES || zone[0] == '/' || strstr(zone, ".."))
		return false;
	for (const char *p = zone; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_+-/,.<>:", *p))
			return false;
	return zone[0] != ':';
}

/* "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3": at least three letters, then an offset. */
static bool zone_is_posix(const char *zone)
{
	const char *p = zone;
	if (*p == '<') {
		p = strchr(p, '>');
		if (!p)
			return false;
		p++;
	} else {
		while (isalpha((unsigned char)*p))
			p++;
		if (p - zone < 3)
			return false;
	}
	if (*p == '+' || *p == '-')
		p++;
	return isdigit((unsigned char)*p) != 0;
}

int zone_use(const char *zone, struct err *e)
{
	char path[sizeof(ZONE_DIR) + ZONE_MAX_BYTES];
	if (strcasecmp(zone, "utc") == 0)
		zone = "UTC0";
	if (!zone_is_harmless(zone))
		return err_set(e, ERR_USAGE, "%.64s: not a time zone", zone);
	snprintf(path, sizeof(path), "%s%s", ZONE_DIR, zone);
	if (!zone_is_posix(zone) && access(path, R_OK) != 0)
		return err_set(e, ERR_USAGE, "%s: no such time zone here (%s)", zone, ZONE_DIR);
	if (setenv("TZ", zone, 1) != 0)
		return err_set(e, ERR_NOMEM, "time zone: memory ran out");
	tzset();
	return 0;
}

/* Seconds rounded down and the ns above them, for times before the epoch too. */
static time_t split(int64_t wall_ns, int64_t *ret_ns)
{
	int64_t s = wall_ns / NS_PER_S;
	int64_t ns = wall_ns % NS_PER_S;
	if (ns < 0) {
		ns += NS_PER_S;
		s--;
	}
	*ret_ns = ns;
	return (time_t)s;
}

void time_format(int64_t wall_ns, char ret_text[TIME_TEXT_BYTES])
{
	struct tm tm;
	int64_t ns;
	time_t t = split(wall_ns, &ns);
	localtime_r(&t, &tm);
	size_t len = strftime(ret_text, TIME_TEXT_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
	if (ns >= NS_PER_MS)
		snprintf(ret_text + len, TIME_TEXT_BYTES - len, ".%03d", (int)(ns / NS_PER_MS));
}

void time_format_rfc3339(int64_t wall_ns, char ret_text[TIME_TEXT_BYTES])
{
	struct tm tm;
	int64_t ns;
	time_t t = split(wall_ns, &ns);
	localtime_r(&t, &tm);
	size_t len = strftime(ret_text, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
	long east_min = tm.tm_gmtoff / 60;
	snprintf(ret_text + len, TIME_TEXT_BYTES - len, ".%09d%c%02ld:%02ld", (int)ns,
		 east_min < 0 ? '-' : '+', labs(east_min) / 60, labs(east_min) % 60);
}

/* WHOLE UNIT [REST UNIT] */
static void two_units(char *text, int64_t ns, int64_t big, const char *big_name, int64_t small,
		      const char *small_name)
{
	int n = snprintf(text, TIME_TEXT_BYTES, "%" PRId64 "%s", ns / big, big_name);
	if (ns % big / small)
		snprintf(text + n, TIME_TEXT_BYTES - (size_t)n, " %" PRId64 "%s", ns % big / small,
			 small_name);
}

void duration_format(int64_t ns, char ret_text[TIME_TEXT_BYTES])
{
	if (ns < 0) {
		ret_text[0] = '-';
		char text[TIME_TEXT_BYTES];
		duration_format(ns == INT64_MIN ? INT64_MAX : -ns, text);
		snprintf(ret_text + 1, TIME_TEXT_BYTES - 1, "%s", text);
	} else if (ns < NS_PER_S) {
		snprintf(ret_text, TIME_TEXT_BYTES, "%" PRId64 "ms", ns / NS_PER_MS);
	} else if (ns < 10 * NS_PER_S) {
		snprintf(ret_text, TIME_TEXT_BYTES, "%d.%02ds", (int)(ns / NS_PER_S),
			 (int)(ns / (10 * NS_PER_MS) % 100));
	} else if (ns < NS_PER_MIN) {
		snprintf(ret_text, TIME_TEXT_BYTES, "%d.%ds", (int)(ns / NS_PER_S),
			 (int)(ns / (100 * NS_PER_MS) % 10));
	} else if (ns < NS_PER_H) {
		two_units(ret_text, ns, NS_PER_MIN, "min", NS_PER_S, "s");
	} else if (ns < NS_PER_DAY) {
		two_units(ret_text, ns, NS_PER_H, "h", NS_PER_MIN, "min");
	} else {
		two_units(ret_text, ns, NS_PER_DAY, "d", NS_PER_H, "h");
	}
}

void duration_format_up(int64_t ns, char ret_text[TIME_TEXT_BYTES])
{
	/* The last digit or unit that duration_format() shows of durations below `below`. */
	static const struct {
		int64_t below, step;
	} steps[] = {
		{NS_PER_S, NS_PER_MS},	       {10 * NS_PER_S, 10 * NS_PER_MS},
		{NS_PER_MIN, 100 * NS_PER_MS}, {NS_PER_H, NS_PER_S},
		{NS_PER_DAY, NS_PER_MIN},      {INT64_MAX, NS_PER_H},
	};
	size_t i = 0;
	while (i + 1 < sizeof(steps) / sizeof(steps[0]) && ns >= steps[i].below)
		i++;
	int64_t over = ns > 0 ? ns % steps[i].step : 0;
	if (over && ns <= INT64_MAX - steps[i].step)
		ns += steps[i].step - over;
	duration_format(ns, ret_text);
}
