/*
 * range.c - see range.h. The coder is the usual carry-propagating one with 32-bit range; a
 * probability is 12 bits with a 4-bit count of what it has seen, so that it learns fast at first.
 */
#include "range.h"

#include <stdlib.h>
#include <string.h>

#define TOP	   (1u << 24)
#define PROB_BITS  12
#define PROB_ONE   (1u << PROB_BITS)
#define PROB_MIN   24u
#define COUNT_MAX  15u
#define STATE_HALF ((uint16_t)((PROB_ONE / 2) << 4))

/*
 * The leading and the trailing bits of a mantissa know their neighbours; those between only their
 * place. That finds the zeros of numbers that are multiples: windows, ticks.
 */
#define TOP_BITS 3u
#define LOW_BITS 4u

/* Lengths from here on are coded in a second step: most numbers are short. */
#define LONG 15u

/* How far a probability moves towards what was seen, in 1/65536, by how often it was asked. */
static const uint16_t rates[COUNT_MAX + 1] = {32768, 21845, 16384, 13107, 10922, 9362, 8192, 7281,
					      6553,  5957,  5461,  5041,  4681,	 4369, 4096, 2520};

void range_model_init(struct range_model *m)
{
	uint16_t *p = (uint16_t *)m;
	for (size_t i = 0; i < sizeof(*m) / sizeof(*p); i++)
		p[i] = STATE_HALF;
}

void range_models_fini(struct range_models *m)
{
	for (unsigned i = 0; i < RANGE_STREAMS; i++)
		free(m->model[i]);
	*m = (struct range_models){0};
}

void range_models_reset(struct range_models *m)
{
	if (++m->epoch == 0) {
		memset(m->seen, 0, sizeof(m->seen));
		m->epoch = 1;
	}
}

struct range_model *range_models_get(struct range_models *m, unsigned stream)
{
	if (!m->model[stream]) {
		m->model[stream] = malloc(sizeof(*m->model[stream]));
		if (!m->model[stream])
			return NULL;
		range_model_init(m->model[stream]);
	}
	if (m->seen[stream] != m->epoch || stream == RANGE_STREAM_FRESH) {
		range_model_init(m->model[stream]);
		m->seen[stream] = m->epoch;
	}
	return m->model[stream];
}

static inline unsigned length_of(uint64_t v)
{
	return 63u - (unsigned)__builtin_clzll(v);
}

static inline uint8_t class_of(uint64_t v)
{
	if (v < 8)
		return (uint8_t)v;
	unsigned n = length_of(v);
	return n < 5 ? 8 : n < 8 ? 9 : n < 12 ? 10 : 11;
}

uint8_t range_class(uint64_t v)
{
	return class_of(v);
}

static inline void learn(uint16_t *state, unsigned bit)
{
	uint32_t p = *state >> 4;
	uint32_t n = *state & COUNT_MAX;
	if (bit)
		p -= (p * rates[n]) >> 16;
	else
		p += ((PROB_ONE - p) * rates[n]) >> 16;
	if (p < PROB_MIN)
		p = PROB_MIN;
	if (p > PROB_ONE - PROB_MIN)
		p = PROB_ONE - PROB_MIN;
	*state = (uint16_t)(p << 4 | (n < COUNT_MAX ? n + 1 : n));
}

/* -------------------------------------------------------------------------------- encoder */

void range_encode_begin(struct range_encoder *c, struct buf *out)
{
	*c = (struct range_encoder){.out = out, .range = UINT32_MAX, .pending = 1};
}

static void shift_low(struct range_encoder *c)
{
	if ((uint32_t)c->low < 0xff000000u || c->low >> 32) {
		uint8_t carry = (uint8_t)(c->low >> 32);
		uint8_t byte = c->cache;
		for (; c->pending; c->pending--) {
			buf_put_u8(c->out, (uint8_t)(byte + carry));
			byte = 0xff;
		}
		c->cache = (uint8_t)(c->low >> 24);
	}
	c->pending++;
	c->low = (uint32_t)c->low << 8;
}

static inline void encode_bit(struct range_encoder *c, uint16_t *state, unsigned bit)
{
	uint32_t bound = (c->range >> PROB_BITS) * (uint32_t)(*state >> 4);
	if (bit) {
		c->low += bound;
		c->range -= bound;
	} else {
		c->range = bound;
	}
	learn(state, bit);
	while (c->range < TOP) {
		c->range <<= 8;
		shift_low(c);
	}
}

/* Bits that are as likely 0 as 1. */
static inline void encode_plain(struct range_encoder *c, uint64_t v, unsigned bits)
{
	while (bits--) {
		c->range >>= 1;
		if (v >> bits & 1)
			c->low += c->range;
		while (c->range < TOP) {
			c->range <<= 8;
			shift_low(c);
		}
	}
}

static inline void encode_tree(struct range_encoder *c, uint16_t *tree, uint64_t v, unsigned bits)
{
	unsigned node = 1;
	while (bits--) {
		unsigned bit = v >> bits & 1;
		encode_bit(c, &tree[node], bit);
		node = node * 2 + bit;
	}
}

static inline void encode(struct range_encoder *c, struct range_model *m, uint8_t class, uint64_t v)
{
	encode_bit(c, &m->zero[class], v != 0);
	if (!v)
		return;
	unsigned n = length_of(v);
	encode_tree(c, m->length[class], n < LONG ? n : LONG, 4);
	if (n >= LONG)
		encode_tree(c, m->long_length, n, 6);
	unsigned top = n < TOP_BITS ? n : TOP_BITS;
	unsigned rest = n - top;
	unsigned low = rest < LOW_BITS ? rest : LOW_BITS;
	encode_tree(c, m->top[n], v >> rest, top);
	for (unsigned i = rest; i-- > low;)
		encode_bit(c, &m->middle[i], v >> i & 1);
	encode_tree(c, m->low, v, low);
}

void range_encode(struct range_encoder *c, struct range_model *m, uint8_t class, uint64_t v)
{
	encode(c, m, class, v);
}

/* The coder's state is copied so that it can stay in registers: nothing else writes to it. */
void range_encode_stream(struct range_encoder *c, struct range_model *m, uint8_t *class,
			 const uint64_t *values, size_t n)
{
	struct range_encoder local = *c;
	for (size_t i = 0; i < n; i++) {
		encode(&local, m, class[i], values[i]);
		class[i] = class_of(values[i]);
	}
	*c = local;
}

void range_encode_byte(struct range_encoder *c, uint8_t byte)
{
	encode_plain(c, byte, 8);
}

void range_encode_end(struct range_encoder *c)
{
	for (unsigned i = 0; i < 5; i++)
		shift_low(c);
}

/* -------------------------------------------------------------------------------- decoder */

static inline void next_byte(struct range_decoder *c)
{
	uint8_t byte = 0;
	if (c->at < c->end)
		byte = *c->at++;
	else
		c->bad = true;
	c->code = c->code << 8 | byte;
}

void range_decode_begin(struct range_decoder *c, const uint8_t *bytes, size_t len)
{
	*c = (struct range_decoder){
		.at = bytes, .end = len ? bytes + len : bytes, .range = UINT32_MAX};
	for (unsigned i = 0; i < 5; i++)
		next_byte(c);
}

/*
 * A probability of at least PROB_MIN leaves a range of 2^12 * PROB_MIN or more: one byte makes that
 * long enough again.
 */
static inline void refill(struct range_decoder *c)
{
	if (c->range < TOP) {
		c->range <<= 8;
		next_byte(c);
	}
}

/* learn() after one branch, not two: half of what can be guessed wrong. */
static inline unsigned decode_bit(struct range_decoder *c, uint16_t *state)
{
	uint32_t p = *state >> 4, n = *state & COUNT_MAX, rate = rates[n];
	uint32_t bound = (c->range >> PROB_BITS) * p;
	unsigned bit;
	n += n < COUNT_MAX;
	if (c->code < bound) {
		c->range = bound;
		p += ((PROB_ONE - p) * rate) >> 16;
		p = p > PROB_ONE - PROB_MIN ? PROB_ONE - PROB_MIN : p;
		bit = 0;
	} else {
		c->code -= bound;
		c->range -= bound;
		p -= (p * rate) >> 16;
		p = p < PROB_MIN ? PROB_MIN : p;
		bit = 1;
	}
	*state = (uint16_t)(p << 4 | n);
	refill(c);
	return bit;
}

static inline uint64_t decode_plain(struct range_decoder *c, unsigned bits)
{
	uint64_t v = 0;
	while (bits--) {
		c->range >>= 1;
		unsigned bit = c->code >= c->range;
		if (bit)
			c->code -= c->range;
		v = v << 1 | bit;
		refill(c);
	}
	return v;
}

static inline uint64_t decode_tree(struct range_decoder *c, uint16_t *tree, unsigned bits)
{
	unsigned node = 1;
	for (unsigned i = 0; i < bits; i++)
		node = node * 2 + decode_bit(c, &tree[node]);
	return node - (1u << bits);
}

static inline uint64_t decode(struct range_decoder *c, struct range_model *m, uint8_t class)
{
	if (!decode_bit(c, &m->zero[class]))
		return 0;
	unsigned n = (unsigned)decode_tree(c, m->length[class], 4);
	if (n == LONG)
		n = (unsigned)decode_tree(c, m->long_length, 6);
	unsigned top = n < TOP_BITS ? n : TOP_BITS;
	unsigned rest = n - top;
	unsigned low = rest < LOW_BITS ? rest : LOW_BITS;
	uint64_t v = UINT64_C(1) << top | decode_tree(c, m->top[n], top);
	for (unsigned i = rest; i-- > low;)
		v = v << 1 | decode_bit(c, &m->middle[i]);
	return v << low | decode_tree(c, m->low, low);
}

uint64_t range_decode(struct range_decoder *c, struct range_model *m, uint8_t class)
{
	return c->bad ? 0 : decode(c, m, class);
}

void range_decode_stream(struct range_decoder *c, struct range_model *m, uint8_t *class,
			 uint64_t *ret_values, size_t n)
{
	struct range_decoder local = *c;
	for (size_t i = 0; i < n; i++) {
		ret_values[i] = decode(&local, m, class[i]);
		class[i] = class_of(ret_values[i]);
	}
	*c = local;
}

uint8_t range_decode_byte(struct range_decoder *c)
{
	return (uint8_t)decode_plain(c, 8);
}
