/*
 * sockset.h - all sockets of one snapshot, kept so that the next snapshot can be applied to it in
 * time proportional to what changed.
 *
 * A socket has a *position* (where the kernel's dump had it) and a *slot* (where its values are
 * kept). Its position moves as others come and go; its slot stays as long as the connection lives.
 * Values are kept by group: block[group] + slot * column_groups[group].bytes.
 *
 * Stamps are kept as absolute ticks, so that an idle socket does not change at all;
 * sockset_value() turns them back into what the kernel said (FORMAT.md section 5.3).
 */
#ifndef SOCKLAPSE_SOCKSET_H
#define SOCKLAPSE_SOCKSET_H

#include <stdbool.h>
#include <stdint.h>

#include "columns.h"
#include "err.h"
#include "range.h"

/* More sockets than this in one snapshot are refused when reading (FORMAT.md section 8). */
#define SOCKSET_MAX_ROWS (1u << 22)

/* From position `first` on (up to the next run), the kernel's tick was `tick_ms`. */
struct tick_run {
	uint32_t first;
	uint64_t tick_ms;
};

/*
 * From position `first` on (up to the next batch), rows were filled by the kernel between these
 * times on CLOCK_MONOTONIC, in microseconds after the snapshot's begin: lo rounded down, hi up.
 */
struct fill_batch {
	uint32_t first;
	uint64_t lo_us;
	uint64_t hi_us;
};

/* Values of the groups `queue` and `evidence`, as they are kept. */
struct turn_values {
	struct row_queue queue;
	struct row_evidence evidence;
};

/* A survivor told of by the turn part (FORMAT.md section 5.7). */
struct turn {
	uint32_t position;
	uint8_t told;		   /* enum turn_rows of frame.h */
	struct turn_values before; /* if told: as in the snapshot before */
};

struct sockset {
	uint32_t rows;	 /* sockets in this snapshot */
	uint32_t groups; /* GRP_BIT()s that are kept; others have no blocks */
	/*
	 * Groups that are kept, but whose parts the next frame_apply() does not read (`queue` and
	 * `evidence`, with 1 << PART_TURN in groups): of those only what the turn part tells is
	 * right then, and what other sockets have there must not be looked at.
	 */
	uint32_t left_out;

	uint32_t *order; /* position -> slot, `rows` of them */
	size_t order_cap;

	uint32_t slots; /* slots in use or free: all are below this */
	size_t slots_cap;
	uint32_t *free_slots;
	size_t free_cap;
	uint32_t free_count;
	uint8_t *block[GRP_COUNT]; /* room for slots_cap; NULL: not kept, or all zero so far */

	struct tick_run *ticks;
	size_t ticks_cap;
	uint32_t ticks_count;
	struct fill_batch *batches;
	size_t batches_cap;
	uint32_t batches_count;

	/* What the last snapshot changed; valid until the next one is applied. */
	uint32_t *born; /* positions of sockets that are new, ascending */
	size_t born_cap;
	uint32_t born_count;
	uint32_t *died; /* slots of sockets that are gone; values still readable */
	size_t died_cap;
	uint32_t died_count;
	uint32_t *touched[GRP_COUNT]; /* positions of survivors whose group changed, ascending */
	size_t touched_cap[GRP_COUNT];
	uint32_t touched_count[GRP_COUNT];
	struct range_models *models; /* range.h: of the chain of frames; NULL: none yet */
	struct turn *turns;	     /* ascending by position; if the turn part is read */
	size_t turns_cap;
	uint32_t turns_count;
	bool is_key; /* the last one was a key frame: everybody is born, the former ones died */
};

/* An empty set that keeps the groups of `groups` (GRP_BIT()s; `member` is always kept). */
void sockset_init(struct sockset *set, uint32_t groups);
void sockset_fini(struct sockset *set);

/* Forgets all sockets, keeps the memory. */
void sockset_clear(struct sockset *set);

/* What a group that nobody ever wrote to reads as. Larger than any group's struct. */
#define SOCKSET_ZEROS 64
extern const uint64_t sockset_zeros[SOCKSET_ZEROS];

/* A slot's values of a kept group; all zero if nobody ever had another value there. */
static inline const void *sockset_block(const struct sockset *set, unsigned group, uint32_t slot)
{
	if (!set->block[group])
		return sockset_zeros;
	return set->block[group] + (size_t)slot * column_groups[group].bytes;
}

/* Typed shorthands: SLOT_GROUP(set, slot, state)->inode. */
#define SLOT_GROUP(set, slot, group)                                                               \
	((const struct row_##group *)sockset_block((set), GRP_ID_##group, (slot)))

/* The kernel's tick for a position. 0 if the snapshot has no ticks. */
uint64_t sockset_tick(const struct sockset *set, uint32_t position);

/* The batch in which the position's row was filled, or NULL. */
const struct fill_batch *sockset_batch(const struct sockset *set, uint32_t position);

/*
 * A column (up to 8 bytes wide) as the kernel sent it, stamps translated back. The column's group,
 * and for absent columns `state`, must be kept. Says nothing about NULL: see sockset_present().
 */
uint64_t sockset_value(const struct sockset *set, const struct column *c, uint32_t position);

/* The same for who asks of positions in order: *at is kept between two questions, 0 at first. */
const struct fill_batch *sockset_batch_near(const struct sockset *set, uint32_t position,
					    uint32_t *at);

/* Did the kernel send the column for the socket at this position? */
bool sockset_present(const struct sockset *set, const struct column *c, uint32_t position);

/* The whole row as the kernel sent it (every kept group; absent columns are 0). */
void sockset_row(const struct sockset *set, uint32_t position, struct sock_row *ret_row);

/* Stored form of a stamp and back. */
uint64_t stamp_store(enum column_enc enc, uint64_t value, uint64_t tick_ms);
uint64_t stamp_load(enum column_enc enc, uint64_t stored, uint64_t tick_ms);

/* Was the socket at this position not in the snapshot before? (At a key frame: always.) */
bool sockset_is_born(const struct sockset *set, uint32_t position);

/* What the turn part told of the survivor at this position, or NULL. */
const struct turn *sockset_turn(const struct sockset *set, uint32_t position);

/* For the codec: a free slot with undefined content, or a negative code. */
int sockset_take_slot(struct sockset *set, uint32_t *ret_slot, struct err *e) MUST_CHECK;

/* Room for slots below `count`. ERR_NOMEM. */
int sockset_need_slots(struct sockset *set, uint32_t count, struct err *e) MUST_CHECK;

/* For the codec: blocks of a group, allocated (all zero) when first needed. NULL: no memory. */
uint8_t *sockset_need_block(struct sockset *set, unsigned group);

/* For the codec: what range coding knows after the frames so far. NULL: no memory. */
struct range_models *sockset_need_models(struct sockset *set);

#endif
