/* nums.c - see nums.h. */
#include "nums.h"

#include <stdlib.h>
#include <zlib.h>

/* No part may unpack to more (FORMAT.md section 8). */
#define MAX_RAW_BYTES (1u << 30)

/* Deflate cannot expand by more than this (zlib's documentation): a larger claim is a lie. */
#define MAX_EXPANSION 1040u

/*
 * Numbers that a byte of range-coded output can hold: the likeliest bit costs at least
 * log2(4096 / 4072) = 0.0085 bits, which is 945 of them.
 */
#define MAX_NUMBERS_PER_BYTE 945u

/* Deflated bytes are stored plain if that is shorter; only short parts can be. */
#define HEAD_BYTES 512

/* Varints are handed to zlib in pieces of this size. */
#define CHUNK_BYTES 8192

struct nums_writer {
	enum part_codec codec;
	struct buf *out;
	uint64_t raw; /* bytes before packing; range coding: numbers and bytes */
	bool failed;
	z_stream z;
	uint8_t head[HEAD_BYTES];
	uint8_t chunk[CHUNK_BYTES];
	size_t chunk_len;
	struct range_encoder encoder;
	struct range_models *models;
	struct range_model *model;
	struct range_model spare; /* of parts that stand alone, and when memory runs out */
};

int nums_writer_new(int level, struct nums_writer **ret, struct err *e)
{
	struct nums_writer *w = calloc(1, sizeof(*w));
	if (!w || deflateInit2(&w->z, level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(w);
		return err_set(e, ERR_NOMEM, "out of memory for zlib");
	}
	*ret = w;
	return 0;
}

void nums_writer_free(struct nums_writer *w)
{
	if (!w)
		return;
	deflateEnd(&w->z);
	free(w);
}

void nums_begin(struct nums_writer *w, enum part_codec codec, struct range_models *models,
		struct buf *out)
{
	buf_clear(out);
	w->codec = codec;
	w->models = models;
	w->out = out;
	w->raw = 0;
	w->chunk_len = 0;
	w->failed = false;
	if (codec == CODEC_RANGE)
		range_encode_begin(&w->encoder, out);
	else
		deflateReset(&w->z);
	nums_put_stream(w, RANGE_STREAM_FRESH);
}

void nums_put_stream(struct nums_writer *w, unsigned stream)
{
	if (w->codec != CODEC_RANGE)
		return;
	w->model = w->models ? range_models_get(w->models, stream) : NULL;
	if (!w->model) {
		w->failed |= w->models != NULL;
		w->model = &w->spare;
		range_model_init(w->model);
	}
}

static void run_deflate(struct nums_writer *w, int flush)
{
	int rc;
	w->z.next_in = w->chunk;
	w->z.avail_in = (uInt)w->chunk_len;
	do {
		uint8_t *p = buf_reserve(w->out, 4096);
		if (!p) {
			w->failed = true;
			w->chunk_len = 0; /* nothing more is kept, but callers go on putting */
			return;
		}
		w->z.next_out = p;
		w->z.avail_out = (uInt)(w->out->cap - w->out->len);
		rc = deflate(&w->z, flush);
		w->out->len = w->out->cap - w->z.avail_out;
	} while (flush == Z_FINISH ? rc == Z_OK : w->z.avail_in > 0);
	w->chunk_len = 0;
}

static void put_plain(struct nums_writer *w, const uint8_t *bytes, size_t len)
{
	if (w->raw < HEAD_BYTES) {
		size_t room = HEAD_BYTES - (size_t)w->raw;
		memcpy(w->head + w->raw, bytes, len < room ? len : room);
	}
	w->raw += len;
	if (w->chunk_len + len > CHUNK_BYTES)
		run_deflate(w, Z_NO_FLUSH);
	memcpy(w->chunk + w->chunk_len, bytes, len);
	w->chunk_len += len;
}

void nums_put(struct nums_writer *w, uint8_t class, uint64_t v)
{
	if (w->codec == CODEC_RANGE) {
		range_encode(&w->encoder, w->model, class, v);
		w->raw++;
		return;
	}
	uint8_t bytes[10];
	put_plain(w, bytes, (size_t)(put_varint(bytes, v) - bytes));
}

void nums_put_column(struct nums_writer *w, unsigned stream, uint8_t *class, const uint64_t *values,
		     size_t n)
{
	nums_put_stream(w, stream);
	if (w->codec == CODEC_RANGE) {
		range_encode_stream(&w->encoder, w->model, class, values, n);
		w->raw += n;
		return;
	}
	for (size_t i = 0; i < n; i++)
		nums_put(w, 0, values[i]);
}

/* `len` is a handful: an address. */
void nums_put_bytes(struct nums_writer *w, const uint8_t *bytes, size_t len)
{
	if (w->codec != CODEC_RANGE) {
		put_plain(w, bytes, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		range_encode_byte(&w->encoder, bytes[i]);
	w->raw += len;
}

int nums_end(struct nums_writer *w, struct frame_part *ret_part, struct err *e)
{
	enum part_codec codec = w->codec;
	if (codec == CODEC_RANGE)
		range_encode_end(&w->encoder);
	else
		run_deflate(w, Z_FINISH);
	if (w->raw > MAX_RAW_BYTES || w->out->len > MAX_RAW_BYTES)
		return err_set(e, ERR_LIMIT, "a part of the snapshot is too large");
	if (codec == CODEC_DEFLATE && w->raw <= HEAD_BYTES && w->raw <= w->out->len) {
		codec = CODEC_STORED;
		w->out->len = 0;
		buf_put(w->out, w->head, (size_t)w->raw);
	}
	if (w->failed || w->out->failed)
		return err_set(e, ERR_NOMEM, "out of memory for packed bytes");
	*ret_part = (struct frame_part){.bytes = w->out->bytes,
					.len = w->out->len,
					.raw_bytes = (uint32_t)w->raw,
					.codec = (uint8_t)codec,
					.there = true};
	return 0;
}

/* --------------------------------------------------------------------------------- reading */

static int inflate_all(const struct frame_part *p, uint8_t *raw, struct err *e)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p->bytes, .avail_in = (uInt)p->len};
	if (inflateInit2(&z, -15) != Z_OK)
		return err_set(e, ERR_NOMEM, "out of memory for zlib");
	z.next_out = raw;
	z.avail_out = p->raw_bytes;
	int rc = inflate(&z, Z_FINISH);
	bool whole = rc == Z_STREAM_END && z.total_out == p->raw_bytes && z.avail_in == 0;
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return err_set(e, ERR_NOMEM, "out of memory for zlib");
	return whole ? 0 : err_set(e, ERR_CORRUPT, "compressed bytes are damaged");
}

static int open_deflated(struct nums_reader *r, const struct frame_part *p, struct buf *raw,
			 struct err *e)
{
	if (p->raw_bytes / MAX_EXPANSION > p->len)
		return err_set(e, ERR_CORRUPT, "%zu bytes cannot unpack to %u", p->len,
			       p->raw_bytes);
	buf_clear(raw);
	uint8_t *bytes = buf_reserve(raw, p->raw_bytes + 1u);
	if (!bytes)
		return err_set(e, ERR_NOMEM, "out of memory for a part of %u bytes", p->raw_bytes);
	raw->len = p->raw_bytes;
	r->span = span_of(bytes, p->raw_bytes);
	return inflate_all(p, bytes, e);
}

int nums_open(struct nums_reader *r, const struct frame_part *p, struct range_models *models,
	      struct buf *raw, struct err *e)
{
	if (p->raw_bytes > MAX_RAW_BYTES || p->len > MAX_RAW_BYTES)
		return err_set(e, ERR_LIMIT, "part of %u bytes is over the limit", p->raw_bytes);
	r->ranged = p->codec == CODEC_RANGE;
	r->decoder.bad = r->span.bad = false;
	r->left = p->raw_bytes;
	r->models = models;
	r->no_memory = false;
	switch (p->codec) {
	case CODEC_STORED:
		if (p->raw_bytes != p->len)
			return err_set(e, ERR_CORRUPT, "stored length %u is not %zu", p->raw_bytes,
				       p->len);
		r->span = span_of(p->bytes, p->len);
		return 0;
	case CODEC_DEFLATE:
		return open_deflated(r, p, raw, e);
	case CODEC_RANGE:
		if (p->raw_bytes / MAX_NUMBERS_PER_BYTE > p->len)
			return err_set(e, ERR_CORRUPT, "%zu bytes cannot hold %u numbers", p->len,
				       p->raw_bytes);
		range_decode_begin(&r->decoder, p->bytes, p->len);
		nums_get_stream(r, RANGE_STREAM_FRESH);
		return 0;
	default:
		return err_set(e, ERR_FUTURE, "unknown codec %u", p->codec);
	}
}

void nums_get_stream(struct nums_reader *r, unsigned stream)
{
	if (!r->ranged)
		return;
	/* What begins anew each time is not the chain's: parts are read by two threads. */
	bool fresh = !r->models || stream == RANGE_STREAM_FRESH;
	r->model = fresh ? &r->spare : range_models_get(r->models, stream);
	if (fresh)
		range_model_init(r->model);
	if (!r->model) {
		r->no_memory = true;
		nums_set_bad(r);
	}
}

void nums_get_bytes(struct nums_reader *r, uint8_t *ret_bytes, size_t len)
{
	if (r->left < len) {
		nums_set_bad(r);
		memset(ret_bytes, 0, len);
		return;
	}
	r->left -= len;
	if (r->ranged) {
		for (size_t i = 0; i < len; i++)
			ret_bytes[i] = range_decode_byte(&r->decoder);
		return;
	}
	const uint8_t *p = span_take(&r->span, len);
	if (p)
		memcpy(ret_bytes, p, len);
	else
		memset(ret_bytes, 0, len);
}

void nums_get_column(struct nums_reader *r, unsigned stream, uint8_t *class, uint64_t *ret_values,
		     size_t n)
{
	nums_get_stream(r, stream);
	if (r->left < n || nums_bad(r)) {
		nums_set_bad(r);
		memset(ret_values, 0, n * sizeof(*ret_values));
		return;
	}
	r->left -= n;
	if (r->ranged) {
		range_decode_stream(&r->decoder, r->model, class, ret_values, n);
		return;
	}
	struct span s = r->span;
	for (size_t i = 0; i < n; i++)
		ret_values[i] = span_varint(&s);
	r->span = s;
}
