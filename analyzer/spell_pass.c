/*
 * spell_pass.c - see spell.h. Follows every connection through the snapshots of a history.
 *
 * Of a snapshot that is a step from the one before only the sockets that were born, died or changed
 * are looked at. At a key frame (and at a file's first, and behind damage) all that were there
 * count as missing at first, and are then found again by their identity.
 *
 * Two rows may be one connection: its TIME-WAIT, and the closed socket that the application still
 * holds (its shell, FORMAT.md section 5.1). The shell then says nothing, and is hidden; when it is
 * alone the connection's state is UNCONN.
 */
#include "spell_evidence.h"

#include <stdlib.h>

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "spells: out of memory");
}

/*
 * Can the snapshots [first, last] be walked by their turn parts? All recordings must have them, and
 * every delta frame must follow the one before it: recordings of the same time, side by side, break
 * that.
 */
static bool can_use_turns(const struct history *h, size_t first, size_t last)
{
	size_t count;
	const struct history_snapshot *all = history_snapshots(h, &count);
	for (size_t i = first; i < count && i <= last; i++) {
		bool follows = i > first && all[i].file == all[i - 1].file &&
			       all[i].index == all[i - 1].index + 1;
		if ((i == first || all[i].file != all[i - 1].file) &&
		    !rec_has_turns(history_rec(h, all[i].file)))
			return false;
		if (i > first && !all[i].rec->key && !follows)
			return false;
	}
	return true;
}

bool spell_evidence_is_cheap(const struct history *h, size_t first, size_t last)
{
	size_t count;
	uint64_t rows = 0;
	const struct history_snapshot *all = history_snapshots(h, &count);
	for (size_t i = first; i < count && i <= last; i++)
		rows += all[i].rec->sockets;
	return rows <= SPELL_EVIDENCE_ROWS || can_use_turns(h, first, last);
}

/* What must be read. */
static uint32_t groups_of(const struct spell_pass *p)
{
	const struct spell_options *o = &p->options;
	return GRP_BIT(member) | GRP_BIT(state) | (o->owners ? GRP_BIT(owner) : 0) |
	       (o->owners && o->cgroups ? GRP_BIT(option) : 0) | (o->paths ? GRP_BIT(unix) : 0) |
	       (o->evidence ? GRP_BIT(queue) | GRP_BIT(evidence) : 0) | (p->turns ? REC_TURNS : 0);
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
		.netns_file = UINT32_MAX,
	};
	p->turns = options->evidence && can_use_turns(h, options->first, options->last);
	int rc = conn_table_init(&p->table, e);
	if (!rc && options->owners && options->cgroups)
		rc = history_has_cgroups(h, &p->options.cgroups, e);
	if (!rc && options->evidence)
		rc = evidence_new(h, &p->evidence, e);
	if (!rc && options->evidence)
		rc = spell_marks_new(h, &p->marks, e);
	if (!rc)
		rc = history_ahead_new(h, groups_of(p), true, options->first, options->last, false,
				       &p->walk, e);
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
	spell_marks_free(p->marks);
	history_ahead_free(p->walk);
	free(p->ready);
	free(p);
}

/* Does absence from the present snapshot prove that there is no such socket of this table? */
static bool looked_at(const struct spell_pass *p, unsigned proto)
{
	uint32_t tables = p->snapshots[p->index].rec->tables;
	return p->complete && (!tables || spell_has_bit(tables, proto));
}

static void forget_complete(struct spell_pass *p)
{
	for (unsigned proto = 0; proto < PROTO_COUNT; proto++)
		p->complete_before[proto] = HISTORY_NONE;
}

/* Without holes, and with no less than all others of the host? */
static bool is_complete(const struct spell_pass *p, const struct rec_snapshot *s)
{
	uint32_t coverage = SPELL_COVERAGE & ~p->coverage;
	if (s->tables)
		coverage &= ~SPELL_COVERAGE_TABLES;
	return !(s->flags & (SPELL_HOLES | coverage));
}

/* A missing one after a snapshot: is it gone for good? */
static int judge_missing(void *arg, uint32_t number, struct err *e)
{
	struct spell_pass *p = arg;
	struct conn *c = &p->table.all[number];
	c->missing++;
	if (!looked_at(p, c->id.proto))
		return 0;
	if (c->gone == HISTORY_NONE) {
		c->gone = p->index;
		return 0;
	}
	int rc = spell_emit_gone(p, c, e);
	return rc ? rc : 1;
}

/* A missing one will be judged soon. */
static void judge_soon(void *arg, uint32_t number)
{
	const struct spell_pass *p = arg;
	if (p->evidence)
		evidence_soon(p, number);
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
	int rc = p->turns ? spell_learn_queues(p, e) : 0;
	if (!rc)
		rc = end_live(p, e);
	return rc ? rc : conn_sift_missing(&p->table, end_missing, judge_soon, p, e);
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
	int rc = spell_depart_all(p, e);
	return rc ? rc : conn_sift_missing(&p->table, reboot_missing, judge_soon, p, e);
}

static void begin_host(struct spell_pass *p, uint32_t host)
{
	size_t count;
	const struct history_host *range = &history_hosts(p->h, &count)[host];
	p->coverage = SPELL_COVERAGE;
	for (size_t i = range->first; i < range->first + range->count; i++)
		p->coverage &= p->snapshots[i].rec->flags;
	/* Two filters are not the same coverage: what one kept, another may have left out. */
	for (size_t i = range->first; i < range->first + range->count; i++)
		if (p->snapshots[i].rec->scope != p->snapshots[range->first].rec->scope)
			p->coverage &= ~SNAP_FILTERED;
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
	p->before = HISTORY_NONE;
	forget_complete(p);
	return rc;
}

static int work_on_snapshot(struct spell_pass *p, struct err *e)
{
	p->index = history_ahead_index(p->walk);
	p->set = history_ahead_set(p->walk);
	int rc = turn_page(p, e);
	if (rc)
		return rc;
	const struct rec_snapshot *s = p->snapshots[p->index].rec;
	p->now = moment_of(s);
	p->complete = is_complete(p, s);
	spell_note_basis(p, s);
	if (p->evidence)
		evidence_begin(p);
	if (p->marks)
		rc = spell_marks_read(p->marks, p->index, e);
	if (rc)
		return rc;
	bool step = history_ahead_step(p->walk) && p->before != HISTORY_NONE;
	rc = spell_follow(p, step, e);
	if (!rc)
		rc = conn_sift_missing(&p->table, judge_missing, judge_soon, p, e);
	if (p->evidence)
		evidence_end(p);
	p->before = p->index;
	for (unsigned proto = 0; proto < PROTO_COUNT; proto++)
		if (looked_at(p, proto))
			p->complete_before[proto] = p->index;
	return rc;
}

/* Refills p->ready; sets p->ended behind the last snapshot. */
static int work(struct spell_pass *p, struct err *e)
{
	p->ready_at = p->ready_count = 0;
	int rc = history_ahead_next(p->walk, e);
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
	return history_ahead_gaps(p->walk, ret_count, &snapshots);
}

size_t spell_pass_at(const struct spell_pass *p)
{
	return p->index == HISTORY_NONE ? p->options.first : p->index;
}
