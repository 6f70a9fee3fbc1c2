/*
 * track_encode.c - the bytes of a new snapshot: FORMAT.md section 5. See track.h.
 */
#include "bytes.h"
#include "track_internal.h"

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a frame");
}

/* ------------------------------------------------------------------------------- columns */

/* The rows that a column's streams are made of. */
struct encode_work {
	struct track *t;
	const struct column_group *group;
	unsigned group_id;
	const uint32_t *born; /* positions */
	uint32_t born_count;
	const uint32_t *touched; /* positions */
	uint32_t touched_count;
};

static uint64_t residual(const struct column *c, const struct column *p, const void *row,
			 const void *base)
{
	uint64_t d = column_load(c, row) - column_load(c, base);
	if (p)
		d -= column_load(p, row) - column_load(p, base);
	unsigned shift = 64 - 8u * c->width;
	return zigzag((int64_t)(d << shift) >> shift);
}

static bool is_v4(const uint8_t *a)
{
	static const uint8_t zero[12];
	return memcmp(a + 4, zero, 12) == 0;
}

static bool is_mapped(const uint8_t *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(a, prefix, 12) == 0;
}

static void put_addr(struct buf *b, const uint8_t *value, const uint8_t *base)
{
	if (memcmp(value, base, 16) == 0) {
		buf_put_u8(b, ADDR_SAME);
	} else if (is_v4(value)) {
		buf_put_u8(b, ADDR_V4);
		buf_put(b, value, 4);
	} else if (is_mapped(value)) {
		buf_put_u8(b, ADDR_MAPPED);
		buf_put(b, value + 12, 4);
	} else {
		buf_put_u8(b, ADDR_V6);
		buf_put(b, value, 16);
	}
}

/* Appends the births' stream; returns whether any of it says something. */
static bool put_births(const struct encode_work *w, const struct column *c, struct buf *b)
{
	static const uint8_t nobody[sizeof(struct sock_row)];
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	const uint8_t *base = nobody;
	uint64_t any = 0;
	for (uint32_t i = 0; i < w->born_count; i++) {
		const uint8_t *row = track_block(w->t, w->group_id, w->t->new_order[w->born[i]]);
		if (c->enc == ENC_ADDR) {
			any |= (uint64_t)memcmp(row + c->offset, base + c->offset, 16);
			put_addr(b, row + c->offset, base + c->offset);
		} else {
			uint64_t r = residual(c, p, row, base);
			any |= r;
			buf_put_varint(b, r);
		}
		base = row;
	}
	return any != 0;
}

static bool put_changes(const struct encode_work *w, const struct column *c, struct buf *b)
{
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	const uint8_t *now = w->t->pending[w->group_id].blocks;
	uint64_t any = 0;
	for (uint32_t i = 0; i < w->touched_count; i++, now += w->group->bytes) {
		uint32_t slot = w->t->new_order[w->touched[i]];
		uint64_t r = residual(c, p, now, track_block(w->t, w->group_id, slot));
		any |= r;
		buf_put_varint(b, r);
	}
	return any != 0;
}

/* One record of each column that says something. `always`: the births of its first column do. */
static int put_columns(const struct encode_work *w, bool always, struct err *e)
{
	struct track *t = w->t;
	for (unsigned i = 0; i < w->group->count; i++) {
		const struct column *c = &columns[w->group->first + i];
		buf_clear(&t->births_bytes);
		buf_clear(&t->changes_bytes);
		if (!put_births(w, c, &t->births_bytes) && !(always && i == 0))
			buf_clear(&t->births_bytes);
		if (!put_changes(w, c, &t->changes_bytes))
			buf_clear(&t->changes_bytes);
		if (t->births_bytes.failed || t->changes_bytes.failed)
			return no_memory(e);
		if (!t->births_bytes.len && !t->changes_bytes.len)
			continue;
		part_put(t->writer, &c->id, 1);
		part_put_varint(t->writer, t->births_bytes.len);
		part_put_varint(t->writer, t->changes_bytes.len);
		part_put(t->writer, t->births_bytes.bytes, t->births_bytes.len);
		part_put(t->writer, t->changes_bytes.bytes, t->changes_bytes.len);
	}
	return 0;
}

/* --------------------------------------------------------------------------------- parts */

static void put_delta_script(struct track *t)
{
	part_put_varint(t->writer, t->moved_count);
	for (uint32_t i = 0; i < t->moved_count; i++) {
		uint32_t gap = i ? t->moved[i].birth - t->moved[i - 1].birth - 1
				 : t->moved[i].birth;
		part_put_varint(t->writer, gap);
		part_put_varint(t->writer, t->moved[i].old);
	}
	part_put_varint(t->writer, t->edits_count);
	for (uint32_t i = 0; i < t->edits_count; i++) {
		part_put_varint(t->writer, t->edits[i].keep);
		part_put_varint(t->writer, t->edits[i].drop);
		part_put_varint(t->writer, t->edits[i].born);
	}
}

static int encode_member(struct encode_work *w, struct err *e)
{
	struct track *t = w->t;
	uint8_t kind = t->key ? FRAME_KEY : FRAME_DELTA;
	part_put(t->writer, &kind, 1);
	if (t->key)
		part_put_varint(t->writer, t->rows);
	else
		put_delta_script(t);
	return put_columns(w, true, e);
}

static int encode_group(struct encode_work *w, struct err *e)
{
	part_put_varint(w->t->writer, w->touched_count);
	uint32_t next = 0;
	for (uint32_t i = 0; i < w->touched_count; i++) {
		part_put_varint(w->t->writer, w->touched[i] - next);
		next = w->touched[i] + 1;
	}
	return put_columns(w, false, e);
}

static void encode_clock(struct track *t)
{
	part_put_varint(t->writer, t->ticks_count);
	uint32_t first = 0;
	uint64_t tick_ms = 0;
	for (uint32_t i = 0; i < t->ticks_count; i++) {
		part_put_varint(t->writer, t->ticks[i].first - first);
		part_put_varint(t->writer, t->ticks[i].tick_ms - tick_ms);
		first = t->ticks[i].first;
		tick_ms = t->ticks[i].tick_ms;
	}
	part_put_varint(t->writer, t->batches_count);
	first = 0;
	uint64_t at_us = 0;
	for (uint32_t i = 0; i < t->batches_count; i++) {
		const struct fill_batch *b = &t->batches[i];
		part_put_varint(t->writer, b->first - first);
		part_put_varint(t->writer, zigzag((int64_t)(b->lo_us - at_us)));
		part_put_varint(t->writer, b->hi_us - b->lo_us);
		first = b->first;
		at_us = b->hi_us;
	}
}

/* Of a key frame everybody is born; the values of all are in the set. */
static int make_all_born(struct track *t, struct err *e)
{
	struct sockset *set = &t->set;
	track_apply(t);
	void *p = array_grow(set->born, &set->born_cap, (size_t)t->rows + 1, sizeof(*set->born));
	if (!p)
		return no_memory(e);
	set->born = p;
	uint32_t base = NO_SLOT;
	for (uint32_t i = 0; i < t->rows; i++) {
		struct sock_row row;
		uint32_t slot = t->new_order[i];
		set->born[i] = i;
		for (unsigned g = 1; g < GRP_COUNT; g++)
			memcpy((uint8_t *)&row + column_groups[g].row_offset,
			       sockset_block(set, g, slot), column_groups[g].bytes);
		track_carry_absent(t, &row, base);
		for (unsigned g = 1; g < GRP_COUNT; g++)
			if (set->block[g])
				memcpy(track_block(t, g, slot),
				       (uint8_t *)&row + column_groups[g].row_offset,
				       column_groups[g].bytes);
		base = slot;
	}
	set->born_count = t->rows;
	for (unsigned g = 0; g < GRP_COUNT; g++)
		set->touched_count[g] = 0;
	return 0;
}

static int encode_part(struct track *t, unsigned part, struct frame_part *ret_part, struct err *e)
{
	struct sockset *set = &t->set;
	struct encode_work w = {.t = t,
				.group = &column_groups[part],
				.group_id = part,
				.born = set->born,
				.born_count = set->born_count,
				.touched = set->touched[part],
				.touched_count = set->touched_count[part]};
	if (part != GRP_ID_member && (!set->block[part] || (!w.born_count && !w.touched_count)))
		return 0;
	part_begin(t->writer, &t->part_bytes[part]);
	int rc = part == GRP_ID_member ? encode_member(&w, e) : encode_group(&w, e);
	return rc ? rc : part_end(t->writer, ret_part, e);
}

int track_encode(struct track *t, int level, struct frame_part ret_parts[PART_COUNT], struct err *e)
{
	if (t->writer && level != t->level) {
		part_writer_free(t->writer);
		t->writer = NULL;
	}
	t->level = level;
	int rc = t->writer ? 0 : part_writer_new(level, &t->writer, e);
	if (!rc)
		rc = track_owners_done(t, e);
	if (!rc && t->key)
		rc = make_all_born(t, e);
	for (unsigned i = 0; i < PART_COUNT; i++)
		ret_parts[i] = (struct frame_part){0};
	for (unsigned g = 1; g < GRP_COUNT && !rc; g++)
		rc = encode_part(t, g, &ret_parts[g], e);
	if (rc)
		return rc;
	part_begin(t->writer, &t->part_bytes[PART_CLOCK]);
	encode_clock(t);
	return part_end(t->writer, &ret_parts[PART_CLOCK], e);
}
