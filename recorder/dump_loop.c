/* dump_loop.c - see dump_loop.h. */
#include "dump_loop.h"

#include <errno.h>
#include <string.h>

#include "dump_msg.h"
#include "sockset.h"

/* A kernel that says nothing of sense so many times in a row is not listened to any longer. */
#define MAX_SENSELESS 1000

/* Nor one that goes on for ever: twice as many messages as a snapshot can have sockets. */
#define MAX_MESSAGES (2 * SOCKSET_MAX_ROWS)

/* One dump under way. */
struct run {
	const struct dump_io *io;
	const struct dump_sink *sink;
	struct dump_facts *facts;
	uint32_t seq;
	bool over;
};

/* Around a system call in which the kernel fills the datagram after the one in `before`. */
static struct dump_fill fill_begin(const struct run *r, const struct dump_fill *before)
{
	return (struct dump_fill){.begin_ns = r->io->mono_ns(r->io->ctx),
				  .tick_lo_ms = before->tick_hi_ms};
}

static void fill_end(const struct run *r, struct dump_fill *fill)
{
	fill->end_ns = r->io->mono_ns(r->io->ctx);
	fill->tick_hi_ms = r->io->tick_ms(r->io->ctx);
}

static void note_end(struct run *r, int errnum)
{
	r->over = true;
	r->facts->errnum = errnum;
	r->facts->whole = !errnum && !r->facts->malformed && !r->facts->overrun &&
			  !r->facts->foreign;
	r->facts->refused = errnum && !r->facts->messages;
}

static int take_message(struct run *r, const struct dump_msg *m, const struct dump_fill *fill,
			struct err *e)
{
	struct dump_facts *f = r->facts;
	int rc;
	switch (m->kind) {
	case DUMP_DATA:
		f->interrupted |= m->interrupted;
		f->messages++;
		rc = r->sink->message(r->sink->ctx, m->type, m->payload, m->len, fill, e);
		f->malformed += rc > 0;
		return rc < 0 ? rc : 0;
	case DUMP_DONE:
		f->interrupted |= m->interrupted;
		note_end(r, m->errnum);
		f->said_no = f->refused && !f->malformed && !f->overrun;
		return 0;
	case DUMP_ERROR:
		/* An acknowledgement was not asked for: an error without one makes no sense. */
		note_end(r, m->errnum ? m->errnum : EPROTO);
		f->said_no = f->refused && !f->malformed && !f->overrun;
		return 0;
	case DUMP_OVERRUN:
		f->overrun = true;
		return 0;
	case DUMP_BAD:
		f->malformed++;
		return 0;
	case DUMP_FOREIGN:
		f->foreign++;
		return 0;
	case DUMP_NOTHING:
		break;
	}
	return 0;
}

static int take_datagram(struct run *r, const uint8_t *bytes, size_t len,
			 const struct dump_fill *fill, struct err *e)
{
	struct span s = span_of(bytes, len);
	struct dump_msg m;
	uint32_t before = r->facts->messages;
	while (!r->over && dump_msg_next(&s, r->seq, &m)) {
		int rc = take_message(r, &m, fill, e);
		if (rc < 0)
			return rc;
	}
	if (r->facts->messages == before)
		return 0;
	return r->sink->batch_end(r->sink->ctx, fill, e);
}

/*
 * Receives one datagram, filled at `waiting`, and gives its messages away. Then the next one
 * waits, filled meanwhile. <0: an error of the sink.
 */
static int receive(struct run *r, uint8_t *buffer, struct dump_fill *waiting, struct err *e)
{
	struct dump_facts *f = r->facts;
	struct dump_fill next = fill_begin(r, waiting);
	ssize_t n = r->io->receive(r->io->ctx, buffer, DUMP_RECV_BYTES);
	fill_end(r, &next);
	if (n == -EINTR || n == -ENOBUFS) {
		f->overrun |= n == -ENOBUFS;
		return 0;
	}
	if (n < 0) {
		note_end(r, (int)-n);
		return 0;
	}
	f->datagrams++;
	f->bytes += (uint64_t)n;
	if (n > DUMP_RECV_BYTES) {
		f->truncated = true;
		f->malformed++;
		n = DUMP_RECV_BYTES;
	}
	struct dump_fill fill = *waiting;
	*waiting = next;
	return take_datagram(r, buffer, (size_t)n, &fill, e);
}

int dump_run(const struct dump_io *io, uint32_t seq, uint64_t deadline_ns, uint8_t *buffer,
	     const struct dump_sink *sink, struct dump_facts *ret_facts, struct err *e)
{
	*ret_facts = (struct dump_facts){0};
	struct run r = {.io = io, .sink = sink, .facts = ret_facts, .seq = seq};
	struct dump_fill first = {.tick_hi_ms = io->tick_ms(io->ctx)};
	struct dump_fill waiting = fill_begin(&r, &first);
	int errnum = io->send(io->ctx, seq);
	fill_end(&r, &waiting);
	if (errnum)
		note_end(&r, errnum);
	for (unsigned senseless = 0; !r.over;) {
		uint32_t before = ret_facts->messages;
		int rc = receive(&r, buffer, &waiting, e);
		if (rc < 0)
			return rc;
		senseless = ret_facts->messages == before ? senseless + 1 : 0;
		if (r.over)
			break;
		ret_facts->endless = senseless > MAX_SENSELESS ||
				     ret_facts->messages > MAX_MESSAGES;
		ret_facts->cut = deadline_ns && io->mono_ns(io->ctx) >= deadline_ns;
		if (ret_facts->endless || ret_facts->cut)
			break;
	}
	return 0;
}

const char *dump_why(const struct dump_facts *f)
{
	const struct {
		bool is;
		const char *why;
	} whys[] = {
		{f->errnum == EAGAIN, "the kernel stopped answering"},
		{f->errnum != 0, strerror(f->errnum)},
		{f->cut, "cut off by the deadline"},
		{f->endless, "left: it had no end"},
		{f->overrun, "the kernel lost messages"},
		{f->truncated, "messages larger than any of this kind"},
		{f->malformed > 0, "malformed messages"},
		{f->foreign > 0, "messages of another request"},
		{!f->whole, "ended early"},
	};
	for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++)
		if (whys[i].is)
			return whys[i].why;
	return NULL;
}
