/*
 * track_internal.h - the tracker's insides, shared by track.c (which socket is which) and
 * track_encode.c (what of it changed, as bytes).
 */
#ifndef SOCKLAPSE_TRACK_INTERNAL_H
#define SOCKLAPSE_TRACK_INTERNAL_H

#include <string.h>

#include "nums.h"
#include "track.h"

/* One step of the edit script (FORMAT.md section 5.1). */
struct edit {
	uint32_t keep;
	uint32_t drop;
	uint32_t born;
};

struct moved {
	uint32_t birth; /* index among the born positions */
	uint32_t old;	/* position before */
};

/* New values of a group, by the order of sockset.touched[group]. */
struct pending {
	uint8_t *blocks;
	size_t cap; /* in blocks */
};

/* Kinds of sockets (by what the kernel sends of them) whose absent columns are remembered. */
#define ABSENT_KINDS 8

/* Not more than there are columns. */
#define ABSENT_RUNS 255

struct absent {
	uint64_t has;
	uint16_t info_bytes;
	bool known;
	unsigned count;
	/* Columns that lie side by side in a group are one run. */
	struct absent_run {
		uint16_t group;
		uint16_t offset; /* in the group's struct */
		uint16_t len;
	} runs[ABSENT_RUNS];
};

/* Survivors that the turn part tells of, ascending by position, with the values told. */
struct turned {
	struct turn turn;
	struct turn_values now;
	bool has_info; /* now */
};

struct track {
	struct sockset set; /* the previous snapshot until commit */
	bool valid;	    /* set holds a snapshot */
	bool building;
	bool key;
	bool encoded; /* the models have learnt from it */
	bool applied; /* the new values are in the set already */

	uint32_t *new_order;
	size_t new_order_cap;
	uint32_t rows; /* of the new snapshot */

	struct edit *edits;
	size_t edits_cap;
	uint32_t edits_count;
	uint32_t births; /* born positions, moved ones included */
	struct moved *moved;
	size_t moved_cap;
	uint32_t moved_count;
	uint32_t next_old; /* next old position that is expected */
	uint32_t *old_at;  /* slot -> old position */
	uint32_t *seen;	   /* slot -> epoch in which it was seen */
	size_t slots_cap;  /* of the two arrays above */
	uint32_t epoch;
	uint32_t last_born_slot; /* or NO_SLOT */

	struct pending pending[GRP_COUNT];
	uint32_t owner_next; /* next position whose owner is unknown yet */

	struct turned *turned;
	size_t turned_cap;
	uint32_t turned_count;
	const uint8_t **turn_rows;
	size_t turn_rows_cap;

	struct absent absent[ABSENT_KINDS];
	unsigned absent_next;

	uint64_t tick_ms;
	struct tick_run *ticks;
	size_t ticks_cap;
	uint32_t ticks_count;
	struct fill_batch *batches;
	size_t batches_cap;
	uint32_t batches_count;
	uint32_t batch_first; /* first row of the batch being filled */

	uint32_t *hash; /* identity -> slot + 1; 0: empty */
	uint32_t hash_mask;
	uint32_t hash_used;

	struct nums_writer *writer;
	int level;
	struct buf part_bytes[PART_COUNT];
	uint64_t *residuals;
	size_t residuals_cap;
	uint8_t *class;
	size_t class_cap;
};

#define NO_SLOT UINT32_MAX

/* old_at of a slot whose socket was not there before. */
#define BORN_NOW UINT32_MAX

/* The stored values of a socket of the snapshot being built. */
static inline void *track_block(const struct track *t, unsigned group, uint32_t slot)
{
	return t->set.block[group] + (size_t)slot * column_groups[group].bytes;
}

/* Sets them. What is the same is not written: pages of rare groups then stay unused. */
static inline void track_set_block(const struct track *t, unsigned group, uint32_t slot,
				   const struct sock_row *row)
{
	size_t bytes = column_groups[group].bytes;
	const uint8_t *value = (const uint8_t *)row + column_groups[group].row_offset;
	uint8_t *to = track_block(t, group, slot);
	if (!(GRP_RARE & 1u << group) || memcmp(to, value, bytes) != 0)
		memcpy(to, value, bytes);
}

/*
 * Gives columns that the kernel did not send the values of `base_slot` (0 for NO_SLOT): they then
 * cost nothing. FORMAT.md section 5.4.
 */
void track_carry_absent(struct track *t, struct sock_row *row, uint32_t base_slot);

/* Positions whose owner was not named have none. */
int track_owners_done(struct track *t, struct err *e) MUST_CHECK;

static inline const struct row_member *track_member_of(const struct track *t, uint32_t slot)
{
	return (const struct row_member *)track_block(t, GRP_ID_member, slot);
}

/*
 * Is the connection in a slot this one? The state of a slot is its former one, or that of a socket
 * born now; a shell stays one, so that either will do.
 */
static inline bool track_is_same(const struct track *t, uint32_t slot, const struct row_member *m,
				 bool shell)
{
	const struct row_member *have = track_member_of(t, slot);
	if (memcmp(have, m, sizeof(*m)) != 0)
		return false;
	const struct row_state *state = sockset_block(&t->set, GRP_ID_state, slot);
	return sock_is_shell(have, state->state) == shell;
}

/* May move t->tick_ms on, up to hi_ms: the row's former stamps (in `slot`) tell. */
void track_settle_tick(struct track *t, const struct sock_row *row, uint32_t slot, uint64_t hi_ms);

/* Turns the kernel's "ms ago" and "in ms" into what is kept. */
void track_store_stamps(struct sock_row *row, uint64_t tick_ms);

/* Takes a group's values of the row at position t->rows: into the slot if it is born, else as
 * pending if they changed. */
int track_put_group(struct track *t, unsigned group, const struct sock_row *row, uint32_t slot,
		    bool born, struct err *e) MUST_CHECK;

/*
 * Notes which survivors turned (FORMAT.md section 5.7), while both their values are at hand: before
 * track_apply(). Then encodes the turn part of the frame.
 */
int track_note_turns(struct track *t, struct err *e) MUST_CHECK;
int track_encode_turns(struct track *t, struct frame_part *ret_part, struct err *e) MUST_CHECK;

/* A value as it is written: FORMAT.md section 5.3. */
static inline uint64_t track_residual(const struct column *c, const struct column *predictor,
				      const void *row, const void *base)
{
	uint64_t d = column_load(c, row) - column_load(c, base);
	if (predictor)
		d -= column_load(predictor, row) - column_load(predictor, base);
	unsigned shift = 64 - 8u * c->width;
	return zigzag((int64_t)(d << shift) >> shift);
}

/* Slots by identity. find: NO_SLOT if there is none. put: after a reserve that succeeded. */
uint32_t track_hash_find(const struct track *t, const struct row_member *m, bool shell);
int track_hash_reserve(struct track *t, struct err *e) MUST_CHECK;
void track_hash_put(struct track *t, uint32_t slot);
void track_hash_remove(struct track *t, uint32_t slot);

/* Puts the new values of survivors into the set. */
void track_apply(struct track *t);

#endif
