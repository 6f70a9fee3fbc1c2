/* sock.c - names of socket tables, states and timers; text of addresses. */
#include "sock.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *const proto_names[] = {
	[PROTO_TCP] = "tcp",	     [PROTO_UDP] = "udp",     [PROTO_UDPLITE] = "udplite",
	[PROTO_RAW] = "raw",	     [PROTO_MPTCP] = "mptcp", [PROTO_SCTP] = "sctp",
	[PROTO_DCCP] = "dccp",	     [PROTO_UNIX] = "unix",   [PROTO_PACKET] = "packet",
	[PROTO_NETLINK] = "netlink", [PROTO_VSOCK] = "vsock", [PROTO_XDP] = "xdp",
	[PROTO_TIPC] = "tipc",
};

/* As misc/ss.c of iproute2 prints them. */
static const char *const state_names[STATE_COUNT] = {
	[STATE_ESTAB] = "ESTAB",
	[STATE_SYN_SENT] = "SYN-SENT",
	[STATE_SYN_RECV] = "SYN-RECV",
	[STATE_FIN_WAIT_1] = "FIN-WAIT-1",
	[STATE_FIN_WAIT_2] = "FIN-WAIT-2",
	[STATE_TIME_WAIT] = "TIME-WAIT",
	[STATE_UNCONN] = "UNCONN",
	[STATE_CLOSE_WAIT] = "CLOSE-WAIT",
	[STATE_LAST_ACK] = "LAST-ACK",
	[STATE_LISTEN] = "LISTEN",
	[STATE_CLOSING] = "CLOSING",
	[STATE_NEW_SYN_RECV] = "NEW-SYN-RECV",
	[STATE_BOUND_INACTIVE] = "BOUND-INACTIVE",
};

static const struct {
	const char *name;
	enum tcp_state state;
} state_aliases[] = {
	{"established", STATE_ESTAB},	  {"fin-wait1", STATE_FIN_WAIT_1},
	{"finwait1", STATE_FIN_WAIT_1},	  {"fin-wait2", STATE_FIN_WAIT_2},
	{"finwait2", STATE_FIN_WAIT_2},	  {"closed", STATE_UNCONN},
	{"close", STATE_UNCONN},	  {"unconnected", STATE_UNCONN},
	{"listening", STATE_LISTEN},	  {"syn-rcv", STATE_SYN_RECV},
	{"syn-received", STATE_SYN_RECV},
};

static const char *const timer_names[] = {
	[TIMER_OFF] = "",
	[TIMER_ON] = "on",
	[TIMER_KEEPALIVE] = "keepalive",
	[TIMER_TIMEWAIT] = "timewait",
	[TIMER_PERSIST] = "persist",
};

const char *sock_proto_name(unsigned proto)
{
	return proto < LENGTH(proto_names) ? proto_names[proto] : NULL;
}

unsigned sock_proto_by_name(const char *name)
{
	for (unsigned i = 1; i < LENGTH(proto_names); i++)
		if (strcasecmp(proto_names[i], name) == 0)
			return i;
	return 0;
}

const char *sock_state_name(unsigned state)
{
	return state < STATE_COUNT ? state_names[state] : NULL;
}

/* Equal but for case and for '_' against '-'. */
static bool same_word(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char x = *a == '_' ? '-' : *a;
		char y = *b == '_' ? '-' : *b;
		if (strncasecmp(&x, &y, 1) != 0)
			return false;
	}
	return *a == *b;
}

unsigned sock_state_by_name(const char *name)
{
	for (unsigned i = 1; i < STATE_COUNT; i++)
		if (same_word(name, state_names[i]))
			return i;
	for (size_t i = 0; i < LENGTH(state_aliases); i++)
		if (same_word(name, state_aliases[i].name))
			return state_aliases[i].state;
	return 0;
}

bool sock_state_passes(unsigned state)
{
	static const uint32_t stays = 1u << STATE_ESTAB | 1u << STATE_CLOSE_WAIT |
				      1u << STATE_LISTEN | 1u << STATE_UNCONN |
				      1u << STATE_BOUND_INACTIVE;
	return state >= STATE_COUNT || !(stays >> state & 1);
}

bool sock_is_shell(const struct row_member *m, unsigned state)
{
	return m->peer_port && m->proto == PROTO_TCP &&
	       (state == STATE_UNCONN || state == STATE_BOUND_INACTIVE);
}

const char *sock_timer_name(unsigned timer)
{
	return timer < LENGTH(timer_names) ? timer_names[timer] : NULL;
}

/* As inet_ntop(), most of whose time is formatted output. */
static void format_v4(const uint8_t *b, char *to)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v = b[i];
		if (v >= 100)
			*to++ = (char)('0' + v / 100);
		if (v >= 10)
			*to++ = (char)('0' + v / 10 % 10);
		*to++ = (char)('0' + v % 10);
		*to++ = i < 3 ? '.' : 0;
	}
}

void sock_addr_format(const union addr_bytes *addr, unsigned family, char ret_text[46])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (family != AF_INET6) {
		format_v4(addr->b, ret_text);
		return;
	}
	if (memcmp(addr->b, mapped, sizeof(mapped)) == 0) {
		memcpy(ret_text, "::ffff:", 7);
		format_v4(addr->b + 12, ret_text + 7);
		return;
	}
	if (!inet_ntop(AF_INET6, addr->b, ret_text, 46))
		ret_text[0] = 0;
}

unsigned sock_addr_parse(const char *text, union addr_bytes *ret_addr)
{
	union addr_bytes addr = {{0}};
	unsigned family = 0;
	if (inet_pton(AF_INET, text, addr.b) == 1)
		family = AF_INET;
	else if (inet_pton(AF_INET6, text, addr.b) == 1)
		family = AF_INET6;
	if (family)
		*ret_addr = addr;
	return family;
}
