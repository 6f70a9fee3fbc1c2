/*
 * spell_queues.c - what lies in the queues of connections that are still open at the end, when the
 * pass was told of changes of state alone. See spell_pass.c.
 */
#include "spell_evidence.h"

/* The connection of a row of `set`, or CONN_NONE; shells are not meant. */
static int find_row(struct spell_pass *p, const struct sockset *set, uint32_t file, uint32_t slot,
		    uint32_t *ret, struct err *e)
{
	struct row_member id = *SLOT_GROUP(set, slot, member);
	uint32_t row = id.netns;
	uint64_t netns;
	*ret = CONN_NONE;
	if (sock_is_shell(&id, SLOT_GROUP(set, slot, state)->state))
		return 0;
	int rc = spell_netns(p, file, row, &netns, e);
	id.netns = 0;
	if (!rc)
		*ret = conn_find(&p->table, &id, netns);
	return rc;
}

/* Is there a connection whose spell will be given, and whose queue is not known? */
static bool lacks_queues(const struct spell_pass *p)
{
	for (size_t slot = 0; slot < p->table.by_slot_count; slot++) {
		uint32_t number = p->table.by_slot[slot];
		const struct conn *c = number != CONN_NONE ? &p->table.all[number] : NULL;
		if (c && !c->unwanted && !evidence_queue(p, c, NULL) &&
		    (!p->options.states || spell_has_bit(p->options.states, c->state)))
			return true;
	}
	return false;
}

/* A pass that is told of changes of state alone looks at the queues of those that are open once. */
int spell_learn_queues(struct spell_pass *p, struct err *e)
{
	if (!lacks_queues(p))
		return 0;
	const uint32_t groups = GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue);
	uint32_t number, file = p->snapshots[p->before].file;
	struct history_walk *walk;
	struct err why = {0};
	int rc = history_walk_new(p->h, groups, false, p->before, p->before, &walk, e);
	if (rc)
		return rc;
	/* What cannot be read stays unknown. */
	bool shown = history_walk_to(walk, p->before, &why) == 0;
	const struct sockset *set = shown ? history_walk_set(walk) : NULL;
	for (uint32_t i = 0; set && !rc && i < set->rows; i++) {
		rc = find_row(p, set, file, set->order[i], &number, e);
		if (!rc && number != CONN_NONE)
			evidence_learn_queue(p, number, SLOT_GROUP(set, set->order[i], queue));
	}
	history_walk_free(walk);
	return rc;
}
