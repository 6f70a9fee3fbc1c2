/*
 * diag_link.h - the bytes of one message of packet_diag, netlink_diag, vsock_diag or xdp_diag in,
 * one socket row out. Pure. The kernel's include/uapi/linux/ *_diag.h say what they mean.
 */
#ifndef SOCKLAPSE_DIAG_LINK_H
#define SOCKLAPSE_DIAG_LINK_H

#include "diag_inet.h"

/*
 * As diag_inet_decode(), one for each table. Such sockets have no state of their own: it is UNCONN
 * where the kernel sends none. recvq and sendq of packet, netlink and xdp sockets are the memory
 * of their queues, as ss has it. Rings, multicast lists and filters go to `extra`.
 */
int diag_packet_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		       struct diag_inet *ret, struct err *e) MUST_CHECK NONNULL(1, 4);
int diag_netlink_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
			struct diag_inet *ret, struct err *e) MUST_CHECK NONNULL(1, 4);
int diag_vsock_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		      struct diag_inet *ret, struct err *e) MUST_CHECK NONNULL(1, 4);
int diag_xdp_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		    struct diag_inet *ret, struct err *e) MUST_CHECK NONNULL(1, 4);

#endif
