/*
 * range.h - adaptive binary range coding of numbers: FORMAT.md section 5.6.
 *
 * Deflate finds repeated bytes; residuals of counters do not repeat, they are *alike*: a handful
 * of lengths, and a socket whose one counter moved has the next one move too. Each number is
 * therefore coded bit by bit under the probability that such a bit had so far, given what class
 * of number the same socket had in the column before.
 */
#ifndef SOCKLAPSE_RANGE_H
#define SOCKLAPSE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Classes of a neighbouring number: 0, 1..7, and longer ones by length. */
#define RANGE_CLASSES 12

/* What is known about the numbers of one stream. */
struct range_model {
	uint16_t zero[RANGE_CLASSES];
	uint16_t length[RANGE_CLASSES][16];
	uint16_t long_length[64];
	uint16_t top[64][8];
	uint16_t middle[64];
	uint16_t low[16];
};
void range_model_init(struct range_model *m);

/*
 * The models of a chain of frames, by stream: what one frame teaches helps to pack the next. They
 * begin anew at a key frame. Zero-initialised it is empty; models are allocated when first asked
 * for. FORMAT.md section 5.6 numbers the streams.
 */
#define RANGE_STREAM_FRESH   0u	  /* has forgotten everything each time */
#define RANGE_STREAM_COLUMN  2u	  /* times column id: births; one more: changes */
#define RANGE_STREAM_HEAD    512u /* plus part: what stands before the columns */
#define RANGE_STREAM_RECORDS 528u /* plus part: the heads of column records */
#define RANGE_STREAMS	     544u
struct range_models {
	uint32_t epoch; /* counts key frames */
	uint32_t seen[RANGE_STREAMS];
	struct range_model *model[RANGE_STREAMS];
};
void range_models_fini(struct range_models *m);
void range_models_reset(struct range_models *m);
/* The model of a stream; NULL: no memory. */
struct range_model *range_models_get(struct range_models *m, unsigned stream);

/* The class of a number, as context for the next column's number of the same socket. */
uint8_t range_class(uint64_t v);

struct range_encoder {
	struct buf *out;
	uint64_t low;
	uint32_t range;
	uint8_t cache;
	uint64_t pending;
};
void range_encode_begin(struct range_encoder *c, struct buf *out);
void range_encode(struct range_encoder *c, struct range_model *m, uint8_t class, uint64_t v);
/*
 * A whole stream: values[0..n-1], each under class[i], which becomes the value's own class.
 */
void range_encode_stream(struct range_encoder *c, struct range_model *m, uint8_t *class,
			 const uint64_t *values, size_t n);
void range_encode_byte(struct range_encoder *c, uint8_t byte);
void range_encode_end(struct range_encoder *c);

struct range_decoder {
	const uint8_t *at;
	const uint8_t *end;
	uint32_t range;
	uint32_t code;
	bool bad; /* read behind the end: nothing that was decoded counts */
};
void range_decode_begin(struct range_decoder *c, const uint8_t *bytes, size_t len);
uint64_t range_decode(struct range_decoder *c, struct range_model *m, uint8_t class);
void range_decode_stream(struct range_decoder *c, struct range_model *m, uint8_t *class,
			 uint64_t *ret_values, size_t n);
uint8_t range_decode_byte(struct range_decoder *c);

#endif
