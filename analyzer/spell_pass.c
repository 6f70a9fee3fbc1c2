/*
 * spell_pass.c - see spell.h. Follows every connection through the snapshots of a history.
 *
 * Of a snapshot that is a step from the one before only the sockets that were born, died or changed
 * are looked at. At a key frame (and at a file's first, and behind damage) all that were there
 * count as missing at first, and are then found again by their identity.
 */
#include "bounds.h"
#include "spell_evidence.h"

#include <stdlib.h>
#include <string.h>

static const char by_snapshot[] = "snapshot";
static const char by_boot[] = "boot";

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "spells: out of memory");
}

bool spell_evidence_is_cheap(const struct history *h, size_t first, size_t last)
{
	size_t count;
	uint64_t rows = 0;
	const struct history_snapshot *all = history_snapshots(h, &count);
	for (size_t i = first; i < count && i <= last; i++)
		rows += all[i].rec->sockets;
	return rows <= SPELL_EVIDENCE_ROWS;
}

int spell_pass_new(struct history *h, const struct spell_options *options, struct spell_pass **ret,
		   struct err *e)
{
	struct spell_pass *p = calloc(1, sizeof(*p));
	if (!p)
		return no_memory(e);
	size_t count;
	*p = (struct spell_pass){
		.h = h,
		.snapshots = history_snapshots(h, &count),
		.options = *options,
		.index = HISTORY_NONE,
		.before = HISTORY_NONE,
		.complete_before = HISTORY_NONE,
		.netns_file = UINT32_MAX,
	};
	uint32_t groups = GRP_BIT(member) | GRP_BIT(state);
	if (options->owners)
		groups |= GRP_BIT(owner);
	if (options->evidence)
		groups |= GRP_BIT(queue) | GRP_BIT(evidence);
	int rc = conn_table_init(&p->table, e);
	if (!rc && options->evidence)
		rc = evidence_new(&p->evidence, e);
	if (!rc)
		rc = history_walk_new(h, groups, true, options->first, options->last, &p->walk, e);
	if (rc) {
		spell_pass_free(p);
		return rc;
	}
	*ret = p;
	return 0;
}

void spell_pass_free(struct spell_pass *p)
{
	if (!p)
		return;
	conn_table_fini(&p->table);
	evidence_free(p->evidence);
	history_walk_free(p->walk);
	free(p->ready);
	free(p);
}

static struct moment moment_at(const struct spell_pass *p, size_t index)
{
	return moment_of(p->snapshots[index].rec);
}

/* A network namespace's inode, by which it is known across files. */
static int netns_of(struct spell_pass *p, uint32_t row, uint64_t *ret, struct err *e)
{
	uint32_t file = p->snapshots[p->index].file;
	if (p->netns_file != file || p->netns_row != row) {
		const struct history_netns *netns;
		int rc = history_netns(p->h, file, row, &netns, e);
		if (rc)
			return rc;
		p->netns = netns ? netns->inode : UINT64_MAX - row;
		p->netns_file = file;
		p->netns_row = row;
	}
	*ret = p->netns;
	return 0;
}

/* Bounds of the begin of a state seen now, if it cannot have begun before snapshot `since`. */
static void bound_entry(struct spell_pass *p, struct conn *c, size_t since, uint32_t position)
{
	moment_fill(&p->now, p->set, position, &c->seen_lo_ns, &c->seen_hi_ns);
	c->entered.hi_ns = c->seen_hi_ns;
	c->entered.hi_source = by_snapshot;
	c->offset_lo_ns = c->offset_hi_ns = p->now.offset_ns;
	if (since == HISTORY_NONE) {
		c->entered.lo_ns = 0;
		c->entered.lo_source = by_boot;
		return;
	}
	struct moment m = moment_at(p, since);
	c->entered.lo_ns = m.begin_ns;
	c->entered.lo_source = by_snapshot;
	if (m.offset_ns < c->offset_lo_ns)
		c->offset_lo_ns = m.offset_ns;
	if (m.offset_ns > c->offset_hi_ns)
		c->offset_hi_ns = m.offset_ns;
}

static void begin_spell(struct spell_pass *p, struct conn *c, size_t since, uint32_t position)
{
	bound_entry(p, c, since, position);
	c->since = since;
	c->guess_ns = SPELL_UNKNOWN;
	c->assumption = NULL;
	c->first = p->index;
	c->missed = 0;
	c->early = since == HISTORY_NONE;
	if (c->owner.source == OWNER_FD)
		c->owner.source = OWNER_HISTORY;
}

static bool is_unaccepted(const struct conn *c)
{
	const uint32_t states = 1u << STATE_SYN_RECV | 1u << STATE_NEW_SYN_RECV |
				1u << STATE_ESTAB | 1u << STATE_CLOSE_WAIT;
	bool connects = c->id.proto == PROTO_TCP || c->id.proto == PROTO_MPTCP ||
			c->id.proto == PROTO_DCCP;
	return connects && !c->inode && (states >> c->state & 1);
}

/* Who holds it: now, or before, or will when it accepts. */
static void find_owner(struct spell_pass *p, struct conn *c, uint32_t slot)
{
	if (!p->options.owners)
		return;
	const struct row_owner *o = SLOT_GROUP(p->set, slot, owner);
	if (o->owner_process) {
		c->owner = (struct spell_owner){.file = c->file,
						.process = o->owner_process,
						.fd = o->owner_fd,
						.source = OWNER_FD};
		return;
	}
	if (c->owner.source != OWNER_NONE || !is_unaccepted(c))
		return;
	uint32_t listener = conn_listener(&p->table, c);
	if (listener == CONN_NONE || !p->table.all[listener].owner.process)
		return;
	c->owner = p->table.all[listener].owner;
	c->owner.source = OWNER_LISTENER;
}

/* Ends the present spell and begins the next one. */
static int turn(struct spell_pass *p, uint32_t number, uint32_t position, uint8_t state,
		struct err *e)
{
	struct conn *c = &p->table.all[number];
	int64_t lo_ns, hi_ns;
	moment_fill(&p->now, p->set, position, &lo_ns, &hi_ns);
	struct spell_end end = spell_end_between(p, c->last, p->index, hi_ns);
	end.after = state;
	if (p->evidence)
		evidence_turn(p, number, position, &end);
	int rc = spell_emit(p, c, &end, e);
	if (rc)
		return rc;
	c->before = c->state;
	c->state = state;
	bool hidden = bounds_hides_remnant(c->before, state);
	begin_spell(p, c, hidden ? c->born_since : c->last, position);
	if (p->evidence)
		evidence_entered(p, number);
	return 0;
}

/* Takes over what the snapshot says of a connection; ends its spell if the state is another. */
static int see(struct spell_pass *p, uint32_t number, uint32_t position, struct err *e)
{
	uint32_t slot = p->set->order[position];
	const struct row_state *row = SLOT_GROUP(p->set, slot, state);
	struct conn *c = &p->table.all[number];
	c->inode = row->inode;
	c->uid = row->uid;
	if (row->state != c->state) {
		int rc = turn(p, number, position, row->state, e);
		if (rc)
			return rc;
	}
	find_owner(p, c, slot);
	if (c->state == STATE_LISTEN)
		conn_list(&p->table, number);
	else
		conn_unlist(&p->table, number);
	return 0;
}

static void count_connection(struct spell_pass *p, const struct conn *c)
{
	bool connects = c->state != STATE_LISTEN && c->state != STATE_UNCONN &&
			c->state != STATE_BOUND_INACTIVE;
	p->basis.connections++;
	p->basis.opened += c->id.proto == PROTO_TCP && connects && !c->early;
}

/* A socket that the snapshot before did not have, or that must be found again. */
static int arrive(struct spell_pass *p, uint32_t position, struct err *e)
{
	uint32_t slot = p->set->order[position];
	struct row_member id = *SLOT_GROUP(p->set, slot, member);
	uint32_t netns_row = id.netns;
	uint64_t netns;
	int rc = netns_of(p, netns_row, &netns, e);
	if (rc)
		return rc;
	id.netns = 0;
	uint32_t number = conn_take_missing(&p->table, &id, netns);
	bool known = number != CONN_NONE;
	if (!known)
		number = conn_new(&p->table);
	if (number == CONN_NONE)
		return no_memory(e);
	p->table.by_slot[slot] = number;
	struct conn *c = &p->table.all[number];
	c->file = p->snapshots[p->index].file;
	c->netns_row = netns_row;
	if (known) {
		c->missed += c->missing;
		c->missing = 0;
		c->gone = HISTORY_NONE;
	} else {
		c->id = id;
		c->netns = netns;
		c->state = SLOT_GROUP(p->set, slot, state)->state;
		begin_spell(p, c, p->complete_before, position);
		c->born_since = c->since;
		count_connection(p, c);
		if (p->evidence)
			rc = evidence_enter(p, number, position, e);
	}
	if (!rc)
		rc = see(p, number, position, e);
	if (!rc && known && p->evidence)
		evidence_more(p, number, position);
	return rc;
}

/* A connection that this snapshot does not have, or that is to be found again in it. */
static int depart(struct spell_pass *p, uint32_t slot, struct err *e)
{
	uint32_t number = p->table.by_slot[slot];
	if (number == CONN_NONE)
		return 0;
	p->table.by_slot[slot] = CONN_NONE;
	conn_unlist(&p->table, number);
	p->table.all[number].last = p->before;
	if (p->evidence)
		evidence_left(p, number);
	return conn_put_missing(&p->table, number, e);
}

static int depart_all(struct spell_pass *p, struct err *e)
{
	int rc = 0;
	for (size_t slot = 0; !rc && slot < p->table.by_slot_count; slot++)
		rc = depart(p, (uint32_t)slot, e);
	return rc;
}

/* A survivor whose state or owner changed. */
static int touch(struct spell_pass *p, uint32_t position, struct err *e)
{
	uint32_t number = p->table.by_slot[p->set->order[position]];
	if (number == CONN_NONE)
		return 0;
	p->table.all[number].last = p->before;
	if (p->evidence)
		evidence_left(p, number);
	int rc = see(p, number, position, e);
	if (!rc && p->evidence)
		evidence_more(p, number, position);
	return rc;
}

/* A survivor whose timers or stamps changed. */
static void touch_evidence(struct spell_pass *p, unsigned group)
{
	for (uint32_t i = 0; i < p->set->touched_count[group]; i++) {
		uint32_t position = p->set->touched[group][i];
		uint32_t number = p->table.by_slot[p->set->order[position]];
		if (number != CONN_NONE)
			evidence_more(p, number, position);
	}
}

static int apply_key(struct spell_pass *p, struct err *e)
{
	int rc = depart_all(p, e);
	if (!rc)
		rc = conn_need_slots(&p->table, p->set->slots, e);
	for (uint32_t i = 0; !rc && i < p->set->rows; i++)
		rc = arrive(p, i, e);
	return rc;
}

static int apply_step(struct spell_pass *p, struct err *e)
{
	const struct sockset *set = p->set;
	int rc = conn_need_slots(&p->table, set->slots, e);
	for (uint32_t i = 0; !rc && i < set->died_count; i++)
		rc = depart(p, set->died[i], e);
	/* Survivors first: the listener of a connection born now may have changed its owner. */
	for (uint32_t i = 0; !rc && i < set->touched_count[GRP_ID_state]; i++)
		rc = touch(p, set->touched[GRP_ID_state][i], e);
	for (uint32_t i = 0; !rc && i < set->touched_count[GRP_ID_owner]; i++)
		rc = touch(p, set->touched[GRP_ID_owner][i], e);
	for (uint32_t i = 0; !rc && i < set->born_count; i++)
		rc = arrive(p, set->born[i], e);
	if (!rc && p->evidence) {
		touch_evidence(p, GRP_ID_queue);
		touch_evidence(p, GRP_ID_evidence);
	}
	return rc;
}

/* A missing one after a snapshot: is it gone for good? */
static int judge_missing(void *arg, uint32_t number, struct err *e)
{
	struct spell_pass *p = arg;
	struct conn *c = &p->table.all[number];
	c->missing++;
	if (!p->complete)
		return 0;
	if (c->gone == HISTORY_NONE) {
		c->gone = p->index;
		return 0;
	}
	int rc = spell_emit_gone(p, c, e);
	return rc ? rc : 1;
}

/* The history of a host is through. */
static int end_missing(void *arg, uint32_t number, struct err *e)
{
	struct spell_pass *p = arg;
	const struct conn *c = &p->table.all[number];
	int rc = c->gone != HISTORY_NONE ? spell_emit_gone(p, c, e) : spell_emit_open(p, c, e);
	return rc ? rc : 1;
}

static int end_live(struct spell_pass *p, struct err *e)
{
	int rc = 0;
	for (size_t slot = 0; !rc && slot < p->table.by_slot_count; slot++) {
		uint32_t number = p->table.by_slot[slot];
		if (number == CONN_NONE)
			continue;
		p->table.all[number].last = p->before;
		rc = spell_emit_open(p, &p->table.all[number], e);
		p->table.by_slot[slot] = CONN_NONE;
		conn_unlist(&p->table, number);
		conn_free(&p->table, number);
	}
	return rc;
}

static int end_host(struct spell_pass *p, struct err *e)
{
	int rc = end_live(p, e);
	return rc ? rc : conn_sift_missing(&p->table, end_missing, p, e);
}

/* The host was booted anew between the snapshots p->before and p->index. */
static int reboot_missing(void *arg, uint32_t number, struct err *e)
{
	struct spell_pass *p = arg;
	const struct conn *c = &p->table.all[number];
	int rc = c->gone != HISTORY_NONE ? spell_emit_gone(p, c, e)
					 : spell_emit_reboot(p, c, p->index, e);
	return rc ? rc : 1;
}

static int end_boot(struct spell_pass *p, struct err *e)
{
	int rc = depart_all(p, e);
	return rc ? rc : conn_sift_missing(&p->table, reboot_missing, p, e);
}

static void begin_host(struct spell_pass *p, uint32_t host)
{
	size_t count;
	const struct history_host *range = &history_hosts(p->h, &count)[host];
	p->coverage = SPELL_COVERAGE;
	for (size_t i = range->first; i < range->first + range->count; i++)
		p->coverage &= p->snapshots[i].rec->flags;
}

/* Ends what does not go on into the snapshot p->index. */
static int turn_page(struct spell_pass *p, struct err *e)
{
	const struct history_snapshot *s = &p->snapshots[p->index];
	const struct history_snapshot *b = p->before == HISTORY_NONE ? NULL
								     : &p->snapshots[p->before];
	if (b && b->boot == s->boot && b->host == s->host)
		return 0;
	int rc = 0;
	if (b)
		rc = b->host == s->host ? end_boot(p, e) : end_host(p, e);
	if (!b || b->host != s->host)
		begin_host(p, s->host);
	p->before = p->complete_before = HISTORY_NONE;
	return rc;
}

static int work_on_snapshot(struct spell_pass *p, struct err *e)
{
	p->index = history_walk_index(p->walk);
	p->set = history_walk_set(p->walk);
	int rc = turn_page(p, e);
	if (rc)
		return rc;
	const struct rec_snapshot *s = p->snapshots[p->index].rec;
	p->now = moment_of(s);
	p->complete = !(s->flags & SPELL_HOLES) && !(s->flags & SPELL_COVERAGE & ~p->coverage);
	spell_note_basis(p, s);
	if (p->evidence)
		evidence_begin(p);
	bool step = history_walk_step(p->walk) && p->before != HISTORY_NONE;
	rc = step ? apply_step(p, e) : apply_key(p, e);
	if (!rc)
		rc = conn_sift_missing(&p->table, judge_missing, p, e);
	if (p->evidence)
		evidence_end(p);
	p->before = p->index;
	if (p->complete)
		p->complete_before = p->index;
	return rc;
}

/* Refills p->ready; sets p->ended behind the last snapshot. */
static int work(struct spell_pass *p, struct err *e)
{
	p->ready_at = p->ready_count = 0;
	int rc = history_walk_next(p->walk, e);
	if (rc > 0)
		return work_on_snapshot(p, e);
	if (rc == 0) {
		p->ended = true;
		if (p->before != HISTORY_NONE)
			rc = end_host(p, e);
	}
	return rc;
}

int spell_pass_next(struct spell_pass *p, const struct spell **ret, struct err *e)
{
	while (p->ready_at == p->ready_count) {
		if (p->ended)
			return 0;
		int rc = work(p, e);
		if (rc)
			return rc;
	}
	*ret = &p->ready[p->ready_at++];
	return 1;
}

const struct history_gap *spell_pass_gaps(const struct spell_pass *p, size_t *ret_count)
{
	size_t snapshots;
	return history_walk_gaps(p->walk, ret_count, &snapshots);
}

size_t spell_pass_at(const struct spell_pass *p)
{
	return p->index == HISTORY_NONE ? p->options.first : p->index;
}
