/*
 * spell_marks.h - when was a socket made? Between the last snapshot that its inode says it is
 * younger than, and the first one that it is older than (bounds_inode.h). Only for spell_*.c.
 */
#ifndef SOCKLAPSE_SPELL_MARKS_H
#define SOCKLAPSE_SPELL_MARKS_H

#include "spell_time.h"

struct history;
struct spell_marks;

int spell_marks_new(struct history *h, struct spell_marks **ret, struct err *e) MUST_CHECK;
void spell_marks_free(struct spell_marks *m);

/*
 * Reads the watermarks of the snapshots up to `index` that were not read yet (also of those whose
 * frames are damaged). Those of another boot are forgotten. Marks that cannot be read are none.
 */
int spell_marks_read(struct spell_marks *m, size_t index, struct err *e) MUST_CHECK;

/* A moment on CLOCK_BOOTTIME and on the wall clock; `index` HISTORY_NONE: not known. */
struct spell_mark {
	size_t index; /* snapshot */
	int64_t boot_ns, wall_ns;
};

/*
 * The socket with this inode was made after *ret_lo and before *ret_hi, as far as the snapshots
 * read so far tell.
 */
void spell_marks_find(const struct spell_marks *m, uint32_t inode, struct spell_mark *ret_lo,
		      struct spell_mark *ret_hi);

#endif
