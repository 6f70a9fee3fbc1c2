/*
 * sockset_step.h - what one frame changed in a sockset, copied out of it, so that a second sockset
 * can follow: in another thread, while the first one goes on to the next frame.
 *
 *   frame_apply(set, ...)          one thread
 *   sockset_step_take(step, set, whole)
 *   sockset_step_put(step, copy)   the other one
 *
 * Both socksets are empty at first; every step is put once, in the order in which they were taken.
 * Then whatever may be read of `set` between two frames reads the same in `copy` (but the range
 * coder's models, which only frames need). A step is about as long as what changed.
 *
 * That is so while each frame stands alone or follows the one of the step before. If `set` has come
 * to its snapshot otherwise, by several frames or from another set, the step takes it whole; values
 * of sockets that died are then not in it.
 */
#ifndef SOCKLAPSE_SOCKSET_STEP_H
#define SOCKLAPSE_SOCKSET_STEP_H

#include "buf.h"
#include "sockset.h"

struct sockset_step {
	struct sockset lists; /* all but blocks, free slots and models: positions, clocks, turns */
	bool whole;	      /* of all sockets, not only of those that the frame told of */
	uint32_t filled;      /* GRP_BIT()s of the groups of which somebody had a value */
	struct buf values;    /* rows of groups, in the order of sockset_step_put() */
};

void sockset_step_fini(struct sockset_step *step);

/* A zero-initialised step, or one that was put, takes what the last frame changed. ERR_NOMEM. */
int sockset_step_take(struct sockset_step *step, const struct sockset *set, bool whole,
		      struct err *e) MUST_CHECK;

/* Puts it into `copy`; the step is used up. ERR_NOMEM: then `copy` is of no use any more. */
int sockset_step_put(struct sockset_step *step, struct sockset *copy, struct err *e) MUST_CHECK;

#endif
