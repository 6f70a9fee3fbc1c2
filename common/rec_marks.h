/*
 * rec_marks.h - reads the inode watermarks of a recording, snapshot by snapshot: FORMAT.md
 * section 6.2.
 */
#ifndef SOCKLAPSE_REC_MARKS_H
#define SOCKLAPSE_REC_MARKS_H

#include "rec_read.h"

/* Zero-initialised it is empty; rec_marks_fini() ends it. */
struct rec_marks {
	struct sqlite3_stmt *stmt;
	uint64_t begin_us, end_us; /* after the snapshot's mono_begin_ns, around all marks */
	uint32_t *inodes;	   /* by CPU; 0: off line, or not known */
	size_t inodes_cap;
	size_t cpus; /* 0: the snapshot has no watermark */
	bool whole;  /* every CPU that was at work has its mark */
};

/*
 * Reads the watermark of the snapshot with this id. A recording or a snapshot that has none, or one
 * that makes no sense, gives cpus = 0. One rec_marks serves one recording. ERR_CORRUPT, ERR_IO,
 * ERR_NOMEM: it could not be read.
 */
int rec_marks_read(struct rec_marks *m, struct rec *r, int64_t snapshot, struct err *e) MUST_CHECK;
void rec_marks_fini(struct rec_marks *m);

#endif
