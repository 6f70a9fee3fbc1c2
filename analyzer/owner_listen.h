/*
 * owner_listen.h - which listener of a snapshot a connection belongs to. Only for owner_carry.c.
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
 * The slot of the listener that the kernel gave the connection to: same namespace, protocol and
 * port, and its very address rather than the wildcard of its family rather than the IPv6 wildcard
 * that takes IPv4 too. Of several with SO_REUSEPORT, one that has a holder.
 */
uint32_t owner_listen_find(const struct owner_listen *l, const struct sockset *set,
			   const struct row_member *connection);

#endif
