/*
 * nl_dump.c - see nl_dump.h. libnl makes the socket and the request; datagrams are received by
 * hand into one buffer, because each is wanted raw, without an allocation, and with its times.
 */
#include "nl_dump.h"

#include <errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "clocks.h"

/* The kernel answers a dump at once. Silence for so long means that it never will. */
#define RECEIVE_TIMEOUT_S 5

struct nl_dump {
	struct nl_sock *socket;
	const struct nl_request *request;
	struct tick *tick;
	uint32_t seq;
	uint8_t buffer[DUMP_RECV_BYTES];
};

static int nl_error(struct err *e, int rc)
{
	return err_set(e, ERR_KERNEL, "netlink: %s", nl_geterror(rc));
}

static int connect_socket(struct nl_dump *d, struct err *e)
{
	d->socket = nl_socket_alloc();
	if (!d->socket)
		return err_set(e, ERR_NOMEM, "netlink: out of memory");
	int rc = nl_connect(d->socket, NETLINK_SOCK_DIAG);
	if (rc < 0)
		return nl_error(e, rc);
	struct timeval wait = {.tv_sec = RECEIVE_TIMEOUT_S};
	if (setsockopt(nl_socket_get_fd(d->socket), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return err_errno(e, errno, "netlink: SO_RCVTIMEO");
	return 0;
}

int nl_dump_open(struct nl_dump **ret, struct err *e)
{
	struct nl_dump *d = calloc(1, sizeof(*d));
	if (!d)
		return err_set(e, ERR_NOMEM, "netlink: out of memory");
	int rc = connect_socket(d, e);
	if (rc < 0) {
		nl_dump_close(d);
		return rc;
	}
	*ret = d;
	return 0;
}

void nl_dump_close(struct nl_dump *d)
{
	if (!d)
		return;
	nl_socket_free(d->socket);
	free(d);
}

static int io_send(void *ctx, uint32_t seq)
{
	struct nl_dump *d = ctx;
	struct nl_msg *msg = nlmsg_alloc_simple(d->request->type, NLM_F_REQUEST | NLM_F_DUMP);
	if (!msg)
		return ENOMEM;
	union {
		const void *in;
		void *out;
	} payload = {.in = d->request->payload};
	int rc = nlmsg_append(msg, payload.out, d->request->len, NLMSG_ALIGNTO);
	if (!rc) {
		nlmsg_hdr(msg)->nlmsg_seq = seq;
		nlmsg_hdr(msg)->nlmsg_pid = nl_socket_get_local_port(d->socket);
		rc = nl_send(d->socket, msg);
	}
	nlmsg_free(msg);
	return rc < 0 ? EIO : 0;
}

static ssize_t io_receive(void *ctx, void *bytes, size_t size)
{
	struct nl_dump *d = ctx;
	struct sockaddr_nl from;
	struct iovec v = {.iov_base = bytes, .iov_len = size};
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1};
	ssize_t n = recvmsg(nl_socket_get_fd(d->socket), &m, MSG_TRUNC);
	if (n < 0)
		return -errno;
	/* Other processes may send to a netlink socket; only the kernel has port 0. */
	return m.msg_namelen == sizeof(from) && from.nl_pid == 0 ? n : -EINTR;
}

static uint64_t io_mono_ns(void *ctx)
{
	(void)ctx;
	return clocks_mono_ns();
}

static uint64_t io_tick_ms(void *ctx)
{
	struct nl_dump *d = ctx;
	return tick_read_ms(d->tick);
}

int nl_dump_fd(const struct nl_dump *d)
{
	return d->socket ? nl_socket_get_fd(d->socket) : -1;
}

uint32_t nl_dump_port(const struct nl_dump *d)
{
	return d->socket ? nl_socket_get_local_port(d->socket) : 0;
}

int nl_dump_run(struct nl_dump *d, const struct nl_request *request, struct tick *tick,
		uint64_t deadline_ns, const struct dump_sink *sink, struct dump_facts *ret_facts,
		struct err *e)
{
	const struct dump_io io = {d, io_send, io_receive, io_mono_ns, io_tick_ms};
	*ret_facts = (struct dump_facts){0};
	if (!d->socket) {
		int rc = connect_socket(d, e);
		if (rc < 0)
			return rc;
	}
	d->request = request;
	d->tick = tick;
	int rc = dump_run(&io, ++d->seq, deadline_ns, d->buffer, sink, ret_facts, e);
	/* After a plain refusal nothing of the dump is left in the socket. */
	if (rc < 0 || !(ret_facts->whole || ret_facts->said_no)) {
		nl_socket_free(d->socket);
		d->socket = NULL;
	}
	return rc;
}
