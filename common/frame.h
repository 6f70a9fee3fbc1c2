/*
 * frame.h - the bytes of one snapshot: parts in, sockset changed; and back. FORMAT.md sections
 * 4 and 5. Pure: no file, no clock.
 */
#ifndef SOCKLAPSE_FRAME_H
#define SOCKLAPSE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "sockset.h"

/*
 * Parts of a frame: 1 .. GRP_COUNT-1 are the column groups, PART_TURN the rows around changes of
 * state, PART_CLOCK the ticks and batches.
 */
#define PART_TURN  14
#define PART_CLOCK 15
#define PART_COUNT 16

/* First byte of the member part. */
enum frame_kind {
	FRAME_DELTA = 0,
	FRAME_KEY = 1
};

/* How an address of a new socket is written (FORMAT.md section 5.3). */
enum addr_tag {
	ADDR_SAME = 0,
	ADDR_V4 = 4,
	ADDR_MAPPED = 6,
	ADDR_V6 = 16
};

/* Which rows of a survivor the turn part tells (FORMAT.md section 5.7). */
enum turn_rows {
	TURN_NOW = 1,
	TURN_BEFORE = 2
};

/* Which streams a column record has (FORMAT.md section 5.2). */
enum record_streams {
	RECORD_BIRTHS = 1,
	RECORD_CHANGES = 2
};

enum part_codec {
	CODEC_STORED = 0,
	CODEC_DEFLATE = 1,
	CODEC_RANGE = 2
};

/* One part as it lies in the file. The bytes belong to whoever made it. */
struct frame_part {
	const uint8_t *bytes;
	size_t len;
	uint32_t raw_bytes; /* length when unpacked; range coding: how many numbers it holds */
	uint8_t codec;	    /* enum part_codec */
	bool there;	    /* false: the frame has no such part, nothing changed in it */
};

/* A part's checksum: CRC-32 of snapshot id, part number, codec, raw length and bytes. */
uint32_t frame_crc(uint64_t snapshot, unsigned part, const struct frame_part *p);

/*
 * A frame has no more new sockets than these many, and these many for each of its bytes: a small
 * frame cannot make its reader work for long (FORMAT.md section 8).
 */
#define FRAME_FREE_BORN	    4096u
#define FRAME_BORN_PER_BYTE 64u

struct nums_reader;
struct frame_aside;

/* Does a second thread read a part of each frame (frame_aside.h)? The result is the same. */
enum frame_share {
	FRAME_SHARE_NEVER,
	FRAME_SHARE_AUTO, /* where it pays */
	FRAME_SHARE_ALWAYS
};

/* Scratch memory of a decoder; zero-initialised it is empty. */
struct frame_scratch {
	struct buf raw;
	struct nums_reader *reader;
	uint32_t *order;
	size_t order_cap;
	uint8_t *mark;
	size_t mark_cap;
	uint32_t *moved;
	size_t moved_cap;
	uint32_t *slots;
	size_t slots_cap;
	int64_t *change;
	size_t change_cap;
	uint8_t *class;
	size_t class_cap;
	uint64_t *residuals;
	size_t residuals_cap;
	uint8_t **rows;
	size_t rows_cap;
	uint64_t frame_bytes; /* of all parts of the next frame; 0: new sockets are not limited */
	enum frame_share share;
	struct frame_aside *aside; /* NULL: not needed yet */
};
void frame_scratch_fini(struct frame_scratch *scratch);

/*
 * Applies one frame to `set`: parts[n] is part n; parts of groups that the set does not keep, or
 * that are left out this time (sockset.h), are not looked at. A delta frame needs the set as the
 * frame before left it. On an error the set's content is undefined: sockset_clear() it and go on at
 * a key frame. ERR_CORRUPT, ERR_LIMIT, ERR_NOMEM.
 */
int frame_apply(struct sockset *set, const struct frame_part parts[PART_COUNT],
		struct frame_scratch *scratch, struct err *e) MUST_CHECK;

#endif
