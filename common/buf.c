/* buf.c - see buf.h. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

void buf_fini(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

uint8_t *buf_reserve(struct buf *b, size_t more)
{
	if (b->failed || more > SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return NULL;
	}
	if (!b->bytes || b->len + more > b->cap) {
		size_t cap = b->cap + b->cap / 2;
		if (cap < b->len + more)
			cap = b->len + more + 64;
		uint8_t *p = realloc(b->bytes, cap);
		if (!p) {
			b->failed = true;
			return NULL;
		}
		b->bytes = p;
		b->cap = cap;
	}
	return b->bytes + b->len;
}

void buf_put(struct buf *b, const void *bytes, size_t len)
{
	uint8_t *p = buf_reserve(b, len);
	if (!p || !len)
		return;
	memcpy(p, bytes, len);
	b->len += len;
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void buf_put_varint(struct buf *b, uint64_t v)
{
	uint8_t *p = buf_reserve(b, 10);
	if (p)
		b->len = (size_t)(put_varint(p, v) - b->bytes);
}

void buf_put_str(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	uint8_t *p = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);
	if (!p)
		return;
	va_start(ap, fmt);
	vsnprintf((char *)p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *buf_str(struct buf *b)
{
	uint8_t *p = buf_reserve(b, 1);
	if (!p)
		return "";
	*p = 0;
	return (const char *)b->bytes;
}

void *array_grow(void *array, size_t *cap, size_t n, size_t item_bytes)
{
	if (n <= *cap && array)
		return array;
	size_t want = *cap + *cap / 2;
	if (want < n || want == 0)
		want = n + 16;
	if (want > SIZE_MAX / 4 / item_bytes)
		return NULL;
	void *p = realloc(array, want * item_bytes);
	if (p)
		*cap = want;
	return p;
}

int array_need_more(void **array, size_t *cap, size_t n, size_t item_bytes)
{
	void *p = array_grow(*array, cap, n, item_bytes);
	if (!p)
		return ERR_NOMEM;
	*array = p;
	return 0;
}
