/* diag_attr.c - see diag_attr.h. */
#include "diag_attr.h"

#include <linux/netlink.h>
#include <string.h>

void diag_put_extra(struct diag_inet *d, unsigned type, const uint8_t *at, size_t len)
{
	uint8_t head[6] = {
		(uint8_t)type,	     (uint8_t)(type >> 8), (uint8_t)len,
		(uint8_t)(len >> 8), (uint8_t)(len >> 16), (uint8_t)(len >> 24),
	};
	buf_put(&d->extra, head, sizeof(head));
	buf_put(&d->extra, at, len);
	d->row.state.has |= HAS_EXTRA;
}

static void take_attr(struct diag_inet *d, const struct attr *a, const attr_handler *handlers,
		      size_t handlers_count)
{
	size_t taken = 0;
	bool known = a->type < handlers_count && handlers[a->type];
	if (known)
		taken = handlers[a->type](d, a);
	if (taken < a->len || !known)
		diag_put_extra(d, a->type, a->at + taken, a->len - taken);
}

/* Attributes are (u16 length with these 4 bytes, u16 type), padded to 4. */
void diag_take_attrs(struct diag_inet *d, struct span s, const attr_handler *handlers,
		     size_t handlers_count)
{
	while (span_left(&s)) {
		struct nlattr h;
		const uint8_t *p = span_take(&s, sizeof(h));
		if (p)
			memcpy(&h, p, sizeof(h));
		if (!p || h.nla_len < sizeof(h) || h.nla_len - sizeof(h) > span_left(&s)) {
			d->malformed = true;
			return;
		}
		struct attr a = {.type = h.nla_type & NLA_TYPE_MASK, .len = h.nla_len - sizeof(h)};
		a.at = span_take(&s, a.len);
		take_attr(d, &a, handlers, handlers_count);
		size_t pad = NLA_ALIGN(a.len) - a.len;
		span_take(&s, pad < span_left(&s) ? pad : span_left(&s));
	}
}

size_t diag_take_fixed(struct diag_inet *d, const struct attr *a, void *field, size_t bytes,
		       uint64_t has)
{
	if (a->len != bytes)
		return 0;
	memcpy(field, a->at, bytes);
	d->row.state.has |= has;
	return bytes;
}

void diag_clear(struct diag_inet *d, unsigned family)
{
	/* Padding takes part in comparisons, so that all of the row is cleared. */
	memset(&d->row, 0, sizeof(d->row));
	buf_clear(&d->extra);
	buf_clear(&d->icons);
	d->cong_len = d->path_len = d->groups_len = 0;
	d->malformed = false;
	d->row.member.family = (uint8_t)family;
}

int diag_begin(struct diag_inet *d, const uint8_t *payload, size_t len, unsigned family,
	       void *ret_head, size_t head_bytes, struct span *ret_rest, struct err *e)
{
	struct span s = span_of(payload, len);
	const uint8_t *head = span_take(&s, head_bytes);
	if (!head)
		return err_set(e, ERR_KERNEL, "sock_diag: a message of %zu bytes", len);
	if (head[0] != family)
		return err_set(e, ERR_KERNEL, "sock_diag: a socket of family %u", head[0]);
	memcpy(ret_head, head, head_bytes);
	diag_clear(d, family);
	*ret_rest = s;
	return 0;
}
