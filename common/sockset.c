/* sockset.c - see sockset.h. */
#include "sockset.h"

#include <stdlib.h>

#include "buf.h"

const uint64_t sockset_zeros[SOCKSET_ZEROS];
_Static_assert(sizeof(struct sock_row) <= sizeof(sockset_zeros) * 2, "covers every single group");

void sockset_init(struct sockset *set, uint32_t groups)
{
	*set = (struct sockset){.groups = groups | GRP_BIT(member)};
}

void sockset_fini(struct sockset *set)
{
	free(set->order);
	free(set->free_slots);
	free(set->ticks);
	free(set->batches);
	free(set->born);
	free(set->died);
	free(set->turns);
	for (unsigned g = 0; g < GRP_COUNT; g++) {
		free(set->block[g]);
		free(set->touched[g]);
	}
	if (set->models)
		range_models_fini(set->models);
	free(set->models);
	*set = (struct sockset){0};
}

void sockset_clear(struct sockset *set)
{
	set->rows = 0;
	set->slots = 0;
	set->free_count = 0;
	set->ticks_count = 0;
	set->batches_count = 0;
	set->born_count = 0;
	set->died_count = 0;
	set->turns_count = 0;
	set->is_key = false;
	for (unsigned g = 0; g < GRP_COUNT; g++)
		set->touched_count[g] = 0;
}

static int grow_slots(struct sockset *set, struct err *e)
{
	size_t cap = set->slots_cap + set->slots_cap / 2 + 64;
	for (unsigned g = 1; g < GRP_COUNT; g++) {
		if (!set->block[g])
			continue;
		uint8_t *p = realloc(set->block[g], cap * column_groups[g].bytes);
		if (!p)
			return err_set(e, ERR_NOMEM, "out of memory for %zu sockets", cap);
		set->block[g] = p;
		if (GRP_RARE & 1u << g) /* they are compared before they are written */
			memset(p + set->slots_cap * column_groups[g].bytes, 0,
			       (cap - set->slots_cap) * column_groups[g].bytes);
	}
	set->slots_cap = cap;
	return 0;
}

int sockset_take_slot(struct sockset *set, uint32_t *ret_slot, struct err *e)
{
	if (set->free_count) {
		*ret_slot = set->free_slots[--set->free_count];
		return 0;
	}
	if (set->slots == set->slots_cap) {
		int rc = grow_slots(set, e);
		if (rc)
			return rc;
	}
	*ret_slot = set->slots++;
	return 0;
}

int sockset_need_slots(struct sockset *set, uint32_t count, struct err *e)
{
	int rc = 0;
	while (!rc && set->slots_cap < count)
		rc = grow_slots(set, e);
	return rc;
}

uint8_t *sockset_need_block(struct sockset *set, unsigned group)
{
	if (!set->block[group])
		set->block[group] = calloc(set->slots_cap ? set->slots_cap : 1,
					   column_groups[group].bytes);
	return set->block[group];
}

struct range_models *sockset_need_models(struct sockset *set)
{
	if (!set->models)
		set->models = calloc(1, sizeof(*set->models));
	return set->models;
}

uint64_t sockset_tick(const struct sockset *set, uint32_t position)
{
	uint32_t lo = 0;
	uint32_t hi = set->ticks_count;
	while (lo < hi) { /* the first run that begins behind `position` */
		uint32_t mid = lo + (hi - lo) / 2;
		if (set->ticks[mid].first <= position)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? set->ticks[lo - 1].tick_ms : 0;
}

const struct fill_batch *sockset_batch(const struct sockset *set, uint32_t position)
{
	uint32_t lo = 0;
	uint32_t hi = set->batches_count;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (set->batches[mid].first <= position)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &set->batches[lo - 1] : NULL;
}

const struct fill_batch *sockset_batch_near(const struct sockset *set, uint32_t position,
					    uint32_t *at)
{
	const struct fill_batch *b = set->batches;
	for (uint32_t i = *at; i < set->batches_count && i <= *at + 1 && b[i].first <= position;
	     i++) {
		if (i + 1 < set->batches_count && b[i + 1].first <= position)
			continue;
		*at = i;
		return &b[i];
	}
	const struct fill_batch *found = sockset_batch(set, position);
	*at = found ? (uint32_t)(found - b) : 0;
	return found;
}

bool sockset_is_born(const struct sockset *set, uint32_t position)
{
	uint32_t lo = 0;
	uint32_t hi = set->born_count;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (set->born[mid] < position)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < set->born_count && set->born[lo] == position;
}

const struct turn *sockset_turn(const struct sockset *set, uint32_t position)
{
	uint32_t lo = 0;
	uint32_t hi = set->turns_count;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (set->turns[mid].position < position)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < set->turns_count && set->turns[lo].position == position ? &set->turns[lo]
									    : NULL;
}

uint64_t stamp_store(enum column_enc enc, uint64_t value, uint64_t tick_ms)
{
	if (enc == ENC_STAMP)
		return (uint32_t)(tick_ms - value);
	return value ? tick_ms + value : 0;
}

uint64_t stamp_load(enum column_enc enc, uint64_t stored, uint64_t tick_ms)
{
	if (enc == ENC_STAMP)
		return (uint32_t)(tick_ms - stored);
	return stored ? stored - tick_ms : 0;
}

uint64_t sockset_value(const struct sockset *set, const struct column *c, uint32_t position)
{
	uint64_t v = column_load(c, sockset_block(set, c->group, set->order[position]));
	if (c->enc == ENC_STAMP || c->enc == ENC_EXPIRY)
		return stamp_load(c->enc, v, sockset_tick(set, position));
	return v;
}

bool sockset_present(const struct sockset *set, const struct column *c, uint32_t position)
{
	const struct row_state *state = SLOT_GROUP(set, set->order[position], state);
	return column_present(c, state->has, state->info_bytes);
}

void sockset_row(const struct sockset *set, uint32_t position, struct sock_row *ret_row)
{
	uint32_t slot = set->order[position];
	memset(ret_row, 0, sizeof(*ret_row));
	for (unsigned g = 1; g < GRP_COUNT; g++)
		if (set->groups & (1u << g))
			memcpy((uint8_t *)ret_row + column_groups[g].row_offset,
			       sockset_block(set, g, slot), column_groups[g].bytes);
	uint64_t tick_ms = sockset_tick(set, position);
	for (unsigned i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		void *group = (uint8_t *)ret_row + column_groups[c->group].row_offset;
		if (!(set->groups & (1u << c->group)))
			continue;
		if (!column_present(c, ret_row->state.has, ret_row->state.info_bytes))
			memset((uint8_t *)group + c->offset, 0, c->width);
		else if (c->enc == ENC_STAMP || c->enc == ENC_EXPIRY)
			column_store(c, group, stamp_load(c->enc, column_load(c, group), tick_ms));
	}
}
