/* intern.c - see intern.h. */
#include "intern.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void intern_fini(struct intern *in)
{
	buf_fini(&in->keys);
	free(in->entries);
	free(in->table);
	*in = (struct intern){0};
}

void intern_clear(struct intern *in)
{
	buf_clear(&in->keys);
	in->count = 0;
	if (in->table)
		memset(in->table, 0, ((size_t)in->mask + 1) * sizeof(*in->table));
}

static uint32_t hash_of(const void *bytes, size_t len)
{
	return (uint32_t)crc32_z(0, bytes, len) * 2654435761u;
}

struct intern_entry *intern_find(struct intern *in, const void *bytes, size_t len)
{
	if (!in->table)
		return NULL;
	for (uint32_t i = hash_of(bytes, len) & in->mask; in->table[i]; i = (i + 1) & in->mask) {
		struct intern_entry *x = &in->entries[in->table[i] - 1];
		if (x->len == len && memcmp(in->keys.bytes + x->at, bytes, len) == 0)
			return x;
	}
	return NULL;
}

static void put(struct intern *in, uint32_t index)
{
	const struct intern_entry *x = &in->entries[index];
	uint32_t i = hash_of(in->keys.bytes + x->at, x->len) & in->mask;
	while (in->table[i])
		i = (i + 1) & in->mask;
	in->table[i] = index + 1;
}

static int grow_table(struct intern *in)
{
	if (in->table && in->count < in->mask / 2)
		return 0;
	uint32_t size = in->table ? (in->mask + 1) * 2 : 64;
	uint32_t *table = calloc(size, sizeof(*table));
	if (!table)
		return ERR_NOMEM;
	free(in->table);
	in->table = table;
	in->mask = size - 1;
	for (uint32_t i = 0; i < in->count; i++)
		put(in, i);
	return 0;
}

struct intern_entry *intern_add(struct intern *in, const void *bytes, size_t len, uint32_t value)
{
	if (len > UINT32_MAX || grow_table(in))
		return NULL;
	void *p = array_grow(in->entries, &in->entries_cap, (size_t)in->count + 1,
			     sizeof(*in->entries));
	if (!p)
		return NULL;
	in->entries = p;
	size_t at = in->keys.len;
	buf_put(&in->keys, bytes, len);
	/* An empty key still needs an address to compare with. */
	if (in->keys.failed || !buf_reserve(&in->keys, 1))
		return NULL;
	in->entries[in->count] = (struct intern_entry){
		.at = at, .len = (uint32_t)len, .value = value};
	put(in, in->count);
	return &in->entries[in->count++];
}

int intern_keep(struct intern *in, int64_t data)
{
	struct intern kept = {0};
	for (uint32_t i = 0; i < in->count; i++) {
		const struct intern_entry *x = &in->entries[i];
		if (x->data != data)
			continue;
		struct intern_entry *copy = intern_add(&kept, in->keys.bytes + x->at, x->len,
						       x->value);
		if (!copy) {
			intern_fini(&kept);
			return ERR_NOMEM;
		}
		copy->data = x->data;
	}
	intern_fini(in);
	*in = kept;
	return 0;
}
