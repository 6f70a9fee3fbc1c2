/* spell_time.c - see spell_time.h. */
#include "spell_time.h"

#define RANGE_NS      (INT64_C(1) << 60)
#define WALL_RANGE_NS (INT64_C(1) << 62)

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	if (v < lo)
		return lo;
	return v > hi ? hi : v;
}

struct moment moment_of(const struct rec_snapshot *s)
{
	struct moment m;
	m.begin_ns = clamp(s->boot_begin_ns, 0, RANGE_NS);
	m.end_ns = clamp(s->boot_end_ns, m.begin_ns, RANGE_NS);
	m.wall_ns = clamp(s->wall_begin_ns, 0, WALL_RANGE_NS);
	m.offset_ns = m.wall_ns - m.begin_ns;
	m.asleep_ns = m.begin_ns - clamp(s->mono_begin_ns, 0, m.begin_ns);
	return m;
}

void moment_fill(const struct moment *m, const struct sockset *set, uint32_t position,
		 int64_t *ret_lo_ns, int64_t *ret_hi_ns)
{
	const struct fill_batch *b = sockset_batch(set, position);
	*ret_lo_ns = m->begin_ns;
	*ret_hi_ns = m->end_ns;
	if (!b)
		return;
	const uint64_t most_us = (uint64_t)RANGE_NS / 1000;
	if (b->lo_us < most_us)
		*ret_lo_ns = m->begin_ns + (int64_t)b->lo_us * 1000;
	if (b->hi_us < most_us && b->hi_us >= b->lo_us)
		*ret_hi_ns = m->begin_ns + (int64_t)b->hi_us * 1000;
	if (*ret_hi_ns < *ret_lo_ns)
		*ret_hi_ns = *ret_lo_ns;
}
