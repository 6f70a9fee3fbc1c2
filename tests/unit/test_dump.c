/* test_dump.c - splitting of datagrams, and the dump loop against a kernel played by the test. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "clocks.h"
#include "dump_loop.h"
#include "dump_msg.h"
#include "tick.h"

#define SEQ 7

/* Appends a message to a datagram under construction. */
static size_t put_msg(uint8_t *at, uint16_t type, uint16_t flags, uint32_t seq, const void *payload,
		      size_t len)
{
	struct nlmsghdr h = {.nlmsg_len = (uint32_t)(sizeof(h) + len),
			     .nlmsg_type = type,
			     .nlmsg_flags = flags,
			     .nlmsg_seq = seq};
	memset(at, 0, NLMSG_ALIGN(sizeof(h) + len));
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), payload, len);
	return NLMSG_ALIGN(sizeof(h) + len);
}

static size_t put_done(uint8_t *at, int32_t errnum)
{
	return put_msg(at, NLMSG_DONE, NLM_F_MULTI, SEQ, &errnum, sizeof(errnum));
}

Test(dump_msg, kinds)
{
	uint8_t bytes[512];
	int32_t refused = -ENOENT, nonsense = 5;
	size_t n = put_msg(bytes, 20, NLM_F_DUMP_INTR, SEQ, "abcde", 5);
	n += put_msg(bytes + n, 20, 0, SEQ + 1, "x", 1);
	n += put_msg(bytes + n, NLMSG_NOOP, 0, SEQ, "x", 1);
	n += put_msg(bytes + n, NLMSG_OVERRUN, 0, SEQ, "x", 1);
	n += put_msg(bytes + n, NLMSG_ERROR, 0, SEQ, &refused, 4);
	n += put_msg(bytes + n, NLMSG_ERROR, 0, SEQ, &nonsense, 4);
	n += put_done(bytes + n, 0);
	static const struct {
		enum dump_msg_kind kind;
		int errnum;
	} want[] = {{DUMP_DATA, 0},    {DUMP_FOREIGN, 0},    {DUMP_NOTHING, 0},
		    {DUMP_OVERRUN, 0}, {DUMP_ERROR, ENOENT}, {DUMP_ERROR, EPROTO},
		    {DUMP_DONE, 0}};
	struct span s = span_of(bytes, n);
	struct dump_msg m;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		cr_assert(dump_msg_next(&s, SEQ, &m));
		cr_assert_eq(m.kind, want[i].kind, "%zu", i);
		cr_assert_eq(m.errnum, want[i].errnum, "%zu", i);
		if (i == 0)
			cr_assert(m.interrupted && m.len == 5 && !memcmp(m.payload, "abcde", 5));
	}
	cr_assert_not(dump_msg_next(&s, SEQ, &m));
}

Test(dump_msg, any_length_in_any_header)
{
	uint8_t bytes[128];
	for (size_t size = 0; size <= sizeof(bytes); size++)
		for (uint32_t len = 0; len < 200; len++) {
			uint8_t *exact = malloc(size ? size : 1);
			memset(bytes, 0, sizeof(bytes));
			put_msg(bytes, 20, 0, SEQ, "", 0);
			memcpy(bytes, &len, sizeof(len));
			memcpy(exact, bytes, size);
			struct span s = span_of(exact, size);
			struct dump_msg m;
			unsigned n = 0;
			while (dump_msg_next(&s, SEQ, &m)) {
				if (n++ == 0)
					cr_assert_eq(m.kind == DUMP_BAD,
						     size < 16 || len < 16 || len > size);
				if (m.kind != DUMP_BAD)
					cr_assert(m.payload + m.len <= exact + size);
			}
			free(exact);
		}
}

/* A kernel played by the test: a list of answers to receive(), and a clock that always advances. */
struct answer {
	ssize_t n;     /* bytes[], or -errno */
	ssize_t claim; /* what receive() returns, if not n */
	uint8_t bytes[256];
};

struct play {
	struct answer answers[8];
	unsigned next;
	bool endless; /* the last answer again and again */
	uint64_t now_ns;
	uint64_t tick_ms;
	int send_errnum;
	/* What the sink saw. */
	unsigned messages, batches;
	struct dump_fill fills[8];
	int sink_fails; /* what the sink returns */
};

static int play_send(void *ctx, uint32_t seq)
{
	struct play *p = ctx;
	cr_assert_eq(seq, SEQ);
	p->now_ns += 1000;
	return p->send_errnum;
}

static ssize_t play_receive(void *ctx, void *bytes, size_t size)
{
	struct play *p = ctx;
	struct answer *a = &p->answers[p->next];
	if (!p->endless || p->next + 1 < 8)
		p->next++;
	cr_assert_leq(p->next, 8);
	p->now_ns += 1000;
	p->tick_ms += 4;
	if (a->n > 0)
		memcpy(bytes, a->bytes, (size_t)a->n < size ? (size_t)a->n : size);
	return a->claim ? a->claim : a->n;
}

static uint64_t play_mono(void *ctx)
{
	struct play *p = ctx;
	return p->now_ns += 10;
}

static uint64_t play_tick(void *ctx)
{
	return ((struct play *)ctx)->tick_ms;
}

static int play_message(void *ctx, uint16_t type, const uint8_t *payload, size_t len,
			const struct dump_fill *fill, struct err *e)
{
	struct play *p = ctx;
	(void)payload, (void)len, (void)fill;
	cr_assert_eq(type, 20);
	p->messages++;
	return p->sink_fails < 0 ? err_set(e, ERR_NOMEM, "the sink is full") : p->sink_fails;
}

static int play_batch(void *ctx, const struct dump_fill *fill, struct err *e)
{
	struct play *p = ctx;
	(void)e;
	p->fills[p->batches++ % 8] = *fill;
	return 0;
}

static int run(struct play *p, uint64_t deadline_ns, struct dump_facts *facts)
{
	static uint8_t buffer[DUMP_RECV_BYTES];
	struct dump_io io = {p, play_send, play_receive, play_mono, play_tick};
	struct dump_sink sink = {p, play_message, play_batch};
	p->tick_ms += 1000;
	return dump_run(&io, SEQ, deadline_ns, buffer, &sink, facts, NULL);
}

static void answer_rows(struct answer *a, unsigned rows)
{
	for (unsigned i = 0; i < rows; i++)
		a->n += (ssize_t)put_msg(a->bytes + a->n, 20, NLM_F_MULTI, SEQ, "row", 3);
}

static void answer_done(struct answer *a, int32_t errnum)
{
	a->n += (ssize_t)put_done(a->bytes + a->n, errnum);
}

Test(dump_loop, rows_were_filled_in_the_call_before)
{
	struct play p = {0};
	struct dump_facts f;
	answer_rows(&p.answers[0], 2);
	answer_rows(&p.answers[1], 3);
	p.answers[2].n = -EINTR; /* changes nothing about what waits */
	answer_rows(&p.answers[3], 1);
	answer_done(&p.answers[4], 0);
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert(f.whole && !f.errnum && !f.cut && !f.interrupted);
	cr_assert_eq(f.messages, 6);
	cr_assert_eq(f.datagrams, 4);
	cr_assert_eq(p.batches, 3);
	/* send() from 10 to 1020, the receives after it. */
	static const struct dump_fill want[] = {
		{10, 1020, 1000, 1000},
		{1030, 2040, 1000, 1004},
		{2050, 3060, 1004, 1008},
	};
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(p.fills[i].begin_ns, want[i].begin_ns, "%u", i);
		cr_assert_eq(p.fills[i].end_ns, want[i].end_ns, "%u", i);
		cr_assert_eq(p.fills[i].tick_lo_ms, want[i].tick_lo_ms, "%u", i);
		cr_assert_eq(p.fills[i].tick_hi_ms, want[i].tick_hi_ms, "%u", i);
	}
}

Test(dump_loop, a_kernel_that_refuses)
{
	struct play p = {0};
	struct dump_facts f;
	int32_t refused = -ENOENT;
	p.answers[0].n = (ssize_t)put_msg(p.answers[0].bytes, NLMSG_ERROR, 0, SEQ, &refused,
					  sizeof(refused));
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert(f.refused && !f.whole);
	cr_assert_eq(f.errnum, ENOENT);

	p = (struct play){.send_errnum = EIO};
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert(f.refused && f.errnum == EIO);
	cr_assert_eq(p.next, 0, "nothing is received after a failed send");
}

Test(dump_loop, what_goes_wrong_in_the_middle_is_a_fact)
{
	static const struct {
		ssize_t n;
		int errnum;
		bool overrun, whole;
	} cases[] = {
		{-ENOBUFS, 0, true, false}, /* the dump goes on */
		{-EAGAIN, EAGAIN, false, false},
		{-ENOMEM, ENOMEM, false, false},
		{0, 0, false, true}, /* an empty datagram is nothing */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct play p = {0};
		struct dump_facts f;
		answer_rows(&p.answers[0], 2);
		p.answers[1].n = cases[i].n;
		answer_done(&p.answers[2], 0);
		cr_assert_eq(run(&p, 0, &f), 0);
		cr_assert_eq(f.messages, 2, "%zu", i);
		cr_assert_eq(f.errnum, cases[i].errnum, "%zu", i);
		cr_assert_eq(f.overrun, cases[i].overrun, "%zu", i);
		cr_assert_eq(f.whole, cases[i].whole, "%zu", i);
		cr_assert_not(f.refused);
	}
}

Test(dump_loop, an_oversized_datagram_gives_what_fits)
{
	struct play p = {0};
	struct dump_facts f;
	answer_rows(&p.answers[0], 2);
	p.answers[0].claim = DUMP_RECV_BYTES + 1;
	answer_done(&p.answers[1], 0);
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert_eq(f.messages, 2);
	cr_assert(f.truncated && !f.whole);
	cr_assert_geq(f.malformed, 1);
}

Test(dump_loop, an_interrupted_dump_and_a_late_error)
{
	struct play p = {0};
	struct dump_facts f;
	p.answers[0].n = (ssize_t)put_msg(p.answers[0].bytes, 20, NLM_F_MULTI | NLM_F_DUMP_INTR,
					  SEQ, "row", 3);
	answer_done(&p.answers[1], -EMSGSIZE);
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert(f.interrupted && !f.whole && !f.refused);
	cr_assert_eq(f.errnum, EMSGSIZE);
}

Test(dump_loop, a_malformed_message_costs_only_what_follows_in_its_datagram)
{
	struct play p = {0};
	struct dump_facts f;
	answer_rows(&p.answers[0], 3);
	p.answers[0].bytes[20] = 3; /* the length of the second */
	answer_rows(&p.answers[1], 1);
	answer_done(&p.answers[2], 0);
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert_eq(f.messages, 2);
	cr_assert_eq(f.malformed, 1);
	cr_assert_not(f.whole);
}

Test(dump_loop, the_deadline_cuts)
{
	struct play p = {.endless = true};
	struct dump_facts f;
	for (unsigned i = 0; i < 8; i++)
		answer_rows(&p.answers[i], 1);
	cr_assert_eq(run(&p, 20000, &f), 0);
	cr_assert(f.cut && !f.whole && !f.errnum);
	cr_assert(f.messages > 10 && f.messages < 20);
}

Test(dump_loop, a_kernel_that_only_rambles_is_left)
{
	struct play p = {.endless = true};
	struct dump_facts f;
	for (unsigned i = 0; i < 8; i++)
		p.answers[i].n = -ENOBUFS;
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert(f.endless && f.overrun && !f.whole && !f.cut);
	cr_assert_str_eq(dump_why(&f), "left: it had no end");
}

Test(dump_loop, a_dump_without_end_is_left)
{
	struct play p = {.endless = true};
	struct dump_facts f;
	for (unsigned i = 0; i < 8; i++)
		answer_rows(&p.answers[i], 12);
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert(f.endless && !f.whole && !f.cut && !f.errnum);
	cr_assert_gt(f.messages, 1u << 23);
	cr_assert_lt(f.messages, (1u << 23) + 100);
}

Test(dump_loop, messages_of_another_request_are_told)
{
	struct play p = {0};
	struct dump_facts f;
	answer_rows(&p.answers[0], 2);
	p.answers[0].n += (ssize_t)put_msg(p.answers[0].bytes + p.answers[0].n, 20, 0, SEQ - 1,
					   "row", 3);
	answer_done(&p.answers[1], 0);
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert_eq(f.messages, 2);
	cr_assert(f.foreign == 1 && !f.whole);
	cr_assert_str_eq(dump_why(&f), "messages of another request");
}

Test(dump_loop, what_the_sink_cannot_read_is_told)
{
	struct play p = {.sink_fails = 1};
	struct dump_facts f;
	answer_rows(&p.answers[0], 2);
	answer_done(&p.answers[1], 0);
	cr_assert_eq(run(&p, 0, &f), 0);
	cr_assert(f.messages == 2 && f.malformed == 2 && !f.whole);
	cr_assert_str_eq(dump_why(&f), "malformed messages");
}

Test(dump_loop, an_error_of_the_sink_ends_it)
{
	struct play p = {.sink_fails = -1};
	struct dump_facts f;
	answer_rows(&p.answers[0], 3);
	cr_assert_eq(run(&p, 0, &f), ERR_NOMEM);
	cr_assert_eq(p.messages, 1);
}

Test(tick, extends_beyond_32_bits_and_never_descends)
{
	const uint64_t turn = UINT64_C(1) << 32;
	cr_assert_eq(tick_extend(turn + 5, 5), turn + 5);
	cr_assert_eq(tick_extend(turn + 5, 9), turn + 9);
	cr_assert_eq(tick_extend(turn + 9, 5), turn + 9);
	cr_assert_eq(tick_extend(2 * turn - 4, 3), 2 * turn + 3);
	cr_assert_eq(tick_extend(2 * turn + 3, 0xfffffffc), 2 * turn + 3);
}

Test(tick, base_is_the_latest_of_its_readings)
{
	const uint64_t turn_us = (UINT64_C(1) << 32) * 1000;
	cr_assert_eq(tick_base(0, 7000000999, 6500), 500000);
	cr_assert_eq(tick_base(500000, 7004000000, 6504), 500000);
	cr_assert_eq(tick_base(500000, 7004900000, 6504), 500900);
	cr_assert_eq(tick_base(500000, 7004000000, 6508), 500000,
		     "a tick between the two readings");
	cr_assert_eq(tick_base(0, 1000000000, 2000), turn_us - 1000000);
	cr_assert_eq(tick_base(turn_us - 5, 2000004000, 2000), 4, "later, round the circle");
	cr_assert_eq(tick_base(4, 1999999000, 2000), 4);
}

Test(tick, reads_the_kernels_clock)
{
	struct tick t;
	cr_assert_eq(tick_open(&t, NULL), 0);
	uint64_t a = tick_read_ms(&t), b = a;
	cr_assert_geq(a, UINT64_C(1) << 32);
	for (unsigned i = 0; i < 100000000 && b == a; i++)
		b = tick_read_ms(&t);
	cr_assert_gt(b, a);
	cr_assert_lt(b - a, 10000);
	cr_assert_neq(t.base_us, 0);
	/* What the tick counts is over: it is not ahead of the clock. */
	const uint64_t turn_us = (UINT64_C(1) << 32) * 1000;
	uint64_t tick_us = (t.base_us + b * 1000) % turn_us;
	uint64_t now_us = (clocks_mono_ns() / 1000 + 10000) % turn_us;
	cr_assert_lt((now_us + turn_us - tick_us) % turn_us, 10000000);
	tick_begin(&t);
	cr_assert_eq(t.base_us, 0);
	tick_close(&t);
}
