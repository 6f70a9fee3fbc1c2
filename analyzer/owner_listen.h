/*
 * owner_listen.h - which listeners of a snapshot a connection that nobody has accepted may belong
 * to. Only for owner_carry.c; how well one fits is for whoever looks for a listener.
 * Zero-initialised it is empty.
 */
#ifndef SOCKLAPSE_OWNER_LISTEN_H
#define SOCKLAPSE_OWNER_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "sockset.h"

#define OWNER_NO_LISTENER UINT32_MAX

struct owner_listener {
	uint32_t netns;
	uint16_t port;
	uint8_t proto;
	uint32_t slot;
};

struct owner_listen {
	struct owner_listener *list; /* ascending by netns, proto, port, slot */
	size_t cap, count;
};

void owner_listen_fini(struct owner_listen *l);

/* All listeners of the set, anew. 0, or -1 if memory ran out. */
int owner_listen_make(struct owner_listen *l, const struct sockset *set);

/*
 * How well a listener of the same namespace, protocol and port fits: 0 not at all. Its very address
 * rather than the wildcard, then bound to the same interface rather than to none, as the kernel
 * chooses (compute_score() of net/ipv4/inet_hashtables.c). A connection has the family and, if it
 * has one, the interface of its listener: one of 0.0.0.0 is never that of [::], which shows its
 * IPv4 connections as ::ffff:a.b.c.d.
 */
int owner_listen_fit(const struct row_member *listener, uint32_t listener_ifindex,
		     const struct row_member *connection, uint32_t ifindex);

/* Those of the list that fit best; zero-initialised there are none. */
struct owner_listen_found {
	size_t first, end;
	int fit;
};

/*
 * The listeners that the connection in a slot may belong to: owner_listen_next() gives their slots,
 * then OWNER_NO_LISTENER. With SO_REUSEPORT there may be several; which of them the kernel chose is
 * not to be known.
 */
struct owner_listen_found owner_listen_find(const struct owner_listen *l, const struct sockset *set,
					    uint32_t connection);
uint32_t owner_listen_next(const struct owner_listen *l, const struct sockset *set,
			   uint32_t connection, struct owner_listen_found *found);

#endif
