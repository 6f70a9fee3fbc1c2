/*
 * nl_dump.h - one NETLINK_SOCK_DIAG socket and the dump requests sent over it. The only module
 * that knows libnl (whose headers do not go together with <linux/tcp.h>).
 */
#ifndef SOCKLAPSE_NL_DUMP_H
#define SOCKLAPSE_NL_DUMP_H

#include "dump_loop.h"
#include "tick.h"

/* A dump request: a netlink message of this type with this payload. The bytes stay the caller's. */
struct nl_request {
	uint16_t type;
	const void *payload;
	size_t len;
};

struct nl_dump;

/*
 * Opens the socket in the calling thread's network namespace. Drop CAP_NET_ADMIN first (caps.h):
 * over the same socket a socket of the host could be destroyed.
 */
int nl_dump_open(struct nl_dump **ret, struct err *e) MUST_CHECK;
void nl_dump_close(struct nl_dump *d);

/* The socket, for what can be asked of any in its network namespace; -1 if there is none. */
int nl_dump_fd(const struct nl_dump *d);

/* The socket's netlink port id; 0 if there is none. */
uint32_t nl_dump_port(const struct nl_dump *d);

/*
 * Sends the request and gives what comes to `sink`; see dump_run() for facts and errors. A dump
 * that did not end well leaves a new socket behind, so that the next one can be run.
 */
int nl_dump_run(struct nl_dump *d, const struct nl_request *request, struct tick *tick,
		uint64_t deadline_ns, const struct dump_sink *sink, struct dump_facts *ret_facts,
		struct err *e) MUST_CHECK;

#endif
