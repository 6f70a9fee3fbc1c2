/*
 * owners.h - puts the processes that a walk of /proc found (proc_walk.h) to the sockets of the
 * snapshot that is being built: table process, and the columns of group `owner`.
 */
#ifndef SOCKLAPSE_OWNERS_H
#define SOCKLAPSE_OWNERS_H

#include "proc_walk.h"
#include "rec_write.h"

/* Scratch memory; zero-initialised it is empty. */
struct owners {
	uint32_t *
		process_row; /* by index in proc_walk.processes: row of table process, 0: not yet */
	size_t process_row_cap;
	struct owner_holder *holders; /* of one socket */
	size_t holders_cap;
	struct buf more;
};

void owners_fini(struct owners *o);

/*
 * For every position of the writer's snapshot, after track_members(): its holders, the process
 * that started first and then the lowest fd first, the others as a text (FORMAT.md section 6). Only
 * processes that hold a socket of the snapshot are recorded. Errors are the writer's, or ERR_NOMEM.
 */
int owners_assign(struct owners *o, struct proc_walk *walk, struct rec_writer *writer,
		  struct err *e) MUST_CHECK;

#endif
