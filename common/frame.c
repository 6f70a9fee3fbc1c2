/*
 * frame.c - applies the parts of a frame to a sockset. FORMAT.md sections 4 and 5.
 *
 * Everything read here may have been made to hurt: counts are checked against what the bytes can
 * hold before anything is allocated, positions against the set before anything is written.
 */
#include "frame.h"

#include <stdlib.h>
#include <zlib.h>

#include "bytes.h"

/* Deflate cannot expand by more than this (zlib's documentation): a larger claim is a lie. */
#define MAX_EXPANSION 1040u

/* No part may unpack to more (FORMAT.md section 8). */
#define MAX_RAW_BYTES (1u << 30)

uint32_t frame_crc(uint64_t snapshot, unsigned part, const struct frame_part *p)
{
	uint8_t head[14];
	for (unsigned i = 0; i < 8; i++)
		head[i] = (uint8_t)(snapshot >> (8 * i));
	head[8] = (uint8_t)part;
	head[9] = p->codec;
	for (unsigned i = 0; i < 4; i++)
		head[10 + i] = (uint8_t)(p->raw_bytes >> (8 * i));
	uLong crc = crc32_z(crc32_z(0, NULL, 0), head, sizeof(head));
	return (uint32_t)crc32_z(crc, p->bytes, p->len);
}

void frame_scratch_fini(struct frame_scratch *scratch)
{
	buf_fini(&scratch->raw);
	free(scratch->order);
	free(scratch->mark);
	free(scratch->moved);
	free(scratch->slots);
	free(scratch->change);
	*scratch = (struct frame_scratch){0};
}

static int inflate_all(const struct frame_part *p, uint8_t *raw, struct err *e)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p->bytes, .avail_in = (uInt)p->len};
	if (inflateInit2(&z, -15) != Z_OK)
		return err_set(e, ERR_NOMEM, "out of memory for zlib");
	uint8_t none;
	z.next_out = p->raw_bytes ? raw : &none;
	z.avail_out = p->raw_bytes;
	int rc = inflate(&z, Z_FINISH);
	bool whole = rc == Z_STREAM_END && z.total_out == p->raw_bytes && z.avail_in == 0;
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return err_set(e, ERR_NOMEM, "out of memory for zlib");
	return whole ? 0 : err_set(e, ERR_CORRUPT, "compressed bytes are damaged");
}

int frame_unpack(const struct frame_part *p, struct frame_scratch *scratch, struct err *e)
{
	if (p->raw_bytes > MAX_RAW_BYTES || p->len > MAX_RAW_BYTES)
		return err_set(e, ERR_LIMIT, "part of %u bytes is over the limit", p->raw_bytes);
	if (p->codec == CODEC_STORED && p->raw_bytes != p->len)
		return err_set(e, ERR_CORRUPT, "stored length %u is not %zu", p->raw_bytes, p->len);
	if (p->codec == CODEC_DEFLATE && p->raw_bytes / MAX_EXPANSION > p->len)
		return err_set(e, ERR_CORRUPT, "%zu bytes cannot unpack to %u", p->len,
			       p->raw_bytes);
	buf_clear(&scratch->raw);
	uint8_t *raw = buf_reserve(&scratch->raw, p->raw_bytes + 1u);
	if (!raw)
		return err_set(e, ERR_NOMEM, "out of memory for a part of %u bytes", p->raw_bytes);
	scratch->raw.len = p->raw_bytes;
	switch (p->codec) {
	case CODEC_STORED:
		if (p->len)
			memcpy(raw, p->bytes, p->len);
		return 0;
	case CODEC_DEFLATE:
		return inflate_all(p, raw, e);
	default:
		return err_set(e, ERR_FUTURE, "unknown codec %u", p->codec);
	}
}

int frame_is_key(const struct frame_part *member, struct frame_scratch *scratch, struct err *e)
{
	int rc = frame_unpack(member, scratch, e);
	if (rc)
		return rc;
	struct span s = span_of(scratch->raw.bytes, scratch->raw.len);
	uint8_t kind = span_u8(&s);
	if (s.bad || kind > FRAME_KEY)
		return err_set(e, ERR_CORRUPT, "frame is neither key nor delta");
	return kind == FRAME_KEY;
}

/* Room for n items, or ERR_NOMEM. */
#define NEED(array, cap, n) need_array((void **)&(array), &(cap), (n), sizeof(*(array)))

static int need_array(void **array, size_t *cap, size_t n, size_t item_bytes)
{
	void *p = array_grow(*array, cap, n, item_bytes);
	if (!p)
		return ERR_NOMEM;
	*array = p;
	return 0;
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
}

static int corrupt(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s", what);
}

/* The sockets that died in the frame before are forgotten only now: callers look at them. */
static int bury(struct sockset *set, struct err *e)
{
	if (NEED(set->free_slots, set->free_cap, (size_t)set->free_count + set->died_count))
		return no_memory(e);
	for (uint32_t i = 0; i < set->died_count; i++)
		set->free_slots[set->free_count++] = set->died[i];
	set->died_count = 0;
	set->born_count = 0;
	for (unsigned g = 0; g < GRP_COUNT; g++)
		set->touched_count[g] = 0;
	return 0;
}

/* ------------------------------------------------------------------ the edit script (5.1) */

struct script {
	struct sockset *set;
	struct frame_scratch *scratch;
	struct err *e;
	uint32_t old_at;   /* next old position */
	uint32_t new_at;   /* next new position */
	uint32_t births;   /* born positions so far, moved ones included */
	uint32_t moved_at; /* next entry of the list of moved sockets */
	uint32_t moved_count;
};

/* `moved` holds pairs (index among the births, old position); old positions are marked. */
static int read_moved(struct script *sc, struct span *s)
{
	struct frame_scratch *x = sc->scratch;
	uint64_t n = span_varint_max(s, sc->set->rows);
	if (s->bad || n > span_left(s) / 2)
		return corrupt(sc->e, "more moved sockets than bytes");
	if (NEED(x->moved, x->moved_cap, 2 * n + 1) ||
	    NEED(x->mark, x->mark_cap, sc->set->rows + 1u))
		return no_memory(sc->e);
	memset(x->mark, 0, sc->set->rows);
	uint64_t index = 0;
	for (uint64_t i = 0; i < n; i++) {
		index += span_varint_max(s, SOCKSET_MAX_ROWS) + (i ? 1 : 0);
		uint64_t old = span_varint_max(s, sc->set->rows - 1u);
		if (s->bad || index >= SOCKSET_MAX_ROWS || x->mark[old])
			return corrupt(sc->e, "a moved socket is out of range");
		x->mark[old] = 1;
		x->moved[2 * i] = (uint32_t)index;
		x->moved[2 * i + 1] = (uint32_t)old;
	}
	sc->moved_count = (uint32_t)n;
	return 0;
}

static int keep_rows(struct script *sc, uint32_t n)
{
	const struct sockset *set = sc->set;
	if (n > set->rows - sc->old_at || n > SOCKSET_MAX_ROWS - sc->new_at)
		return corrupt(sc->e, "keeps more sockets than there were");
	if (NEED(sc->scratch->order, sc->scratch->order_cap, (size_t)sc->new_at + n + 1))
		return no_memory(sc->e);
	if (sc->moved_count && memchr(sc->scratch->mark + sc->old_at, 1, n))
		return corrupt(sc->e, "a socket is both kept and moved");
	if (n)
		memcpy(sc->scratch->order + sc->new_at, set->order + sc->old_at,
		       n * sizeof(*set->order));
	sc->old_at += n;
	sc->new_at += n;
	return 0;
}

static int drop_rows(struct script *sc, uint32_t n)
{
	struct sockset *set = sc->set;
	if (n > set->rows - sc->old_at)
		return corrupt(sc->e, "drops more sockets than there were");
	if (NEED(set->died, set->died_cap, (size_t)set->died_count + n + 1))
		return no_memory(sc->e);
	for (uint32_t i = 0; i < n; i++, sc->old_at++)
		if (!sc->moved_count || !sc->scratch->mark[sc->old_at])
			set->died[set->died_count++] = set->order[sc->old_at];
	return 0;
}

static int bear_rows(struct script *sc, uint32_t n)
{
	struct sockset *set = sc->set;
	struct frame_scratch *x = sc->scratch;
	if (n > SOCKSET_MAX_ROWS - sc->new_at)
		return err_set(sc->e, ERR_LIMIT, "more than %u sockets", SOCKSET_MAX_ROWS);
	if (NEED(x->order, x->order_cap, (size_t)sc->new_at + n + 1) ||
	    NEED(set->born, set->born_cap, (size_t)set->born_count + n + 1))
		return no_memory(sc->e);
	for (uint32_t i = 0; i < n; i++, sc->births++, sc->new_at++) {
		if (sc->moved_at < sc->moved_count && x->moved[2 * sc->moved_at] == sc->births) {
			x->order[sc->new_at] = set->order[x->moved[2 * sc->moved_at + 1]];
			sc->moved_at++;
			continue;
		}
		int rc = sockset_take_slot(set, &x->order[sc->new_at], sc->e);
		if (rc)
			return rc;
		set->born[set->born_count++] = sc->new_at;
	}
	return 0;
}

static int read_delta_script(struct script *sc, struct span *s)
{
	int rc = read_moved(sc, s);
	if (rc)
		return rc;
	uint64_t ops = span_varint(s);
	if (s->bad || ops > span_left(s) / 3)
		return corrupt(sc->e, "more edits than bytes");
	for (uint64_t i = 0; i < ops && !rc; i++) {
		uint32_t keep = (uint32_t)span_varint_max(s, SOCKSET_MAX_ROWS);
		uint32_t drop = (uint32_t)span_varint_max(s, SOCKSET_MAX_ROWS);
		uint32_t born = (uint32_t)span_varint_max(s, SOCKSET_MAX_ROWS);
		if (s->bad || born > span_left(s) + sc->moved_count)
			return corrupt(sc->e, "more new sockets than bytes");
		rc = keep_rows(sc, keep);
		if (!rc)
			rc = drop_rows(sc, drop);
		if (!rc)
			rc = bear_rows(sc, born);
	}
	if (!rc && (sc->old_at != sc->set->rows || sc->moved_at != sc->moved_count))
		rc = corrupt(sc->e, "the edits do not account for every socket");
	return rc;
}

static int read_key_script(struct script *sc, struct span *s)
{
	uint64_t born = span_varint_max(s, SOCKSET_MAX_ROWS);
	if (s->bad || born > span_left(s))
		return corrupt(sc->e, "more sockets than bytes");
	int rc = drop_rows(sc, sc->set->rows);
	return rc ? rc : bear_rows(sc, (uint32_t)born);
}

static int read_script(struct sockset *set, struct frame_scratch *x, struct span *s, struct err *e)
{
	struct script sc = {.set = set, .scratch = x, .e = e};
	uint8_t kind = span_u8(s);
	if (s->bad || kind > FRAME_KEY)
		return corrupt(e, "frame is neither key nor delta");
	set->is_key = kind == FRAME_KEY;
	int rc = kind == FRAME_KEY ? read_key_script(&sc, s) : read_delta_script(&sc, s);
	if (rc)
		return rc;
	uint32_t *order = set->order;
	size_t cap = set->order_cap;
	set->order = x->order;
	set->order_cap = x->order_cap;
	x->order = order;
	x->order_cap = cap;
	set->rows = sc.new_at;
	return 0;
}

/* ----------------------------------------------------------------- columns (5.2 and 5.3) */

/* One group being decoded: which slots its values go to, and what is known of each column. */
struct group_work {
	struct sockset *set;
	struct frame_scratch *x;
	unsigned group;
	uint8_t *block;	      /* NULL: all zero so far and nothing to write */
	const uint32_t *born; /* slots */
	uint32_t born_count;
	const uint32_t *touched; /* slots */
	uint32_t touched_count;
	struct span births[COLUMNS_PER_GROUP]; /* by index in the group; empty: all residuals 0 */
	struct span changes[COLUMNS_PER_GROUP];
	bool has_births[COLUMNS_PER_GROUP];
	bool has_changes[COLUMNS_PER_GROUP];
};

/* Splits the records of a part by column; unknown columns are passed over. */
static int read_records(struct group_work *w, struct span *s, struct err *e)
{
	const struct column_group *g = &column_groups[w->group];
	while (span_left(s)) {
		uint8_t id = span_u8(s);
		uint64_t born_len = span_varint(s);
		uint64_t changes_len = span_varint(s);
		const uint8_t *born = s->bad ? NULL : span_take(s, born_len);
		const uint8_t *changes = s->bad ? NULL : span_take(s, changes_len);
		if (s->bad)
			return corrupt(e, "a column ends behind its part");
		for (unsigned i = 0; i < g->count; i++) {
			if (columns[g->first + i].id != id)
				continue;
			w->births[i] = span_of(born, born_len);
			w->has_births[i] = born_len > 0;
			w->changes[i] = span_of(changes, changes_len);
			w->has_changes[i] = changes_len > 0;
		}
	}
	return 0;
}

static inline int64_t sign_extend(uint64_t v, unsigned width)
{
	unsigned shift = 64 - 8 * width;
	return (int64_t)(v << shift) >> shift;
}

static void read_addr(struct span *s, const uint8_t *base, uint8_t *value)
{
	uint8_t tag = span_u8(s);
	const uint8_t *p;
	if (tag == ADDR_SAME) {
		memcpy(value, base, 16);
		return;
	}
	memset(value, 0, 16);
	switch (tag) {
	case ADDR_V4:
		p = span_take(s, 4);
		if (p)
			memcpy(value, p, 4);
		break;
	case ADDR_MAPPED:
		p = span_take(s, 4);
		value[10] = value[11] = 0xff;
		if (p)
			memcpy(value + 12, p, 4);
		break;
	case ADDR_V6:
		p = span_take(s, 16);
		if (p)
			memcpy(value, p, 16);
		break;
	default:
		s->bad = true;
	}
}

static void read_births(struct group_work *w, unsigned index)
{
	static const uint8_t nobody[sizeof(struct sock_row)];
	const struct column_group *g = &column_groups[w->group];
	const struct column *c = &columns[g->first + index];
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	struct span *s = &w->births[index];
	const uint8_t *base = nobody;
	for (uint32_t i = 0; i < w->born_count; i++) {
		uint8_t *row = w->block + (size_t)w->born[i] * g->bytes;
		if (c->enc == ENC_ADDR) {
			if (w->has_births[index])
				read_addr(s, base + c->offset, row + c->offset);
			else
				memcpy(row + c->offset, base + c->offset, 16);
		} else {
			uint64_t v = column_load(c, base);
			if (p)
				v += column_load(p, row) - column_load(p, base);
			if (w->has_births[index])
				v += (uint64_t)unzigzag(span_varint(s));
			column_store(c, row, v);
		}
		base = row;
	}
}

/*
 * change[] remembers by how much a predictor column changed at each touched socket: the value
 * before is gone when the predicted column is read.
 */
static int64_t *predictor_change(struct group_work *w, unsigned id)
{
	const struct column_group *g = &column_groups[w->group];
	unsigned n = 0;
	for (unsigned i = 0; i < g->count; i++) {
		unsigned this_id = columns[g->first + i].id;
		bool predicts = false;
		for (unsigned k = 0; k < g->count; k++)
			predicts |= columns[g->first + k].predictor == this_id;
		if (!predicts)
			continue;
		if (this_id == id)
			return w->x->change + (size_t)n * w->touched_count;
		n++;
	}
	return NULL;
}

static int need_predictor_changes(struct group_work *w, struct err *e)
{
	/* Never more predictors than columns that have one; few of them (columns.def). */
	size_t n = 0;
	const struct column_group *g = &column_groups[w->group];
	for (unsigned i = 0; i < g->count; i++)
		n += columns[g->first + i].predictor != 0;
	return NEED(w->x->change, w->x->change_cap, n * w->touched_count + 1) ? no_memory(e) : 0;
}

static void read_changes(struct group_work *w, unsigned index)
{
	const struct column_group *g = &column_groups[w->group];
	const struct column *c = &columns[g->first + index];
	const int64_t *from = c->predictor ? predictor_change(w, c->predictor) : NULL;
	int64_t *to = predictor_change(w, c->id);
	struct span *s = &w->changes[index];
	bool has = w->has_changes[index];
	if (!has && !from && !to)
		return;
	for (uint32_t i = 0; i < w->touched_count; i++) {
		uint8_t *row = w->block + (size_t)w->touched[i] * g->bytes;
		uint64_t d = has ? (uint64_t)unzigzag(span_varint(s)) : 0;
		if (from)
			d += (uint64_t)from[i];
		if (d)
			column_store(c, row, column_load(c, row) + d);
		if (to)
			to[i] = sign_extend(d, c->width);
	}
}

static int read_columns(struct group_work *w, struct span *s, struct err *e)
{
	const struct column_group *g = &column_groups[w->group];
	int rc = read_records(w, s, e);
	if (rc)
		return rc;
	if (!w->born_count && !w->touched_count)
		return 0;
	w->block = sockset_need_block(w->set, w->group);
	if (!w->block)
		return no_memory(e);
	for (uint32_t i = 0; i < w->born_count; i++)
		memset(w->block + (size_t)w->born[i] * g->bytes, 0, g->bytes);
	rc = need_predictor_changes(w, e);
	for (unsigned i = 0; i < g->count && !rc; i++) {
		read_births(w, i);
		read_changes(w, i);
		if (w->births[i].bad || w->changes[i].bad)
			rc = err_set(e, ERR_CORRUPT, "column %s ends too early",
				     columns[g->first + i].name);
	}
	return rc;
}

/* --------------------------------------------------------------------------------- parts */

static int slots_of_born(struct sockset *set, struct frame_scratch *x, struct err *e)
{
	if (NEED(x->slots, x->slots_cap, (size_t)set->born_count + 1))
		return no_memory(e);
	for (uint32_t i = 0; i < set->born_count; i++)
		x->slots[i] = set->order[set->born[i]];
	return 0;
}

static int apply_member(struct sockset *set, const struct frame_part *p, struct frame_scratch *x,
			struct err *e)
{
	if (!p->there)
		return corrupt(e, "frame without its member part");
	int rc = frame_unpack(p, x, e);
	if (rc)
		return rc;
	struct span s = span_of(x->raw.bytes, x->raw.len);
	rc = read_script(set, x, &s, e);
	if (!rc)
		rc = slots_of_born(set, x, e);
	if (rc)
		return rc;
	struct group_work w = {.set = set,
			       .x = x,
			       .group = GRP_ID_member,
			       .born = x->slots,
			       .born_count = set->born_count};
	rc = read_columns(&w, &s, e);
	/* Each new socket has a byte of its own in the cookie column: what bounds `born` above. */
	if (!rc && set->born_count && !w.has_births[0])
		rc = corrupt(e, "new sockets without cookies");
	return rc;
}

/* The ascending positions of survivors that changed, and their slots behind those of the born. */
static int read_touched(struct sockset *set, unsigned group, struct frame_scratch *x,
			struct span *s, struct err *e)
{
	uint64_t n = span_varint_max(s, set->rows);
	if (s->bad || n > span_left(s))
		return corrupt(e, "more changed sockets than bytes");
	if (NEED(set->touched[group], set->touched_cap[group], n + 1) ||
	    NEED(x->slots, x->slots_cap, (size_t)set->born_count + n + 1))
		return no_memory(e);
	uint64_t at = 0;
	for (uint64_t i = 0; i < n; i++) {
		at += span_varint_max(s, SOCKSET_MAX_ROWS) + (i ? 1 : 0);
		if (s->bad || at >= set->rows)
			return corrupt(e, "a changed socket is out of range");
		set->touched[group][i] = (uint32_t)at;
		x->slots[set->born_count + i] = set->order[at];
	}
	set->touched_count[group] = (uint32_t)n;
	return 0;
}

static int apply_group(struct sockset *set, unsigned group, const struct frame_part *p,
		       struct frame_scratch *x, struct err *e)
{
	if (!p->there && !set->block[group])
		return 0; /* still all zero */
	struct span s = span_of(NULL, 0);
	if (p->there) {
		int rc = frame_unpack(p, x, e);
		if (rc)
			return rc;
		s = span_of(x->raw.bytes, x->raw.len);
		rc = read_touched(set, group, x, &s, e);
		if (rc)
			return rc;
	}
	struct group_work w = {.set = set,
			       .x = x,
			       .group = group,
			       .born = x->slots,
			       .born_count = set->born_count,
			       .touched = x->slots + set->born_count,
			       .touched_count = set->touched_count[group]};
	return read_columns(&w, &s, e);
}

static int apply_clock(struct sockset *set, const struct frame_part *p, struct frame_scratch *x,
		       struct err *e)
{
	set->ticks_count = set->batches_count = 0;
	if (!p->there)
		return 0;
	int rc = frame_unpack(p, x, e);
	if (rc)
		return rc;
	struct span s = span_of(x->raw.bytes, x->raw.len);
	uint64_t n = span_varint(&s);
	if (s.bad || n > span_left(&s) / 2 || NEED(set->ticks, set->ticks_cap, n + 1))
		return corrupt(e, "more ticks than bytes");
	uint64_t first = 0;
	uint64_t tick_ms = 0;
	for (uint64_t i = 0; i < n; i++) {
		first += span_varint_max(&s, SOCKSET_MAX_ROWS);
		tick_ms += span_varint(&s);
		set->ticks[i] = (struct tick_run){(uint32_t)first, tick_ms};
	}
	uint64_t batches = span_varint(&s);
	if (s.bad || batches > span_left(&s) / 3 ||
	    NEED(set->batches, set->batches_cap, batches + 1))
		return corrupt(e, "more batches than bytes");
	first = 0;
	uint64_t at_us = 0;
	for (uint64_t i = 0; i < batches; i++) {
		first += span_varint_max(&s, SOCKSET_MAX_ROWS);
		uint64_t lo_us = at_us + (uint64_t)unzigzag(span_varint(&s));
		at_us = lo_us + span_varint(&s);
		set->batches[i] = (struct fill_batch){(uint32_t)first, lo_us, at_us};
	}
	if (s.bad || first > SOCKSET_MAX_ROWS)
		return corrupt(e, "the clock part ends too early");
	set->ticks_count = (uint32_t)n;
	set->batches_count = (uint32_t)batches;
	return 0;
}

int frame_apply(struct sockset *set, const struct frame_part parts[PART_COUNT],
		struct frame_scratch *scratch, struct err *e)
{
	int rc = bury(set, e);
	if (!rc)
		rc = apply_member(set, &parts[GRP_ID_member], scratch, e);
	if (rc)
		return rc == ERR_NOMEM ? rc : err_context(e, "part member");
	for (unsigned g = 2; g < GRP_COUNT; g++) {
		if (!(set->groups & (1u << g)))
			continue;
		rc = apply_group(set, g, &parts[g], scratch, e);
		if (rc)
			return err_context(e, "part %s", column_groups[g].name);
	}
	if (set->groups & (1u << PART_CLOCK)) {
		rc = apply_clock(set, &parts[PART_CLOCK], scratch, e);
		if (rc)
			return err_context(e, "part clock");
	}
	return 0;
}
