/* vt_frame_walk.c - see vt_frame_walk.h. */
#include "vt_frame_walk.h"

#include <stdio.h>

/* Tells of the snapshots that the walk had to leave out since it was last asked. */
static void tell_gaps(struct frame_cursor *c)
{
	size_t count, missed;
	const struct history_gap *gaps = history_walk_gaps(c->walk, &count, &missed);
	for (; c->gaps_told < count; c->gaps_told++) {
		const struct history_gap *g = &gaps[c->gaps_told];
		char text[sizeof(g->why.text) + 80];
		if (g->first == g->last)
			snprintf(text, sizeof(text), "snapshot #%zu is left out: %s", g->first + 1,
				 g->why.text);
		else
			snprintf(text, sizeof(text), "snapshots #%zu to #%zu are left out: %s",
				 g->first + 1, g->last + 1, g->why.text);
		if (c->context->warn)
			c->context->warn(c->context->arg, text);
	}
}

static uint64_t netns_inode(void *ctx, uint32_t netns)
{
	const struct frame_cursor *c = ctx;
	const struct history_netns *n = NULL;
	if (history_netns(c->context->history, frame_file(c), netns, &n, NULL) || !n)
		return 0;
	return n->inode;
}

/* Hands the snapshot that `walk` shows to a carrier of owners. */
static int hand_to(struct owner_carry *owners, struct frame_cursor *c,
		   const struct history_walk *walk, struct err *e)
{
	c->index = history_walk_index(walk);
	const struct history_snapshot *s = &c->snapshots[c->index];
	const struct owner_step step = {
		.file = s->file,
		.boot = s->boot,
		.number = c->index + 1,
		.time_ns = s->rec->boot_begin_ns,
		.delta = history_walk_step(walk),
		.netns_inode = netns_inode,
		.ctx = c,
	};
	return owner_carry_step(owners, history_walk_set(walk), &step, e);
}

static int carry(struct frame_cursor *c, const struct history_walk *walk, struct err *e)
{
	return hand_to(c->carry, c, walk, e);
}

int frame_walk_on(struct frame_cursor *c, struct err *e)
{
	int rc = history_walk_next(c->walk, e);
	tell_gaps(c);
	if (rc <= 0)
		return rc;
	if (c->carry && (rc = carry(c, c->walk, e)) < 0)
		return rc;
	c->index = history_walk_index(c->walk);
	c->set = history_walk_set(c->walk);
	return 1;
}

/* A walk from `lead` on, gone on to the first snapshot that is not before `first`. */
static int walk_from(struct frame_cursor *c, size_t lead, size_t first, struct err *e)
{
	history_walk_free(c->walk);
	c->walk = NULL;
	c->gaps_told = 0;
	int rc = history_walk_new(c->context->history, c->groups, c->clock, lead, c->end, &c->walk,
				  e);
	if (rc)
		return rc;
	do
		rc = frame_walk_on(c, e);
	while (rc > 0 && c->index < first);
	return rc;
}

/* Learns owners from the snapshots [from, to], which are not told. */
static int learn(struct frame_cursor *c, size_t from, size_t to, struct err *e)
{
	struct history_walk *walk;
	int rc = history_walk_new(c->context->history, OWNER_GROUPS, false, from, to, &walk, e);
	if (rc)
		return rc;
	while ((rc = history_walk_next(walk, e)) > 0) {
		rc = carry(c, walk, e);
		if (rc)
			break;
	}
	history_walk_free(walk);
	return rc;
}

/* The key frame that `index` needs: where a walk has to begin anyway. */
static size_t run_begin(const struct frame_cursor *c, size_t index)
{
	const struct history_snapshot *s = c->snapshots;
	while (index && !s[index].rec->key && s[index - 1].file == s[index].file &&
	       s[index - 1].boot == s[index].boot)
		index--;
	return index;
}

/* How far back a holder may have been seen to be told at `index`. */
static size_t keep_begin(const struct frame_cursor *c, size_t index)
{
	const struct history_snapshot *s = c->snapshots;
	size_t at = index;
	while (at && s[at - 1].boot == s[index].boot &&
	       (index - at < OWNER_KEEP_SNAPSHOTS ||
		s[index].rec->boot_begin_ns - s[at - 1].rec->boot_begin_ns <= OWNER_KEEP_NS))
		at--;
	return at;
}

/*
 * Does the walk show `first` already, or one that `first` can only be reached through? So it is if
 * `snapshot IN (...)` asks for one after the other.
 */
static bool can_go_on(const struct frame_cursor *c, size_t first)
{
	size_t shown = c->walk ? history_walk_index(c->walk) : HISTORY_NONE;
	return shown != HISTORY_NONE && shown <= first && run_begin(c, first) <= shown;
}

/* As walk_from(), from the snapshot that the walk shows. */
static int go_on(struct frame_cursor *c, size_t first, struct err *e)
{
	history_walk_extend(c->walk, c->end);
	c->index = history_walk_index(c->walk);
	c->set = history_walk_set(c->walk);
	int rc = 1;
	while (rc > 0 && c->index < first)
		rc = frame_walk_on(c, e);
	return rc;
}

/* Owners are learnt anew: from `from`, before the frames [lead, first]. 1, 0 or negative. */
static int learn_and_walk(struct frame_cursor *c, size_t from, size_t lead, size_t first,
			  struct err *e)
{
	owner_carry_free(c->carry);
	c->carry = NULL;
	c->learnt_from = from;
	int rc = owner_carry_new(&c->carry, e);
	if (!rc && from < lead)
		rc = learn(c, from, lead - 1, e);
	return rc < 0 ? rc : walk_from(c, lead, first, e);
}

/*
 * With owners: the frames from the key frame on are decoded anyway, so owners are learnt from them
 * on the way. Only if some socket has been without an owner since then is it worth looking back
 * further.
 */
static int walk_from_with_owners(struct frame_cursor *c, size_t first, struct err *e)
{
	size_t lead = run_begin(c, first);
	int rc = can_go_on(c, first) ? go_on(c, first, e) : learn_and_walk(c, lead, lead, first, e);
	if (rc <= 0)
		return rc;
	size_t back = keep_begin(c, first);
	if (back >= c->learnt_from || !owner_carry_wants_more(c->carry, c->set))
		return rc;
	return learn_and_walk(c, back, lead, first, e);
}

void frame_forget_late(struct frame_cursor *c)
{
	owner_carry_free(c->late);
	history_walk_free(c->late_walk);
	c->late = NULL;
	c->late_walk = NULL;
}

/* The walk goes up to the present snapshot, which it can show: the cursor does. */
static int walk_late(struct frame_cursor *c, struct err *e)
{
	const size_t index = c->index;
	int rc;
	while ((rc = history_walk_next(c->late_walk, e)) > 0) {
		rc = hand_to(c->late, c, c->late_walk, e);
		if (rc)
			break;
	}
	c->index = index;
	c->late_index = index;
	return rc;
}

int frame_learn_late(struct frame_cursor *c, struct err *e)
{
	if (c->late && c->late_index == c->index)
		return 0;
	frame_forget_late(c);
	int rc = owner_carry_new(&c->late, e);
	if (!rc)
		rc = history_walk_new(c->context->history, OWNER_GROUPS, false,
				      keep_begin(c, c->index), c->index, &c->late_walk, e);
	return rc ? rc : walk_late(c, e);
}

bool frame_in_time(const struct frame_cursor *c, size_t index)
{
	int64_t t = c->snapshots[index].rec->wall_begin_ns;
	return t >= c->from_ns && t <= c->to_ns;
}

int frame_next_host(struct frame_cursor *c, struct err *e)
{
	size_t hosts;
	const struct history_host *all = history_hosts(c->context->history, &hosts);
	while (c->host < hosts) {
		const struct history_host *h = &all[c->host++];
		size_t first = h->first, end = h->first + h->count;
		if (c->first > (int64_t)first + 1)
			first = c->first > (int64_t)end ? end : (size_t)c->first - 1;
		if (c->last < (int64_t)end)
			end = c->last < 0 ? 0 : (size_t)c->last;
		while (first < end && !frame_in_time(c, first))
			first++;
		while (first < end && !frame_in_time(c, end - 1))
			end--;
		if (first >= end)
			continue;
		c->end = end - 1;
		int rc = c->owners	       ? walk_from_with_owners(c, first, e)
			 : can_go_on(c, first) ? go_on(c, first, e)
					       : walk_from(c, first, first, e);
		if (rc)
			return rc;
	}
	return 0;
}
