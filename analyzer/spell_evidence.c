/* spell_evidence.c - see spell_evidence.h. */
#include "spell_evidence.h"

#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "buf.h"
#include "spell_held.h"
#include "spell_host.h"
#include "spell_row.h"

/* One dump: any tick in it, and when it was; CLOCK_MONOTONIC. */
struct dump_time {
	uint64_t tick_ms; /* 0: unknown */
	uint64_t base_us; /* of the tick: rec_snapshot.tick_base_us */
	int64_t lo_ns, hi_ns;
};

struct conn_evidence {
	struct bounds_spell spell;
	struct row_state state; /* as last seen, in stored form */
	struct row_queue queue;
	struct row_evidence evidence;
	bool queue_known;      /* `queue` is as last seen, whatever the pass is told of */
	uint32_t held;	       /* the spell before, if that is held back; or HELD_NONE */
	struct dump_time seen; /* by which dump; set by evidence_left() */
};

struct spell_evidence {
	struct conn_evidence *all; /* by number of the connection */
	size_t cap;
	struct spell_hosts *hosts;
	struct dump_time now, before;
	struct held_pool held;
};

int evidence_new(struct history *h, struct spell_evidence **ret, struct err *e)
{
	struct spell_evidence *v = calloc(1, sizeof(*v));
	if (v)
		v->hosts = spell_hosts_new(h);
	if (!v || !v->hosts) {
		free(v);
		return err_set(e, ERR_NOMEM, "spells: out of memory");
	}
	*ret = v;
	return 0;
}

void evidence_free(struct spell_evidence *v)
{
	if (!v)
		return;
	spell_hosts_free(v->hosts);
	held_fini(&v->held);
	free(v->all);
	free(v);
}

/* What counts for the sockets of the connection's namespace in snapshot `index`. */
static const struct bounds_host *host_of(const struct spell_pass *p, const struct conn *c,
					 size_t index)
{
	return spell_host(p->evidence->hosts, index, c->netns_row);
}

/*
 * A row of this dump, if its position is not known, was filled in these bounds at this tick. A
 * row's tick and its fill time belong to the same batch; as another tick is told instead, the
 * bounds are wider than the dump by its longest batch.
 */
static struct dump_time time_of_dump(const struct spell_pass *p)
{
	const struct sockset *set = p->set;
	uint64_t longest_us = 0;
	for (uint32_t i = 0; i < set->batches_count; i++) {
		uint64_t us = set->batches[i].hi_us - set->batches[i].lo_us;
		longest_us = us > longest_us ? us : longest_us;
	}
	int64_t wider_ns = longest_us < UINT32_MAX ? (int64_t)longest_us * 1000 : 0;
	bool known = set->ticks_count && set->batches_count && longest_us < UINT32_MAX;
	return (struct dump_time){
		.tick_ms = known ? set->ticks[0].tick_ms : 0,
		.base_us = p->snapshots[p->index].rec->tick_base_us,
		.lo_ns = p->now.begin_ns - p->now.asleep_ns - wider_ns,
		.hi_ns = p->now.end_ns - p->now.asleep_ns + wider_ns,
	};
}

void evidence_begin(struct spell_pass *p)
{
	p->evidence->now = time_of_dump(p);
}

void evidence_end(struct spell_pass *p)
{
	p->evidence->before = p->evidence->now;
}

/*
 * Are the queue and evidence columns of the row at `position` those of this snapshot? If the pass
 * leaves them out, they are around a change of state and in states that pass.
 */
static bool is_told(const struct spell_pass *p, uint32_t position)
{
	const struct sockset *set = p->set;
	if (!set->left_out ||
	    sock_state_passes(SLOT_GROUP(set, set->order[position], state)->state))
		return true;
	const struct turn *turn = sockset_turn(set, position);
	return turn ? turn->told & TURN_NOW : sockset_is_born(set, position);
}

/* The row of connection `c` at a position, as the kernel sent it. */
static struct bounds_row row_now(struct spell_pass *p, const struct conn *c, uint32_t position,
				 struct sock_row *row)
{
	uint32_t slot = p->set->order[position];
	struct bounds_row r = {.row = row};
	const struct spell_row from = {
		.member = SLOT_GROUP(p->set, slot, member),
		.state = SLOT_GROUP(p->set, slot, state),
		.queue = SLOT_GROUP(p->set, slot, queue),
		.evidence = SLOT_GROUP(p->set, slot, evidence),
	};
	const struct dump_time *now = &p->evidence->now;
	bool known = now->tick_ms && is_told(p, position);
	uint64_t tick_ms = known ? sockset_tick(p->set, position) : 0;
	spell_row_load(&from, tick_ms, row);
	moment_fill(&p->now, p->set, position, &p->batch_at, &r.lo_ns, &r.hi_ns);
	r.lo_ns -= p->now.asleep_ns;
	r.hi_ns -= p->now.asleep_ns;
	r.tick_ns = bounds_tick_ns(host_of(p, c, p->index), now->base_us, tick_ms, r.lo_ns);
	return r;
}

/*
 * The row last seen. If the pass leaves columns out, those kept are old unless the state was one
 * that passes; then the snapshot in which the state changed tells (`turn`, or NULL).
 */
static struct bounds_row row_last(const struct spell_pass *p, const struct conn *c,
				  const struct turn *turn, struct sock_row *row)
{
	const struct conn_evidence *ce = &p->evidence->all[c - p->table.all];
	bool kept = !p->turns || sock_state_passes(ce->state.state);
	bool told = turn && (turn->told & TURN_BEFORE);
	const struct spell_row from = {
		.member = &c->id,
		.state = &ce->state,
		.queue = kept || !told ? &ce->queue : &turn->before.queue,
		.evidence = kept || !told ? &ce->evidence : &turn->before.evidence,
	};
	const struct dump_time *seen = &ce->seen;
	uint64_t tick_ms = kept || told ? seen->tick_ms : 0;
	spell_row_load(&from, tick_ms, row);
	return (struct bounds_row){
		.row = row,
		.lo_ns = seen->lo_ns,
		.hi_ns = seen->hi_ns,
		.tick_ns = bounds_tick_ns(host_of(p, c, c->last), seen->base_us, tick_ms,
					  seen->lo_ns),
	};
}

const struct row_queue *evidence_queue(const struct spell_pass *p, const struct conn *c,
				       const struct turn *turn)
{
	const struct conn_evidence *ce = &p->evidence->all[c - p->table.all];
	if (!p->turns || ce->queue_known || sock_state_passes(ce->state.state))
		return &ce->queue;
	return turn && (turn->told & TURN_BEFORE) ? &turn->before.queue : NULL;
}

void evidence_learn_queue(struct spell_pass *p, uint32_t number, const struct row_queue *queue)
{
	if (p->table.all[number].unwanted)
		return;
	p->evidence->all[number].queue = *queue;
	p->evidence->all[number].queue_known = true;
}

static void keep_row(const struct spell_pass *p, struct conn_evidence *ce, uint32_t position)
{
	uint32_t slot = p->set->order[position];
	ce->state = *SLOT_GROUP(p->set, slot, state);
	ce->queue = *SLOT_GROUP(p->set, slot, queue);
	if (ce->state.has & HAS_INFO)
		ce->evidence = *SLOT_GROUP(p->set, slot, evidence);
}

static struct moment moment_at(const struct spell_pass *p, size_t index)
{
	return moment_of(p->snapshots[index].rec);
}

/*
 * Time asleep around a moment between two snapshots: a time of CLOCK_MONOTONIC becomes one of
 * CLOCK_BOOTTIME by adding something between the two. Before the first snapshot: at least nothing.
 */
static int64_t asleep_at(const struct spell_pass *p, size_t index)
{
	return index == HISTORY_NONE ? 0 : moment_at(p, index).asleep_ns;
}

/* Narrows `b` by `span`; leaves it as it is if nothing would be left. */
static void narrow(struct spell_bound *b, const struct bounds_span *span, int64_t asleep_lo_ns,
		   int64_t asleep_hi_ns)
{
	struct spell_bound n = *b;
	if (span->lo_source > BY_SNAPSHOT && span->lo_ns + asleep_lo_ns > n.lo_ns) {
		n.lo_ns = span->lo_ns + asleep_lo_ns;
		n.lo_source = bounds_source_name(span->lo_source);
	}
	if (span->hi_source > BY_SNAPSHOT && span->hi_ns + asleep_hi_ns < n.hi_ns) {
		n.hi_ns = span->hi_ns + asleep_hi_ns;
		n.hi_source = bounds_source_name(span->hi_source);
	}
	if (n.lo_ns <= n.hi_ns)
		*b = n;
}

static void take_guess(const struct bounds_guess *guess, int64_t asleep_ns,
		       const struct spell_bound *within, int64_t *ret_ns, const char **ret_text)
{
	*ret_ns = SPELL_UNKNOWN;
	*ret_text = NULL;
	if (guess->assumption == ASSUME_NONE)
		return;
	int64_t ns = bounds_guess_ns(guess) + asleep_ns;
	if (ns < within->lo_ns || ns > within->hi_ns)
		return;
	*ret_ns = ns;
	*ret_text = bounds_assumption_text(guess->assumption);
}

void evidence_entered(struct spell_pass *p, uint32_t number)
{
	struct conn *c = &p->table.all[number];
	if (c->unwanted || c->id.proto != PROTO_TCP)
		return;
	const struct bounds_spell *s = &p->evidence->all[number].spell;
	int64_t asleep_ns = asleep_at(p, c->first);
	c->rearmed = s->flags & BOUNDS_REARMED;
	narrow(&c->entered, &s->entered, asleep_at(p, c->since), asleep_ns);
	take_guess(&s->guess, asleep_ns, &c->entered, &c->guess_ns, &c->assumption);
}

int evidence_enter(struct spell_pass *p, uint32_t number, uint32_t position, struct err *e)
{
	struct spell_evidence *v = p->evidence;
	const struct conn *c = &p->table.all[number];
	if (c->unwanted)
		return 0;
	struct conn_evidence *all = array_grow(v->all, &v->cap, (size_t)number + 1, sizeof(*all));
	if (!all)
		return err_set(e, ERR_NOMEM, "spells: out of memory");
	v->all = all;
	struct conn_evidence *ce = &all[number];
	ce->seen = (struct dump_time){0};
	ce->queue_known = false;
	ce->held = HELD_NONE;
	keep_row(p, ce, position);
	if (c->id.proto != PROTO_TCP)
		return 0;
	struct sock_row row;
	struct bounds_row now = row_now(p, c, position, &row);
	struct bounds_before before = {.absent_ns = BOUNDS_EARLY};
	if (c->since != HISTORY_NONE) {
		struct moment m = moment_at(p, c->since);
		before.absent_ns = before.born_ns = m.begin_ns - m.asleep_ns;
	}
	bounds_enter(host_of(p, c, p->index), &now, &before, &ce->spell);
	evidence_entered(p, number);
	return 0;
}

void evidence_more(struct spell_pass *p, uint32_t number, uint32_t position)
{
	const struct conn *c = &p->table.all[number];
	if (c->unwanted)
		return;
	struct conn_evidence *ce = &p->evidence->all[number];
	keep_row(p, ce, position);
	if (c->id.proto != PROTO_TCP || !bounds_tightens(c->state))
		return;
	struct sock_row row;
	struct bounds_row now = row_now(p, c, position, &row);
	bounds_more(host_of(p, c, p->index), &now, &ce->spell);
	evidence_entered(p, number);
}

static void narrow_end(const struct spell_pass *p, const struct conn *c, const struct bounds_end *b,
		       size_t next, struct spell_end *end)
{
	end->killed = b->flags & BOUNDS_KILLED;
	narrow(&end->left, &b->left, asleep_at(p, c->last), asleep_at(p, next));
	take_guess(&b->guess, asleep_at(p, c->last), &end->left, &end->guess_ns, &end->assumption);
}

/* May later rows in the next state narrow when the present spell, which is asked for, ended? */
static bool may_narrow(const struct spell_pass *p, const struct conn *c, unsigned next_state)
{
	return c->id.proto == PROTO_TCP && bounds_tightens(next_state) && spell_is_asked_for(p, c);
}

static int hold(struct spell_pass *p, const struct conn *c, const struct spell_end *end,
		struct err *e)
{
	struct conn_evidence *ce = &p->evidence->all[c - p->table.all];
	ce->held = held_new(&p->evidence->held);
	if (ce->held == HELD_NONE)
		return err_set(e, ERR_NOMEM, "spells: out of memory");
	struct held *h = held_at(&p->evidence->held, ce->held);
	*h = (struct held){
		.conn = *c,
		.end = *end,
		.queue_known = end->queue != NULL,
		.last_lo_ns = ce->seen.lo_ns,
		.last_hi_ns = ce->seen.hi_ns,
	};
	if (end->queue)
		h->queue = *end->queue;
	return 0;
}

int evidence_release(struct spell_pass *p, const struct conn *c, struct err *e)
{
	struct conn_evidence *ce = &p->evidence->all[c - p->table.all];
	if (ce->held == HELD_NONE)
		return 0;
	struct held *h = held_at(&p->evidence->held, ce->held);
	const struct sock_row row = {.state.state = h->conn.state};
	const struct bounds_row last = {
		.row = &row, .lo_ns = h->last_lo_ns, .hi_ns = h->last_hi_ns};
	struct bounds_end b;
	bounds_turn(&last, c->state, &ce->spell, &b);
	h->end.queue = h->queue_known ? &h->queue : NULL;
	narrow_end(p, &h->conn, &b, c->first, &h->end);
	int rc = spell_emit(p, &h->conn, &h->end, e);
	held_drop(&p->evidence->held, ce->held);
	ce->held = HELD_NONE;
	return rc;
}

/* What the next state's first row tells of its begin, and of the end of the one before. */
static void find_end(struct spell_pass *p, uint32_t number, uint32_t position,
		     struct spell_end *end)
{
	const struct conn *c = &p->table.all[number];
	struct conn_evidence *ce = &p->evidence->all[number];
	if (c->id.proto != PROTO_TCP) {
		keep_row(p, ce, position);
		return;
	}
	struct sock_row last_row, now_row;
	struct bounds_row last = row_last(p, c, sockset_turn(p->set, position), &last_row);
	struct bounds_row now = row_now(p, c, position, &now_row);
	struct bounds_before before = {.row = &last};
	struct bounds_spell next;
	struct bounds_end b;
	if (c->born_since != HISTORY_NONE) {
		struct moment m = moment_at(p, c->born_since);
		before.born_ns = m.begin_ns - m.asleep_ns;
	}
	bounds_enter(host_of(p, c, p->index), &now, &before, &next);
	if (bounds_is_remnant_over(c->state, now_row.state.state))
		bounds_gone(host_of(p, c, p->index), &last, p->now.end_ns - p->now.asleep_ns, &b);
	else
		bounds_turn(&last, now_row.state.state, &next, &b);
	narrow_end(p, c, &b, p->index, end);
	ce->spell = next;
	keep_row(p, ce, position);
}

int evidence_turn(struct spell_pass *p, uint32_t number, uint32_t position, struct spell_end *end,
		  struct err *e)
{
	const struct conn *c = &p->table.all[number];
	const struct row_queue *last = evidence_queue(p, c, sockset_turn(p->set, position));
	struct row_queue queue;
	int rc = evidence_release(p, c, e);
	if (rc)
		return rc;
	if (last) {
		queue = *last;
		end->queue = &queue;
	}
	struct spell_end narrow = *end;
	find_end(p, number, position, &narrow);
	return may_narrow(p, c, end->after) ? hold(p, c, end, e) : spell_emit(p, c, &narrow, e);
}

void evidence_left(struct spell_pass *p, uint32_t number)
{
	if (!p->table.all[number].unwanted)
		p->evidence->all[number].seen = p->evidence->before;
}

void evidence_soon(const struct spell_pass *p, uint32_t number)
{
	const struct spell_evidence *v = p->evidence;
	if (number < v->cap)
		conn_fetch(&v->all[number], sizeof(*v->all));
}

void evidence_left_soon(const struct spell_pass *p, uint32_t number)
{
	const struct spell_evidence *v = p->evidence;
	if (number < v->cap)
		__builtin_prefetch(&v->all[number].seen, 1);
}

void evidence_gone(const struct spell_pass *p, const struct conn *c, struct spell_end *end)
{
	struct sock_row row;
	struct bounds_end b;
	if (c->id.proto != PROTO_TCP)
		return;
	struct bounds_row last = row_last(p, c, NULL, &row);
	struct moment m = moment_at(p, c->gone);
	bounds_gone(host_of(p, c, c->last), &last, m.end_ns - m.asleep_ns, &b);
	narrow_end(p, c, &b, c->gone, end);
}
