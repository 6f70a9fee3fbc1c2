/*
 * frame_turn.c - the turn part: rows around changes of state, told by themselves, so that the queue
 * and evidence parts need not be read for them. FORMAT.md section 5.7.
 */
#include "frame_internal.h"

static const unsigned told_groups[] = {GRP_ID_queue, GRP_ID_evidence};
#define TOLD_GROUPS (sizeof(told_groups) / sizeof(told_groups[0]))

/* Both are in struct turn_values of sockset.h. */
static const uint16_t told_offsets[TOLD_GROUPS] = {offsetof(struct turn_values, queue),
						   offsetof(struct turn_values, evidence)};

/* The rows told of one group, in the part's order, and where their values go. */
struct told_rows {
	struct sockset *set;
	struct frame_scratch *scratch; /* its rows[] are these */
	unsigned n;		       /* of told_groups */
	size_t count;
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
}

static int out_of_range(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "a socket that turned is out of range");
}

static int read_turns(struct sockset *set, struct nums_reader *r, struct err *e)
{
	uint64_t n = nums_get_max(r, set->rows);
	if (nums_bad(r) || n > r->left / 2)
		return err_set(e, ERR_CORRUPT, "more sockets turned than bytes");
	if (ARRAY_NEED(set->turns, set->turns_cap, n + 1))
		return no_memory(e);
	uint64_t at = 0;
	uint32_t born = 0;
	for (uint64_t i = 0; i < n; i++) {
		at += nums_get_max(r, SOCKSET_MAX_ROWS) + (i ? 1 : 0);
		uint64_t told = nums_get_max(r, TURN_NOW | TURN_BEFORE);
		while (born < set->born_count && set->born[born] < at)
			born++;
		bool is_born = born < set->born_count && set->born[born] == at;
		if (nums_bad(r) || at >= set->rows || is_born != set->is_key || !told ||
		    (set->is_key && told != TURN_BEFORE))
			return out_of_range(e);
		set->turns[i].position = (uint32_t)at;
		set->turns[i].told = (uint8_t)told;
	}
	set->turns_count = (uint32_t)n;
	return 0;
}

static bool is_tcp(const struct sockset *set, uint32_t position)
{
	return SLOT_GROUP(set, set->order[position], member)->proto == PROTO_TCP;
}

/* Of rows without tcp_info there is nothing to tell in group `evidence`. */
static bool tells(const struct told_rows *t, uint32_t position)
{
	uint32_t slot = t->set->order[position];
	return told_groups[t->n] == GRP_ID_queue ||
	       (SLOT_GROUP(t->set, slot, state)->has & HAS_INFO);
}

/* The row's place is cleared. */
static void add_row(struct told_rows *t, uint8_t *at)
{
	memset(at, 0, column_groups[told_groups[t->n]].bytes);
	t->scratch->rows[t->count++] = at;
}

static void place_rows(struct told_rows *t)
{
	struct sockset *set = t->set;
	size_t bytes = column_groups[told_groups[t->n]].bytes;
	uint8_t *block = set->block[told_groups[t->n]];
	for (uint32_t i = 0; !set->is_key && i < set->born_count; i++)
		if (is_tcp(set, set->born[i]) && tells(t, set->born[i]))
			add_row(t, block + set->order[set->born[i]] * bytes);
	for (uint32_t i = 0; i < set->turns_count; i++) {
		struct turn *turn = &set->turns[i];
		if (turn->told & TURN_BEFORE)
			add_row(t, (uint8_t *)&turn->before + told_offsets[t->n]);
		if ((turn->told & TURN_NOW) && tells(t, turn->position))
			add_row(t, block + set->order[turn->position] * bytes);
	}
}

static int find_rows(struct told_rows *t, struct err *e)
{
	struct frame_scratch *x = t->scratch;
	size_t most = (t->set->is_key ? 0 : (size_t)t->set->born_count) +
		      2 * (size_t)t->set->turns_count;
	if (ARRAY_NEED(x->rows, x->rows_cap, most + 1) ||
	    ARRAY_NEED(x->class, x->class_cap, most + 1) ||
	    ARRAY_NEED(x->residuals, x->residuals_cap, most + 1) ||
	    !sockset_need_block(t->set, told_groups[t->n]))
		return no_memory(e);
	place_rows(t);
	memset(x->class, 0, t->count);
	return 0;
}

/* Residuals to values; NULL: all are 0. */
static void put_values(const struct told_rows *t, const struct column *c, const uint64_t *residuals)
{
	static const uint8_t nobody[sizeof(struct turn_values)];
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	uint8_t **rows = t->scratch->rows;
	const uint8_t *base = nobody;
	if (!residuals && !p)
		return; /* the rows were cleared, and each is as the one before */
	for (size_t i = 0; i < t->count; base = rows[i++]) {
		uint64_t v = column_load(c, base);
		if (p)
			v += column_load(p, rows[i]) - column_load(p, base);
		if (residuals)
			v += (uint64_t)unzigzag(residuals[i]);
		column_store(c, rows[i], v);
	}
}

static uint64_t next_id(struct nums_reader *r)
{
	nums_get_stream(r, RANGE_STREAM_FRESH);
	return nums_get_max(r, UINT8_MAX);
}

/* Column records up to the 0. Columns that this version does not know are passed over. */
static int read_columns(const struct told_rows *t, struct err *e)
{
	struct frame_scratch *x = t->scratch;
	const struct column_group *g = &column_groups[told_groups[t->n]];
	const struct column *next = &columns[g->first], *end = next + g->count;
	unsigned records = 0;
	for (uint64_t id = next_id(x->reader); id; id = next_id(x->reader)) {
		const struct column *c = column_by_id((unsigned)id);
		bool known = c && c->group == told_groups[t->n];
		if (++records > UINT8_MAX || (known && c < next))
			return err_set(e, ERR_CORRUPT, "column %u comes out of order",
				       (unsigned)id);
		nums_get_column(x->reader, RANGE_STREAM_FRESH, x->class, x->residuals, t->count);
		for (; known && next < c; next++)
			put_values(t, next, NULL);
		if (known)
			put_values(t, next++, x->residuals);
		if (nums_bad(x->reader))
			break;
	}
	for (; next < end; next++)
		put_values(t, next, NULL);
	return nums_bad(x->reader) ? err_set(e, ERR_CORRUPT, "the columns end too early") : 0;
}

int frame_apply_turns(struct sockset *set, const struct frame_part *p, struct frame_scratch *x,
		      struct err *e)
{
	if (!p->there)
		return 0;
	int rc = frame_open_part(p, NULL, x, e);
	if (!rc)
		nums_get_stream(x->reader, RANGE_STREAM_FRESH);
	if (!rc)
		rc = read_turns(set, x->reader, e);
	for (unsigned n = 0; n < TOLD_GROUPS && !rc; n++) {
		struct told_rows t = {.set = set, .scratch = x, .n = n};
		rc = find_rows(&t, e);
		if (!rc && t.count)
			rc = read_columns(&t, e);
	}
	return rc;
}
