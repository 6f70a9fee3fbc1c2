/*
 * frame_aside.h - a second thread that reads one group of a frame while the caller reads the
 * others. Once the member part is applied, the parts of a frame know nothing of one another
 * (FORMAT.md sections 4 and 5.6): each has its own lists, blocks and models.
 *
 *   frame_aside_begin(a, set, group, part, scratch)    false: the caller reads it itself
 *     ... the other groups ...
 *   frame_aside_end(a, &e)
 *
 * What is read, and what is said of damage, is the same as without it.
 */
#ifndef SOCKLAPSE_FRAME_ASIDE_H
#define SOCKLAPSE_FRAME_ASIDE_H

#include "frame.h"

struct frame_aside;

/* NULL: no thread could be made, memory ran out, or (unless `always`) there is one processor. */
struct frame_aside *frame_aside_new(bool always);
void frame_aside_free(struct frame_aside *a);

/*
 * Begins to read a group whose part is there. `scratch` is the caller's, with the slots of the new
 * sockets; it, `set` and the part's bytes must stay until frame_aside_end(), which must follow. Of
 * the set's group, and of models of its streams, everything is the thread's until then.
 */
bool frame_aside_begin(struct frame_aside *a, struct sockset *set, unsigned group,
		       const struct frame_part *part, const struct frame_scratch *scratch);

/* Waits for it. The result is that of frame_read_group() (frame_internal.h). */
int frame_aside_end(struct frame_aside *a, struct err *e) MUST_CHECK;

#endif
