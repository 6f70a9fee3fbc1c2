/*
 * track.h - builds the next snapshot against the previous one and encodes the difference.
 *
 *   track_begin
 *     track_add for every socket in the kernel's order, track_batch after every batch
 *   track_members
 *     track_owner for every position, ascending, where an owner is known
 *   track_encode            the parts, to be written
 *   track_commit            once they are safe; or track_abandon: as if track_begin never was
 *
 * Nothing is allocated per socket beyond the arrays of the sockset.
 */
#ifndef SOCKLAPSE_TRACK_H
#define SOCKLAPSE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "sockset.h"

struct track;

int track_new(struct track **ret, struct err *e) MUST_CHECK;
void track_free(struct track *t);

/* The previous snapshot. A caller may restore it by frame_apply(); then track_adopt() it. */
struct sockset *track_set(struct track *t);
int track_adopt(struct track *t, struct err *e) MUST_CHECK;

/* Forgets the previous snapshot: the next one will be a key frame. */
void track_forget(struct track *t);

/* Begins a snapshot; `key` asks for a key frame. The first one always is. */
int track_begin(struct track *t, bool key, struct err *e) MUST_CHECK;

/*
 * One socket, as the kernel sent it. Its values were filled while the kernel's millisecond tick
 * was somewhere in [tick_lo_ms, tick_hi_ms] (not below 1, not descending from call to call); which
 * of them is assumed only decides how small the result is. Returns 0, or 1 if this connection was
 * already added to this snapshot (the first one counts; its shell, sock_is_shell(), is another), or
 * a negative code.
 */
int track_add(struct track *t, const struct sock_row *row, uint64_t tick_lo_ms, uint64_t tick_hi_ms,
	      struct err *e) MUST_CHECK;

/*
 * All rows since the last call were filled between these times on CLOCK_MONOTONIC, microseconds
 * after the snapshot's begin, lo rounded down and hi up. Successive batches overlap by at most
 * nothing: lo_us >= the former lo_us.
 */
int track_batch(struct track *t, uint64_t lo_us, uint64_t hi_us, struct err *e) MUST_CHECK;

/* No more sockets: from now on positions are known. */
int track_members(struct track *t, struct err *e) MUST_CHECK;

/* Number of sockets, and one of them (by position), after track_members(). */
uint32_t track_rows(const struct track *t);
const struct row_state *track_state(const struct track *t, uint32_t position);
const struct row_member *track_member(const struct track *t, uint32_t position);
/* The owner that the same connection had in the previous snapshot (all 0: none, or new). */
const struct row_owner *track_old_owner(const struct track *t, uint32_t position);

/* The inode that it had then; 0 also if it is new. */
uint32_t track_old_inode(const struct track *t, uint32_t position);

/* Who holds the socket at `position`; positions ascend. Those not named have no owner. */
int track_owner(struct track *t, uint32_t position, const struct row_owner *owner,
		struct err *e) MUST_CHECK;

/* Sockets of the snapshot being built, by table and state, after track_members(). */
void track_tally(const struct track *t, uint32_t ret_counts[PROTO_COUNT][STATE_COUNT]);

/* Is the snapshot being built a key frame? */
bool track_is_key(const struct track *t);

/*
 * Encodes the snapshot. parts[] point into memory of `t` that stays until the next track_begin().
 * `level` is zlib's.
 */
int track_encode(struct track *t, int level, struct frame_part ret_parts[PART_COUNT],
		 struct err *e) MUST_CHECK;

/* The snapshot becomes the previous one. Cannot fail. */
void track_commit(struct track *t);
void track_abandon(struct track *t);

#endif
