/*
 * retain.h - which recordings of this host have had their time (--keep, --keep-size), and their
 * removal. README.md says why the rules are as they are.
 *
 * Looks at nothing but BASE-YYYYMMDD.socklapse and what was set aside of such a file
 * (….damaged-N); removes only regular files that begin as a recording does, and their journals.
 */
#ifndef SOCKLAPSE_RETAIN_H
#define SOCKLAPSE_RETAIN_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/* At most so many files are removed at a time; the rest is for the next time. */
#define RETAIN_REMOVALS_MAX 64

/* Files of one host that are looked at; what the directory has beyond is left alone. */
#define RETAIN_FILES_MAX 65536

struct retain_policy {
	uint64_t keep_ns;    /* age; 0: any */
	uint64_t keep_bytes; /* sum of all files, the present one included; 0: any */
};

/* A recording as its name tells, and its size. */
struct retain_file {
	int64_t day;	  /* UTC days since the epoch */
	uint32_t damaged; /* N of a file set aside, or 0 */
	uint32_t ymd;	  /* YYYYMMDD */
	uint64_t bytes;
};

enum retain_why {
	RETAIN_KEEP,
	RETAIN_OLD,   /* --keep */
	RETAIN_EXCESS /* --keep-size */
};

/* "HOST-YYYYMMDD.socklapse[.damaged-N]" of that host, exactly. False: none. Pure. */
bool retain_parse(const char *name, const char *host, struct retain_file *ret) MUST_CHECK;

/*
 * Decides about the files, which it sorts, oldest first; `why` has room for `count`. The file of
 * `current_day` that is not set aside is kept in any case. Pure.
 */
void retain_decide(const struct retain_policy *policy, int64_t now_ns, int64_t current_day,
		   struct retain_file *files, size_t count, enum retain_why *why);

/* Told of each file that was removed: NAME, its size and why. */
typedef void (*retain_fn)(void *ctx, const char *text);

/*
 * Removes what has had its time beside `current`, the path of the recording for this moment.
 * `base` is DIR/HOST. A file that cannot be removed is left, and *e says which (the last one):
 * then the code is not 0, and yet all others were dealt with.
 */
int retain_enforce(const struct retain_policy *policy, const char *base, const char *current,
		   int64_t now_ns, retain_fn removed, void *ctx, struct err *e) MUST_CHECK;

#endif
