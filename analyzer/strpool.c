/* strpool.c - see strpool.h. */
#include "strpool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 16384

struct strpool_chunk {
	struct strpool_chunk *before;
	size_t used;
	size_t cap;
	char bytes[];
};

void strpool_fini(struct strpool *p)
{
	struct strpool_chunk *c = p->last;
	while (c) {
		struct strpool_chunk *before = c->before;
		free(c);
		c = before;
	}
	*p = (struct strpool){0};
}

static struct strpool_chunk *add_chunk(struct strpool *p, size_t need)
{
	size_t cap = need > CHUNK_BYTES ? need : CHUNK_BYTES;
	if (cap > SIZE_MAX - sizeof(struct strpool_chunk))
		return NULL;
	struct strpool_chunk *c = malloc(sizeof(*c) + cap);
	if (!c)
		return NULL;
	*c = (struct strpool_chunk){.before = p->last, .cap = cap};
	p->last = c;
	return c;
}

char *strpool_put(struct strpool *p, const void *bytes, size_t len)
{
	if (len == SIZE_MAX)
		return NULL;
	struct strpool_chunk *c = p->last;
	if (!c || c->cap - c->used < len + 1)
		c = add_chunk(p, len + 1);
	if (!c)
		return NULL;
	char *text = c->bytes + c->used;
	if (len)
		memcpy(text, bytes, len);
	text[len] = 0;
	c->used += len + 1;
	p->bytes += len + 1;
	return text;
}
