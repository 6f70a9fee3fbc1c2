/*
 * dump_msg.h - splits one datagram of a netlink dump into its messages. Pure: bytes in, messages
 * out; nothing in the bytes is trusted.
 *
 * Source of the rules: include/uapi/linux/netlink.h (headers are aligned to 4 bytes, a dump ends
 * with NLMSG_DONE whose payload is 0 or a negative errno, NLM_F_DUMP_INTR marks a dump that
 * changed under the reader).
 */
#ifndef SOCKLAPSE_DUMP_MSG_H
#define SOCKLAPSE_DUMP_MSG_H

#include "bytes.h"
#include "err.h"

enum dump_msg_kind {
	DUMP_DATA,    /* payload, len and type are set */
	DUMP_DONE,    /* the dump is over; errnum says how, 0: well */
	DUMP_ERROR,   /* the kernel refused; errnum, 0: a plain acknowledgement */
	DUMP_OVERRUN, /* messages were lost */
	DUMP_FOREIGN, /* of another request */
	DUMP_NOTHING, /* to be ignored, as the kernel's header says */
	DUMP_BAD,     /* its length contradicts the datagram; nothing can follow */
};

struct dump_msg {
	enum dump_msg_kind kind;
	uint16_t type;
	bool interrupted; /* NLM_F_DUMP_INTR */
	int errnum;
	const uint8_t *payload; /* points into the datagram */
	size_t len;
};

/*
 * Takes the next message of the datagram. `seq` is that of the request: other messages are
 * DUMP_FOREIGN. Returns false at the end, which also follows an DUMP_BAD.
 */
bool dump_msg_next(struct span *datagram, uint32_t seq, struct dump_msg *ret) MUST_CHECK
	NONNULL(1, 3);

#endif
