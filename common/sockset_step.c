/* sockset_step.c - see sockset_step.h. Rows of new, touched and told sockets, group by group. */
#include "sockset_step.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
}

void sockset_step_fini(struct sockset_step *step)
{
	sockset_fini(&step->lists);
	buf_fini(&step->values);
}

typedef void row_fn(void *arg, unsigned group, uint32_t slot);

/* Calls `fn` for each socket of which the frame told values in the group; `whole`: for all. */
static void each_row(const struct sockset *lists, bool whole, unsigned group, row_fn *fn, void *arg)
{
	for (uint32_t i = 0; whole && i < lists->rows; i++)
		fn(arg, group, lists->order[i]);
	if (whole)
		return;
	for (uint32_t i = 0; i < lists->born_count; i++)
		fn(arg, group, lists->order[lists->born[i]]);
	for (uint32_t i = 0; i < lists->touched_count[group]; i++)
		fn(arg, group, lists->order[lists->touched[group][i]]);
	if (!(lists->left_out & 1u << group))
		return;
	for (uint32_t i = 0; i < lists->turns_count; i++)
		fn(arg, group, lists->order[lists->turns[i].position]);
}

static size_t count_rows(const struct sockset *lists, bool whole, unsigned group)
{
	if (whole)
		return lists->rows;
	size_t told = lists->left_out & 1u << group ? lists->turns_count : 0;
	return (size_t)lists->born_count + lists->touched_count[group] + told;
}

/* ----------------------------------------------------------------------------------- take */

/* All but the lists. */
static void set_counts(struct sockset *to, const struct sockset *from)
{
	to->rows = from->rows;
	to->groups = from->groups;
	to->left_out = from->left_out;
	to->slots = from->slots;
	to->is_key = from->is_key;
	to->ticks_count = from->ticks_count;
	to->batches_count = from->batches_count;
	to->born_count = from->born_count;
	to->died_count = from->died_count;
	to->turns_count = from->turns_count;
	memcpy(to->touched_count, from->touched_count, sizeof(to->touched_count));
}

static int copy_list(void **to, size_t *cap, const void *from, size_t count, size_t item_bytes)
{
	if (array_need(to, cap, count + 1, item_bytes))
		return ERR_NOMEM;
	if (count)
		memcpy(*to, from, count * item_bytes);
	return 0;
}

#define COPY_LIST(to, from, list, cap, count)                                                      \
	copy_list((void **)&(to)->list, &(to)->cap, (from)->list, (from)->count,                   \
		  sizeof(*(from)->list))

static int copy_touched(struct sockset *to, const struct sockset *from)
{
	for (unsigned g = 1; g < GRP_COUNT; g++)
		if (COPY_LIST(to, from, touched[g], touched_cap[g], touched_count[g]))
			return ERR_NOMEM;
	return 0;
}

static int copy_lists(struct sockset *to, const struct sockset *from)
{
	set_counts(to, from);
	if (COPY_LIST(to, from, order, order_cap, rows) ||
	    COPY_LIST(to, from, ticks, ticks_cap, ticks_count) ||
	    COPY_LIST(to, from, batches, batches_cap, batches_count) ||
	    COPY_LIST(to, from, born, born_cap, born_count) ||
	    COPY_LIST(to, from, died, died_cap, died_count) ||
	    COPY_LIST(to, from, turns, turns_cap, turns_count))
		return ERR_NOMEM;
	return copy_touched(to, from);
}

struct taking {
	const struct sockset *set;
	uint8_t *at;
};

static void take_row(void *arg, unsigned group, uint32_t slot)
{
	struct taking *t = arg;
	const size_t bytes = column_groups[group].bytes;
	memcpy(t->at, t->set->block[group] + slot * bytes, bytes);
	t->at += bytes;
}

int sockset_step_take(struct sockset_step *step, const struct sockset *set, bool whole,
		      struct err *e)
{
	if (copy_lists(&step->lists, set))
		return no_memory(e);
	size_t bytes = 0;
	step->filled = 0;
	step->whole = whole;
	for (unsigned g = 1; g < GRP_COUNT; g++) {
		if (!set->block[g])
			continue;
		step->filled |= 1u << g;
		bytes += count_rows(set, whole, g) * column_groups[g].bytes;
	}
	buf_clear(&step->values);
	struct taking t = {.set = set, .at = buf_reserve(&step->values, bytes + 1)};
	if (!t.at)
		return no_memory(e);
	step->values.len = bytes;
	for (unsigned g = 1; g < GRP_COUNT; g++)
		if (step->filled & 1u << g)
			each_row(set, whole, g, take_row, &t);
	return 0;
}

/* ------------------------------------------------------------------------------------ put */

#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) swapped = (a);                                                       \
		(a) = (b);                                                                         \
		(b) = swapped;                                                                     \
	} while (0)

static void swap_lists(struct sockset *a, struct sockset *b)
{
	SWAP(a->order, b->order);
	SWAP(a->order_cap, b->order_cap);
	SWAP(a->ticks, b->ticks);
	SWAP(a->ticks_cap, b->ticks_cap);
	SWAP(a->batches, b->batches);
	SWAP(a->batches_cap, b->batches_cap);
	SWAP(a->born, b->born);
	SWAP(a->born_cap, b->born_cap);
	SWAP(a->died, b->died);
	SWAP(a->died_cap, b->died_cap);
	SWAP(a->turns, b->turns);
	SWAP(a->turns_cap, b->turns_cap);
	for (unsigned g = 0; g < GRP_COUNT; g++) {
		SWAP(a->touched[g], b->touched[g]);
		SWAP(a->touched_cap[g], b->touched_cap[g]);
	}
}

struct putting {
	struct sockset *set;
	const uint8_t *at; /* NULL: all values of the group are 0 */
};

static void put_row(void *arg, unsigned group, uint32_t slot)
{
	struct putting *p = arg;
	const size_t bytes = column_groups[group].bytes;
	uint8_t *row = p->set->block[group] + slot * bytes;
	if (!p->at) {
		memset(row, 0, bytes);
		return;
	}
	memcpy(row, p->at, bytes);
	p->at += bytes;
}

int sockset_step_put(struct sockset_step *step, struct sockset *copy, struct err *e)
{
	struct putting p = {.set = copy};
	const uint8_t *at = step->values.bytes;
	swap_lists(copy, &step->lists);
	set_counts(copy, &step->lists);
	int rc = sockset_need_slots(copy, copy->slots, e);
	for (unsigned g = 1; !rc && g < GRP_COUNT; g++) {
		bool filled = step->filled & 1u << g;
		if (!filled && !copy->block[g])
			continue;
		if (!sockset_need_block(copy, g))
			return no_memory(e);
		p.at = filled ? at : NULL;
		each_row(copy, step->whole, g, put_row, &p);
		at = filled ? p.at : at;
	}
	return rc;
}
