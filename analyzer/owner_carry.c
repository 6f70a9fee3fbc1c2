/*
 * owner_carry.c - see owner_carry.h. What is known about a live socket stands by its slot; what is
 * known about one that went away, or whose slot is not known any more, in two generations of a map.
 */
#include "owner_carry.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "owner_listen.h"
#include "owner_map.h"

/* Bits of owner_held.flags. */
#define HELD_NOW   1u /* a process holds it in this snapshot */
#define HELD_FIRST 2u /* there since the first snapshot, and no holder was seen yet */
#define HELD_LIVE  4u /* the slot has a socket */

/* Sockets gone are forgotten after one to two generations of this many, or as many as are live. */
#define GENERATION_MIN 4096

struct owner_carry {
	struct owner_held *by_slot;
	size_t slots_cap, slots;
	struct owner_map gone, gone_before;
	struct owner_listen listen;
	bool listen_made;
	bool begun;
	uint32_t boot;
	uint64_t number;
	int64_t time_ns;
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "owners: memory ran out");
}

int owner_carry_new(struct owner_carry **ret, struct err *e)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : no_memory(e);
}

void owner_carry_free(struct owner_carry *c)
{
	if (!c)
		return;
	owner_map_fini(&c->gone);
	owner_map_fini(&c->gone_before);
	owner_listen_fini(&c->listen);
	free(c->by_slot);
	free(c);
}

/* FNV-1a over the addresses, for kernels without cookies. */
static uint64_t tuple_hash(const struct row_member *m)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	const uint8_t *bytes[] = {m->local.b, m->peer.b, (const uint8_t *)&m->local_port,
				  (const uint8_t *)&m->peer_port, &m->proto};
	static const size_t lens[] = {16, 16, 2, 2, 1};
	for (size_t i = 0; i < 5; i++)
		for (size_t n = 0; n < lens[i]; n++)
			h = (h ^ bytes[i][n]) * UINT64_C(0x100000001b3);
	return h;
}

static struct owner_key key_of(const struct row_member *m, const struct owner_step *step)
{
	return (struct owner_key){
		.netns = step->netns_inode(step->ctx, m->netns),
		.cookie = m->cookie,
		.tuple = m->cookie ? 0 : tuple_hash(m),
	};
}

/* What is known about a socket that was not in the snapshot before. */
static void remember(const struct owner_carry *c, struct owner_held *h)
{
	const struct owner_held *old = owner_map_get(&c->gone, &h->key);
	if (!old)
		old = owner_map_get(&c->gone_before, &h->key);
	if (old)
		*h = *old;
	h->flags = HELD_LIVE | (c->begun || old ? 0 : HELD_FIRST);
}

/* Takes over who holds it now; if nobody does, the loss is dated to the snapshot before. */
static void update(const struct owner_carry *c, struct owner_held *h, const struct row_owner *now,
		   uint32_t file)
{
	if (now->owner_process) {
		h->file = file;
		h->process = now->owner_process;
		h->fd = now->owner_fd;
		h->flags = HELD_LIVE | HELD_NOW;
	} else if (h->flags & HELD_NOW) {
		h->flags = HELD_LIVE;
		h->lost_number = c->number;
		h->lost_ns = c->time_ns;
	}
}

/* Keeps what is known about a socket that leaves its slot. */
static int retire(struct owner_carry *c, struct owner_held *h)
{
	int rc = 0;
	if (h->process) {
		if (h->flags & HELD_NOW) {
			h->lost_number = c->number;
			h->lost_ns = c->time_ns;
		}
		rc = owner_map_put(&c->gone, h);
	}
	*h = (struct owner_held){0};
	return rc;
}

static void next_generation(struct owner_carry *c)
{
	struct owner_map old = c->gone_before;
	c->gone_before = c->gone;
	c->gone = old;
	owner_map_clear(&c->gone);
}

static int need_slots(struct owner_carry *c, const struct sockset *set, struct err *e)
{
	if (set->slots <= c->slots)
		return 0;
	struct owner_held *p = array_grow(c->by_slot, &c->slots_cap, set->slots, sizeof(*p));
	if (!p)
		return no_memory(e);
	c->by_slot = p;
	memset(p + c->slots, 0, (set->slots - c->slots) * sizeof(*p));
	c->slots = set->slots;
	return 0;
}

static void arrive(struct owner_carry *c, const struct sockset *set, const struct owner_step *step,
		   uint32_t position)
{
	uint32_t slot = set->order[position];
	struct owner_held *h = &c->by_slot[slot];
	*h = (struct owner_held){.key = key_of(SLOT_GROUP(set, slot, member), step)};
	remember(c, h);
	update(c, h, SLOT_GROUP(set, slot, owner), step->file);
}

/* Every socket anew; what is known about the former ones is looked up by key. */
static int step_all(struct owner_carry *c, const struct sockset *set, const struct owner_step *step,
		    struct err *e)
{
	for (size_t i = 0; i < c->slots; i++)
		if (retire(c, &c->by_slot[i]))
			return no_memory(e);
	if (need_slots(c, set, e))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < set->rows; i++)
		arrive(c, set, step, i);
	next_generation(c);
	return 0;
}

static int step_delta(struct owner_carry *c, const struct sockset *set,
		      const struct owner_step *step, struct err *e)
{
	for (uint32_t i = 0; i < set->died_count; i++)
		if (set->died[i] < c->slots && retire(c, &c->by_slot[set->died[i]]))
			return no_memory(e);
	if (need_slots(c, set, e))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < set->born_count; i++)
		arrive(c, set, step, set->born[i]);
	const uint32_t *touched = set->touched[GRP_ID_owner];
	for (uint32_t i = 0; i < set->touched_count[GRP_ID_owner]; i++) {
		uint32_t slot = set->order[touched[i]];
		update(c, &c->by_slot[slot], SLOT_GROUP(set, slot, owner), step->file);
	}
	if (c->gone.count > GENERATION_MIN && c->gone.count > set->rows)
		next_generation(c);
	return 0;
}

static void forget_all(struct owner_carry *c)
{
	owner_map_clear(&c->gone);
	owner_map_clear(&c->gone_before);
	if (c->slots)
		memset(c->by_slot, 0, c->slots * sizeof(*c->by_slot));
	c->begun = false;
}

int owner_carry_step(struct owner_carry *c, const struct sockset *set,
		     const struct owner_step *step, struct err *e)
{
	bool delta = step->delta && c->begun && c->boot == step->boot;
	if (c->begun && c->boot != step->boot)
		forget_all(c);
	int rc = delta ? step_delta(c, set, step, e) : step_all(c, set, step, e);
	if (rc)
		return rc;
	c->begun = true;
	c->listen_made = false;
	c->boot = step->boot;
	c->number = step->number;
	c->time_ns = step->time_ns;
	return 0;
}

/* By what is known about the socket itself. */
static struct owner own(const struct owner_carry *c, uint32_t slot)
{
	const struct owner_held *h = &c->by_slot[slot];
	struct owner o = {.file = h->file, .process = h->process, .fd = h->fd};
	if (!h->process)
		return (struct owner){.source = OWNER_NONE};
	if (h->flags & HELD_NOW)
		o.source = OWNER_FD;
	else if (c->number - h->lost_number <= OWNER_KEEP_SNAPSHOTS ||
		 c->time_ns - h->lost_ns <= OWNER_KEEP_NS)
		o.source = OWNER_HISTORY;
	else
		o = (struct owner){.source = OWNER_NONE};
	return o;
}

/* Handshake or data, but no file yet: accept() has not been called. */
static bool not_accepted(const struct row_state *s)
{
	return s->inode == 0 && (s->state == STATE_ESTAB || s->state == STATE_CLOSE_WAIT ||
				 s->state == STATE_SYN_RECV || s->state == STATE_NEW_SYN_RECV);
}

/* Whose listener it came to; nobody's if it may be one of several that different ones hold. */
static struct owner of_listener(const struct owner_carry *c, const struct sockset *set,
				uint32_t slot)
{
	struct owner_listen_found found = owner_listen_find(&c->listen, set, slot);
	uint32_t listener = owner_listen_next(&c->listen, set, slot, &found);
	if (listener == OWNER_NO_LISTENER)
		return (struct owner){.source = OWNER_NONE};
	struct owner o = own(c, listener);
	while ((listener = owner_listen_next(&c->listen, set, slot, &found)) != OWNER_NO_LISTENER) {
		struct owner other = own(c, listener);
		if (other.process != o.process || other.file != o.file)
			return (struct owner){.source = OWNER_NONE};
	}
	if (o.source != OWNER_NONE)
		o.source = OWNER_LISTENER;
	return o;
}

int owner_carry_get(struct owner_carry *c, const struct sockset *set, uint32_t position,
		    struct owner *ret, struct err *e)
{
	uint32_t slot = set->order[position];
	struct owner o = own(c, slot);
	if (o.source == OWNER_NONE && not_accepted(SLOT_GROUP(set, slot, state))) {
		if (!c->listen_made && owner_listen_make(&c->listen, set) != 0)
			return no_memory(e);
		c->listen_made = true;
		o = of_listener(c, set, slot);
	}
	*ret = o;
	return 0;
}

uint64_t owner_cgroup(const struct sockset *set, uint32_t position)
{
	uint32_t slot = set->order[position];
	bool told = SLOT_GROUP(set, slot, state)->has & HAS_CGROUP;
	return told ? SLOT_GROUP(set, slot, option)->cgroup_id : 0;
}

bool owner_carry_wants_more(const struct owner_carry *c, const struct sockset *set)
{
	for (uint32_t i = 0; i < set->rows; i++) {
		uint32_t slot = set->order[i];
		if ((c->by_slot[slot].flags & HELD_FIRST) &&
		    SLOT_GROUP(set, slot, state)->inode == 0)
			return true;
	}
	return false;
}
