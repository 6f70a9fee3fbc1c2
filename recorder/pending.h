/*
 * pending.h - events of runs that could not write them, because another run held the recording:
 * BASE.pending, a line each, left for the holder to take with its next snapshot.
 *
 *   WALL_NS KIND TEXT\n
 *
 * The file is guarded by flock(2) on itself and held for moments only.
 */
#ifndef SOCKLAPSE_PENDING_H
#define SOCKLAPSE_PENDING_H

#include <stdint.h>

#include "err.h"

/* Longer texts are cut off, and a file longer than PENDING_FILE_MAX takes no more. */
#define PENDING_TEXT_MAX 1024
#define PENDING_FILE_MAX (1 << 20)

/* Leaves an event. Newlines and control bytes in `text` become spaces. */
int pending_put(const char *path, int64_t wall_ns, const char *kind, const char *text,
		struct err *e) MUST_CHECK;

typedef int (*pending_fn)(void *ctx, int64_t wall_ns, const char *kind, const char *text,
			  struct err *e);

/*
 * Gives each event to `fn` and, if all were taken, removes the file. Without a file: 0. Lines that
 * are none of ours are left out.
 */
int pending_take(const char *path, pending_fn fn, void *ctx, struct err *e) MUST_CHECK;

#endif
