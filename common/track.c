/*
 * track.c - which socket of the new dump is which of the former one. See track.h.
 *
 * The kernel walks its hash tables in the same order every time, so the next socket is nearly
 * always the one that followed last time: no lookup is needed for it. A hash by identity answers
 * for the rest.
 */
#include "track_internal.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
}

int track_new(struct track **ret, struct err *e)
{
	struct track *t = calloc(1, sizeof(*t));
	if (!t)
		return no_memory(e);
	sockset_init(&t->set, GRP_ALL | (1u << PART_CLOCK));
	*ret = t;
	return 0;
}

void track_free(struct track *t)
{
	if (!t)
		return;
	sockset_fini(&t->set);
	free(t->new_order);
	free(t->edits);
	free(t->moved);
	free(t->old_at);
	free(t->seen);
	free(t->ticks);
	free(t->batches);
	free(t->hash);
	for (unsigned g = 0; g < GRP_COUNT; g++)
		free(t->pending[g].blocks);
	for (unsigned i = 0; i < PART_COUNT; i++)
		buf_fini(&t->part_bytes[i]);
	free(t->turned);
	free(t->turn_rows);
	free(t->residuals);
	free(t->class);
	nums_writer_free(t->writer);
	free(t);
}

struct sockset *track_set(struct track *t)
{
	return &t->set;
}

/* ----------------------------------------------------------------------- previous snapshot */

void track_forget(struct track *t)
{
	sockset_clear(&t->set);
	if (t->hash)
		memset(t->hash, 0, ((size_t)t->hash_mask + 1) * sizeof(*t->hash));
	t->hash_used = 0;
	t->valid = false;
}

static int need_slot_arrays(struct track *t, struct err *e)
{
	size_t cap = t->slots_cap;
	size_t want = t->set.slots_cap > t->set.slots ? t->set.slots_cap : t->set.slots;
	if (want <= t->slots_cap)
		return 0;
	if (ARRAY_NEED(t->old_at, cap, want))
		return no_memory(e);
	size_t seen_cap = t->slots_cap;
	if (ARRAY_NEED(t->seen, seen_cap, want))
		return no_memory(e);
	memset(t->seen + t->slots_cap, 0, (seen_cap - t->slots_cap) * sizeof(*t->seen));
	t->slots_cap = cap < seen_cap ? cap : seen_cap;
	return 0;
}

int track_adopt(struct track *t, struct err *e)
{
	struct sockset *set = &t->set;
	/* The dead of the last frame are of no interest here: their slots are free. */
	if (ARRAY_NEED(set->free_slots, set->free_cap,
		       (size_t)set->free_count + set->died_count + 1))
		return no_memory(e);
	for (uint32_t i = 0; i < set->died_count; i++)
		set->free_slots[set->free_count++] = set->died[i];
	set->died_count = set->born_count = 0;
	for (uint32_t i = 0; i < set->rows; i++) {
		int rc = track_hash_reserve(t, e);
		if (rc)
			return rc;
		track_hash_put(t, set->order[i]);
	}
	t->valid = true;
	return 0;
}

/* ---------------------------------------------------------------------------- new snapshot */

int track_begin(struct track *t, bool key, struct err *e)
{
	if (t->building)
		track_abandon(t);
	int rc = need_slot_arrays(t, e);
	if (rc)
		return rc;
	if (ARRAY_NEED(t->set.free_slots, t->set.free_cap, (size_t)t->set.slots + 1))
		return no_memory(e);
	t->building = true;
	t->applied = t->encoded = false;
	t->key = key || !t->valid;
	t->rows = t->edits_count = t->births = t->moved_count = t->next_old = 0;
	t->owner_next = t->ticks_count = t->batches_count = t->batch_first = 0;
	t->tick_ms = 1;
	t->last_born_slot = NO_SLOT;
	if (++t->epoch == 0) {
		memset(t->seen, 0, t->slots_cap * sizeof(*t->seen));
		t->epoch = 1;
	}
	t->set.born_count = 0;
	t->set.died_count = 0;
	for (unsigned g = 0; g < GRP_COUNT; g++)
		t->set.touched_count[g] = 0;
	for (uint32_t i = 0; i < t->set.rows; i++)
		t->old_at[t->set.order[i]] = i;
	return 0;
}

static int new_edit(struct track *t, struct err *e)
{
	if (ARRAY_NEED(t->edits, t->edits_cap, (size_t)t->edits_count + 1))
		return no_memory(e);
	t->edits[t->edits_count++] = (struct edit){0};
	return 0;
}

/* The socket that stood at `old` comes next: those between are dropped (or turn up later). */
static int edit_keep(struct track *t, uint32_t old, struct err *e)
{
	struct edit *last = t->edits_count ? &t->edits[t->edits_count - 1] : NULL;
	uint32_t skipped = old - t->next_old;
	if (skipped && last) {
		last->drop += skipped;
	} else if (skipped) {
		int rc = new_edit(t, e);
		if (rc)
			return rc;
		last = &t->edits[0];
		last->drop = skipped;
	}
	t->next_old = old + 1;
	if (!last || last->drop || last->born) {
		int rc = new_edit(t, e);
		if (rc)
			return rc;
		last = &t->edits[t->edits_count - 1];
	}
	last->keep++;
	return 0;
}

static int edit_born(struct track *t, struct err *e)
{
	if (!t->edits_count) {
		int rc = new_edit(t, e);
		if (rc)
			return rc;
	}
	t->edits[t->edits_count - 1].born++;
	t->births++;
	return 0;
}

/* A socket that was in front of its former neighbours and now comes behind them. */
static int edit_moved(struct track *t, uint32_t slot, struct err *e)
{
	if (ARRAY_NEED(t->moved, t->moved_cap, (size_t)t->moved_count + 1))
		return no_memory(e);
	t->moved[t->moved_count++] = (struct moved){t->births, t->old_at[slot]};
	return edit_born(t, e);
}

static int place_born(struct track *t, const struct sock_row *row, uint32_t *ret_slot,
		      struct err *e)
{
	struct sockset *set = &t->set;
	int rc = sockset_take_slot(set, ret_slot, e);
	if (!rc)
		rc = need_slot_arrays(t, e);
	if (!rc && !sockset_need_block(set, GRP_ID_member))
		rc = no_memory(e);
	if (!rc)
		rc = track_hash_reserve(t, e);
	if (!rc && ARRAY_NEED(set->free_slots, set->free_cap, (size_t)set->slots + 1))
		rc = no_memory(e); /* commit and abandon must not fail */
	if (!rc && ARRAY_NEED(set->born, set->born_cap, (size_t)set->born_count + 1))
		rc = no_memory(e);
	if (rc)
		return rc;
	memcpy(track_block(t, GRP_ID_member, *ret_slot), &row->member, sizeof(row->member));
	t->old_at[*ret_slot] = BORN_NOW;
	track_hash_put(t, *ret_slot);
	t->new_order[t->rows] = *ret_slot; /* abandon looks there, whatever fails next */
	set->born[set->born_count++] = t->rows;
	return edit_born(t, e);
}

/* Finds the row's slot; *ret_born says whether it is new. Returns 1 for a duplicate. */
static int place(struct track *t, const struct sock_row *row, uint32_t *ret_slot, bool *ret_born,
		 struct err *e)
{
	const struct sockset *set = &t->set;
	bool shell = sock_is_shell(&row->member, row->state.state);
	uint32_t slot = NO_SLOT;
	if (t->next_old < set->rows) {
		slot = set->order[t->next_old];
		if (!track_is_same(t, slot, &row->member, shell))
			slot = NO_SLOT;
	}
	if (slot == NO_SLOT)
		slot = track_hash_find(t, &row->member, shell);
	*ret_born = slot == NO_SLOT;
	if (*ret_born) {
		int rc = place_born(t, row, &slot, e);
		if (rc)
			return rc;
	} else if (t->seen[slot] == t->epoch) {
		return 1;
	} else {
		uint32_t old = t->old_at[slot];
		int rc = old >= t->next_old ? edit_keep(t, old, e) : edit_moved(t, slot, e);
		if (rc)
			return rc;
	}
	t->seen[slot] = t->epoch;
	*ret_slot = slot;
	return 0;
}

/* ---------------------------------------------------------------------------------- rows */

static int note_tick(struct track *t, struct err *e)
{
	if (t->ticks_count && t->ticks[t->ticks_count - 1].tick_ms == t->tick_ms)
		return 0;
	if (ARRAY_NEED(t->ticks, t->ticks_cap, (size_t)t->ticks_count + 1))
		return no_memory(e);
	t->ticks[t->ticks_count++] = (struct tick_run){t->rows, t->tick_ms};
	return 0;
}

int track_add(struct track *t, const struct sock_row *row, uint64_t tick_lo_ms, uint64_t tick_hi_ms,
	      struct err *e)
{
	if (t->rows >= SOCKSET_MAX_ROWS)
		return err_set(e, ERR_LIMIT, "more than %u sockets", SOCKSET_MAX_ROWS);
	uint32_t slot;
	bool born;
	if (ARRAY_NEED(t->new_order, t->new_order_cap, (size_t)t->rows + 1))
		return no_memory(e);
	int rc = place(t, row, &slot, &born, e);
	if (rc)
		return rc;
	if (tick_lo_ms > t->tick_ms)
		t->tick_ms = tick_lo_ms;
	if (!born && tick_hi_ms > t->tick_ms)
		track_settle_tick(t, row, slot, tick_hi_ms);
	rc = note_tick(t, e);
	struct sock_row now = *row;
	track_store_stamps(&now, t->tick_ms);
	track_carry_absent(t, &now, born ? t->last_born_slot : slot);
	uint32_t groups = GRP_ALL & ~(GRP_BIT(member) | GRP_BIT(owner));
	if (!born && (row->state.has & HAS_TUPLE))
		groups &= ~GRP_RARE; /* of inet sockets they are always 0 */
	for (unsigned g = 2; g < GRP_COUNT && !rc; g++)
		if (groups & 1u << g)
			rc = track_put_group(t, g, &now, slot, born, e);
	if (born)
		t->last_born_slot = slot;
	t->new_order[t->rows++] = slot;
	return rc;
}

int track_batch(struct track *t, uint64_t lo_us, uint64_t hi_us, struct err *e)
{
	if (t->rows == t->batch_first)
		return 0;
	if (ARRAY_NEED(t->batches, t->batches_cap, (size_t)t->batches_count + 1))
		return no_memory(e);
	t->batches[t->batches_count++] = (struct fill_batch){t->batch_first, lo_us, hi_us};
	t->batch_first = t->rows;
	return 0;
}

int track_members(struct track *t, struct err *e)
{
	struct sockset *set = &t->set;
	if (t->next_old < set->rows) {
		if (!t->edits_count) {
			int rc = new_edit(t, e);
			if (rc)
				return rc;
		}
		t->edits[t->edits_count - 1].drop += set->rows - t->next_old;
	}
	if (ARRAY_NEED(set->died, set->died_cap, (size_t)set->rows + 1))
		return no_memory(e);
	for (uint32_t i = 0; i < set->rows; i++)
		if (t->seen[set->order[i]] != t->epoch)
			set->died[set->died_count++] = set->order[i];
	return 0;
}

uint32_t track_rows(const struct track *t)
{
	return t->rows;
}

bool track_is_key(const struct track *t)
{
	return t->key;
}

const struct row_member *track_member(const struct track *t, uint32_t position)
{
	return track_member_of(t, t->new_order[position]);
}

/* The new values are pending where they changed: positions are looked up by bisection. */
const struct row_state *track_state(const struct track *t, uint32_t position)
{
	const unsigned g = GRP_ID_state;
	uint32_t lo = 0;
	uint32_t hi = t->set.touched_count[g];
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (t->set.touched[g][mid] < position)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!t->applied && lo < t->set.touched_count[g] && t->set.touched[g][lo] == position)
		return (const struct row_state *)(t->pending[g].blocks +
						  (size_t)lo * sizeof(struct row_state));
	return sockset_block(&t->set, g, t->new_order[position]);
}

void track_tally(const struct track *t, uint32_t ret_counts[PROTO_COUNT][STATE_COUNT])
{
	memset(ret_counts, 0, PROTO_COUNT * sizeof(ret_counts[0]));
	uint32_t next = 0;
	for (uint32_t i = 0; i < t->rows; i++) {
		uint32_t slot = t->new_order[i];
		const struct row_state *state = sockset_block(&t->set, GRP_ID_state, slot);
		if (next < t->set.touched_count[GRP_ID_state] &&
		    t->set.touched[GRP_ID_state][next] == i)
			state = (const struct row_state *)t->pending[GRP_ID_state].blocks + next++;
		uint8_t proto = track_member_of(t, slot)->proto;
		if (proto < PROTO_COUNT && state->state < STATE_COUNT)
			ret_counts[proto][state->state]++;
	}
}

static bool is_born(const struct track *t, uint32_t slot)
{
	return t->seen[slot] == t->epoch && t->old_at[slot] == BORN_NOW;
}

const struct row_owner *track_old_owner(const struct track *t, uint32_t position)
{
	static const struct row_owner nobody;
	uint32_t slot = t->new_order[position];
	return is_born(t, slot) ? &nobody : sockset_block(&t->set, GRP_ID_owner, slot);
}

uint32_t track_old_inode(const struct track *t, uint32_t position)
{
	uint32_t slot = t->new_order[position];
	return is_born(t, slot) ? 0 : SLOT_GROUP(&t->set, slot, state)->inode;
}

static int put_owner(struct track *t, uint32_t position, const struct row_owner *owner,
		     struct err *e)
{
	struct sock_row row;
	memset(&row.owner, 0, sizeof(row.owner)); /* padding is compared too */
	row.owner.owner_process = owner->owner_process;
	row.owner.owner_fd = owner->owner_fd;
	row.owner.owner_more = owner->owner_more;
	uint32_t rows = t->rows;
	uint32_t slot = t->new_order[position];
	t->rows = position; /* track_put_group() notes it */
	int rc = track_put_group(t, GRP_ID_owner, &row, slot, is_born(t, slot), e);
	t->rows = rows;
	return rc;
}

static int no_owner_until(struct track *t, uint32_t position, struct err *e)
{
	static const struct row_owner nobody;
	int rc = 0;
	while (t->owner_next < position && !rc)
		rc = put_owner(t, t->owner_next++, &nobody, e);
	return rc;
}

int track_owner(struct track *t, uint32_t position, const struct row_owner *owner, struct err *e)
{
	int rc = no_owner_until(t, position, e);
	if (rc)
		return rc;
	t->owner_next = position + 1;
	return put_owner(t, position, owner, e);
}

int track_owners_done(struct track *t, struct err *e)
{
	return no_owner_until(t, t->rows, e);
}

/* ---------------------------------------------------------------------------- commit, abandon */

void track_apply(struct track *t)
{
	struct sockset *set = &t->set;
	for (unsigned g = 2; g < GRP_COUNT && !t->applied; g++)
		for (uint32_t i = 0; i < set->touched_count[g]; i++)
			memcpy(track_block(t, g, t->new_order[set->touched[g][i]]),
			       t->pending[g].blocks + (size_t)i * column_groups[g].bytes,
			       column_groups[g].bytes);
	t->applied = true;
}

void track_commit(struct track *t)
{
	struct sockset *set = &t->set;
	track_apply(t);
	for (uint32_t i = 0; i < set->died_count; i++) {
		track_hash_remove(t, set->died[i]);
		set->free_slots[set->free_count++] = set->died[i];
	}
	set->died_count = 0;
	uint32_t *order = set->order;
	size_t cap = set->order_cap;
	set->order = t->new_order;
	set->order_cap = t->new_order_cap;
	set->rows = t->rows;
	t->new_order = order;
	t->new_order_cap = cap;
	t->valid = true;
	t->building = false;
}

void track_abandon(struct track *t)
{
	struct sockset *set = &t->set;
	if (!t->building)
		return;
	t->building = false;
	/* What the models learnt from it nobody will read: a key frame makes them anew. */
	t->valid = t->valid && !t->encoded;
	if (t->applied) {
		track_forget(t);
		return;
	}
	for (uint32_t i = 0; i < set->born_count; i++) {
		uint32_t slot = t->new_order[set->born[i]];
		track_hash_remove(t, slot);
		set->free_slots[set->free_count++] = slot;
	}
	set->died_count = set->born_count = 0;
}
