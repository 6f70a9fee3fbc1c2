/*
 * track_value.c - the values of one socket, as they are kept: stamps as ticks, absent columns as
 * what costs nothing, and per group whether anything changed. FORMAT.md sections 5.3 and 5.4.
 */
#include <string.h>

#include "track_internal.h"

static void add_absent(struct absent *a, const struct column *c)
{
	struct absent_run *last = a->count ? &a->runs[a->count - 1] : NULL;
	if (last && last->group == c->group && last->offset + last->len == c->offset)
		last->len = (uint16_t)(last->len + c->width);
	else
		a->runs[a->count++] = (struct absent_run){c->group, c->offset, c->width};
}

/* The columns that are absent in sockets like this row; a few kinds of sockets are remembered. */
static const struct absent *absent_of(struct track *t, const struct sock_row *row)
{
	for (unsigned i = 0; i < ABSENT_KINDS; i++)
		if (t->absent[i].known && t->absent[i].has == row->state.has &&
		    t->absent[i].info_bytes == row->state.info_bytes)
			return &t->absent[i];
	struct absent *a = &t->absent[t->absent_next++ % ABSENT_KINDS];
	*a = (struct absent){
		.known = true, .has = row->state.has, .info_bytes = row->state.info_bytes};
	for (unsigned i = 0; i < columns_count; i++) {
		/* Of inet sockets they are 0 anyway. */
		if ((a->has & HAS_TUPLE) && (GRP_RARE & 1u << columns[i].group))
			continue;
		if (!column_present(&columns[i], a->has, a->info_bytes))
			add_absent(a, &columns[i]);
	}
	return a;
}

void track_carry_absent(struct track *t, struct sock_row *row, uint32_t base_slot)
{
	const struct absent *a = absent_of(t, row);
	for (unsigned i = 0; i < a->count; i++) {
		const struct absent_run *r = &a->runs[i];
		uint8_t *to = (uint8_t *)row + column_groups[r->group].row_offset + r->offset;
		if (base_slot == NO_SLOT || !t->set.block[r->group])
			memset(to, 0, r->len);
		else
			memcpy(to, (uint8_t *)track_block(t, r->group, base_slot) + r->offset,
			       r->len);
	}
}

/*
 * Which tick within [lo, hi] the row was filled at is not known. If an idle socket's stamps fit
 * the former ones under a later tick than assumed, that tick has come.
 */
void track_settle_tick(struct track *t, const struct sock_row *row, uint32_t slot, uint64_t hi_ms)
{
	if (!(row->state.has & HAS_INFO) || !t->set.block[GRP_ID_evidence])
		return;
	const struct row_evidence *old = track_block(t, GRP_ID_evidence, slot);
	const uint32_t later[] = {
		old->last_data_sent_ms + row->evidence.last_data_sent_ms - (uint32_t)t->tick_ms,
		old->last_data_recv_ms + row->evidence.last_data_recv_ms - (uint32_t)t->tick_ms,
		old->last_ack_recv_ms + row->evidence.last_ack_recv_ms - (uint32_t)t->tick_ms,
	};
	for (unsigned i = 0; i < 3; i++) {
		if (later[i] > 0 && later[i] <= hi_ms - t->tick_ms) {
			t->tick_ms += later[i];
			return;
		}
	}
}

void track_store_stamps(struct sock_row *row, uint64_t tick_ms)
{
	struct row_evidence *v = &row->evidence;
	row->queue.timer_ms = stamp_store(ENC_EXPIRY, row->queue.timer_ms, tick_ms);
	v->last_data_sent_ms = (uint32_t)stamp_store(ENC_STAMP, v->last_data_sent_ms, tick_ms);
	v->last_data_recv_ms = (uint32_t)stamp_store(ENC_STAMP, v->last_data_recv_ms, tick_ms);
	v->last_ack_recv_ms = (uint32_t)stamp_store(ENC_STAMP, v->last_ack_recv_ms, tick_ms);
}

/* A group's values of a row with position t->rows; `zero`: what an unwritten group reads as. */
int track_put_group(struct track *t, unsigned g, const struct sock_row *row, uint32_t slot,
		    bool born, struct err *e)
{
	static const uint8_t zero[sizeof(struct sock_row)];
	const struct column_group *grp = &column_groups[g];
	const uint8_t *value = (const uint8_t *)row + grp->row_offset;
	struct sockset *set = &t->set;
	if (!set->block[g]) {
		if (memcmp(value, zero, grp->bytes) == 0)
			return 0;
		if (!sockset_need_block(set, g))
			return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
	}
	uint8_t *old = track_block(t, g, slot);
	if (born) {
		track_set_block(t, g, slot, row);
		return 0;
	}
	if (memcmp(old, value, grp->bytes) == 0)
		return 0;
	struct pending *pend = &t->pending[g];
	uint32_t n = set->touched_count[g];
	if (ARRAY_NEED(set->touched[g], set->touched_cap[g], (size_t)n + 1) ||
	    array_need((void **)&pend->blocks, &pend->cap, (size_t)n + 1, grp->bytes))
		return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
	set->touched[g][n] = t->rows;
	memcpy(pend->blocks + (size_t)n * grp->bytes, value, grp->bytes);
	set->touched_count[g] = n + 1;
	return 0;
}
