/* spell_row.c - see spell_row.h. Every spell passes here: whole groups are copied where that does.
 */
#include "spell_row.h"

#include <string.h>

#include "columns.h"
#include "sockset.h"

/* Absent columns read as 0, whatever is kept in their place. */
static void clear_absent(struct sock_row *row, unsigned group)
{
	const struct column_group *g = &column_groups[group];
	for (unsigned i = g->first; i < (unsigned)g->first + g->count; i++)
		if (!column_present(&columns[i], row->state.has, row->state.info_bytes))
			memset((uint8_t *)row + g->row_offset + columns[i].offset, 0,
			       columns[i].width);
}

static uint32_t ago_ms(uint32_t stamp, uint64_t tick_ms)
{
	return (uint32_t)stamp_load(ENC_STAMP, stamp, tick_ms);
}

static void load_evidence(const struct row_evidence *from, uint64_t tick_ms, struct sock_row *ret)
{
	struct row_evidence *to = &ret->evidence;
	if (!(ret->state.has & HAS_INFO)) {
		memset(to, 0, sizeof(*to));
		return;
	}
	*to = *from;
	to->last_data_sent_ms = ago_ms(from->last_data_sent_ms, tick_ms);
	to->last_data_recv_ms = ago_ms(from->last_data_recv_ms, tick_ms);
	to->last_ack_recv_ms = ago_ms(from->last_ack_recv_ms, tick_ms);
	if (ret->state.info_bytes < SPELL_ROW_INFO_BYTES)
		clear_absent(ret, GRP_ID_evidence);
}

void spell_row_load(const struct spell_row *from, uint64_t tick_ms, struct sock_row *ret)
{
	ret->member = *from->member;
	ret->state = *from->state;
	ret->queue = *from->queue;
	ret->queue.timer_ms = stamp_load(ENC_EXPIRY, from->queue->timer_ms, tick_ms);
	if (!(ret->state.has & HAS_SHUTDOWN))
		ret->queue.shutdown = 0;
	if (!tick_ms) {
		ret->state.has &= ~(uint64_t)HAS_INFO;
		ret->queue.timer = TIMER_OFF;
		ret->queue.timer_ms = 0;
	}
	load_evidence(from->evidence, tick_ms, ret);
}
