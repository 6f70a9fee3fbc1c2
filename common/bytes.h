/*
 * bytes.h - bounded reading and writing of bytes, integers in little-endian order and varints.
 *
 * A span is a read position with an end; every getter checks it and, once one has failed, all
 * later ones fail too (`bad`), so that a decoder may check once at the end of a group of reads.
 */
#ifndef SOCKLAPSE_BYTES_H
#define SOCKLAPSE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static inline struct span span_of(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	return (struct span){.at = p, .end = len ? p + len : p};
}

static inline size_t span_left(const struct span *s)
{
	return s->bad ? 0 : (size_t)(s->end - s->at);
}

/* The next `len` bytes, or NULL (and bad) if there are fewer. */
static inline const uint8_t *span_take(struct span *s, size_t len)
{
	if (s->bad || (size_t)(s->end - s->at) < len) {
		s->bad = true;
		return NULL;
	}
	const uint8_t *p = s->at;
	s->at += len;
	return p;
}

static inline uint8_t span_u8(struct span *s)
{
	const uint8_t *p = span_take(s, 1);
	return p ? *p : 0;
}

/* LEB128, at most 10 bytes; bits beyond the 64th are an error. */
static inline uint64_t span_varint_slow(struct span *s)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = span_u8(s);
		if (s->bad)
			return 0;
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	s->bad = true;
	return 0;
}

static inline uint64_t span_varint(struct span *s)
{
	if (!s->bad && s->at < s->end && *s->at < 0x80)
		return *s->at++;
	return span_varint_slow(s);
}

/* A varint that must not pass `max`. */
static inline uint64_t span_varint_max(struct span *s, uint64_t max)
{
	uint64_t v = span_varint(s);
	if (v > max) {
		s->bad = true;
		return 0;
	}
	return v;
}

/* Four bytes, little-endian. */
static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Writes v at p (room for 10 bytes) and returns the place behind it. */
static inline uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

#endif
