/* spell_time.c - see spell_time.h. */
#include "spell_time.h"

void moment_fill(const struct moment *m, const struct sockset *set, uint32_t position,
		 uint32_t *batch_at, int64_t *ret_lo_ns, int64_t *ret_hi_ns)
{
	const struct fill_batch *b = sockset_batch_near(set, position, batch_at);
	*ret_lo_ns = m->begin_ns;
	*ret_hi_ns = m->end_ns;
	if (!b)
		return;
	const uint64_t most_us = (uint64_t)MOMENT_RANGE_NS / 1000;
	if (b->lo_us < most_us)
		*ret_lo_ns = m->begin_ns + (int64_t)b->lo_us * 1000;
	if (b->hi_us < most_us && b->hi_us >= b->lo_us)
		*ret_hi_ns = m->begin_ns + (int64_t)b->hi_us * 1000;
	if (*ret_hi_ns < *ret_lo_ns)
		*ret_hi_ns = *ret_lo_ns;
}
