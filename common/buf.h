/*
 * buf.h - a growable byte buffer that remembers a failed allocation, so that a writer may append
 * many times and check `failed` once. Zero-initialised it is empty.
 */
#ifndef SOCKLAPSE_BUF_H
#define SOCKLAPSE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf {
	uint8_t *bytes;
	size_t len;
	size_t cap;
	bool failed;
};

/* Frees the bytes; the buffer is empty again. */
void buf_fini(struct buf *b);

/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *b);

/* Room for `more` further bytes at bytes + len; NULL (and failed) if memory ran out. */
uint8_t *buf_reserve(struct buf *b, size_t more);

void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_varint(struct buf *b, uint64_t v);
void buf_put_str(struct buf *b, const char *text);

/* Appends formatted text without its terminating NUL. */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The content as a C string (a NUL is kept behind it); "" if memory ran out. */
const char *buf_str(struct buf *b);

/*
 * Makes room for `n` items of `item_bytes` in an array that has *cap of them (new space is not
 * cleared). Returns the array, moved if need be, or NULL: then the old one is unharmed.
 */
void *array_grow(void *array, size_t *cap, size_t n, size_t item_bytes) MUST_CHECK;

/* The same in place: `int rc = ARRAY_NEED(x->items, x->items_cap, n)`; 0 or ERR_NOMEM. */
#define ARRAY_NEED(array, cap, n) array_need((void **)&(array), &(cap), (n), sizeof(*(array)))
int array_need_more(void **array, size_t *cap, size_t n, size_t item_bytes) MUST_CHECK;

static inline int MUST_CHECK array_need(void **array, size_t *cap, size_t n, size_t item_bytes)
{
	return n <= *cap && *array ? 0 : array_need_more(array, cap, n, item_bytes);
}

#endif
