/*
 * spell_row.h - a row as bounds.h wants it, made of columns as they are kept. Only for spell_*.c.
 */
#ifndef SOCKLAPSE_SPELL_ROW_H
#define SOCKLAPSE_SPELL_ROW_H

#include <stdint.h>

#include "sock.h"

/* A tcp_info of so many bytes has every column of group `evidence`: they are not looked at singly.
 */
#define SPELL_ROW_INFO_BYTES 248u

/* Groups in stored form: stamps are absolute. */
struct spell_row {
	const struct row_member *member;
	const struct row_state *state;
	const struct row_queue *queue;
	const struct row_evidence *evidence;
};

/*
 * Fills those groups of *ret as the kernel sent them at the tick `tick_ms`; the others are left as
 * they are. Tick 0: it is not known, or the queue and evidence columns are not: the row then says
 * that there is no timer and no tcp_info.
 */
void spell_row_load(const struct spell_row *from, uint64_t tick_ms, struct sock_row *ret);

#endif
