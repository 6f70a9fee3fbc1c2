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

#define GROW(array, cap, n) grow_to((void **)&(array), &(cap), (n), sizeof(*(array)))

static int grow_to(void **array, size_t *cap, size_t n, size_t item_bytes)
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
	free(t->residuals);
	free(t->class);
	nums_writer_free(t->writer);
	free(t);
}

struct sockset *track_set(struct track *t)
{
	return &t->set;
}

/* ------------------------------------------------------------------------- identity hash */

static const struct row_member *member_of(const struct track *t, uint32_t slot)
{
	return (const struct row_member *)track_block(t, GRP_ID_member, slot);
}

/* Cookies are counters: multiplication spreads them. Where there is none, the tuple must do. */
static uint32_t identity_hash(const struct row_member *m)
{
	uint64_t h = m->cookie;
	if (!h)
		h = ((uint64_t)m->peer.w[0] ^ m->peer.w[3]) << 32 | (uint64_t)m->local_port << 16 |
		    m->peer_port;
	h = (h + m->netns + m->proto) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

static uint32_t hash_find(const struct track *t, const struct row_member *m)
{
	if (!t->hash)
		return NO_SLOT;
	for (uint32_t i = identity_hash(m) & t->hash_mask; t->hash[i]; i = (i + 1) & t->hash_mask)
		if (memcmp(member_of(t, t->hash[i] - 1), m, sizeof(*m)) == 0)
			return t->hash[i] - 1;
	return NO_SLOT;
}

static void hash_put(struct track *t, uint32_t slot)
{
	uint32_t i = identity_hash(member_of(t, slot)) & t->hash_mask;
	while (t->hash[i])
		i = (i + 1) & t->hash_mask;
	t->hash[i] = slot + 1;
	t->hash_used++;
}

/* Linear probing without tombstones: what follows the hole moves up. */
static void hash_remove(struct track *t, uint32_t slot)
{
	uint32_t i = identity_hash(member_of(t, slot)) & t->hash_mask;
	while (t->hash[i] != slot + 1) {
		if (!t->hash[i])
			return;
		i = (i + 1) & t->hash_mask;
	}
	t->hash_used--;
	for (uint32_t k = (i + 1) & t->hash_mask; t->hash[k]; k = (k + 1) & t->hash_mask) {
		uint32_t home = identity_hash(member_of(t, t->hash[k] - 1)) & t->hash_mask;
		if (((k - home) & t->hash_mask) < ((k - i) & t->hash_mask))
			continue;
		t->hash[i] = t->hash[k];
		i = k;
	}
	t->hash[i] = 0;
}

static int hash_reserve(struct track *t, struct err *e)
{
	if (t->hash && t->hash_used < t->hash_mask - t->hash_mask / 4)
		return 0;
	uint32_t *old = t->hash;
	uint32_t old_size = old ? t->hash_mask + 1 : 0;
	uint32_t size = old_size ? old_size * 2 : 256;
	uint32_t *table = calloc(size, sizeof(*table));
	if (!table)
		return no_memory(e);
	t->hash = table;
	t->hash_mask = size - 1;
	t->hash_used = 0;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i])
			hash_put(t, old[i] - 1);
	free(old);
	return 0;
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
	if (GROW(t->old_at, cap, want))
		return no_memory(e);
	size_t seen_cap = t->slots_cap;
	if (GROW(t->seen, seen_cap, want))
		return no_memory(e);
	memset(t->seen + t->slots_cap, 0, (seen_cap - t->slots_cap) * sizeof(*t->seen));
	t->slots_cap = cap < seen_cap ? cap : seen_cap;
	return 0;
}

int track_adopt(struct track *t, struct err *e)
{
	struct sockset *set = &t->set;
	/* The dead of the last frame are of no interest here: their slots are free. */
	if (GROW(set->free_slots, set->free_cap, (size_t)set->free_count + set->died_count + 1))
		return no_memory(e);
	for (uint32_t i = 0; i < set->died_count; i++)
		set->free_slots[set->free_count++] = set->died[i];
	set->died_count = set->born_count = 0;
	for (uint32_t i = 0; i < set->rows; i++) {
		int rc = hash_reserve(t, e);
		if (rc)
			return rc;
		hash_put(t, set->order[i]);
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
	if (GROW(t->set.free_slots, t->set.free_cap, (size_t)t->set.slots + 1))
		return no_memory(e);
	t->building = true;
	t->applied = false;
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
	if (GROW(t->edits, t->edits_cap, (size_t)t->edits_count + 1))
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
	if (GROW(t->moved, t->moved_cap, (size_t)t->moved_count + 1))
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
		rc = hash_reserve(t, e);
	if (!rc && GROW(set->free_slots, set->free_cap, (size_t)set->slots + 1))
		rc = no_memory(e); /* commit and abandon must not fail */
	if (!rc && GROW(set->born, set->born_cap, (size_t)set->born_count + 1))
		rc = no_memory(e);
	if (rc)
		return rc;
	memcpy(track_block(t, GRP_ID_member, *ret_slot), &row->member, sizeof(row->member));
	t->old_at[*ret_slot] = BORN_NOW;
	hash_put(t, *ret_slot);
	set->born[set->born_count++] = t->rows;
	return edit_born(t, e);
}

/* Finds the row's slot; *ret_born says whether it is new. Returns 1 for a duplicate. */
static int place(struct track *t, const struct sock_row *row, uint32_t *ret_slot, bool *ret_born,
		 struct err *e)
{
	const struct sockset *set = &t->set;
	uint32_t slot = NO_SLOT;
	if (t->next_old < set->rows) {
		slot = set->order[t->next_old];
		if (memcmp(member_of(t, slot), &row->member, sizeof(row->member)) != 0)
			slot = NO_SLOT;
	}
	if (slot == NO_SLOT)
		slot = hash_find(t, &row->member);
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

/* --------------------------------------------------------------------------------- values */

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
	for (unsigned i = 0; i < columns_count; i++)
		if (!column_present(&columns[i], a->has, a->info_bytes))
			a->columns[a->count++] = (uint8_t)i;
	return a;
}

void track_carry_absent(struct track *t, struct sock_row *row, uint32_t base_slot)
{
	const struct absent *a = absent_of(t, row);
	for (unsigned i = 0; i < a->count; i++) {
		const struct column *c = &columns[a->columns[i]];
		uint8_t *to = (uint8_t *)row + column_groups[c->group].row_offset + c->offset;
		if (base_slot == NO_SLOT || !t->set.block[c->group])
			memset(to, 0, c->width);
		else
			memcpy(to, (uint8_t *)track_block(t, c->group, base_slot) + c->offset,
			       c->width);
	}
}

/*
 * Which tick within [lo, hi] the row was filled at is not known. If an idle socket's stamps fit
 * the former ones under a later tick than assumed, that tick has come.
 */
static void settle_tick(struct track *t, const struct sock_row *row, uint32_t slot, uint64_t hi_ms)
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

static int note_tick(struct track *t, struct err *e)
{
	if (t->ticks_count && t->ticks[t->ticks_count - 1].tick_ms == t->tick_ms)
		return 0;
	if (GROW(t->ticks, t->ticks_cap, (size_t)t->ticks_count + 1))
		return no_memory(e);
	t->ticks[t->ticks_count++] = (struct tick_run){t->rows, t->tick_ms};
	return 0;
}

static void store_stamps(struct sock_row *row, uint64_t tick_ms)
{
	struct row_evidence *v = &row->evidence;
	row->queue.timer_ms = stamp_store(ENC_EXPIRY, row->queue.timer_ms, tick_ms);
	v->last_data_sent_ms = (uint32_t)stamp_store(ENC_STAMP, v->last_data_sent_ms, tick_ms);
	v->last_data_recv_ms = (uint32_t)stamp_store(ENC_STAMP, v->last_data_recv_ms, tick_ms);
	v->last_ack_recv_ms = (uint32_t)stamp_store(ENC_STAMP, v->last_ack_recv_ms, tick_ms);
}

/* A group's values of a row with position t->rows; `zero`: what an unwritten group reads as. */
static int put_group(struct track *t, unsigned g, const struct sock_row *row, uint32_t slot,
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
			return no_memory(e);
	}
	uint8_t *old = track_block(t, g, slot);
	if (born) {
		memcpy(old, value, grp->bytes);
		return 0;
	}
	if (memcmp(old, value, grp->bytes) == 0)
		return 0;
	struct pending *pend = &t->pending[g];
	uint32_t n = set->touched_count[g];
	if (GROW(set->touched[g], set->touched_cap[g], (size_t)n + 1) ||
	    grow_to((void **)&pend->blocks, &pend->cap, (size_t)n + 1, grp->bytes))
		return no_memory(e);
	set->touched[g][n] = t->rows;
	memcpy(pend->blocks + (size_t)n * grp->bytes, value, grp->bytes);
	set->touched_count[g] = n + 1;
	return 0;
}

int track_add(struct track *t, const struct sock_row *row, uint64_t tick_lo_ms, uint64_t tick_hi_ms,
	      struct err *e)
{
	if (t->rows >= SOCKSET_MAX_ROWS)
		return err_set(e, ERR_LIMIT, "more than %u sockets", SOCKSET_MAX_ROWS);
	uint32_t slot;
	bool born;
	if (GROW(t->new_order, t->new_order_cap, (size_t)t->rows + 1))
		return no_memory(e);
	int rc = place(t, row, &slot, &born, e);
	if (rc)
		return rc;
	if (tick_lo_ms > t->tick_ms)
		t->tick_ms = tick_lo_ms;
	if (!born && tick_hi_ms > t->tick_ms)
		settle_tick(t, row, slot, tick_hi_ms);
	rc = note_tick(t, e);
	struct sock_row now = *row;
	store_stamps(&now, t->tick_ms);
	track_carry_absent(t, &now, born ? t->last_born_slot : slot);
	for (unsigned g = 2; g < GRP_COUNT && !rc; g++)
		if (g != GRP_ID_owner)
			rc = put_group(t, g, &now, slot, born, e);
	if (born)
		t->last_born_slot = slot;
	t->new_order[t->rows++] = slot;
	return rc;
}

int track_batch(struct track *t, uint64_t lo_us, uint64_t hi_us, struct err *e)
{
	if (t->rows == t->batch_first)
		return 0;
	if (GROW(t->batches, t->batches_cap, (size_t)t->batches_count + 1))
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
	if (GROW(set->died, set->died_cap, (size_t)set->rows + 1))
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
	return member_of(t, t->new_order[position]);
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
		uint8_t proto = member_of(t, slot)->proto;
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
	t->rows = position; /* put_group() notes it */
	int rc = put_group(t, GRP_ID_owner, &row, slot, is_born(t, slot), e);
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
		hash_remove(t, set->died[i]);
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
	if (t->applied) {
		track_forget(t);
		return;
	}
	for (uint32_t i = 0; i < set->born_count; i++) {
		uint32_t slot = t->new_order[set->born[i]];
		hash_remove(t, slot);
		set->free_slots[set->free_count++] = slot;
	}
	set->died_count = set->born_count = 0;
}
