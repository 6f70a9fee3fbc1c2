/*
 * owner_map.h - holders of sockets by (network namespace, cookie): a hash table without removal.
 * Only for owner_carry.c. Zero-initialised it is empty.
 */
#ifndef SOCKLAPSE_OWNER_MAP_H
#define SOCKLAPSE_OWNER_MAP_H

#include <stddef.h>
#include <stdint.h>

/* Who the connection is; cookie 0: the kernel has none, then `tuple` is a hash of its addresses. */
struct owner_key {
	uint64_t netns;
	uint64_t cookie;
	uint64_t tuple;
};

/* The holder last seen. */
struct owner_held {
	struct owner_key key;
	uint32_t file, process, fd; /* process 0: nobody yet */
	uint32_t flags;
	uint64_t lost_number; /* the last snapshot that still saw it held; while held: unused */
	int64_t lost_ns;
};

struct owner_map {
	struct owner_held *held; /* process 0: free */
	size_t cap;		 /* 0 or a power of two */
	size_t count;
};

void owner_map_fini(struct owner_map *m);
void owner_map_clear(struct owner_map *m);

/* Adds or replaces. 0, or -1 if memory ran out. `held->process` must not be 0. */
int owner_map_put(struct owner_map *m, const struct owner_held *held);

/* NULL if there is none; valid until the next put. */
const struct owner_held *owner_map_get(const struct owner_map *m, const struct owner_key *key);

#endif
