/*
 * fault_netlink.c - a kernel that answers the first dump (TCP) in another way than it did. Every
 * answer is the real one, damaged; the cases say what the snapshot must tell about it.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "rec.h"

struct nl_sock;
struct nl_msg;
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
int __real_nl_send(struct nl_sock *socket, struct nl_msg *msg);
int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *msg);

/* One call of recvmsg(), which is number `call` of the dump. */
struct call {
	const struct netlink_case *c;
	int fd;
	struct msghdr *m;
	int flags;
	unsigned call;
};

struct netlink_case {
	const char *name;
	uint32_t flags;	     /* of the snapshot, among those that the case may set */
	const char *problem; /* in its costs, behind "tcp: "; "": none; "*": any */
	ssize_t (*receive)(const struct call *k);
	long argument;
	bool sockets_stay; /* none of the table's rows is lost */
};

static unsigned dumps, calls;

static ssize_t real(const struct call *k)
{
	/* A dump is answered within the call: no need to wait for more than there is. */
	ssize_t n = __real_recvmsg(k->fd, k->m, k->flags | MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static uint8_t *bytes_of(const struct call *k)
{
	return k->m->msg_iov->iov_base;
}

/* Where message `i` of the datagram begins; the end if it has fewer. */
static size_t message_at(const struct call *k, ssize_t n, unsigned i)
{
	size_t at = 0;
	while (i-- && at + sizeof(struct nlmsghdr) <= (size_t)n) {
		struct nlmsghdr h;
		memcpy(&h, bytes_of(k) + at, sizeof(h));
		at += NLMSG_ALIGN(h.nlmsg_len);
	}
	return at;
}

static void drain(const struct call *k)
{
	while (real(k) >= 0)
		;
}

/* A datagram of one message in place of the real one. */
static ssize_t answer(const struct call *k, uint16_t type, int32_t value, size_t len)
{
	drain(k);
	struct nlmsghdr h;
	memcpy(&h, bytes_of(k), sizeof(h)); /* of the last one: its sequence number */
	h.nlmsg_type = type;
	h.nlmsg_len = (uint32_t)(sizeof(h) + len);
	memcpy(bytes_of(k), &h, sizeof(h));
	memcpy(bytes_of(k) + sizeof(h), &value, len);
	return (ssize_t)h.nlmsg_len;
}

static ssize_t cut_bytes(const struct call *k)
{
	ssize_t n = real(k);
	return k->call ? n : k->c->argument < 0 ? n + k->c->argument : k->c->argument;
}

static ssize_t message_length(const struct call *k)
{
	ssize_t n = real(k);
	uint32_t len = (uint32_t)k->c->argument;
	if (k->call == 0)
		memcpy(bytes_of(k) + message_at(k, n, 1), &len, sizeof(len));
	return n;
}

static ssize_t message_type(const struct call *k)
{
	ssize_t n = real(k);
	uint16_t type = (uint16_t)k->c->argument;
	if (k->call == 0)
		memcpy(bytes_of(k) + message_at(k, n, 1) + 4, &type, sizeof(type));
	return n;
}

static ssize_t message_flags(const struct call *k)
{
	ssize_t n = real(k);
	if (k->call == 0)
		bytes_of(k)[message_at(k, n, 1) + 6] |= (uint8_t)k->c->argument;
	return n;
}

static ssize_t sequence(const struct call *k)
{
	ssize_t n = real(k);
	for (unsigned i = 0; k->call == 0 && message_at(k, n, i) < (size_t)n; i++)
		bytes_of(k)[message_at(k, n, i) + 8] ^= 0x55;
	return n;
}

/* The first attribute behind a struct inet_diag_msg, which has 72 bytes. */
static ssize_t attribute_length(const struct call *k)
{
	ssize_t n = real(k);
	uint16_t len = (uint16_t)k->c->argument;
	if (k->call == 0)
		memcpy(bytes_of(k) + message_at(k, n, 2) + 16 + 72, &len, sizeof(len));
	return n;
}

static ssize_t error_at_once(const struct call *k)
{
	return k->call ? real(k) : answer(k, NLMSG_ERROR, (int32_t)-k->c->argument, 4);
}

static ssize_t error_without_errno(const struct call *k)
{
	return k->call ? real(k) : answer(k, NLMSG_ERROR, 0, 0);
}

static ssize_t error_midway(const struct call *k)
{
	return k->call != 1 ? real(k) : answer(k, NLMSG_ERROR, (int32_t)-k->c->argument, 4);
}

static ssize_t done_with_error(const struct call *k)
{
	return k->call != 1 ? real(k) : answer(k, NLMSG_DONE, (int32_t)-k->c->argument, 4);
}

static ssize_t errno_once(const struct call *k)
{
	return k->call == 1 ? -(ssize_t)k->c->argument : real(k);
}

static ssize_t errno_thrice(const struct call *k)
{
	return k->call < 3 ? -(ssize_t)k->c->argument : real(k);
}

static ssize_t errno_always(const struct call *k)
{
	return -(ssize_t)k->c->argument;
}

static ssize_t done_missing(const struct call *k)
{
	ssize_t n = real(k);
	for (unsigned i = 0; n > 0 && message_at(k, n, i) < (size_t)n; i++) {
		struct nlmsghdr h;
		memcpy(&h, bytes_of(k) + message_at(k, n, i), sizeof(h));
		if (h.nlmsg_type == NLMSG_DONE)
			n = (ssize_t)message_at(k, n, i);
	}
	return n ? n : -EAGAIN;
}

static ssize_t empty_first(const struct call *k)
{
	return k->call == 0 ? 0 : real(k);
}

static ssize_t oversized(const struct call *k)
{
	ssize_t n = real(k);
	return k->call == 0 ? 1 << 20 : n;
}

/* Somebody else's message, before the kernel's or all the time. */
static ssize_t other_sender(const struct call *k)
{
	struct sockaddr_nl from = {.nl_family = AF_NETLINK, .nl_pid = 77};
	if (k->call && !k->c->argument)
		return real(k);
	memset(bytes_of(k), 0x41, 100);
	memcpy(k->m->msg_name, &from, sizeof(from));
	k->m->msg_namelen = sizeof(from);
	return 100;
}

static ssize_t no_sender(const struct call *k)
{
	if (k->call)
		return real(k);
	memset(bytes_of(k), 0x41, 100);
	k->m->msg_namelen = 0;
	return 100;
}

static ssize_t noise(const struct call *k)
{
	ssize_t n = real(k);
	unsigned long seed = (unsigned long)k->c->argument;
	for (ssize_t i = 0; k->call == 0 && i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes_of(k)[i] = (uint8_t)(seed >> 56);
	}
	return n;
}

static ssize_t endless(const struct call *k)
{
	static uint8_t first[1 << 16];
	static ssize_t first_len;
	if (k->call == 0) {
		first_len = real(k);
		memcpy(first, bytes_of(k), (size_t)first_len);
	}
	memcpy(bytes_of(k), first, (size_t)first_len);
	usleep(1000);
	return first_len;
}

/* One bit in each of the first messages, somewhere: anything may come of it but a crash. */
static ssize_t flips(const struct call *k)
{
	ssize_t n = real(k);
	unsigned long seed = strtoul(strchr(fault.netlink->name, '-') + 1, NULL, 10) + 1;
	for (unsigned i = 0; k->call == 0 && message_at(k, n, i) < (size_t)n; i++) {
		size_t at = message_at(k, n, i);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		at += 16 + (seed >> 33) % 400;
		if (at < (size_t)n)
			bytes_of(k)[at] ^= (uint8_t)(1u << (seed >> 61));
	}
	return n;
}

#define P SNAP_PARTIAL
#define C SNAP_CUT
#define I SNAP_INTERRUPTED
#define N SNAP_NO_TABLE

static const struct netlink_case cases[] = {
	{"truncated-message", P, "malformed messages", cut_bytes, -10, false},
	{"truncated-header", P, "malformed messages", cut_bytes, 7, false},
	{"length-zero", P, "malformed messages", message_length, 0, false},
	{"length-short", P, "malformed messages", message_length, 3, false},
	{"length-odd", P, "malformed messages", message_length, 17, false},
	{"length-long", P, "malformed messages", message_length, 0x7fffffff, false},
	{"type-unknown", P, "malformed messages", message_type, 0x7777, false},
	{"type-control", P, "malformed messages", message_type, 9, false},
	{"type-noop", 0, "", message_type, NLMSG_NOOP, false},
	{"type-overrun", P, "the kernel lost messages", message_type, NLMSG_OVERRUN, false},
	{"interrupted", I, "", message_flags, NLM_F_DUMP_INTR, true},
	{"sequence", P, "messages of another request", sequence, 0, false},
	{"attribute-zero", P, "malformed messages", attribute_length, 0, true},
	{"attribute-short", P, "malformed messages", attribute_length, 3, true},
	{"attribute-long", P, "malformed messages", attribute_length, 0xffff, true},
	{"error-EPERM", P, "Operation not permitted", error_at_once, EPERM, false},
	{"error-ENOMEM", P, "Cannot allocate memory", error_at_once, ENOMEM, false},
	{"error-ENOBUFS", P, "No buffer space available", error_at_once, ENOBUFS, false},
	{"error-EINTR", P, "Interrupted system call", error_at_once, EINTR, false},
	{"error-ENOENT", N, "", error_at_once, ENOENT, false},
	{"error-EINVAL", N, "", error_at_once, EINVAL, false},
	{"error-EOPNOTSUPP", N, "", error_at_once, EOPNOTSUPP, false},
	{"error-none", P, "Protocol error", error_at_once, 0, false},
	{"error-nonsense", P, "Protocol error", error_at_once, -5, false},
	{"error-huge", P, "Protocol error", error_at_once, 1 << 30, false},
	{"error-without-errno", P, "Protocol error", error_without_errno, 0, false},
	{"error-midway", P, "Cannot allocate memory", error_midway, ENOMEM, false},
	{"done-error", P, "Message too long", done_with_error, EMSGSIZE, false},
	{"done-missing", P, "the kernel stopped answering", done_missing, 0, true},
	{"ENOBUFS-once", P, "the kernel lost messages", errno_once, ENOBUFS, true},
	{"ENOBUFS-always", P, "left: it had no end", errno_always, ENOBUFS, false},
	{"EINTR-thrice", 0, "", errno_thrice, EINTR, true},
	{"EINTR-always", P, "left: it had no end", errno_always, EINTR, false},
	{"EAGAIN", P, "the kernel stopped answering", errno_once, EAGAIN, false},
	{"ENOMEM", P, "Cannot allocate memory", errno_once, ENOMEM, false},
	{"empty-datagram", 0, "", empty_first, 0, true},
	{"oversized", P, "messages larger than any of this kind", oversized, 0, false},
	{"other-sender", 0, "", other_sender, 0, true},
	{"other-sender-always", P, "left: it had no end", other_sender, 1, false},
	{"no-sender", 0, "", no_sender, 0, true},
	{"endless", P | C, "cut off by the deadline", endless, 0, false},
	{"send-fails", P, "Input/output error", NULL, 0, false},
	{"noise-1", P, "*", noise, 1, false},
	{"noise-2", P, "*", noise, 2, false},
	{"noise-3", P, "*", noise, 3, false},
};

/* flips-N: any N. */
static const struct netlink_case flips_case = {"flips", 0, "*", flips, 0, false};

const struct netlink_case *fault_netlink_case(const char *name)
{
	static struct netlink_case flipped;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(cases[i].name, name) == 0)
			return &cases[i];
	if (strncmp(name, "flips-", 6) != 0)
		return NULL;
	flipped = flips_case;
	flipped.name = name;
	return &flipped;
}

void fault_list_netlink(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		printf("%s %u %d %s\n", cases[i].name, cases[i].flags, cases[i].sockets_stay,
		       cases[i].problem);
}

int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *msg)
{
	dumps++;
	calls = 0;
	if (fault.netlink && dumps == 1 && !fault.netlink->receive)
		return -1;
	return __real_nl_send(socket, msg);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	const struct call k = {fault.netlink, fd, m, flags, calls++};
	if (!fault.netlink || dumps != 1)
		return __real_recvmsg(fd, m, flags);
	fault.fired = true;
	ssize_t n = k.c->receive(&k);
	if (n >= 0)
		return n;
	errno = (int)-n;
	return -1;
}
