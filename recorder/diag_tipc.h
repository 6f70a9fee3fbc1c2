/*
 * diag_tipc.h - the bytes of one message of TIPC's sock_diag in, one socket row out. Pure. See
 * include/uapi/linux/tipc_netlink.h and net/tipc/socket.c, tipc_sk_fill_sock_diag().
 */
#ifndef SOCKLAPSE_DIAG_TIPC_H
#define SOCKLAPSE_DIAG_TIPC_H

#include "diag_inet.h"

/*
 * As diag_inet_decode(). Node, port and peer of a socket go to `extra`, under their types within
 * TIPC_NLA_SOCK; recvq and sendq are messages. ERR_KERNEL: a message without a socket.
 */
int diag_tipc_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		     struct diag_inet *ret, struct err *e) MUST_CHECK NONNULL(1, 4);

#endif
