/*
 * frame_internal.h - what frame.c (parts), frame_columns.c (columns) and frame_turn.c share of
 * decoding.
 */
#ifndef SOCKLAPSE_FRAME_INTERNAL_H
#define SOCKLAPSE_FRAME_INTERNAL_H

#include "nums.h"

/* Makes x->reader stand at the begin of a part. `models` NULL: it stands alone (nums.h). */
int frame_open_part(const struct frame_part *p, struct range_models *models,
		    struct frame_scratch *x, struct err *e) MUST_CHECK;

/*
 * Reads the part of a group, or none, after the member part; x->slots begins with the slots of the
 * new sockets. ERR_NOMEM, ERR_CORRUPT, ERR_LIMIT.
 */
int frame_read_group(struct sockset *set, unsigned group, const struct frame_part *p,
		     struct frame_scratch *x, struct err *e) MUST_CHECK;

/* Reads the turn part of a frame whose member part, and groups not left out, have been read. */
int frame_apply_turns(struct sockset *set, const struct frame_part *p, struct frame_scratch *x,
		      struct err *e) MUST_CHECK;

/* The columns of one group, about to be read. Slots, not positions. */
struct frame_columns {
	struct sockset *set;
	struct frame_scratch *scratch;
	struct nums_reader *reader; /* behind the part's head; NULL: the part is not there */
	unsigned group;
	uint8_t *block; /* the group's, set by frame_read_columns() */
	const uint32_t *born;
	uint32_t born_count;
	const uint32_t *touched;
	uint32_t touched_count;
};

/* Reads all column records and puts the values into the set. FORMAT.md sections 5.2 and 5.3. */
int frame_read_columns(struct frame_columns *w, struct err *e) MUST_CHECK;

#endif
