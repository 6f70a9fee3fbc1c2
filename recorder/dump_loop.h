/*
 * dump_loop.h - receives the answer to one netlink dump request, datagram by datagram, and notes
 * for each when the kernel filled it. The socket, the clock and the kernel's tick are handed in,
 * so that a test can play any kernel.
 *
 * When rows are filled (EVIDENCE section 0): the kernel fills the first datagram inside the send,
 * and datagram k inside receive call k-1, after it has handed out the one before. So the span of
 * that earlier system call brackets the moment at which a row was true.
 */
#ifndef SOCKLAPSE_DUMP_LOOP_H
#define SOCKLAPSE_DUMP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bytes.h"
#include "err.h"

/*
 * No datagram of a dump is larger: the kernel makes them as large as the receive buffer, but at
 * most this (netlink_recvmsg(), max_recvmsg_len). A larger buffer gains nothing.
 */
#define DUMP_RECV_BYTES 32768

/* The machine, as a dump sees it. `ctx` is handed to each call. */
struct dump_io {
	void *ctx;
	/* Sends the request with this sequence number. 0 or an errno. */
	int (*send)(void *ctx, uint32_t seq);
	/*
	 * One datagram; its full length even if that is more than `size`. -errno on failure;
	 * -EINTR: nothing came, the loop asks again.
	 */
	ssize_t (*receive)(void *ctx, void *bytes, size_t size);
	/* CLOCK_MONOTONIC. */
	uint64_t (*mono_ns)(void *ctx);
	/* The kernel's millisecond tick (tick.h): never 0, never descending. */
	uint64_t (*tick_ms)(void *ctx);
};

/* When the rows of one datagram were filled. */
struct dump_fill {
	uint64_t begin_ns, end_ns; /* CLOCK_MONOTONIC */
	uint64_t tick_lo_ms, tick_hi_ms;
};

/* What is to be known about a dump afterwards; a dump that is not whole is a fact, not a failure.
 */
struct dump_facts {
	uint32_t datagrams;
	uint32_t messages;
	uint64_t bytes;
	uint32_t malformed; /* datagrams or messages that made no sense */
	uint32_t foreign;   /* messages that answer another request */
	int errnum;	    /* the kernel's answer, or of the failed system call; 0: fine */
	bool refused;	    /* errnum came before any message: the kernel cannot do this dump */
	bool said_no;	    /* refused by a message of the kernel's */
	bool interrupted;   /* the kernel says that the tables changed under the dump */
	bool overrun;	    /* the kernel lost messages */
	bool truncated;	    /* a datagram was larger than the buffer */
	bool cut;	    /* the deadline came first */
	bool endless;	    /* it was left: too many messages, or too much without sense */
	bool whole;	    /* the dump ended with NLMSG_DONE and without an error */
};

struct dump_sink {
	void *ctx;
	/*
	 * One message (without its header) of type `type`. 1: it is malformed; <0 ends the dump
	 * and is passed on.
	 */
	int (*message)(void *ctx, uint16_t type, const uint8_t *payload, size_t len,
		       const struct dump_fill *fill, struct err *e);
	/* All messages of a datagram have been given. */
	int (*batch_end)(void *ctx, const struct dump_fill *fill, struct err *e);
};

/*
 * Runs one dump. `deadline_ns` is on CLOCK_MONOTONIC, 0: none; `buffer` has DUMP_RECV_BYTES.
 * Returns 0 whatever the kernel did (*ret_facts says what), or the error of a sink's function.
 * Unless facts->whole, the socket may still hold datagrams and must be closed.
 */
int dump_run(const struct dump_io *io, uint32_t seq, uint64_t deadline_ns, uint8_t *buffer,
	     const struct dump_sink *sink, struct dump_facts *ret_facts, struct err *e) MUST_CHECK
	NONNULL(1, 4, 5, 6);

/* Why a dump is not whole, in words; NULL if it is. */
const char *dump_why(const struct dump_facts *facts) NONNULL(1);

#endif
