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

int owner_listen_fit(const struct row_member *listener, uint32_t listener_ifindex,
		     const struct row_member *connection, uint32_t ifindex)
{
	static const uint8_t any[16];
	if (listener->family != connection->family)
		return 0;
	if (listener_ifindex && listener_ifindex != ifindex)
		return 0;
	int bound = listener_ifindex != 0;
	size_t len = listener->family == AF_INET6 ? 16 : 4;
	if (memcmp(listener->local.b, connection->local.b, len) == 0)
		return 3 + bound;
	return memcmp(listener->local.b, any, len) == 0 ? 1 + bound : 0;
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

static int fit_of(const struct sockset *set, uint32_t listener, uint32_t connection)
{
	return owner_listen_fit(
		SLOT_GROUP(set, listener, member), SLOT_GROUP(set, listener, state)->ifindex,
		SLOT_GROUP(set, connection, member), SLOT_GROUP(set, connection, state)->ifindex);
}

static bool same_port(const struct owner_listener *a, const struct owner_listener *b)
{
	return a->netns == b->netns && a->port == b->port && a->proto == b->proto;
}

struct owner_listen_found owner_listen_find(const struct owner_listen *l, const struct sockset *set,
					    uint32_t connection)
{
	const struct row_member *m = SLOT_GROUP(set, connection, member);
	const struct owner_listener key = {
		.netns = m->netns, .port = m->local_port, .proto = m->proto};
	struct owner_listen_found found = {.first = lower_bound(l, &key)};
	found.end = found.first;
	for (; found.end < l->count && same_port(&l->list[found.end], &key); found.end++) {
		int fit = fit_of(set, l->list[found.end].slot, connection);
		if (fit > found.fit)
			found.fit = fit;
	}
	return found;
}

uint32_t owner_listen_next(const struct owner_listen *l, const struct sockset *set,
			   uint32_t connection, struct owner_listen_found *found)
{
	while (found->fit && found->first < found->end) {
		uint32_t slot = l->list[found->first++].slot;
		if (fit_of(set, slot, connection) == found->fit)
			return slot;
	}
	return OWNER_NO_LISTENER;
}
