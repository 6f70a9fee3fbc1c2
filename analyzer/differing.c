/*
 * differing.c - see differing.h. Connections stand in a hash table by cookie and by the hash of
 * namespace, table, addresses and ports; both together tell them apart.
 */
#include "differing.h"

#include <stdlib.h>

#include "history_walk.h"

/* What is known of a connection. */
#define IN_A   1u
#define IN_B   2u
#define STEADY 4u /* in A: established, and held */
#define TWICE  8u /* more than once in a snapshot */
#define STILL  16u

struct known {
	uint64_t cookie, tuple;
	uint32_t owner; /* row of the process that holds it in A */
	uint8_t flags;	/* 0: nobody is here */
};

struct differing {
	unsigned holds;
	size_t a, b;
	bool every;
	bool none; /* nothing is left out */
	struct known *known;
	size_t mask;	  /* of places in `known`: a power of two, less 1 */
	uint64_t *reused; /* tuples of what is new in B: likewise, 0 is no tuple */
	size_t reused_mask;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t tuple_of(const struct row_member *m)
{
	uint64_t half[4];
	memcpy(half, m->local.b, 16);
	memcpy(half + 2, m->peer.b, 16);
	uint64_t h = (uint64_t)m->netns << 32 | (uint64_t)m->local_port << 16 | m->peer_port;
	h = mix(mix(mix(mix(mix(h, m->proto), half[0]), half[1]), half[2]), half[3]);
	return h ? h : 1;
}

/* The connection's place, or the empty one where it belongs. */
static struct known *place(const struct differing *d, uint64_t cookie, uint64_t tuple)
{
	size_t i = (size_t)mix(cookie, tuple) & d->mask;
	while (d->known[i].flags && (d->known[i].cookie != cookie || d->known[i].tuple != tuple))
		i = (i + 1) & d->mask;
	return &d->known[i];
}

static uint64_t *reused_place(const struct differing *d, uint64_t tuple)
{
	size_t i = (size_t)mix(tuple, 0) & d->reused_mask;
	while (d->reused[i] && d->reused[i] != tuple)
		i = (i + 1) & d->reused_mask;
	return &d->reused[i];
}

/* Room for `rows` at most, half empty. */
static void *table(size_t rows, size_t item_bytes, size_t *ret_mask)
{
	size_t n = 64;
	while (n < 2 * rows)
		n *= 2;
	*ret_mask = n - 1;
	return calloc(n, item_bytes);
}

static bool is_inet(const struct sockset *set, uint32_t slot)
{
	return SLOT_GROUP(set, slot, state)->has & HAS_TUPLE;
}

static void see_in_a(struct differing *d, const struct sockset *set, uint32_t slot)
{
	const struct row_member *m = SLOT_GROUP(set, slot, member);
	uint64_t tuple = tuple_of(m);
	uint32_t owner = SLOT_GROUP(set, slot, owner)->owner_process;
	bool steady = owner && SLOT_GROUP(set, slot, state)->state == STATE_ESTAB;
	struct known *k = place(d, m->cookie, tuple);
	uint8_t twice = k->flags ? TWICE : 0;
	*k = (struct known){.cookie = m->cookie,
			    .tuple = tuple,
			    .owner = owner,
			    .flags = (uint8_t)(IN_A | twice | (steady ? STEADY : 0))};
}

/* Nothing that the comparison looks at can say anything but "the same". */
static bool stands_still(const struct known *k, const struct sockset *set, uint32_t slot)
{
	const struct row_state *state = SLOT_GROUP(set, slot, state);
	const struct row_queue *queue = SLOT_GROUP(set, slot, queue);
	return (k->flags & STEADY) && state->state == STATE_ESTAB && state->inode &&
	       !queue->recvq && !queue->sendq &&
	       SLOT_GROUP(set, slot, owner)->owner_process == k->owner;
}

static void see_in_b(struct differing *d, const struct sockset *set, uint32_t slot)
{
	const struct row_member *m = SLOT_GROUP(set, slot, member);
	uint64_t tuple = tuple_of(m);
	struct known *k = place(d, m->cookie, tuple);
	if (k->flags & IN_B) {
		k->flags |= TWICE;
	} else if (k->flags) {
		k->flags |= (uint8_t)(IN_B | (stands_still(k, set, slot) ? STILL : 0));
	} else {
		*k = (struct known){.cookie = m->cookie, .tuple = tuple, .flags = IN_B};
		*reused_place(d, tuple) = tuple;
	}
}

static void settle(struct differing *d)
{
	for (size_t i = 0; i <= d->mask; i++) {
		struct known *k = &d->known[i];
		if ((k->flags & TWICE) || *reused_place(d, k->tuple))
			k->flags &= (uint8_t)~STILL;
	}
}

static int see(struct differing *d, struct history_walk *walk, size_t index,
	       void (*one)(struct differing *d, const struct sockset *set, uint32_t slot),
	       struct err *e)
{
	int rc = history_walk_to(walk, index, e);
	if (rc)
		return rc;
	const struct sockset *set = history_walk_set(walk);
	for (uint32_t i = 0; i < set->rows; i++)
		if (is_inet(set, set->order[i]))
			one(d, set, set->order[i]);
	return 0;
}

static int read_both(struct differing *d, struct history *h, struct err *e)
{
	static const uint32_t groups = GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(queue) |
				       GRP_BIT(owner);
	struct history_walk *walk;
	int rc = history_walk_new(h, groups, false, d->a, d->b, &walk, e);
	if (rc)
		return rc;
	rc = see(d, walk, d->a, see_in_a, e);
	if (!rc)
		rc = see(d, walk, d->b, see_in_b, e);
	history_walk_free(walk);
	if (!rc)
		settle(d);
	return rc;
}

/* Rows of namespaces and processes mean the same in one recording alone. */
static bool is_of_one(const struct history_snapshot *s, size_t count, size_t a, size_t b)
{
	if (a >= b || b >= count)
		return false;
	for (size_t i = a + 1; i <= b; i++)
		if (s[i].file != s[a].file || s[i].boot != s[a].boot)
			return false;
	return true;
}

static int make(struct differing *d, struct history *h, struct err *e)
{
	size_t count;
	const struct history_snapshot *s = history_snapshots(h, &count);
	d->none = !is_of_one(s, count, d->a, d->b);
	if (d->none)
		return 0;
	size_t in_a = s[d->a].rec->sockets, in_b = s[d->b].rec->sockets;
	d->known = table(in_a + in_b, sizeof(*d->known), &d->mask);
	d->reused = table(in_b, sizeof(*d->reused), &d->reused_mask);
	if (!d->known || !d->reused)
		return err_set(e, ERR_NOMEM, "out of memory for two snapshots");
	int rc = read_both(d, h, e);
	d->none = rc != 0; /* damage is told by whoever reads the rows */
	return rc == ERR_NOMEM ? rc : 0;
}

int differing_new(struct history *h, size_t a, size_t b, bool every, struct differing **ret,
		  struct err *e)
{
	struct differing *d = calloc(1, sizeof(*d));
	if (!d)
		return err_set(e, ERR_NOMEM, "out of memory for two snapshots");
	*d = (struct differing){.holds = 1, .a = a, .b = b, .every = every};
	int rc = make(d, h, e);
	if (rc) {
		differing_release(d);
		return rc;
	}
	*ret = d;
	return 0;
}

void differing_hold(struct differing *d)
{
	d->holds++;
}

void differing_release(struct differing *d)
{
	if (!d || --d->holds)
		return;
	free(d->known);
	free(d->reused);
	free(d);
}

bool differing_is_of(const struct differing *d, size_t a, size_t b, bool every)
{
	return d && d->a == a && d->b == b && d->every == every;
}

bool differing_wants(const struct differing *d, size_t index, const struct sockset *set,
		     uint32_t slot)
{
	bool is_end = index == d->a || index == d->b;
	if (d->none || (is_end && d->every) || !is_inet(set, slot))
		return true;
	const struct row_member *m = SLOT_GROUP(set, slot, member);
	return !(place(d, m->cookie, tuple_of(m))->flags & (is_end ? STILL : IN_A | IN_B));
}
