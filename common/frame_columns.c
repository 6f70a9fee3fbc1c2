/*
 * frame_columns.c - column records in, values of sockets out. FORMAT.md sections 5.2 and 5.3.
 */
#include "frame_internal.h"

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

/* The next residual of a row; its class becomes the context of the row's next column. */
static inline uint64_t read_residual(struct nums_reader *r, uint8_t *class)
{
	uint64_t z = nums_get(r, *class);
	*class = range_class(z);
	return (uint64_t)unzigzag(z);
}

/* `there`: the record has this stream; else every residual is 0. */
static void read_births(struct frame_columns *w, const struct column *c, bool there)
{
	static const uint8_t nobody[sizeof(struct sock_row)];
	const size_t bytes = column_groups[w->group].bytes;
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	uint8_t *class = w->scratch->class;
	const uint8_t *base = nobody;
	if (there)
		nums_get_stream(w->reader);
	for (uint32_t i = 0; i < w->born_count; i++) {
		uint8_t *row = w->block + w->born[i] * bytes;
		if (c->enc == ENC_ADDR) {
			if (there)
				read_addr(w->reader, base + c->offset, row + c->offset);
			else
				memcpy(row + c->offset, base + c->offset, 16);
		} else {
			uint64_t v = column_load(c, base);
			if (p)
				v += column_load(p, row) - column_load(p, base);
			if (there)
				v += read_residual(w->reader, &class[i]);
			column_store(c, row, v);
		}
		base = row;
	}
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
	uint8_t *class = w->scratch->class + w->born_count;
	if (!there && !from && !to)
		return;
	if (there)
		nums_get_stream(w->reader);
	for (uint32_t i = 0; i < w->touched_count; i++) {
		uint64_t d = there ? read_residual(w->reader, &class[i]) : 0;
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
static void skip_column(struct frame_columns *w, uint64_t streams)
{
	uint64_t n[2] = {streams & RECORD_BIRTHS ? w->born_count : 0,
			 streams & RECORD_CHANGES ? w->touched_count : 0};
	uint8_t *class = w->scratch->class;
	for (unsigned s = 0; s < 2; s++) {
		if (n[s])
			nums_get_stream(w->reader);
		for (uint64_t i = 0; i < n[s] && !nums_bad(w->reader); i++)
			read_residual(w->reader, &class[s ? w->born_count + i : i]);
	}
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
	    ARRAY_NEED(x->change, x->change_cap, predicted * w->touched_count + 1))
		return no_memory(e);
	memset(x->class, 0, rows);
	for (uint32_t i = 0; i < w->born_count; i++)
		memset(w->block + (size_t)w->born[i] * g->bytes, 0, g->bytes);
	return 0;
}

/* One record's head: column id (0: no more) and which streams follow. */
static uint64_t read_head(struct nums_reader *r, uint64_t *ret_streams)
{
	nums_get_stream(r);
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
	uint64_t streams = 0;
	uint64_t id = r ? read_head(r, &streams) : 0;
	while (id) {
		unsigned index = index_in_group(w->group, id);
		if (index == g->count) {
			skip_column(w, streams);
		} else if (index < next) {
			return err_set(e, ERR_CORRUPT, "column %s comes out of order",
				       columns[g->first + index].name);
		} else {
			for (; next < index; next++) {
				read_births(w, &columns[g->first + next], false);
				read_changes(w, &columns[g->first + next], false);
			}
			read_births(w, &columns[g->first + next], streams & RECORD_BIRTHS);
			read_changes(w, &columns[g->first + next], streams & RECORD_CHANGES);
			next++;
		}
		if (nums_bad(r))
			break;
		id = read_head(r, &streams);
	}
	for (; next < g->count; next++) {
		read_births(w, &columns[g->first + next], false);
		read_changes(w, &columns[g->first + next], false);
	}
	return r && nums_bad(r) ? err_set(e, ERR_CORRUPT, "the columns end too early") : 0;
}
