/*
 * fuzz_frame.c - frame_apply() on arbitrary parts.
 *
 * The input is a run of frames. A frame is a byte with its number of parts, then for each part: a
 * byte (part number in the low nibble, codec above it), varint raw length, varint length, bytes.
 * seed_frame.c makes good ones. A set that was taken must be readable as a whole.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "frame.h"
#include "fuzz.h"

#define FRAMES_MAX 64
/* Compressed zeros unpack to a thousand times their length: that is slow, not interesting. */
#define RAW_MAX_BYTES (1u << 16)

static bool take_part(struct span *in, struct frame_part parts[PART_COUNT])
{
	uint8_t head = span_u8(in);
	struct frame_part *p = &parts[head & 15];
	p->codec = head >> 4;
	p->raw_bytes = (uint32_t)span_varint_max(in, RAW_MAX_BYTES);
	p->len = (size_t)span_varint_max(in, span_left(in));
	p->bytes = span_take(in, p->len);
	p->there = !in->bad;
	return p->there;
}

static bool take_frame(struct span *in, struct frame_part parts[PART_COUNT])
{
	memset(parts, 0, sizeof(*parts) * PART_COUNT);
	unsigned count = span_u8(in) & 15;
	while (count-- && take_part(in, parts))
		;
	return !in->bad;
}

/* Every value can be asked for; a position leads to a slot that is there. */
static void read_all(const struct sockset *set)
{
	struct sock_row row;
	for (uint32_t at = 0; at < set->rows; at++) {
		if (set->order[at] >= set->slots)
			abort();
		sockset_row(set, at, &row);
		(void)sockset_batch(set, at);
		for (unsigned i = 0; i < columns_count; i += 7)
			(void)sockset_present(set, &columns[i], at);
	}
	for (uint32_t i = 0; i < set->born_count; i++)
		if (set->born[i] >= set->rows)
			abort();
	for (uint32_t i = 0; i < set->turns_count; i++)
		if (sockset_turn(set, set->turns[i].position) != &set->turns[i])
			abort();
	for (uint32_t i = 0; i < set->died_count; i++)
		if (set->died[i] >= set->slots)
			abort();
}

/* One way of reading the frames: by one thread or by two. */
struct reader {
	struct sockset set;
	struct frame_scratch scratch;
	struct err e;
	int rc;
};

static void init_reader(struct reader *r, uint32_t left_out, enum frame_share share)
{
	*r = (struct reader){.scratch.share = share};
	sockset_init(&r->set, GRP_ALL | 1u << PART_CLOCK | (left_out ? 1u << PART_TURN : 0));
}

static void fini_reader(struct reader *r)
{
	sockset_fini(&r->set);
	frame_scratch_fini(&r->scratch);
}

static void read_frame(struct reader *r, const struct frame_part parts[PART_COUNT],
		       uint32_t left_out)
{
	r->e = (struct err){0};
	r->rc = frame_apply(&r->set, parts, &r->scratch, &r->e);
	if (r->rc)
		sockset_clear(&r->set);
	else
		read_all(&r->set);
	r->set.left_out = left_out;
}

/* Values of groups that are left out are nobody's business. */
static void compare(const struct reader *a, const struct reader *b)
{
	struct sock_row x, y;
	if (a->rc != b->rc || strcmp(a->e.text, b->e.text) != 0 || a->set.rows != b->set.rows)
		abort();
	for (uint32_t at = 0; !a->set.left_out && at < a->set.rows; at++) {
		sockset_row(&a->set, at, &x);
		sockset_row(&b->set, at, &y);
		if (memcmp(&x, &y, sizeof(x)) != 0)
			abort();
	}
}

/* `left_out`: groups of which only the turn parts are read, but for the first frame. */
static void apply_all(const uint8_t *bytes, size_t len, uint32_t left_out)
{
	struct span in = span_of(bytes, len);
	struct frame_part parts[PART_COUNT];
	struct reader one, two;
	init_reader(&one, left_out, FRAME_SHARE_NEVER);
	init_reader(&two, left_out, FRAME_SHARE_ALWAYS);
	bool same = true; /* a damaged frame is read as far as it goes: then up to the next key */
	for (int i = 0; i < FRAMES_MAX && span_left(&in) && take_frame(&in, parts); i++) {
		read_frame(&one, parts, left_out);
		read_frame(&two, parts, left_out);
		same |= !one.rc && !two.rc && one.set.is_key && two.set.is_key;
		if (same)
			compare(&one, &two);
		same &= !one.rc;
	}
	fini_reader(&one);
	fini_reader(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	apply_all(bytes, len, 0);
	apply_all(bytes, len, GRP_BIT(queue) | GRP_BIT(evidence));
	return 0;
}
