/*
 * part_write.h - packs the bytes of one part while they are made, so that a part never lies in
 * memory unpacked. Stored as they are if that is shorter.
 */
#ifndef SOCKLAPSE_PART_WRITE_H
#define SOCKLAPSE_PART_WRITE_H

#include "frame.h"

struct part_writer;

int part_writer_new(int level, struct part_writer **ret, struct err *e) MUST_CHECK;
void part_writer_free(struct part_writer *w);

/* Begins a part whose packed bytes go into `out`, which the caller keeps. */
void part_begin(struct part_writer *w, struct buf *out);
void part_put(struct part_writer *w, const void *bytes, size_t len);
void part_put_varint(struct part_writer *w, uint64_t v);

/* Fills *ret_part; its bytes are those of the `out` buffer. */
int part_end(struct part_writer *w, struct frame_part *ret_part, struct err *e) MUST_CHECK;

#endif
