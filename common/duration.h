/*
 * duration.h - what people type as a duration: a number with a unit, or several: 90s, 1h30min,
 * 1.5d. Units: ns us ms s sec min m h d w, and their English words. Pure.
 */
#ifndef SOCKLAPSE_DURATION_H
#define SOCKLAPSE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_S   INT64_C(1000000000)
#define NS_PER_MIN (60 * NS_PER_S)
#define NS_PER_H   (60 * NS_PER_MIN)
#define NS_PER_DAY (24 * NS_PER_H)

/* A duration >= 0 in ns. ERR_USAGE. */
int duration_parse(const char *text, int64_t *ret_ns, struct err *e) MUST_CHECK;

/*
 * Its parts, for who reads a longer text: each takes what it reads from *at on and moves *at
 * behind it; where false is returned, nothing was there and *at stays.
 */

/* One or more of NUMBER UNIT. */
bool duration_scan(const char **at, int64_t *ret_ns) MUST_CHECK;

/* Decimal digits; false if there are none or too many for 64 bits. */
bool duration_scan_number(const char **at, int64_t *ret) MUST_CHECK;

/* A dot and the digits behind it as ns of one unit of `unit_ns`; those beyond the 9th are dropped.
 * 0 if there are none. */
int64_t duration_scan_fraction(const char **at, int64_t unit_ns);

#endif
