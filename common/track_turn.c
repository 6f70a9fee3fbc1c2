/*
 * track_turn.c - the turn part of a new snapshot: the rows around changes of state, told once more
 * and by themselves. FORMAT.md section 5.7.
 */
#include "track_internal.h"

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a frame");
}

/* A walk over the touched lists of those groups: next[] is where each stands. */
static const unsigned looked_at[] = {GRP_ID_state, GRP_ID_queue, GRP_ID_evidence};
#define LOOKED_AT (sizeof(looked_at) / sizeof(looked_at[0]))

/* The least position that any of the lists has next; UINT32_MAX at their ends. */
static uint32_t next_position(const struct sockset *set, const uint32_t next[LOOKED_AT])
{
	uint32_t position = UINT32_MAX;
	for (unsigned i = 0; i < LOOKED_AT; i++) {
		unsigned g = looked_at[i];
		if (next[i] < set->touched_count[g] && set->touched[g][next[i]] < position)
			position = set->touched[g][next[i]];
	}
	return position;
}

/* The new values of list i's group at `position`, and on to the next one. */
static const void *take_new(const struct track *t, unsigned i, uint32_t position,
			    uint32_t next[LOOKED_AT])
{
	unsigned g = looked_at[i];
	const struct sockset *set = &t->set;
	if (next[i] < set->touched_count[g] && set->touched[g][next[i]] == position)
		return t->pending[g].blocks + (size_t)next[i]++ * column_groups[g].bytes;
	return sockset_block(set, g, t->new_order[position]);
}

static int note(struct track *t, const struct turned *turned, struct err *e)
{
	if (ARRAY_NEED(t->turned, t->turned_cap, (size_t)t->turned_count + 1))
		return no_memory(e);
	uint32_t slot = t->new_order[turned->turn.position];
	struct turned *to = &t->turned[t->turned_count++];
	*to = *turned;
	to->turn.before.queue = *SLOT_GROUP(&t->set, slot, queue);
	to->turn.before.evidence = *SLOT_GROUP(&t->set, slot, evidence);
	return 0;
}

int track_note_turns(struct track *t, struct err *e)
{
	uint32_t next[LOOKED_AT] = {0};
	uint32_t position;
	int rc = 0;
	t->turned_count = 0;
	while (!rc && (position = next_position(&t->set, next)) != UINT32_MAX) {
		uint32_t slot = t->new_order[position];
		const struct row_state *state = take_new(t, 0, position, next);
		const struct row_queue *queue = take_new(t, 1, position, next);
		const struct row_evidence *evidence = take_new(t, 2, position, next);
		unsigned before = SLOT_GROUP(&t->set, slot, state)->state, now = state->state;
		uint8_t told = 0;
		if (track_member_of(t, slot)->proto != PROTO_TCP)
			continue;
		if (!t->key && (now != before || sock_state_passes(now)))
			told |= TURN_NOW;
		if (now != before && !sock_state_passes(before))
			told |= TURN_BEFORE;
		struct turned turned = {.turn = {.position = position, .told = told},
					.now = {.queue = *queue, .evidence = *evidence},
					.has_info = state->has & HAS_INFO};
		if (told)
			rc = note(t, &turned, e);
	}
	return rc;
}

/* The values of one group in the order of the part's rows, into t->turn_rows. */
static size_t place_rows(const struct track *t, unsigned group)
{
	bool is_queue = group == GRP_ID_queue;
	size_t n = 0, offset = is_queue ? offsetof(struct turn_values, queue)
					: offsetof(struct turn_values, evidence);
	for (uint32_t i = 0; !t->key && i < t->set.born_count; i++) {
		uint32_t slot = t->new_order[t->set.born[i]];
		bool told = is_queue || (SLOT_GROUP(&t->set, slot, state)->has & HAS_INFO);
		if (told && track_member_of(t, slot)->proto == PROTO_TCP)
			t->turn_rows[n++] = sockset_block(&t->set, group, slot);
	}
	for (uint32_t i = 0; i < t->turned_count; i++) {
		const struct turned *turned = &t->turned[i];
		if (turned->turn.told & TURN_BEFORE)
			t->turn_rows[n++] = (const uint8_t *)&turned->turn.before + offset;
		if ((turned->turn.told & TURN_NOW) && (is_queue || turned->has_info))
			t->turn_rows[n++] = (const uint8_t *)&turned->now + offset;
	}
	return n;
}

static void put_column(struct track *t, const struct column *c, size_t rows)
{
	static const uint8_t nobody[sizeof(struct turn_values)];
	const struct column *p = c->predictor ? column_by_id(c->predictor) : NULL;
	const uint8_t *base = nobody;
	uint64_t any = 0;
	for (size_t i = 0; i < rows; base = t->turn_rows[i++]) {
		t->residuals[i] = track_residual(c, p, t->turn_rows[i], base);
		any |= t->residuals[i];
	}
	if (!any)
		return;
	nums_put_stream(t->writer, RANGE_STREAM_FRESH);
	nums_put(t->writer, 0, c->id);
	nums_put_column(t->writer, RANGE_STREAM_FRESH, t->class, t->residuals, rows);
}

static void put_group(struct track *t, unsigned group)
{
	const struct column_group *g = &column_groups[group];
	size_t rows = place_rows(t, group);
	if (!rows)
		return;
	memset(t->class, 0, rows);
	for (unsigned i = 0; i < g->count; i++)
		put_column(t, &columns[g->first + i], rows);
	nums_put_stream(t->writer, RANGE_STREAM_FRESH);
	nums_put(t->writer, 0, 0);
}

static void put_turns(struct track *t)
{
	uint32_t next = 0;
	nums_put(t->writer, 0, t->turned_count);
	for (uint32_t i = 0; i < t->turned_count; i++) {
		const struct turn *turn = &t->turned[i].turn;
		nums_put(t->writer, 0, turn->position - next);
		nums_put(t->writer, 0, turn->told);
		next = turn->position + 1;
	}
}

/* So few rows deflate badly; more of them are deflated, as what is read over whole days. */
#define FEW_ROWS 64

int track_encode_turns(struct track *t, struct frame_part *ret_part, struct err *e)
{
	size_t most = (t->key ? 0 : (size_t)t->set.born_count) + 2 * (size_t)t->turned_count;
	if (ARRAY_NEED(t->turn_rows, t->turn_rows_cap, most + 1) ||
	    ARRAY_NEED(t->residuals, t->residuals_cap, most + 1) ||
	    ARRAY_NEED(t->class, t->class_cap, most + 1))
		return no_memory(e);
	size_t rows = place_rows(t, GRP_ID_queue);
	if (!rows)
		return 0;
	nums_begin(t->writer, rows <= FEW_ROWS ? CODEC_RANGE : CODEC_DEFLATE, NULL,
		   &t->part_bytes[PART_TURN]);
	nums_put_stream(t->writer, RANGE_STREAM_FRESH);
	put_turns(t);
	put_group(t, GRP_ID_queue);
	put_group(t, GRP_ID_evidence);
	return nums_end(t->writer, ret_part, e);
}
