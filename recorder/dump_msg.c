/* dump_msg.c - see dump_msg.h. */
#include "dump_msg.h"

#include <errno.h>
#include <linux/netlink.h>

/* The errno that DONE and ERROR messages begin with: 0, or made positive. EPROTO if it is not. */
static int carried_errnum(const struct span *payload)
{
	int32_t v;
	if (span_left(payload) < sizeof(v))
		return 0;
	memcpy(&v, payload->at, sizeof(v));
	if (v > 0 || v < -4095) /* MAX_ERRNO */
		return EPROTO;
	return -v;
}

static enum dump_msg_kind kind_of(const struct nlmsghdr *h, uint32_t seq)
{
	if (h->nlmsg_type == NLMSG_OVERRUN)
		return DUMP_OVERRUN;
	if (h->nlmsg_type == NLMSG_NOOP)
		return DUMP_NOTHING;
	if (h->nlmsg_seq != seq)
		return DUMP_FOREIGN;
	if (h->nlmsg_type == NLMSG_DONE)
		return DUMP_DONE;
	if (h->nlmsg_type == NLMSG_ERROR)
		return DUMP_ERROR;
	return DUMP_DATA; /* of whatever type: that is for the table's decoder to know */
}

bool dump_msg_next(struct span *datagram, uint32_t seq, struct dump_msg *ret)
{
	if (!span_left(datagram))
		return false;
	*ret = (struct dump_msg){.kind = DUMP_BAD};
	struct nlmsghdr h;
	size_t left = span_left(datagram);
	if (left >= sizeof(h))
		memcpy(&h, datagram->at, sizeof(h));
	if (left < sizeof(h) || h.nlmsg_len < sizeof(h) || h.nlmsg_len > left) {
		datagram->at = datagram->end;
		return true;
	}
	struct span payload = span_of(datagram->at + sizeof(h), h.nlmsg_len - sizeof(h));
	size_t step = NLMSG_ALIGN((size_t)h.nlmsg_len);
	datagram->at += step < left ? step : left;

	ret->kind = kind_of(&h, seq);
	ret->type = h.nlmsg_type;
	ret->interrupted = h.nlmsg_flags & NLM_F_DUMP_INTR;
	ret->payload = payload.at;
	ret->len = span_left(&payload);
	if (ret->kind == DUMP_DONE || ret->kind == DUMP_ERROR)
		ret->errnum = carried_errnum(&payload);
	return true;
}
