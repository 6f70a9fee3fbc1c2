/*
 * counters.h - the kernel's counters of a network namespace that a post-mortem asks for: table
 * counter. Pure: the text of /proc/net/snmp and /proc/net/netstat in, names and values out.
 */
#ifndef SOCKLAPSE_COUNTERS_H
#define SOCKLAPSE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Longer files are cut off here; those of Linux 6.18 have 1.2 and 4 KiB. */
#define COUNTERS_FILE_MAX 32768

typedef int (*counters_fn)(void *ctx, const char *name, int64_t value, struct err *e);

/*
 * Calls fn for every counter of the text that is recorded, as "Tcp.ActiveOpens". The text is pairs
 * of lines, "Tcp: NAME NAME ...\nTcp: VALUE VALUE ...\n"; what does not fit together is left out.
 * Returns 0, or what fn returned if that is not 0.
 */
int counters_parse(const char *text, size_t len, counters_fn fn, void *ctx,
		   struct err *e) MUST_CHECK;

#endif
