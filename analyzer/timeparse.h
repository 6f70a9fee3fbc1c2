/*
 * timeparse.h - what people type as a time or a duration, and back to text. Pure but for the zone:
 * that is the C library's (TZ), set once by zone_use().
 *
 *   14:05  14:05:30         the last such time of day before the end of the history, or on its
 *                           last day if there is none
 *   yesterday [14:05]       by the clock of whoever asks; also: today
 *   2026-11-22 [14:05]      in the zone; 2026-11-22T14:05:00.5+01:00 as RFC 3339 has it
 *   @1763820300.5           seconds since the epoch
 *   -15min                  before the end of the history
 *   2h ago, now             by the clock of whoever asks
 *   start  end              first and last snapshot
 *   #12                     snapshot number 12
 *   end-10min  start+1h30min  #12-5s   any of them and a distance
 */
#ifndef SOCKLAPSE_TIMEPARSE_H
#define SOCKLAPSE_TIMEPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "duration.h"
#include "err.h"

/* Room for any text that the functions below write. */
#define TIME_TEXT_BYTES 48

/* What a time may refer to. All wall clock, ns since the epoch. */
struct time_ref {
	int64_t now_ns;
	bool has_history; /* else start, end, # and times of day without a date are refused */
	int64_t start_ns, end_ns;
	/* The begin of snapshot `number`; nonzero if there is none. */
	int (*snapshot_time)(const void *history, int64_t number, int64_t *ret_ns);
	const void *history;
};

struct time_point {
	int64_t wall_ns;
	int64_t snapshot; /* number, if it was given as #N and nothing else; else 0 */
};

/* ERR_USAGE says which part was not understood; ERR_NOT_FOUND: no such snapshot. */
int time_parse(const char *text, const struct time_ref *ref, struct time_point *ret,
	       struct err *e) MUST_CHECK;

/*
 * Makes `zone` the zone of this process: "utc", an IANA name or a POSIX TZ string. Names come from
 * recordings too, so nothing that could name another file is let through. ERR_USAGE: no such zone.
 */
int zone_use(const char *zone, struct err *e) MUST_CHECK;

/* "2026-11-22 14:05:00.250": with milliseconds only if `wall_ns` has them. */
void time_format(int64_t wall_ns, char ret_text[TIME_TEXT_BYTES]);

/* RFC 3339 with nanoseconds: "2026-11-22T14:05:00.250000000+01:00". */
void time_format_rfc3339(int64_t wall_ns, char ret_text[TIME_TEXT_BYTES]);

/* As duration_format(), but rounded up: of an upper bound. */
void duration_format_up(int64_t ns, char ret_text[TIME_TEXT_BYTES]);

/* Rounded down, two units at most: "44ms", "1.25s", "5min 3s", "2h 10min", "3d 4h". */
void duration_format(int64_t ns, char ret_text[TIME_TEXT_BYTES]);

#endif
