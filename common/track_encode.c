/*
 * track_encode.c - the bytes of a new snapshot: FORMAT.md section 5. See track.h.
 */
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
	uint64_t *residuals; /* of one column: the new sockets', then the touched ones' */
	uint8_t *class;	     /* context of each: class of the column before */
	bool begun;	     /* the part has its head */
};

/* The base of the first new socket. */
static const uint8_t nobody[sizeof(struct sock_row)];

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

static void put_addr(struct nums_writer *out, const uint8_t *value, const uint8_t *base)
{
	if (memcmp(value, base, 16) == 0) {
		nums_put(out, 0, ADDR_SAME);
	} else if (is_v4(value)) {
		nums_put(out, 0, ADDR_V4);
		nums_put_bytes(out, value, 4);
	} else if (is_mapped(value)) {
		nums_put(out, 0, ADDR_MAPPED);
		nums_put_bytes(out, value + 12, 4);
	} else {
		nums_put(out, 0, ADDR_V6);
		nums_put_bytes(out, value, 16);
	}
}

/* Births and changes of a column are streams of their own. */
static unsigned stream_of(const struct column *c, unsigned streams)
{
	return RANGE_STREAM_COLUMN * c->id + (streams == RECORD_CHANGES);
}

static void put_addresses(const struct encode_work *w, const struct column *c)
{
	const uint8_t *base = nobody;
	nums_put_stream(w->t->writer, stream_of(c, RECORD_BIRTHS));
	for (uint32_t i = 0; i < w->born_count; i++) {
		const uint8_t *row = track_block(w->t, w->group_id, w->t->new_order[w->born[i]]);
		put_addr(w->t->writer, row + c->offset, base + c->offset);
		base = row;
	}
}

/* Fills residuals[] of the new sockets; returns whether any of them is not 0. */
static bool births_of(const struct encode_work *w, const struct column *c)
{
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	const uint8_t *base = nobody;
	uint64_t any = 0;
	for (uint32_t i = 0; i < w->born_count; i++) {
		const uint8_t *row = track_block(w->t, w->group_id, w->t->new_order[w->born[i]]);
		if (c->enc == ENC_ADDR)
			w->residuals[i] = memcmp(row + c->offset, base + c->offset, 16) != 0;
		else
			w->residuals[i] = track_residual(c, p, row, base);
		any |= w->residuals[i];
		base = row;
	}
	return any != 0;
}

/* The same for the touched ones, behind those of the new. */
static bool changes_of(const struct encode_work *w, const struct column *c)
{
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	const uint8_t *now = w->t->pending[w->group_id].blocks;
	uint64_t *to = w->residuals + w->born_count;
	uint64_t any = 0;
	for (uint32_t i = 0; i < w->touched_count; i++, now += w->group->bytes) {
		uint32_t slot = w->t->new_order[w->touched[i]];
		to[i] = track_residual(c, p, now, track_block(w->t, w->group_id, slot));
		any |= to[i];
	}
	return any != 0;
}

/*
 * Range coding packs counters better; deflate reads faster and suits what repeats. Identity and
 * state are read over whole days. Of so few rows deflate makes nothing, and reading takes no time.
 */
#define FEW_ROWS 64
static enum part_codec codec_of(unsigned part, size_t rows)
{
	const uint32_t ranged = GRP_BIT(queue) | GRP_BIT(evidence) | GRP_BIT(info) | GRP_BIT(ecn) |
				GRP_BIT(memory) | GRP_BIT(cc);
	return ranged & (1u << part) || rows <= FEW_ROWS ? CODEC_RANGE : CODEC_DEFLATE;
}

static void put_delta_script(struct track *t)
{
	nums_put(t->writer, 0, t->moved_count);
	for (uint32_t i = 0; i < t->moved_count; i++) {
		uint32_t gap = i ? t->moved[i].birth - t->moved[i - 1].birth - 1
				 : t->moved[i].birth;
		nums_put(t->writer, 0, gap);
		nums_put(t->writer, 0, t->moved[i].old);
	}
	nums_put(t->writer, 0, t->edits_count);
	for (uint32_t i = 0; i < t->edits_count; i++) {
		nums_put(t->writer, 0, t->edits[i].keep);
		nums_put(t->writer, 0, t->edits[i].drop);
		nums_put(t->writer, 0, t->edits[i].born);
	}
}

static void put_member_head(struct track *t)
{
	nums_put(t->writer, 0, t->key ? FRAME_KEY : FRAME_DELTA);
	if (t->key)
		range_models_reset(t->set.models);
	nums_put_stream(t->writer, RANGE_STREAM_HEAD + GRP_ID_member);
	if (t->key)
		nums_put(t->writer, 0, t->rows);
	else
		put_delta_script(t);
}

/* What stands before the column records; once. */
static void put_head(struct encode_work *w)
{
	if (w->begun)
		return;
	w->begun = true;
	nums_begin(w->t->writer, codec_of(w->group_id, (size_t)w->born_count + w->touched_count),
		   w->t->set.models, &w->t->part_bytes[w->group_id]);
	if (w->group_id == GRP_ID_member) {
		put_member_head(w->t);
		return;
	}
	nums_put_stream(w->t->writer, RANGE_STREAM_HEAD + w->group_id);
	nums_put(w->t->writer, 0, w->touched_count);
	uint32_t next = 0;
	for (uint32_t i = 0; i < w->touched_count; i++) {
		nums_put(w->t->writer, 0, w->touched[i] - next);
		next = w->touched[i] + 1;
	}
}

static void put_column(struct encode_work *w, const struct column *c)
{
	unsigned streams = births_of(w, c) ? RECORD_BIRTHS : 0;
	if (changes_of(w, c))
		streams |= RECORD_CHANGES;
	if (!streams)
		return;
	put_head(w);
	nums_put_stream(w->t->writer, RANGE_STREAM_RECORDS + w->group_id);
	nums_put(w->t->writer, 0, c->id);
	nums_put(w->t->writer, 0, streams);
	if (streams & RECORD_BIRTHS && c->enc == ENC_ADDR)
		put_addresses(w, c);
	else if (streams & RECORD_BIRTHS)
		nums_put_column(w->t->writer, stream_of(c, RECORD_BIRTHS), w->class, w->residuals,
				w->born_count);
	if (streams & RECORD_CHANGES)
		nums_put_column(w->t->writer, stream_of(c, RECORD_CHANGES),
				w->class + w->born_count, w->residuals + w->born_count,
				w->touched_count);
}

/* One record for each column that says something, then the end mark. */
static int put_columns(struct encode_work *w, struct err *e)
{
	struct track *t = w->t;
	size_t rows = (size_t)w->born_count + w->touched_count;
	if (!rows)
		return 0;
	if (ARRAY_NEED(t->residuals, t->residuals_cap, rows) ||
	    ARRAY_NEED(t->class, t->class_cap, rows))
		return no_memory(e);
	w->residuals = t->residuals;
	w->class = t->class;
	memset(w->class, 0, rows);
	for (unsigned i = 0; i < w->group->count; i++)
		put_column(w, &columns[w->group->first + i]);
	if (w->begun) {
		nums_put_stream(t->writer, RANGE_STREAM_RECORDS + w->group_id);
		nums_put(t->writer, 0, 0);
	}
	return 0;
}

/* --------------------------------------------------------------------------------- parts */

static void encode_clock(struct track *t)
{
	nums_put_stream(t->writer, RANGE_STREAM_HEAD + PART_CLOCK);
	nums_put(t->writer, 0, t->ticks_count);
	uint32_t first = 0;
	uint64_t tick_ms = 0;
	for (uint32_t i = 0; i < t->ticks_count; i++) {
		nums_put(t->writer, 0, t->ticks[i].first - first);
		nums_put(t->writer, 0, t->ticks[i].tick_ms - tick_ms);
		first = t->ticks[i].first;
		tick_ms = t->ticks[i].tick_ms;
	}
	nums_put(t->writer, 0, t->batches_count);
	first = 0;
	uint64_t at_us = 0;
	for (uint32_t i = 0; i < t->batches_count; i++) {
		const struct fill_batch *b = &t->batches[i];
		nums_put(t->writer, 0, b->first - first);
		nums_put(t->writer, 0, zigzag((int64_t)(b->lo_us - at_us)));
		nums_put(t->writer, 0, b->hi_us - b->lo_us);
		first = b->first;
		at_us = b->hi_us;
	}
}

/* Of a key frame everybody is born; the values of all are in the set. */
static int make_all_born(struct track *t, struct err *e)
{
	struct sockset *set = &t->set;
	track_apply(t);
	if (ARRAY_NEED(set->born, set->born_cap, (size_t)t->rows + 1))
		return no_memory(e);
	uint32_t base = NO_SLOT;
	for (uint32_t i = 0; i < t->rows; i++) {
		struct sock_row row;
		uint32_t slot = t->new_order[i];
		set->born[i] = i;
		for (unsigned g = 1; g < GRP_COUNT; g++)
			memcpy((uint8_t *)&row + column_groups[g].row_offset,
			       sockset_block(set, g, slot), column_groups[g].bytes);
		track_carry_absent(t, &row, base);
		for (unsigned g = 2; g < GRP_COUNT; g++)
			if (set->block[g])
				track_set_block(t, g, slot, &row);
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
	if (part != GRP_ID_member && !set->block[part])
		return 0;
	/* Of the others a part that says nothing is not begun at all. */
	if (part == GRP_ID_member || w.touched_count)
		put_head(&w);
	int rc = put_columns(&w, e);
	return rc || !w.begun ? rc : nums_end(t->writer, ret_part, e);
}

int track_encode(struct track *t, int level, struct frame_part ret_parts[PART_COUNT], struct err *e)
{
	if (t->writer && level != t->level) {
		nums_writer_free(t->writer);
		t->writer = NULL;
	}
	t->level = level;
	t->encoded = true;
	int rc = t->writer ? 0 : nums_writer_new(level, &t->writer, e);
	if (!rc && !sockset_need_models(&t->set))
		rc = no_memory(e);
	if (!rc)
		rc = track_owners_done(t, e);
	if (!rc)
		rc = track_note_turns(t, e);
	if (!rc && t->key)
		rc = make_all_born(t, e);
	for (unsigned i = 0; i < PART_COUNT; i++)
		ret_parts[i] = (struct frame_part){0};
	for (unsigned g = 1; g < GRP_COUNT && !rc; g++)
		rc = encode_part(t, g, &ret_parts[g], e);
	if (!rc)
		rc = track_encode_turns(t, &ret_parts[PART_TURN], e);
	if (rc)
		return rc;
	nums_begin(t->writer, codec_of(PART_CLOCK, t->batches_count), t->set.models,
		   &t->part_bytes[PART_CLOCK]);
	encode_clock(t);
	return nums_end(t->writer, &ret_parts[PART_CLOCK], e);
}
