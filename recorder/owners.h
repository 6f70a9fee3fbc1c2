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
	uint32_t count;
	struct buf more;
	struct buf former_more;
	struct proc_doubt *doubts;
	size_t doubts_cap;
	size_t doubts_count;
};

void owners_fini(struct owners *o);

/*
 * Before the walk, after rec_writer_begin(): fills walk->known with what the last snapshot of the
 * recording says about holders, or clears it if that does not tell all.
 */
int owners_recall(struct owners *o, struct proc_walk *walk, struct rec_writer *writer,
		  struct err *e) MUST_CHECK;

/*
 * After the walk and track_members(): has the walk read what cannot be taken over as it was, or is
 * missing. Nothing to do if nothing was taken over.
 */
int owners_refresh(struct owners *o, struct proc_walk *walk, struct rec_writer *writer, int proc_fd,
		   enum cmdline_mode mode, struct err *e) MUST_CHECK;

/* For owners.c: who held the socket at `position` when it had the inode that it has now. */
const struct row_owner *owners_former(const struct track *t, uint32_t position);

/* For owners.c: the process, if the holder is still trusted to be one; else NULL. */
const struct known_process *owners_trusted(const struct proc_known *k, uint32_t row, uint32_t fd);

/* For owners.c: gives each holder in the columns of group owner to `take`. */
int owners_each(struct owners *o, const struct row_owner *owner, struct rec_writer *writer,
		int (*take)(void *ctx, uint32_t row, uint32_t fd, struct err *e), void *ctx,
		struct err *e) MUST_CHECK;

/*
 * For every position of the writer's snapshot, after track_members(): its holders, the process
 * that started first and then the lowest fd first, the others as a text (FORMAT.md section 6). Only
 * processes that hold a socket of the snapshot are recorded. Errors are the writer's, or ERR_NOMEM.
 */
int owners_assign(struct owners *o, struct proc_walk *walk, struct rec_writer *writer,
		  struct err *e) MUST_CHECK;

#endif
