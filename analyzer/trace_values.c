/*
 * trace_values.c - queues, retransmits and the round trip time of traced connections, told when a
 * queue or the retransmits changed much.
 *
 * The queue part says when there is something to tell; what else is told then stands in tcp_info,
 * of which the deltas of all sockets would have to be read over the whole time. So notes are taken
 * first, and tcp_info of the snapshots noted is read afterwards: mostly there are few.
 */
#include "trace_values.h"
#include "bounds.h"
#include "trace_fetch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

struct value {
	unsigned column;
	const char *name;
	bool few; /* each step of a small number is worth an event */
};

/* The first TRACE_QUEUES are of group `queue`: they decide. */
static const struct value values[] = {
	{COL_ID_recvq, "recvq", false},		  {COL_ID_sendq, "sendq", false},
	{COL_ID_retrans, "retrans", true},	  {COL_ID_rtt_us, "rtt_us", false},
	{COL_ID_bytes_sent, "bytes_sent", false}, {COL_ID_bytes_received, "bytes_received", false},
};
#define VALUES (sizeof(values) / sizeof(values[0]))
_Static_assert(VALUES == TRACE_QUEUES + TRACE_INFOS, "values of two groups");
_Static_assert(sizeof(((struct trace_connection *)0)->values) == VALUES * sizeof(uint64_t),
	       "a value for each");

#define ABSENT UINT64_MAX

/* Small counts are told one by one: the first retransmissions are the news. */
#define FEW 8u

void trace_notes_fini(struct trace_notes *n)
{
	free(n->all);
	*n = (struct trace_notes){0};
}

static uint64_t load(const struct sockset *set, uint32_t slot, const struct value *v)
{
	const struct column *c = column_by_id(v->column);
	const struct row_state *state = SLOT_GROUP(set, slot, state);
	if (!c || !column_present(c, state->has, state->info_bytes))
		return ABSENT;
	return column_load(c, sockset_block(set, c->group, slot));
}

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

static bool can_tell_role(const struct row_state *s)
{
	return (s->state == STATE_ESTAB || s->state == STATE_CLOSE_WAIT) && (s->has & HAS_INFO);
}

/* Who opened it, if the row tells; else -1. */
static int opener(const struct sockset *set, uint32_t position)
{
	struct sock_row row;
	sockset_row(set, position, &row);
	return bounds_is_active_opener(&row);
}

static uint32_t position_of(const struct sockset *set, uint32_t slot)
{
	uint32_t i = 0;
	while (i + 1 < set->rows && set->order[i] != slot)
		i++;
	return i;
}

int trace_note(struct trace_notes *n, struct trace *t, unsigned number, const struct sockset *set,
	       size_t index, struct err *e)
{
	struct trace_connection *c = &t->connections[number];
	const struct row_state *state = SLOT_GROUP(set, c->slot, state);
	struct trace_note note = {.index = index, .connection = number, .first = !c->has_values};
	for (size_t i = 0; i < TRACE_QUEUES; i++) {
		uint64_t now = load(set, c->slot, &values[i]);
		note.queue[i] = now;
		note.tell |= note.first ? now && now != ABSENT
					: is_much(c->values[i], now, values[i].few);
	}
	note.role = can_tell_role(state);
	note.key = c->role < 0 && !c->has_key && set->is_key && note.role;
	if (!note.first && !note.tell && !note.key)
		return 0;
	note.position = position_of(set, c->slot);
	note.eof = state->state == STATE_CLOSE_WAIT && note.queue[0] && note.queue[0] != ABSENT;
	if (note.first && !note.role && c->role < 0)
		c->role = opener(set, note.position); /* by the state alone */
	note.opener = -1;
	for (size_t i = 0; i < TRACE_INFOS; i++)
		note.info[i] = ABSENT;
	if (note.first || note.tell)
		memcpy(c->values, note.queue, sizeof(note.queue));
	c->has_values = true;
	c->has_told |= note.tell;
	c->has_key |= note.key;
	struct trace_note *all = array_grow(n->all, &n->cap, n->count + 1, sizeof(*all));
	if (!all)
		return err_set(e, ERR_NOMEM, "trace: out of memory");
	n->all = all;
	all[n->count++] = note;
	return 0;
}

static void write_values(const struct trace_note *note, const struct trace_connection *c,
			 const uint64_t now[VALUES], struct buf *text)
{
	for (size_t i = 0; i < VALUES; i++) {
		if (now[i] == ABSENT || (!now[i] && i >= TRACE_QUEUES))
			continue;
		buf_printf(text, "%s%s ", text->len ? "  " : "", values[i].name);
		if (c->has_values && c->values[i] != ABSENT && c->values[i] != now[i])
			buf_printf(text, "%" PRIu64 " -> ", c->values[i]);
		buf_printf(text, "%" PRIu64, now[i]);
	}
	if (note->eof)
		buf_put_str(text, "  EOF not read");
}

static bool is_needed(const struct trace_note *note, const struct trace_connection *c)
{
	bool unknown = c->role < 0;
	return note->tell || (note->first && (c->has_told || (unknown && !c->has_key))) ||
	       (note->key && unknown);
}

/* Reads what the note lacks. */
static void look(struct trace_note *note, const struct trace_connection *c,
		 const struct sockset *set)
{
	for (size_t i = 0; i < TRACE_INFOS; i++)
		note->info[i] = load(set, set->order[note->position], &values[TRACE_QUEUES + i]);
	if (c->role < 0)
		note->opener = opener(set, note->position);
}

static int tell(const struct history *h, const struct trace_note *note, struct trace *t,
		struct err *e)
{
	struct trace_connection *c = &t->connections[note->connection];
	uint64_t now[VALUES];
	memcpy(now, note->queue, sizeof(note->queue));
	memcpy(now + TRACE_QUEUES, note->info, sizeof(note->info));
	if (c->role < 0)
		c->role = note->opener;
	int rc = 0;
	if (note->tell) {
		size_t count;
		const struct rec_snapshot *s = history_snapshots(h, &count)[note->index].rec;
		const struct trace_event event = {.connection = note->connection,
						  .kind = TRACE_VALUES,
						  .lo_ns = s->wall_begin_ns,
						  .hi_ns = s->wall_end_ns,
						  .snapshot = note->index};
		struct buf text CLEANUP(buf_fini) = {0};
		write_values(note, c, now, &text);
		rc = trace_put(t, &event, buf_str(&text), e);
	}
	if (note->first || note->tell) {
		memcpy(c->values, now, sizeof(now));
		c->has_values = true;
	}
	return rc;
}

/* May one of the notes from `from` on still tell who opened a connection? */
static bool is_role_open(const struct trace_notes *n, size_t from, const struct trace *t)
{
	for (size_t i = from; i < n->count; i++) {
		const struct trace_connection *c = &t->connections[n->all[i].connection];
		if (n->all[i].role && c->role < 0 && is_needed(&n->all[i], c))
			return true;
	}
	return false;
}

/* Tells note after note, up to where it is known who opened which; *ret_at: so far. */
static int tell_first(struct history *h, const struct trace_notes *n, struct trace *t,
		      size_t *ret_at, struct err *e)
{
	const uint32_t groups = GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue) |
				GRP_BIT(evidence) | GRP_BIT(info);
	struct history_walk *walk;
	size_t at = 0;
	int rc = history_walk_new(h, groups, false, 0, SIZE_MAX, &walk, e);
	if (rc)
		return rc;
	for (; !rc && at < n->count; at++) {
		struct trace_note *note = &n->all[at];
		const struct trace_connection *c = &t->connections[note->connection];
		struct err why = {0};
		if (!is_needed(note, c))
			continue;
		if (!is_role_open(n, at, t))
			break;
		if (history_walk_to(walk, note->index, &why) == 0 &&
		    note->position < history_walk_set(walk)->rows)
			look(note, c, history_walk_set(walk));
		rc = tell(h, note, t, e);
	}
	history_walk_free(walk);
	*ret_at = at;
	return rc;
}

/*
 * What is told of a snapshot is in the part of tcp_info. Who opened a connection is in the parts of
 * queue and evidence, too, which are as much work again: they are read only at first.
 */
int trace_tell(struct history *h, const struct trace_notes *n, struct trace *t, struct err *e)
{
	const struct trace_fetch rest = {.h = h,
					 .notes = n,
					 .t = t,
					 .groups = GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(info),
					 .wants = is_needed,
					 .look = look};
	size_t at;
	for (size_t i = 0; i < t->count; i++)
		t->connections[i].has_values = false;
	int rc = tell_first(h, n, t, &at, e);
	if (!rc && at < n->count)
		rc = trace_fetch(&rest, at, e);
	for (; !rc && at < n->count; at++)
		if (is_needed(&n->all[at], &t->connections[n->all[at].connection]))
			rc = tell(h, &n->all[at], t, e);
	return rc;
}
