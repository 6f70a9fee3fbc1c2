/*
 * nums.h - the inside of a part as a sequence of numbers, whatever the codec: varints under
 * deflate, or range coding (FORMAT.md sections 5 and 5.6).
 *
 * Numbers belong to streams (range.h numbers them). nums_*_stream() goes on with one, which under
 * range coding has statistics of its own: those of the chain of frames, in `models`; or, for a part
 * that stands alone (`models` NULL), new ones each time. `class` is the context that range coding
 * uses (range_class() of the number that the same socket had in the column before, 0 if there is
 * none); deflate ignores it.
 */
#ifndef SOCKLAPSE_NUMS_H
#define SOCKLAPSE_NUMS_H

#include "bytes.h"
#include "frame.h"
#include "range.h"

struct nums_writer;

/* `level` is zlib's. */
int nums_writer_new(int level, struct nums_writer **ret, struct err *e) MUST_CHECK;
void nums_writer_free(struct nums_writer *w);

/* Begins a part whose packed bytes go into `out`, which the caller keeps. */
void nums_begin(struct nums_writer *w, enum part_codec codec, struct range_models *models,
		struct buf *out);
void nums_put_stream(struct nums_writer *w, unsigned stream);
void nums_put(struct nums_writer *w, uint8_t class, uint64_t v);
/* A stream of a column: values[i] under class[i], which becomes the value's own class. */
void nums_put_column(struct nums_writer *w, unsigned stream, uint8_t *class, const uint64_t *values,
		     size_t n);
void nums_put_bytes(struct nums_writer *w, const uint8_t *bytes, size_t len);

/* Fills *ret_part; its bytes are those of the `out` buffer. */
int nums_end(struct nums_writer *w, struct frame_part *ret_part, struct err *e) MUST_CHECK;

struct nums_reader {
	bool ranged;
	struct span span;
	struct range_decoder decoder;
	struct range_models *models;
	struct range_model *model;
	struct range_model spare;
	bool no_memory; /* that is why it is bad */
	uint64_t left;	/* numbers and bytes that may still come */
};

/* Unpacks a part (into `raw`, if its codec needs that). ERR_CORRUPT, ERR_LIMIT, ERR_NOMEM. */
int nums_open(struct nums_reader *r, const struct frame_part *p, struct range_models *models,
	      struct buf *raw, struct err *e) MUST_CHECK;
void nums_get_stream(struct nums_reader *r, unsigned stream);
void nums_get_bytes(struct nums_reader *r, uint8_t *ret_bytes, size_t len);

/* A stream of a column, as nums_put_column() wrote it. Bad: the values are 0 or nonsense. */
void nums_get_column(struct nums_reader *r, unsigned stream, uint8_t *class, uint64_t *ret_values,
		     size_t n);

/* Did anything ask for more than there is? Everything read since the part began is void then. */
static inline bool nums_bad(const struct nums_reader *r)
{
	return r->ranged ? r->decoder.bad : r->span.bad;
}

static inline void nums_set_bad(struct nums_reader *r)
{
	r->decoder.bad = r->span.bad = true;
}

static inline uint64_t nums_get(struct nums_reader *r, uint8_t class)
{
	if (r->left == 0) {
		nums_set_bad(r);
		return 0;
	}
	r->left--;
	return r->ranged ? range_decode(&r->decoder, r->model, class) : span_varint(&r->span);
}

/* A number that must not pass `max`; else bad, and 0. */
static inline uint64_t nums_get_max(struct nums_reader *r, uint64_t max)
{
	uint64_t v = nums_get(r, 0);
	if (v <= max)
		return v;
	nums_set_bad(r);
	return 0;
}

#endif
