/*
 * trace_walk.c - goes through the frames from the first to the last sight of the traced
 * connections, and notes when a queue, the retransmits, the round trip time or the holder changed.
 */
#include "bounds.h"
#include "trace.h"

#include <inttypes.h>
#include <string.h>

struct value {
	unsigned column;
	const char *name;
	bool tells; /* its change alone is worth an event */
	bool few;   /* each step of a small number is */
};

static const struct value values[] = {
	{COL_ID_recvq, "recvq", true, false},
	{COL_ID_sendq, "sendq", true, false},
	{COL_ID_retrans, "retrans", true, true},
	{COL_ID_rtt_us, "rtt_us", false, false},
	{COL_ID_bytes_sent, "bytes_sent", false, false},
	{COL_ID_bytes_received, "bytes_received", false, false},
};
#define VALUES (sizeof(values) / sizeof(values[0]))
_Static_assert(sizeof(((struct trace_connection *)0)->values) == VALUES * sizeof(uint64_t),
	       "a value for each");

#define ABSENT UINT64_MAX

struct walk {
	struct history *h;
	struct trace *t;
	const struct history_snapshot *snapshot;
	size_t index;
	const struct sockset *set;
};

static uint64_t load(const struct sockset *set, uint32_t slot, const struct value *v)
{
	const struct column *c = column_by_id(v->column);
	const struct row_state *state = SLOT_GROUP(set, slot, state);
	if (!c || !column_present(c, state->has, state->info_bytes))
		return ABSENT;
	return column_load(c, sockset_block(set, c->group, slot));
}

/* Small counts are told one by one: the first retransmissions are the news. */
#define FEW 8u

/* Something began or ended, or is twice as much, or half. */
static bool is_much(uint64_t a, uint64_t b, bool few)
{
	if (a == ABSENT || b == ABSENT)
		return a != b;
	if (!a || !b)
		return a != b;
	if (few && a <= FEW && b <= FEW)
		return a != b;
	return a / 2 > b || b / 2 > a;
}

static int put(struct walk *w, unsigned number, enum trace_kind kind, const char *text,
	       struct err *e)
{
	const struct rec_snapshot *s = w->snapshot->rec;
	const struct trace_event event = {.connection = number,
					  .kind = kind,
					  .lo_ns = s->wall_begin_ns,
					  .hi_ns = s->wall_end_ns,
					  .snapshot = w->index};
	return trace_put(w->t, &event, text, e);
}

static int look_at_values(struct walk *w, unsigned number, struct err *e)
{
	struct trace_connection *c = &w->t->connections[number];
	struct buf text CLEANUP(buf_fini) = {0};
	uint64_t now[VALUES];
	bool tell = false;
	for (size_t i = 0; i < VALUES; i++) {
		now[i] = load(w->set, c->slot, &values[i]);
		tell |= values[i].tells &&
			(c->has_values ? is_much(c->values[i], now[i], values[i].few)
				       : now[i] && now[i] != ABSENT);
	}
	if (!tell) {
		if (!c->has_values)
			memcpy(c->values, now, sizeof(now));
		c->has_values = true;
		return 0;
	}
	for (size_t i = 0; i < VALUES; i++) {
		if (now[i] == ABSENT || (!now[i] && !values[i].tells))
			continue;
		buf_printf(&text, "%s%s ", text.len ? "  " : "", values[i].name);
		if (c->has_values && c->values[i] != ABSENT && c->values[i] != now[i])
			buf_printf(&text, "%" PRIu64 " -> ", c->values[i]);
		buf_printf(&text, "%" PRIu64, now[i]);
	}
	if (SLOT_GROUP(w->set, c->slot, state)->state == STATE_CLOSE_WAIT && now[0] &&
	    now[0] != ABSENT)
		buf_put_str(&text, "  EOF not read");
	memcpy(c->values, now, sizeof(now));
	c->has_values = true;
	return put(w, number, TRACE_VALUES, buf_str(&text), e);
}

static int look(struct walk *w, unsigned number, struct err *e)
{
	int rc = 0;
	if (!(w->snapshot->rec->flags & SNAP_NO_OWNERS))
		rc = trace_look_at_owner(w->h, w->t, number, w->set, w->index, e);
	return rc ? rc : look_at_values(w, number, e);
}

/* Who opened it, if the row tells. */
static void note_role(const struct walk *w, struct trace_connection *c, uint32_t position)
{
	struct sock_row row;
	if (c->role >= 0)
		return;
	sockset_row(w->set, position, &row);
	c->role = bounds_is_active_opener(&row);
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
		bool beside = c->slot != UINT32_MAX &&
			      sock_is_shell(&id, SLOT_GROUP(w->set, slot, state)->state);
		if (beside || (netns && netns->inode != c->netns))
			continue;
		c->slot = slot;
		note_role(w, c, position);
	}
	return 0;
}

static void part(struct walk *w)
{
	for (size_t i = 0; i < w->t->count; i++) {
		struct trace_connection *c = &w->t->connections[i];
		for (uint32_t k = 0; k < w->set->died_count; k++)
			if (w->set->died[k] == c->slot) {
				c->slot = UINT32_MAX;
				break;
			}
	}
}

static int take_snapshot(struct walk *w, bool step, struct err *e)
{
	int rc = 0;
	if (step)
		part(w);
	for (size_t i = 0; !step && i < w->t->count; i++)
		w->t->connections[i].slot = UINT32_MAX;
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
	const uint32_t groups = GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue) |
				GRP_BIT(evidence) | GRP_BIT(info) | GRP_BIT(owner);
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
	return rc;
}
