/*
 * bounds_facts.c - what a row tells beyond time: EVIDENCE section 1, "other facts".
 */
#include <stddef.h>

#include "bounds_rules.h"

#define UNKNOWN (-1)

static bool is_tcp_in(const struct sock_row *row, uint32_t states)
{
	return row->member.proto == PROTO_TCP && row->state.state < STATE_COUNT &&
	       (states & (1u << row->state.state));
}

#define IN(state) (1u << STATE_##state)

/*
 * bytes_acked counts the SYN of the one who opened the connection, and not the SYN-ACK of the
 * other. What is above the payload that was acknowledged is therefore 1 or 0.
 */
int bounds_is_active_opener(const struct sock_row *row)
{
	if (is_tcp_in(row, IN(SYN_SENT)))
		return 1;
	if (is_tcp_in(row, IN(SYN_RECV) | IN(NEW_SYN_RECV)) && !(row->state.has & HAS_INFO))
		return 0;
	if (!is_tcp_in(row, IN(ESTAB) | IN(CLOSE_WAIT)) ||
	    !bounds_row_sent(row, COL_ID_bytes_acked))
		return UNKNOWN;
	uint64_t sent_bytes = 0, waiting_bytes = 0;
	if (!bounds_row_sent(row, COL_ID_data_segs_out))
		return UNKNOWN;
	if (row->evidence.data_segs_out) {
		if (!bounds_row_sent(row, COL_ID_bytes_retrans) ||
		    !bounds_row_sent(row, COL_ID_bytes_sent))
			return UNKNOWN;
		sent_bytes = row->info.bytes_sent - row->info.bytes_retrans;
		waiting_bytes = (uint64_t)row->queue.sendq - row->info.notsent_bytes;
	}
	uint64_t extra = row->info.bytes_acked - (sent_bytes - waiting_bytes);
	return extra <= 1 ? (int)extra : UNKNOWN;
}

/* A FIN counts as one byte of the receive queue until the application has read up to it. */
int bounds_is_eof_unread(const struct sock_row *row)
{
	if (!is_tcp_in(row, IN(CLOSE_WAIT)))
		return UNKNOWN;
	return row->queue.recvq > 0;
}

int bounds_is_unaccepted(const struct sock_row *row)
{
	if (!is_tcp_in(row, IN(ESTAB) | IN(CLOSE_WAIT)))
		return UNKNOWN;
	return row->state.inode == 0;
}

int bounds_is_orphan(const struct sock_row *row)
{
	if (!is_tcp_in(row, IN(FIN_WAIT_1) | IN(FIN_WAIT_2) | IN(CLOSING) | IN(LAST_ACK)))
		return UNKNOWN;
	return row->state.inode == 0;
}
