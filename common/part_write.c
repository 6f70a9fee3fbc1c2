/* part_write.c - see part_write.h. */
#include "part_write.h"

#include <stdlib.h>
#include <zlib.h>

#include "bytes.h"

/* Only a short part can be shorter unpacked; this much of its beginning is kept for that. */
#define HEAD_BYTES 512

struct part_writer {
	z_stream z;
	struct buf *out;
	uint64_t raw_bytes;
	bool failed;
	uint8_t head[HEAD_BYTES];
};

int part_writer_new(int level, struct part_writer **ret, struct err *e)
{
	struct part_writer *w = calloc(1, sizeof(*w));
	if (!w || deflateInit2(&w->z, level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(w);
		return err_set(e, ERR_NOMEM, "out of memory for zlib");
	}
	*ret = w;
	return 0;
}

void part_writer_free(struct part_writer *w)
{
	if (!w)
		return;
	deflateEnd(&w->z);
	free(w);
}

void part_begin(struct part_writer *w, struct buf *out)
{
	deflateReset(&w->z);
	buf_clear(out);
	w->out = out;
	w->raw_bytes = 0;
	w->failed = false;
}

static void run_deflate(struct part_writer *w, int flush)
{
	int rc;
	do {
		uint8_t *p = buf_reserve(w->out, 4096);
		if (!p) {
			w->failed = true;
			return;
		}
		w->z.next_out = p;
		w->z.avail_out = (uInt)(w->out->cap - w->out->len);
		rc = deflate(&w->z, flush);
		w->out->len = w->out->cap - w->z.avail_out;
	} while (flush == Z_FINISH ? rc == Z_OK : w->z.avail_in > 0);
}

void part_put(struct part_writer *w, const void *bytes, size_t len)
{
	if (!len)
		return;
	if (w->raw_bytes < HEAD_BYTES) {
		size_t room = HEAD_BYTES - (size_t)w->raw_bytes;
		memcpy(w->head + w->raw_bytes, bytes, len < room ? len : room);
	}
	w->raw_bytes += len;
	w->z.next_in = (Bytef *)(uintptr_t)bytes;
	w->z.avail_in = (uInt)len;
	run_deflate(w, Z_NO_FLUSH);
}

void part_put_varint(struct part_writer *w, uint64_t v)
{
	uint8_t bytes[10];
	part_put(w, bytes, (size_t)(put_varint(bytes, v) - bytes));
}

int part_end(struct part_writer *w, struct frame_part *ret_part, struct err *e)
{
	w->z.avail_in = 0;
	run_deflate(w, Z_FINISH);
	if (w->raw_bytes > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "a part of the snapshot is over 4 GiB");
	uint8_t codec = CODEC_DEFLATE;
	if (w->raw_bytes <= HEAD_BYTES && w->raw_bytes <= w->out->len) {
		codec = CODEC_STORED;
		w->out->len = 0;
		buf_put(w->out, w->head, (size_t)w->raw_bytes);
	}
	if (w->failed || w->out->failed)
		return err_set(e, ERR_NOMEM, "out of memory for packed bytes");
	*ret_part = (struct frame_part){.bytes = w->out->bytes,
					.len = w->out->len,
					.raw_bytes = (uint32_t)w->raw_bytes,
					.codec = codec,
					.there = true};
	return 0;
}
