/*
 * vt_frame_walk.h - which snapshots a cursor over frames (vt_frame.h) goes through: host by host,
 * from the key frame on that the first one needs, further back if owners ask for it. A question
 * that follows another of the same cursor goes on where that one stopped, if it can: what lies
 * between has to be decoded only once.
 */
#ifndef SOCKLAPSE_VT_FRAME_WALK_H
#define SOCKLAPSE_VT_FRAME_WALK_H

#include "vt_frame.h"

/*
 * Begins the next host that has snapshots in the cursor's range. 1: the cursor shows its first one;
 * 0: there is no more; or a negative code of err.h.
 */
int frame_next_host(struct frame_cursor *c, struct err *e) MUST_CHECK;

/* The host's next snapshot, with what had to be left out told of. As above. */
int frame_walk_on(struct frame_cursor *c, struct err *e) MUST_CHECK;

/* Does the snapshot at `index` begin within the times asked for? */
bool frame_in_time(const struct frame_cursor *c, size_t index);

/*
 * Owners up to the present snapshot, learnt by a walk of their own: c->late, to be asked with the
 * set of c->late_walk. Done once for a snapshot.
 */
int frame_learn_late(struct frame_cursor *c, struct err *e);

void frame_forget_late(struct frame_cursor *c);

#endif
