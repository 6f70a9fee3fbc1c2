/*
 * sock.h - what one socket of one snapshot is: a row of columns, grouped as in columns.def.
 *
 * The row is what the kernel said, in the kernel's units. A column whose bit in `state.has` is
 * not set was not sent by the kernel: its value means nothing and reads as NULL.
 */
#ifndef SOCKLAPSE_SOCK_H
#define SOCKLAPSE_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address in network order: 4 bytes of IPv4 (the rest zero) or 16 of IPv6, by the family. */
union addr_bytes {
	uint8_t b[16];
	uint32_t w[4];
};

/* Socket tables. The numbers are in the file. */
enum sock_proto {
	PROTO_TCP = 1,
	PROTO_UDP = 2,
	PROTO_UDPLITE = 3,
	PROTO_RAW = 4,
	PROTO_MPTCP = 5,
	PROTO_SCTP = 6,
	PROTO_DCCP = 7,
	PROTO_UNIX = 8,
	PROTO_PACKET = 9,
	PROTO_NETLINK = 10,
	PROTO_VSOCK = 11,
	PROTO_XDP = 12,
	PROTO_TIPC = 13,
	PROTO_COUNT = 14,
};

/* include/net/tcp_states.h; the numbers are in the file. */
enum tcp_state {
	STATE_ESTAB = 1,
	STATE_SYN_SENT = 2,
	STATE_SYN_RECV = 3,
	STATE_FIN_WAIT_1 = 4,
	STATE_FIN_WAIT_2 = 5,
	STATE_TIME_WAIT = 6,
	STATE_UNCONN = 7, /* TCP_CLOSE */
	STATE_CLOSE_WAIT = 8,
	STATE_LAST_ACK = 9,
	STATE_LISTEN = 10,
	STATE_CLOSING = 11,
	STATE_NEW_SYN_RECV = 12,
	STATE_BOUND_INACTIVE = 13,
	STATE_COUNT = 14,
};

enum sock_timer {
	TIMER_OFF = 0,
	TIMER_ON = 1,
	TIMER_KEEPALIVE = 2,
	TIMER_TIMEWAIT = 3,
	TIMER_PERSIST = 4,
};

/* Bits of state.has: what the kernel sent. The numbers are in the file. */
#define HAS_INFO     (UINT64_C(1) << 0)
#define HAS_SKMEM    (UINT64_C(1) << 1)
#define HAS_DROPS    (UINT64_C(1) << 2)
#define HAS_SHUTDOWN (UINT64_C(1) << 3)
#define HAS_TOS	     (UINT64_C(1) << 4)
#define HAS_TCLASS   (UINT64_C(1) << 5)
#define HAS_V6ONLY   (UINT64_C(1) << 6)
#define HAS_PROTOCOL (UINT64_C(1) << 7)
#define HAS_CLASS_ID (UINT64_C(1) << 8)
#define HAS_CGROUP   (UINT64_C(1) << 9)
#define HAS_SOCKOPT  (UINT64_C(1) << 10)
#define HAS_MARK     (UINT64_C(1) << 11)
#define HAS_CONG     (UINT64_C(1) << 12)
#define HAS_VEGAS    (UINT64_C(1) << 13)
#define HAS_DCTCP    (UINT64_C(1) << 14)
#define HAS_BBR	     (UINT64_C(1) << 15)
#define HAS_EXTRA    (UINT64_C(1) << 16)
#define HAS_TUPLE    (UINT64_C(1) << 17) /* addresses and ports: inet families */
#define HAS_TYPE     (UINT64_C(1) << 18)
#define HAS_PATH     (UINT64_C(1) << 19)
#define HAS_ICONS    (UINT64_C(1) << 20)
#define HAS_PEER     (UINT64_C(1) << 21)
#define HAS_VFS	     (UINT64_C(1) << 22)
#define HAS_LINK     (UINT64_C(1) << 23)
#define HAS_NETLINK  (UINT64_C(1) << 24)
#define HAS_GROUPS   (UINT64_C(1) << 25)
#define HAS_NLFLAGS  (UINT64_C(1) << 26)
#define HAS_PACKET   (UINT64_C(1) << 27)
#define HAS_FANOUT   (UINT64_C(1) << 28)
#define HAS_VSOCK    (UINT64_C(1) << 29)
#define HAS_XDP	     (UINT64_C(1) << 30)
#define HAS_PROC     (UINT64_C(1) << 31) /* read from /proc/net; the cookie is 2^63 + inode */
#define HAS_NO_UID   (UINT64_C(1) << 32) /* the kernel does not say whose it is */

/* struct row_member, row_state, row_queue, ... one for each group of columns.def. Padding is 0. */
/* clang-format off */
#define GROUP_BEGIN(id, group)          struct row_##group { _Alignas(8)
#define COL(id, group, type, name, ...) type name;
#define GROUP_END(group)                };
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
/* clang-format on */

/* One socket. memset to 0 before filling: padding takes part in comparisons. */
struct sock_row {
#define GROUP_BEGIN(id, group) struct row_##group group;
#define COL(...)
#define GROUP_END(group)
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
};

/*
 * Does a connection only pass through this state (enum tcp_state)? Of those, the turn part has
 * every change (FORMAT.md section 5.7).
 */
bool sock_state_passes(unsigned state);

/*
 * Is it the shell of a connection: a closed TCP socket that still knows its peer, because the
 * application holds it? Since Linux 6.8 a dump tells of it if it was bound explicitly, and under
 * the same cookie and addresses of the connection's TIME-WAIT, if there is one.
 */
bool sock_is_shell(const struct row_member *m, unsigned state);

/* "tcp", "udp", ... and back; NULL and 0 for what is unknown. */
const char *sock_proto_name(unsigned proto);
unsigned sock_proto_by_name(const char *name);

/* As ss prints it: "ESTAB", "CLOSE-WAIT", ... NULL for what is unknown. */
const char *sock_state_name(unsigned state);

/* The state by ss's name or an alias ("established", "close-wait"), any case; 0 if unknown. */
unsigned sock_state_by_name(const char *name);

/* As ss prints it: "on", "keepalive", "timewait", "persist"; "" for off, NULL if unknown. */
const char *sock_timer_name(unsigned timer);

/* "10.0.0.1", "::1"; `family` is AF_INET or AF_INET6. Writes at most 46 bytes, NUL included. */
void sock_addr_format(const union addr_bytes *addr, unsigned family, char ret_text[46]);

/* Parses either family; returns AF_INET or AF_INET6, or 0 if it is neither. */
unsigned sock_addr_parse(const char *text, union addr_bytes *ret_addr);

#endif
