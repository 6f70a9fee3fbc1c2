/*
 * strpool.h - strings that live as long as the pool: many small ones, freed at once.
 * Zero-initialised it is empty.
 */
#ifndef SOCKLAPSE_STRPOOL_H
#define SOCKLAPSE_STRPOOL_H

#include <stddef.h>

struct strpool_chunk;

struct strpool {
	struct strpool_chunk *last;
	size_t bytes; /* of all strings put so far */
};

void strpool_fini(struct strpool *p);

/* A copy of `len` bytes with a NUL behind it; NULL if memory ran out. */
char *strpool_put(struct strpool *p, const void *bytes, size_t len);

#endif
