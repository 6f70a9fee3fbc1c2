/*
 * spell_follow.c - what a snapshot does to the connections of a spell pass: they come, change their
 * state, and go missing. See spell_pass.c.
 */
#include "bounds.h"
#include "owner_carry.h"
#include "spell_evidence.h"

static const char by_snapshot[] = "snapshot";
static const char by_boot[] = "boot";
static const char by_inode[] = "inode";

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "spells: out of memory");
}

static struct moment moment_at(const struct spell_pass *p, size_t index)
{
	return moment_of(p->snapshots[index].rec);
}

int spell_netns(struct spell_pass *p, uint32_t file, uint32_t row, uint64_t *ret, struct err *e)
{
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

/*
 * When was a state seen? When the row was filled; only that no TIME-WAIT is left beside a shell
 * takes the whole dump, which tells of shells first.
 */
static void seen_at(struct spell_pass *p, const struct conn *c, uint32_t position,
		    int64_t *ret_lo_ns, int64_t *ret_hi_ns)
{
	moment_fill(&p->now, p->set, position, &p->batch_at, ret_lo_ns, ret_hi_ns);
	if (bounds_is_remnant_over(c->before, c->state))
		*ret_hi_ns = p->now.end_ns;
}

/* Bounds of the begin of a state seen now, if it cannot have begun before snapshot `since`. */
static void bound_entry(struct spell_pass *p, struct conn *c, size_t since, uint32_t position)
{
	seen_at(p, c, position, &c->seen_lo_ns, &c->seen_hi_ns);
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
	c->rearmed = false;
	if (c->owner.source == OWNER_FD)
		c->owner.source = OWNER_HISTORY;
}

static bool is_unaccepted(const struct conn *c)
{
	const uint32_t states = 1u << STATE_SYN_RECV | 1u << STATE_NEW_SYN_RECV |
				1u << STATE_ESTAB | 1u << STATE_CLOSE_WAIT;
	bool connects = c->id.proto == PROTO_TCP || c->id.proto == PROTO_MPTCP ||
			c->id.proto == PROTO_DCCP;
	return connects && !c->inode && spell_has_bit(states, c->state);
}

static void take_owner(struct conn *c, const struct row_owner *o, enum owner_source source)
{
	c->owner = (struct spell_owner){.file = c->file,
					.process = o->owner_process,
					.fd = o->owner_fd,
					.more = o->owner_more,
					.source = source};
}

/* Who holds it: now, or before, or will when it accepts. */
static void find_owner(struct spell_pass *p, struct conn *c, uint32_t position)
{
	if (!p->options.owners)
		return;
	const struct row_owner *o = SLOT_GROUP(p->set, p->set->order[position], owner);
	if (o->owner_process)
		take_owner(c, o, OWNER_FD);
	if (c->owner.source != OWNER_NONE)
		return;
	uint32_t listener = is_unaccepted(c) ? conn_listener(&p->table, c) : CONN_NONE;
	if (listener != CONN_NONE && p->table.all[listener].owner.process) {
		c->owner = p->table.all[listener].owner;
		c->owner.source = OWNER_LISTENER;
	} else if (p->options.cgroups) {
		uint64_t cgroup = owner_cgroup(p->set, position);
		c->cgroup = cgroup ? cgroup : c->cgroup;
	}
}

/* Ends the present spell and begins the next one. */
static int turn(struct spell_pass *p, uint32_t number, uint32_t position, uint8_t state,
		struct err *e)
{
	struct conn *c = &p->table.all[number];
	int64_t lo_ns, hi_ns;
	moment_fill(&p->now, p->set, position, &p->batch_at, &lo_ns, &hi_ns);
	if (bounds_is_remnant_over(c->state, state))
		hi_ns = p->now.end_ns;
	struct spell_end end = spell_end_between(p, c->last, p->index, hi_ns);
	int rc = 0;
	end.after = state;
	if (p->evidence && !c->unwanted)
		rc = evidence_turn(p, number, position, &end, e);
	else if (!c->unwanted)
		rc = spell_emit(p, c, &end, e);
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

/*
 * Was the state surely entered after the socket's file was made? Not by what was accepted: that is
 * established before accept() gives it a file.
 */
static bool is_state_of_file(const struct conn *c)
{
	const uint32_t datagrams = 1u << PROTO_UDP | 1u << PROTO_UDPLITE | 1u << PROTO_RAW |
				   1u << PROTO_PACKET | 1u << PROTO_NETLINK | 1u << PROTO_XDP;
	if (c->id.proto < PROTO_COUNT && datagrams >> c->id.proto & 1)
		return true;
	return c->state == STATE_LISTEN || c->state == STATE_SYN_SENT;
}

/* The connection has a file, or another one: its number tells when that was made. */
static void date_file(struct spell_pass *p, struct conn *c)
{
	struct spell_mark lo, hi;
	spell_marks_find(p->marks, c->inode, &lo, &hi);
	c->made_lo_ns = lo.index != HISTORY_NONE ? lo.wall_ns : SPELL_UNKNOWN;
	c->made_hi_ns = hi.index != HISTORY_NONE ? hi.wall_ns : SPELL_UNKNOWN;
	bool first = c->first == p->index && !c->before && c->born_since == c->since;
	if (first && lo.index != HISTORY_NONE && is_state_of_file(c) &&
	    lo.boot_ns > c->entered.lo_ns && lo.boot_ns <= c->entered.hi_ns) {
		c->entered.lo_ns = lo.boot_ns;
		c->entered.lo_source = by_inode;
	}
}

/* Takes over what the snapshot says of a connection; ends its spell if the state is another. */
static int see(struct spell_pass *p, uint32_t number, uint32_t position, struct err *e)
{
	uint32_t slot = p->set->order[position];
	const struct row_state *row = SLOT_GROUP(p->set, slot, state);
	struct conn *c = &p->table.all[number];
	bool dated = !row->inode || row->inode == c->inode;
	c->inode = row->inode;
	c->uid = row->uid;
	c->ifindex = row->ifindex;
	if (row->state != c->state) {
		int rc = turn(p, number, position, row->state, e);
		if (rc)
			return rc;
	}
	if (!dated && p->marks)
		date_file(p, c);
	find_owner(p, c, position);
	if (p->options.paths && c->id.proto == PROTO_UNIX)
		c->path = row->has & HAS_PATH ? SLOT_GROUP(p->set, slot, unix)->path : 0;
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

static bool is_shell(const struct spell_pass *p, uint32_t slot)
{
	return sock_is_shell(SLOT_GROUP(p->set, slot, member),
			     SLOT_GROUP(p->set, slot, state)->state);
}

/* The shell in a slot, beside what is left of its connection. It may tell who holds that. */
static void hide(struct spell_pass *p, uint32_t slot, struct conn *c)
{
	const struct row_owner *o = p->options.owners ? SLOT_GROUP(p->set, slot, owner) : NULL;
	p->table.by_slot[slot] = CONN_NONE;
	c->has_shell = true;
	if (o && o->owner_process && c->owner.source == OWNER_NONE)
		take_owner(c, o, OWNER_HISTORY);
}

/* A socket under the identity of another one that is there: a shell, or what has left a shell. */
static int arrive_again(struct spell_pass *p, uint32_t number, uint32_t position, struct err *e)
{
	uint32_t slot = p->set->order[position];
	struct conn *c = &p->table.all[number];
	if (is_shell(p, slot) || !sock_is_shell(&c->id, c->state)) {
		hide(p, slot, c);
		return 0;
	}
	hide(p, c->slot, c);
	c->slot = slot;
	c->last = p->before;
	p->table.by_slot[slot] = number;
	if (p->evidence)
		evidence_left(p, number);
	return see(p, number, position, e);
}

/* A connection that was never seen. */
static int begin(struct spell_pass *p, uint32_t number, uint32_t position, struct err *e)
{
	struct conn *c = &p->table.all[number];
	c->state = SLOT_GROUP(p->set, c->slot, state)->state;
	begin_spell(p, c, p->complete_before[spell_table(c->id.proto)], position);
	c->born_since = c->since;
	c->unwanted = p->options.wants && !p->options.wants(p->options.wants_arg, &c->id);
	count_connection(p, c);
	return p->evidence ? evidence_enter(p, number, position, e) : 0;
}

static void revive(struct conn *c)
{
	c->is_missing = false;
	c->missed += c->missing;
	c->missing = 0;
	c->gone = HISTORY_NONE;
}

/* A socket that the snapshot before did not have, or that must be found again. */
static int arrive(struct spell_pass *p, uint32_t position, struct err *e)
{
	uint32_t slot = p->set->order[position];
	struct row_member id = *SLOT_GROUP(p->set, slot, member);
	uint32_t netns_row = id.netns;
	uint64_t netns;
	int rc = spell_netns(p, p->snapshots[p->index].file, netns_row, &netns, e);
	if (rc)
		return rc;
	id.netns = 0;
	uint32_t number = conn_find(&p->table, &id, netns);
	bool known = number != CONN_NONE;
	if (known && !p->table.all[number].is_missing)
		return arrive_again(p, number, position, e);
	if (!known)
		number = conn_new(&p->table, &id, netns);
	if (number == CONN_NONE)
		return no_memory(e);
	p->table.by_slot[slot] = number;
	struct conn *c = &p->table.all[number];
	c->file = p->snapshots[p->index].file;
	c->netns_row = netns_row;
	c->slot = slot;
	if (known)
		revive(c);
	else
		rc = begin(p, number, position, e);
	if (!rc)
		rc = see(p, number, position, e);
	if (!rc && known && p->evidence)
		evidence_more(p, number, position);
	return rc;
}

/* The netns of the one before will mostly do. */
static void arrive_soon(const struct spell_pass *p, uint32_t position, bool born)
{
	uint32_t slot = p->set->order[position];
	conn_find_soon(&p->table, SLOT_GROUP(p->set, slot, member), p->netns);
	if (p->options.owners)
		__builtin_prefetch(SLOT_GROUP(p->set, slot, owner));
	uint32_t number = born ? conn_new_soon(&p->table) : CONN_NONE;
	if (!p->evidence)
		return;
	conn_fetch(SLOT_GROUP(p->set, slot, queue), sizeof(struct row_queue));
	conn_fetch(SLOT_GROUP(p->set, slot, evidence), sizeof(struct row_evidence));
	if (number != CONN_NONE)
		evidence_soon(p, number);
}

/* It is found by its identity, which lies in the set. */
static void arrive_later(const struct spell_pass *p, uint32_t position)
{
	__builtin_prefetch(SLOT_GROUP(p->set, p->set->order[position], member));
}

/* Positions, or the first `count` ones if NULL: shells come last, behind what they are shells of.
 */
static int arrive_all(struct spell_pass *p, const uint32_t *positions, uint32_t count,
		      struct err *e)
{
	uint32_t shells = 0;
	int rc = 0;
	for (unsigned turn = 0; !rc && turn < 2 && (!turn || shells); turn++)
		for (uint32_t i = 0; !rc && i < count; i++) {
			uint32_t ahead = i + CONN_AHEAD, later = ahead + CONN_AHEAD;
			if (!turn && later < count)
				arrive_later(p, positions ? positions[later] : later);
			if (!turn && ahead < count)
				arrive_soon(p, positions ? positions[ahead] : ahead, positions);
			uint32_t position = positions ? positions[i] : i;
			bool shell = is_shell(p, p->set->order[position]);
			shells += shell;
			if (shell == (turn == 1))
				rc = arrive(p, position, e);
		}
	return rc;
}

/* Hidden shells are alone when this snapshot does not have their TIME-WAIT any more. */
static int arrive_shells(struct spell_pass *p, struct err *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < p->set->rows; i++)
		if (p->table.by_slot[p->set->order[i]] == CONN_NONE)
			rc = arrive(p, i, e);
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
	p->shell_alone |= p->table.all[number].has_shell;
	if (p->evidence)
		evidence_left(p, number);
	return conn_put_missing(&p->table, number, e);
}

static void slot_soon(const struct spell_pass *p, uint32_t slot)
{
	uint32_t number = p->table.by_slot[slot];
	if (number == CONN_NONE)
		return;
	conn_soon(&p->table, number);
	if (p->evidence)
		evidence_left_soon(p, number);
}

int spell_depart_all(struct spell_pass *p, struct err *e)
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

/* The same where the pass is only told of them in states that pass. */
static void touch_told(struct spell_pass *p)
{
	const struct sockset *set = p->set;
	for (uint32_t i = 0; i < set->turns_count; i++) {
		if (i + CONN_AHEAD < set->turns_count)
			slot_soon(p, set->order[set->turns[i + CONN_AHEAD].position]);
		uint32_t number = p->table.by_slot[set->order[set->turns[i].position]];
		if (number != CONN_NONE && (set->turns[i].told & TURN_NOW))
			evidence_more(p, number, set->turns[i].position);
	}
}

static int apply_key(struct spell_pass *p, struct err *e)
{
	int rc = spell_depart_all(p, e);
	if (!rc)
		rc = conn_need_slots(&p->table, p->set->slots, e);
	return rc ? rc : arrive_all(p, NULL, p->set->rows, e);
}

static int apply_step(struct spell_pass *p, struct err *e)
{
	const struct sockset *set = p->set;
	int rc = conn_need_slots(&p->table, set->slots, e);
	p->shell_alone = false;
	for (uint32_t i = 0; !rc && i < set->died_count; i++) {
		if (i + 2 * CONN_AHEAD < set->died_count)
			__builtin_prefetch(&p->table.by_slot[set->died[i + 2 * CONN_AHEAD]]);
		if (i + CONN_AHEAD < set->died_count)
			slot_soon(p, set->died[i + CONN_AHEAD]);
		rc = depart(p, set->died[i], e);
	}
	/* Survivors first: the listener of a connection born now may have changed its owner. */
	for (uint32_t i = 0; !rc && i < set->touched_count[GRP_ID_state]; i++)
		rc = touch(p, set->touched[GRP_ID_state][i], e);
	for (uint32_t i = 0; !rc && i < set->touched_count[GRP_ID_owner]; i++)
		rc = touch(p, set->touched[GRP_ID_owner][i], e);
	if (!rc)
		rc = arrive_all(p, set->born, set->born_count, e);
	if (!rc && p->shell_alone)
		rc = arrive_shells(p, e);
	if (!rc && p->evidence && set->left_out) {
		touch_told(p);
	} else if (!rc && p->evidence) {
		touch_evidence(p, GRP_ID_queue);
		touch_evidence(p, GRP_ID_evidence);
	}
	return rc;
}

int spell_follow(struct spell_pass *p, bool step, struct err *e)
{
	return step ? apply_step(p, e) : apply_key(p, e);
}
