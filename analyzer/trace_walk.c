/*
 * trace_walk.c - goes through the frames from the first to the last sight of the traced
 * connections: who holds them, and where there is something to tell of their values.
 */
#include <string.h>

#include "trace_values.h"

struct walk {
	struct history *h;
	struct trace *t;
	const struct history_snapshot *snapshot;
	size_t index;
	const struct sockset *set;
	struct trace_notes notes;
};

static int look(struct walk *w, unsigned number, struct err *e)
{
	int rc = 0;
	if (!(w->snapshot->rec->flags & SNAP_NO_OWNERS))
		rc = trace_look_at_owner(w->h, w->t, number, w->set, w->index, e);
	return rc ? rc : trace_note(&w->notes, w->t, number, w->set, w->index, e);
}

/* The connection is in this slot, or its closed socket that is still held, beside it. */
static void settle(const struct walk *w, struct trace_connection *c, uint32_t slot)
{
	bool there = c->slot != UINT32_MAX;
	if (there && sock_is_shell(&c->id, SLOT_GROUP(w->set, slot, state)->state)) {
		c->shell = slot;
		return;
	}
	if (there && sock_is_shell(&c->id, SLOT_GROUP(w->set, c->slot, state)->state))
		c->shell = c->slot;
	c->slot = slot;
}

/* Is this socket one of the traced? Then it is in this slot from now on. */
static int meet(struct walk *w, uint32_t position, struct err *e)
{
	uint32_t slot = w->set->order[position];
	struct row_member id = *SLOT_GROUP(w->set, slot, member);
	uint32_t row = id.netns;
	id.netns = 0;
	for (size_t i = 0; i < w->t->count; i++) {
		struct trace_connection *c = &w->t->connections[i];
		const struct history_netns *netns;
		if (c->id.cookie != id.cookie || c->boot != w->snapshot->boot ||
		    memcmp(&c->id, &id, sizeof(id)) != 0)
			continue;
		int rc = history_netns(w->h, w->snapshot->file, row, &netns, e);
		if (rc)
			return rc;
		if (!netns || netns->inode == c->netns)
			settle(w, c, slot);
	}
	return 0;
}

static bool died(const struct sockset *set, uint32_t slot)
{
	for (uint32_t k = 0; k < set->died_count; k++)
		if (set->died[k] == slot)
			return true;
	return false;
}

static void part(struct walk *w)
{
	for (size_t i = 0; i < w->t->count; i++) {
		struct trace_connection *c = &w->t->connections[i];
		if (died(w->set, c->shell))
			c->shell = UINT32_MAX;
		if (died(w->set, c->slot)) {
			c->slot = c->shell;
			c->shell = UINT32_MAX;
		}
	}
}

static int take_snapshot(struct walk *w, bool step, struct err *e)
{
	int rc = 0;
	if (step)
		part(w);
	for (size_t i = 0; !step && i < w->t->count; i++)
		w->t->connections[i].slot = w->t->connections[i].shell = UINT32_MAX;
	for (uint32_t i = 0; !rc && step && i < w->set->born_count; i++)
		rc = meet(w, w->set->born[i], e);
	for (uint32_t i = 0; !rc && !step && i < w->set->rows; i++)
		rc = meet(w, i, e);
	for (unsigned i = 0; !rc && i < w->t->count; i++)
		if (w->t->connections[i].slot != UINT32_MAX)
			rc = look(w, i, e);
	return rc;
}

int trace_walk(struct history *h, struct trace *t, struct err *e)
{
	const uint32_t groups = GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue) | GRP_BIT(owner);
	size_t count, first = SIZE_MAX, last = 0;
	struct walk w = {.h = h, .t = t};
	const struct history_snapshot *all = history_snapshots(h, &count);
	for (size_t i = 0; i < t->count; i++) {
		first = t->connections[i].first < first ? t->connections[i].first : first;
		last = t->connections[i].last > last ? t->connections[i].last : last;
	}
	struct history_walk *walk;
	int rc = history_walk_new(h, groups, false, first, last, &walk, e);
	if (rc)
		return rc;
	while ((rc = history_walk_next(walk, e)) > 0) {
		w.index = history_walk_index(walk);
		w.snapshot = &all[w.index];
		w.set = history_walk_set(walk);
		rc = take_snapshot(&w, history_walk_step(walk), e);
		if (rc)
			break;
	}
	history_walk_free(walk);
	if (!rc)
		rc = trace_tell(h, &w.notes, t, e);
	trace_notes_fini(&w.notes);
	return rc;
}
