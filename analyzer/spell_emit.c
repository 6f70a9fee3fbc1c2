/*
 * spell_emit.c - what the pass knows of a connection becomes a spell: bounds are published on the
 * wall clock, lengths in milliseconds, always rounded so that they hold.
 */
#include "spell_evidence.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"

#define NS_PER_MS INT64_C(1000000)

static const char by_snapshot[] = "snapshot";
static const char by_reboot[] = "reboot";
static const char assume_middle[] = "middle of the bounds";

void spell_source_text(const struct spell_bound *bound, char ret_text[64])
{
	const char *lo = bound->lo_source ? bound->lo_source : "";
	const char *hi = bound->hi_source ? bound->hi_source : "";
	if (strcmp(lo, hi) == 0 || !*hi)
		snprintf(ret_text, 64, "%s", lo);
	else if (!*lo)
		snprintf(ret_text, 64, "%s", hi);
	else
		snprintf(ret_text, 64, "%s/%s", lo, hi);
}

static int64_t ms_down(int64_t ns)
{
	return ns > 0 ? ns / NS_PER_MS : 0;
}

static int64_t ms_up(int64_t ns)
{
	return ns > 0 ? (ns + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static struct moment moment_at(const struct spell_pass *p, size_t index)
{
	return moment_of(p->snapshots[index].rec);
}

/* Half-way, or where a guess puts it. */
static int64_t point_of(const struct spell_bound *b, int64_t guess_ns)
{
	return guess_ns != SPELL_UNKNOWN ? guess_ns : b->lo_ns + (b->hi_ns - b->lo_ns) / 2;
}

/* An early spell has a middle only if something else than the boot bounds it. */
static void estimate(const struct conn *c, const struct spell_end *end, int64_t last_ns,
		     struct spell *s)
{
	bool since_boot = c->early && c->entered.lo_ns == 0;
	s->estimate_ms = SPELL_UNKNOWN;
	if (since_boot && c->guess_ns == SPELL_UNKNOWN)
		return;
	int64_t to_ns = end->open ? last_ns : point_of(&end->left, end->guess_ns);
	s->estimate_ms = ms_down(to_ns - point_of(&c->entered, c->guess_ns));
	if (s->estimate_ms < s->at_least_ms)
		s->estimate_ms = s->at_least_ms;
	s->assumption = c->assumption ? c->assumption : assume_middle;
	if (!end->open)
		s->assumption_left = end->assumption ? end->assumption : assume_middle;
}

static void fill_lengths(const struct spell_pass *p, const struct conn *c,
			 const struct spell_end *end, struct spell *s)
{
	struct moment last = moment_at(p, end->last);
	s->at_least_ms = ms_down((end->open ? last.begin_ns : end->left.lo_ns) - c->entered.hi_ns);
	s->at_most_ms = end->open ? SPELL_UNKNOWN : ms_up(end->left.hi_ns - c->entered.lo_ns);
	s->age_most_ms = ms_up(last.end_ns - c->entered.lo_ns);
	s->seen_least_ms = ms_down(c->seen_lo_ns - c->entered.hi_ns);
	s->seen_most_ms = ms_up(c->seen_hi_ns - c->entered.lo_ns);
	estimate(c, end, last.begin_ns, s);
}

static void publish(struct spell_bound *ret, const struct spell_bound *bound, int64_t offset_lo_ns,
		    int64_t offset_hi_ns)
{
	*ret = *bound;
	ret->lo_ns += offset_lo_ns;
	ret->hi_ns += offset_hi_ns;
}

static void fill_queue(const struct row_queue *q, struct spell *s)
{
	s->recvq = q ? (int64_t)q->recvq : SPELL_UNKNOWN;
	s->sendq = q ? (int64_t)q->sendq : SPELL_UNKNOWN;
	s->retrans = q ? q->retrans : SPELL_UNKNOWN;
}

static void fill_spell(const struct spell_pass *p, const struct conn *c,
		       const struct spell_end *end, struct spell *s)
{
	const struct history_snapshot *seen = &p->snapshots[end->last];
	*s = (struct spell){
		.id = c->id,
		.netns = c->netns,
		.file = c->file,
		.boot = seen->boot,
		.host = seen->host,
		.first = c->first,
		.last = end->last,
		.missed = c->missed,
		.inode = c->inode,
		.uid = c->uid,
		.state = c->state,
		.before = c->before,
		.after = end->after,
		.open = end->open,
		.early = c->early,
		.killed = end->killed,
		.rearmed = c->rearmed,
		.owner = c->owner,
		.made_lo_ns = c->made_lo_ns,
		.made_hi_ns = c->made_hi_ns,
		.left = {.lo_ns = SPELL_UNKNOWN, .hi_ns = SPELL_UNKNOWN},
	};
	s->id.netns = c->netns_row;
	fill_queue(end->queue, s);
	publish(&s->entered, &c->entered, c->offset_lo_ns, c->offset_hi_ns);
	if (!end->open)
		publish(&s->left, &end->left, end->offset_lo_ns, end->offset_hi_ns);
	fill_lengths(p, c, end, s);
}

/* Where no process is known, the cgroup may be. */
static int find_cgroup(const struct spell_pass *p, const struct conn *c, struct spell *s,
		       struct err *e)
{
	if (!c->cgroup || s->owner.source != OWNER_NONE)
		return 0;
	int rc = history_cgroup(p->h, s->last, c->cgroup, &s->cgroup, e);
	if (!rc && s->cgroup)
		s->owner.source = OWNER_CGROUP;
	return rc;
}

bool spell_is_asked_for(const struct spell_pass *p, const struct conn *c)
{
	return (!p->options.states || spell_has_bit(p->options.states, c->state)) &&
	       (!p->options.protos || spell_has_bit(p->options.protos, c->id.proto));
}

int spell_emit(struct spell_pass *p, const struct conn *c, const struct spell_end *end,
	       struct err *e)
{
	if (!spell_is_asked_for(p, c))
		return 0;
	struct spell *all = array_grow(p->ready, &p->ready_cap, p->ready_count + 1, sizeof(*all));
	if (!all)
		return err_set(e, ERR_NOMEM, "spells: out of memory");
	p->ready = all;
	struct spell *s = &all[p->ready_count++];
	fill_spell(p, c, end, s);
	int rc = find_cgroup(p, c, s, e);
	if (!rc && c->path)
		rc = history_text(p->h, c->file, c->path, &s->path, &s->path_len, e);
	return rc;
}

struct spell_end spell_end_between(const struct spell_pass *p, size_t last, size_t next,
				   int64_t hi_ns)
{
	struct moment a = moment_at(p, last), b = moment_at(p, next);
	return (struct spell_end){
		.left = {.lo_ns = a.begin_ns,
			 .hi_ns = hi_ns,
			 .lo_source = by_snapshot,
			 .hi_source = by_snapshot},
		.offset_lo_ns = a.offset_ns < b.offset_ns ? a.offset_ns : b.offset_ns,
		.offset_hi_ns = a.offset_ns < b.offset_ns ? b.offset_ns : a.offset_ns,
		.last = last,
		.guess_ns = SPELL_UNKNOWN,
	};
}

/* The last spell of a connection; the one before it may have waited for that. */
static int emit_last(struct spell_pass *p, const struct conn *c, const struct spell_end *end,
		     struct err *e)
{
	int rc = p->evidence ? evidence_release(p, c, e) : 0;
	return rc ? rc : spell_emit(p, c, end, e);
}

int spell_emit_gone(struct spell_pass *p, const struct conn *c, struct err *e)
{
	if (c->unwanted)
		return 0;
	struct spell_end end = spell_end_between(p, c->last, c->gone, moment_at(p, c->gone).end_ns);
	if (p->evidence) {
		end.queue = evidence_queue(p, c, NULL);
		evidence_gone(p, c, &end);
	}
	return emit_last(p, c, &end, e);
}

int spell_emit_open(struct spell_pass *p, const struct conn *c, struct err *e)
{
	if (c->unwanted)
		return 0;
	struct spell_end end = {.last = c->last, .open = true};
	if (p->evidence)
		end.queue = evidence_queue(p, c, NULL);
	return emit_last(p, c, &end, e);
}

int spell_emit_reboot(struct spell_pass *p, const struct conn *c, size_t next, struct err *e)
{
	if (c->unwanted)
		return 0;
	/* The old boot's clock goes on, as it were, until the wall clock says that the new began.
	 */
	struct moment a = moment_at(p, c->last), b = moment_at(p, next);
	int64_t hi_ns = b.offset_ns - a.offset_ns;
	if (hi_ns < a.end_ns) /* the wall clock was set back meanwhile */
		hi_ns = a.end_ns + (b.wall_ns > a.wall_ns ? b.wall_ns - a.wall_ns : 0);
	struct spell_end end = {
		.left = {.lo_ns = a.begin_ns,
			 .hi_ns = hi_ns,
			 .lo_source = by_snapshot,
			 .hi_source = by_reboot},
		.offset_lo_ns = a.offset_ns,
		.offset_hi_ns = a.offset_ns,
		.last = c->last,
		.guess_ns = SPELL_UNKNOWN,
		.queue = p->evidence ? evidence_queue(p, c, NULL) : NULL,
	};
	return emit_last(p, c, &end, e);
}
