/*
 * intern.h - byte strings to small numbers, in memory.
 */
#ifndef SOCKLAPSE_INTERN_H
#define SOCKLAPSE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct intern_entry {
	size_t at; /* of its bytes in `keys` */
	uint32_t len;
	uint32_t value;
	int64_t data; /* the caller's: an epoch, a last value */
};

/* Zero-initialised it is empty. */
struct intern {
	struct buf keys;
	struct intern_entry *entries;
	size_t entries_cap;
	uint32_t count;
	uint32_t *table;
	uint32_t mask;
};

void intern_fini(struct intern *in);
void intern_clear(struct intern *in);

/* NULL if the bytes are not there. Valid until the next intern_add(). */
struct intern_entry *intern_find(struct intern *in, const void *bytes, size_t len);

/* Adds bytes that are not there yet; NULL if memory ran out. */
struct intern_entry *intern_add(struct intern *in, const void *bytes, size_t len, uint32_t value);

/* Keeps the entries whose data is `data` and forgets the rest. 0 or ERR_NOMEM. */
int intern_keep(struct intern *in, int64_t data) MUST_CHECK;

#endif
