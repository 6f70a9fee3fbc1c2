/*
 * late.h - work that may hang (a name server that does not answer), with a deadline. Each item is
 * worked on in a thread of its own memory; whatever is not done in time is left to itself.
 */
#ifndef SOCKLAPSE_LATE_H
#define SOCKLAPSE_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* So many threads at most work at once. */
#define LATE_THREADS 16

/*
 * Calls work(item) for `count` items of `item_bytes` each, in threads, and returns when all are
 * done or `timeout_ms` is over. Items that are done are copied back in place, the others stay as
 * they were; *ret_missing (may be NULL) is how many. `work` must not touch anything but the item:
 * it may still run when everything else is gone. ERR_NOMEM.
 */
int late_run(void (*work)(void *item), void *items, size_t count, size_t item_bytes,
	     int64_t timeout_ms, size_t *ret_missing) MUST_CHECK;

#endif
