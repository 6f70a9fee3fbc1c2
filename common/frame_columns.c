/*
 * frame_columns.c - column records in, values of sockets out. FORMAT.md sections 5.2 and 5.3.
 */
#include "frame_internal.h"

/* The base of the first new socket. */
static const uint8_t nobody[sizeof(struct sock_row)];

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
}

static inline int64_t sign_extend(uint64_t v, unsigned width)
{
	unsigned shift = 64 - 8 * width;
	return (int64_t)(v << shift) >> shift;
}

static void read_addr(struct nums_reader *r, const uint8_t *base, uint8_t *value)
{
	uint64_t tag = nums_get(r, 0);
	if (tag == ADDR_SAME) {
		memcpy(value, base, 16);
		return;
	}
	memset(value, 0, 16);
	switch (tag) {
	case ADDR_V4:
		nums_get_bytes(r, value, 4);
		break;
	case ADDR_MAPPED:
		value[10] = value[11] = 0xff;
		nums_get_bytes(r, value + 12, 4);
		break;
	case ADDR_V6:
		nums_get_bytes(r, value, 16);
		break;
	default:
		nums_set_bad(r);
	}
}

/* Births and changes of a column are streams of their own. */
static unsigned stream_of(unsigned id, unsigned streams)
{
	return RANGE_STREAM_COLUMN * id + (streams == RECORD_CHANGES);
}

static void read_addresses(struct frame_columns *w, const struct column *c, bool there)
{
	const size_t bytes = column_groups[w->group].bytes;
	const uint8_t *base = nobody;
	if (!there)
		return;
	nums_get_stream(w->reader, stream_of(c->id, RECORD_BIRTHS));
	for (uint32_t i = 0; i < w->born_count; i++) {
		uint8_t *row = w->block + w->born[i] * bytes;
		read_addr(w->reader, base + c->offset, row + c->offset);
		base = row;
	}
}

static inline void store(uint8_t *at, uint64_t v, unsigned width)
{
	const struct column c = {.width = (uint8_t)width};
	column_store(&c, at, v);
}

/*
 * The base of each is the one before. `width` is the column's, as a constant: of all that is read
 * of a busy host, this loop is the most. A row was cleared: no 0 is written, to memory that only
 * rare rows use.
 */
static inline __attribute__((always_inline)) void put_births(const struct frame_columns *w,
							     const struct column *c, unsigned width)
{
	const size_t bytes = column_groups[w->group].bytes;
	const uint64_t *residuals = w->scratch->residuals;
	const uint64_t mask = UINT64_MAX >> (64 - 8 * width);
	uint8_t *at = w->block + c->offset;
	uint64_t v = 0;
	for (uint32_t i = 0; i < w->born_count; i++) {
		v = (v + (uint64_t)unzigzag(residuals[i])) & mask;
		if (v)
			store(at + w->born[i] * bytes, v, width);
	}
}

static void put_predicted_births(const struct frame_columns *w, const struct column *c,
				 const struct column *p, bool there)
{
	const size_t bytes = column_groups[w->group].bytes;
	const uint64_t *residuals = w->scratch->residuals;
	const uint8_t *base = nobody;
	for (uint32_t i = 0; i < w->born_count; i++) {
		uint8_t *row = w->block + w->born[i] * bytes;
		uint64_t v = column_load(c, base) + column_load(p, row) - column_load(p, base);
		if (there)
			v += (uint64_t)unzigzag(residuals[i]);
		if (v)
			column_store(c, row, v);
		base = row;
	}
}

/* `there`: the record has this stream; else every residual is 0. */
static void read_births(struct frame_columns *w, const struct column *c, bool there)
{
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	/* The rows were cleared, and each is as the one before. */
	if (!there && !p)
		return;
	if (there)
		nums_get_column(w->reader, stream_of(c->id, RECORD_BIRTHS), w->scratch->class,
				w->scratch->residuals, w->born_count);
	if (p)
		put_predicted_births(w, c, p, there);
	else if (c->width == 1)
		put_births(w, c, 1);
	else if (c->width == 2)
		put_births(w, c, 2);
	else if (c->width == 4)
		put_births(w, c, 4);
	else
		put_births(w, c, 8);
}

/*
 * By how much a predictor column changed at each touched socket is remembered: its former value
 * is gone when the predicted column is read. NULL if the column predicts nothing.
 */
static int64_t *change_of(const struct frame_columns *w, unsigned id)
{
	const struct column_group *g = &column_groups[w->group];
	size_t n = 0;
	for (unsigned i = 0; i < g->count; i++) {
		unsigned this_id = columns[g->first + i].id;
		bool predicts = false;
		for (unsigned k = 0; k < g->count; k++)
			predicts |= columns[g->first + k].predictor == this_id;
		if (predicts && this_id == id)
			return w->scratch->change + n * w->touched_count;
		n += predicts;
	}
	return NULL;
}

static void read_changes(struct frame_columns *w, const struct column *c, bool there)
{
	const size_t bytes = column_groups[w->group].bytes;
	const int64_t *from = c->predictor ? change_of(w, c->predictor) : NULL;
	int64_t *to = change_of(w, c->id);
	const uint64_t *residuals = w->scratch->residuals;
	if (!there && !from && !to)
		return;
	if (there)
		nums_get_column(w->reader, stream_of(c->id, RECORD_CHANGES),
				w->scratch->class + w->born_count, w->scratch->residuals,
				w->touched_count);
	for (uint32_t i = 0; i < w->touched_count; i++) {
		uint64_t d = there ? (uint64_t)unzigzag(residuals[i]) : 0;
		if (from)
			d += (uint64_t)from[i];
		if (d) {
			uint8_t *row = w->block + w->touched[i] * bytes;
			column_store(c, row, column_load(c, row) + d);
		}
		if (to)
			to[i] = sign_extend(d, c->width);
	}
}

/* A column that this version does not know: its numbers are read and forgotten. */
static void skip_column(struct frame_columns *w, unsigned id, uint64_t streams)
{
	struct frame_scratch *x = w->scratch;
	if (streams & RECORD_BIRTHS)
		nums_get_column(w->reader, stream_of(id, RECORD_BIRTHS), x->class, x->residuals,
				w->born_count);
	if (streams & RECORD_CHANGES)
		nums_get_column(w->reader, stream_of(id, RECORD_CHANGES), x->class + w->born_count,
				x->residuals, w->touched_count);
}

/* One column, from its record's streams (0: it has no record). */
static void read_column(struct frame_columns *w, const struct column *c, uint64_t streams)
{
	if (c->enc == ENC_ADDR)
		read_addresses(w, c, streams & RECORD_BIRTHS);
	else
		read_births(w, c, streams & RECORD_BIRTHS);
	read_changes(w, c, streams & RECORD_CHANGES);
}

/* Of a rare group nearly all rows are zero, in pages that nobody ever touched: so it stays. */
static void clear_row(uint8_t *row, size_t bytes, bool rare)
{
	if (!rare || memcmp(row, nobody, bytes) != 0)
		memset(row, 0, bytes);
}

static int prepare(struct frame_columns *w, struct err *e)
{
	struct frame_scratch *x = w->scratch;
	const struct column_group *g = &column_groups[w->group];
	size_t rows = (size_t)w->born_count + w->touched_count;
	size_t predicted = 0;
	for (unsigned i = 0; i < g->count; i++)
		predicted += columns[g->first + i].predictor != 0;
	w->block = sockset_need_block(w->set, w->group);
	if (!w->block || ARRAY_NEED(x->class, x->class_cap, rows + 1) ||
	    ARRAY_NEED(x->residuals, x->residuals_cap, rows + 1) ||
	    ARRAY_NEED(x->change, x->change_cap, predicted * w->touched_count + 1))
		return no_memory(e);
	memset(x->class, 0, rows);
	for (uint32_t i = 0; i < w->born_count; i++)
		clear_row(w->block + (size_t)w->born[i] * g->bytes, g->bytes,
			  GRP_RARE & 1u << w->group);
	return 0;
}

/* One record's head: column id (0: no more) and which streams follow. */
static uint64_t read_head(struct nums_reader *r, unsigned group, uint64_t *ret_streams)
{
	nums_get_stream(r, RANGE_STREAM_RECORDS + group);
	uint64_t id = nums_get_max(r, UINT8_MAX);
	*ret_streams = id ? nums_get_max(r, RECORD_BIRTHS | RECORD_CHANGES) : 0;
	return id;
}

static unsigned index_in_group(unsigned group, uint64_t id)
{
	const struct column_group *g = &column_groups[group];
	unsigned i = 0;
	while (i < g->count && columns[g->first + i].id != id)
		i++;
	return i;
}

int frame_read_columns(struct frame_columns *w, struct err *e)
{
	const struct column_group *g = &column_groups[w->group];
	struct nums_reader *r = w->reader;
	if (!w->born_count && !w->touched_count)
		return 0;
	int rc = prepare(w, e);
	if (rc)
		return rc;
	unsigned next = 0; /* columns before it are read */
	unsigned records = 0;
	uint64_t streams = 0;
	uint64_t id = r ? read_head(r, w->group, &streams) : 0;
	while (id) {
		if (++records > UINT8_MAX) /* no id twice, so no more than there are ids */
			return err_set(e, ERR_CORRUPT, "more columns than there can be");
		unsigned index = index_in_group(w->group, id);
		if (index == g->count) {
			skip_column(w, (unsigned)id, streams);
		} else if (index < next) {
			return err_set(e, ERR_CORRUPT, "column %s comes out of order",
				       columns[g->first + index].name);
		} else {
			for (; next < index; next++)
				read_column(w, &columns[g->first + next], 0);
			read_column(w, &columns[g->first + next++], streams);
		}
		if (nums_bad(r))
			break;
		id = read_head(r, w->group, &streams);
	}
	for (; next < g->count; next++)
		read_column(w, &columns[g->first + next], 0);
	return r && nums_bad(r) ? err_set(e, ERR_CORRUPT, "the columns end too early") : 0;
}
