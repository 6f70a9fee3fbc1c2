/* owner_listen.c - see owner_listen.h. */
#include "owner_listen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "buf.h"

void owner_listen_fini(struct owner_listen *l)
{
	free(l->list);
	*l = (struct owner_listen){0};
}

static int compare(const void *va, const void *vb)
{
	const struct owner_listener *a = va, *b = vb;
	if (a->netns != b->netns)
		return a->netns < b->netns ? -1 : 1;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

int owner_listen_make(struct owner_listen *l, const struct sockset *set)
{
	l->count = 0;
	for (uint32_t i = 0; i < set->rows; i++) {
		uint32_t slot = set->order[i];
		if (SLOT_GROUP(set, slot, state)->state != STATE_LISTEN)
			continue;
		struct owner_listener *p = array_grow(l->list, &l->cap, l->count + 1, sizeof(*p));
		if (!p)
			return -1;
		l->list = p;
		const struct row_member *m = SLOT_GROUP(set, slot, member);
		p[l->count++] = (struct owner_listener){
			.netns = m->netns, .port = m->local_port, .proto = m->proto, .slot = slot};
	}
	if (l->count)
		qsort(l->list, l->count, sizeof(*l->list), compare);
	return 0;
}

/* The address as IPv6 has it: ::ffff:a.b.c.d for IPv4. */
static void widen(const struct row_member *m, uint8_t ret[16])
{
	if (m->family == AF_INET6) {
		memcpy(ret, m->local.b, 16);
		return;
	}
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, m->local.b, 4);
}

/* How well a listener's address fits: 3 the very one, 2 the family's wildcard, 1 ::, 0 not. */
static int fit(const struct row_member *listener, const struct row_member *connection)
{
	static const uint8_t any6[16] = {0};
	uint8_t at[16], to[16];
	widen(listener, at);
	widen(connection, to);
	if (memcmp(at, to, sizeof(at)) == 0)
		return 3;
	if (listener->family == AF_INET6)
		return memcmp(at, any6, sizeof(at)) != 0 ? 0
		       : connection->family == AF_INET6	 ? 2
							 : 1;
	/* 0.0.0.0 takes IPv4 alone; ::ffff:0:0/96 is how an IPv6 socket shows it. */
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(at + 12, any6, 4) == 0 && memcmp(to, mapped, sizeof(mapped)) == 0 ? 2 : 0;
}

/* Index of the first listener not before `key`. */
static size_t lower_bound(const struct owner_listen *l, const struct owner_listener *key)
{
	size_t lo = 0, hi = l->count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (compare(&l->list[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t owner_listen_find(const struct owner_listen *l, const struct sockset *set,
			   const struct row_member *connection)
{
	const struct owner_listener key = {.netns = connection->netns,
					   .port = connection->local_port,
					   .proto = connection->proto};
	uint32_t best = OWNER_NO_LISTENER;
	int best_fit = 0;
	for (size_t i = lower_bound(l, &key); i < l->count; i++) {
		const struct owner_listener *p = &l->list[i];
		if (p->netns != key.netns || p->port != key.port || p->proto != key.proto)
			break;
		/* Twice the fit, and one for a holder: it only decides between equals. */
		int f = 2 * fit(SLOT_GROUP(set, p->slot, member), connection);
		if (f && SLOT_GROUP(set, p->slot, owner)->owner_process)
			f++;
		if (f > best_fit) {
			best_fit = f;
			best = p->slot;
		}
	}
	return best;
}
