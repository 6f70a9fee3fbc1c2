/*
 * diag_attr.h - what the decoders of all socket tables share: a bounded walk over the attributes of
 * a message, and handlers for those that several tables have. Pure, as diag_inet.h.
 */
#ifndef SOCKLAPSE_DIAG_ATTR_H
#define SOCKLAPSE_DIAG_ATTR_H

#include "bytes.h"
#include "diag_inet.h"

/* One attribute's payload. */
struct attr {
	unsigned type;
	const uint8_t *at;
	size_t len;
};

/*
 * Takes what it understands and says how many bytes that is; 0 if the length is none that the type
 * can have. What is left goes to `extra`.
 */
typedef size_t (*attr_handler)(struct diag_inet *d, const struct attr *a);

/* Gives each attribute to handlers[its type]; those without one go to `extra`. */
void diag_take_attrs(struct diag_inet *d, struct span s, const attr_handler *handlers,
		     size_t handlers_count);

/* SKMEMINFO of any family: 8 words up to Linux 4.6, then a 9th. */
size_t diag_take_mem(struct diag_inet *d, const struct attr *a);

/* An attribute of exactly `bytes` bytes, copied as it is; `has` is then set. */
size_t diag_take_fixed(struct diag_inet *d, const struct attr *a, void *field, size_t bytes,
		       uint64_t has);

/* Defines a handler by the name `handler` for row.`field`. */
#define DIAG_FIXED(handler, field, bit)                                                            \
	static size_t handler(struct diag_inet *d, const struct attr *a)                           \
	{                                                                                          \
		return diag_take_fixed(d, a, &d->row.field, sizeof(d->row.field), bit);            \
	}

/* Puts bytes of an attribute into `extra` (FORMAT.md section 5.4). */
void diag_put_extra(struct diag_inet *d, unsigned type, const uint8_t *at, size_t len);

/* Clears what `d` holds, for a socket of this family. */
void diag_clear(struct diag_inet *d, unsigned family);

/*
 * Clears what `d` holds and copies the head of a message, of `head_bytes` bytes and the family
 * `family` in its first byte. *ret_rest are the attributes. ERR_KERNEL if it is too short or of
 * another family.
 */
int diag_begin(struct diag_inet *d, const uint8_t *payload, size_t len, unsigned family,
	       void *ret_head, size_t head_bytes, struct span *ret_rest, struct err *e) MUST_CHECK;

/* The kernel writes a cookie as two words, the low one first (sock_diag_save_cookie()). */
static inline uint64_t diag_cookie(const uint32_t words[2])
{
	return words[0] | (uint64_t)words[1] << 32;
}

#endif
