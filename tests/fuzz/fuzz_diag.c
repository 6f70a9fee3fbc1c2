/*
 * fuzz_diag.c - the way of a netlink datagram: split into messages, each decoded as an inet_diag
 * reply. Whatever comes out must be consistent.
 */
#include <stdlib.h>

#include "diag_inet.h"
#include "dump_msg.h"
#include "fuzz.h"

static void check(const struct diag_inet *d)
{
	const struct row_state *s = &d->row.state;
	if (d->row.member.family != 2 && d->row.member.family != 10)
		abort();
	if (!(s->has & HAS_INFO) && s->info_bytes)
		abort();
	if (!(s->has & HAS_EXTRA) != !d->extra.len)
		abort();
	/* Every byte of what was not understood is there to be read. */
	unsigned sum = 0;
	for (size_t i = 0; i < d->extra.len; i++)
		sum += d->extra.bytes[i];
	for (size_t i = 0; s->has & HAS_CONG && i < d->cong_len; i++)
		sum += (unsigned char)d->cong[i];
	if (sum == ~0u)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span datagram = span_of(bytes, len);
	struct diag_inet d = {0};
	struct dump_msg m;
	struct err e;
	while (dump_msg_next(&datagram, 1, &m)) {
		if (m.kind != DUMP_DATA)
			continue;
		if (diag_inet_decode(m.payload, m.len, PROTO_TCP, &d, &e) == 0)
			check(&d);
		if (diag_inet_decode(m.payload, m.len, PROTO_UDP, &d, &e) == 0)
			check(&d);
	}
	diag_inet_fini(&d);
	return 0;
}
