/*
 * rec_parts.c - the parts of a frame as rows of table frame. FORMAT.md sections 4 and 4.1.
 */
#include <stdlib.h>

#include "bytes.h"
#include "rec_db.h"

/*
 * Part number of the row that short parts share. A row costs some 20 bytes whatever it holds, and
 * the parts of a small host are shorter than that.
 */
#define PART_SHARED 0

/* Longer parts have a row of their own, so that they can be left unread. */
#define SHARED_MAX_BYTES 160

/* Holds nothing; no reader looks at it. */
#define PART_PADDING 13
_Static_assert(PART_PADDING >= GRP_COUNT, "no part of a column group");

/* Part, codec and two varints. */
#define SHARED_HEAD_BYTES 12

static bool is_shared(const struct frame_part *p)
{
	return p->there && p->len <= SHARED_MAX_BYTES;
}

static int put_row(sqlite3_stmt *stmt, int64_t snapshot, unsigned part, const struct frame_part *p,
		   struct err *e)
{
	sqlite3_bind_int64(stmt, 1, snapshot * PART_COUNT + part);
	sqlite3_bind_int(stmt, 2, p->codec);
	sqlite3_bind_int64(stmt, 3, p->raw_bytes);
	sqlite3_bind_int64(stmt, 4, frame_crc((uint64_t)snapshot, part, p));
	if (sqlite3_bind_blob64(stmt, 5, p->len ? (const void *)p->bytes : "", p->len,
				SQLITE_STATIC) != SQLITE_OK)
		return rec_db_error(sqlite3_db_handle(stmt), "cannot write a frame", e);
	int rc = rec_db_run(stmt, "cannot write a frame", e);
	sqlite3_clear_bindings(stmt);
	return rc;
}

static uint8_t *put_shared(uint8_t *to, unsigned part, const struct frame_part *p)
{
	*to++ = (uint8_t)part;
	*to++ = p->codec;
	to = put_varint(to, p->raw_bytes);
	to = put_varint(to, p->len);
	if (p->len)
		memcpy(to, p->bytes, p->len);
	return to + p->len;
}

/* Zeros, so that the frame has the bytes that so many new sockets ask for (FORMAT.md 8). */
static int put_padding(sqlite3_stmt *stmt, int64_t snapshot, uint32_t born, uint64_t *bytes,
		       struct err *e)
{
	uint64_t need = born > FRAME_FREE_BORN ? (born - FRAME_FREE_BORN) / FRAME_BORN_PER_BYTE + 1
					       : 0;
	if (*bytes >= need)
		return 0;
	struct frame_part p = {.len = (size_t)(need - *bytes), .codec = CODEC_STORED};
	uint8_t *zeros = calloc(1, p.len);
	if (!zeros)
		return err_set(e, ERR_NOMEM, "out of memory for a frame");
	p.bytes = zeros;
	p.raw_bytes = (uint32_t)p.len;
	*bytes = need;
	int rc = put_row(stmt, snapshot, PART_PADDING, &p, e);
	free(zeros);
	return rc;
}

int rec_put_parts(sqlite3_stmt *stmt, int64_t snapshot, const struct frame_part parts[PART_COUNT],
		  uint32_t born, uint64_t *ret_bytes, struct err *e)
{
	uint8_t bytes[PART_COUNT * (SHARED_HEAD_BYTES + SHARED_MAX_BYTES)];
	uint8_t *end = bytes;
	int rc = 0;
	*ret_bytes = 0;
	for (unsigned i = 1; i < PART_COUNT; i++) {
		if (parts[i].there)
			*ret_bytes += parts[i].len;
		if (is_shared(&parts[i]))
			end = put_shared(end, i, &parts[i]);
	}
	const struct frame_part shared = {.bytes = bytes,
					  .len = (size_t)(end - bytes),
					  .raw_bytes = (uint32_t)(end - bytes),
					  .codec = CODEC_STORED,
					  .there = true};
	if (shared.len)
		rc = put_row(stmt, snapshot, PART_SHARED, &shared, e);
	for (unsigned i = 1; i < PART_COUNT && !rc; i++)
		if (parts[i].there && !is_shared(&parts[i]))
			rc = put_row(stmt, snapshot, i, &parts[i], e);
	return rc ? rc : put_padding(stmt, snapshot, born, ret_bytes, e);
}

void rec_parts_fini(struct rec_parts *parts)
{
	for (unsigned i = 0; i < PART_COUNT; i++)
		buf_fini(&parts->bytes[i]);
}

/* The part of the present row; its bytes are copied. */
static int take_row(sqlite3_stmt *stmt, int64_t snapshot, unsigned part, struct rec_parts *parts,
		    struct err *e)
{
	struct frame_part *p = &parts->part[part];
	int64_t codec = sqlite3_column_int64(stmt, 1);
	int64_t raw_bytes = sqlite3_column_int64(stmt, 2);
	const void *bytes = sqlite3_column_blob(stmt, 4);
	int len = sqlite3_column_bytes(stmt, 4);
	if (codec < 0 || codec > UINT8_MAX || raw_bytes < 0 || raw_bytes > UINT32_MAX || len < 0 ||
	    p->there)
		return err_set(e, ERR_CORRUPT, "part %u has impossible numbers", part);
	buf_clear(&parts->bytes[part]);
	buf_put(&parts->bytes[part], bytes, (size_t)len);
	if (parts->bytes[part].failed)
		return err_set(e, ERR_NOMEM, "out of memory for a part of %d bytes", len);
	*p = (struct frame_part){.bytes = parts->bytes[part].bytes,
				 .len = (size_t)len,
				 .raw_bytes = (uint32_t)raw_bytes,
				 .codec = (uint8_t)codec,
				 .there = true};
	if (sqlite3_column_int64(stmt, 3) != (int64_t)frame_crc((uint64_t)snapshot, part, p))
		return err_set(e, ERR_CORRUPT, "part %u fails its checksum", part);
	return 0;
}

/* The parts in the row that they share; they point into its copy. *bytes grows by their lengths. */
static int take_shared(struct rec_parts *parts, uint32_t wanted, uint64_t *bytes, struct err *e)
{
	const struct frame_part *row = &parts->part[PART_SHARED];
	struct span s = span_of(row->bytes, row->len);
	if (row->codec != CODEC_STORED || row->raw_bytes != row->len)
		return err_set(e, ERR_CORRUPT, "the row of short parts is packed");
	while (span_left(&s)) {
		unsigned part = span_u8(&s);
		struct frame_part p = {.codec = span_u8(&s), .there = true};
		p.raw_bytes = (uint32_t)span_varint_max(&s, UINT32_MAX);
		p.len = (size_t)span_varint_max(&s, span_left(&s));
		p.bytes = span_take(&s, p.len);
		if (s.bad || part == PART_SHARED || part >= PART_COUNT || parts->part[part].there)
			return err_set(e, ERR_CORRUPT, "the short parts end too early");
		*bytes += p.len;
		if (wanted & (1u << part))
			parts->part[part] = p;
	}
	return 0;
}

int rec_get_parts(sqlite3_stmt *stmt, int64_t snapshot, uint32_t wanted, uint64_t bytes,
		  struct rec_parts *parts, struct err *e)
{
	int rc = 0;
	uint64_t found = 0;
	int step = SQLITE_DONE;
	for (unsigned i = 0; i < PART_COUNT; i++)
		parts->part[i] = (struct frame_part){0};
	sqlite3_bind_int64(stmt, 1, snapshot);
	sqlite3_bind_int64(stmt, 2, wanted | 1u << PART_SHARED);
	while (!rc && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		unsigned part = (unsigned)sqlite3_column_int(stmt, 0) % PART_COUNT;
		if (part != PART_SHARED)
			found += (uint64_t)sqlite3_column_int64(stmt, 5);
		if (part != PART_SHARED && !(wanted & (1u << part)))
			continue;
		rc = take_row(stmt, snapshot, part, parts, e);
		if (!rc && part == PART_SHARED)
			rc = take_shared(parts, wanted, &found, e);
	}
	if (!rc && step != SQLITE_DONE)
		rc = rec_db_error(sqlite3_db_handle(stmt), "cannot read a frame", e);
	if (!rc && found != bytes)
		rc = err_set(e, ERR_CORRUPT, "its parts have %llu bytes, not %llu: one is lost",
			     (unsigned long long)found, (unsigned long long)bytes);
	sqlite3_reset(stmt);
	return rc;
}
