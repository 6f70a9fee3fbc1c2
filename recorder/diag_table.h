/*
 * diag_table.h - the socket tables that are asked for, and the request for each.
 *
 * TCP is asked for by the old request (TCPDIAG_GETSOCK), because it alone returns IPv4 and IPv6 in
 * one walk of the kernel's tables (EVIDENCE section 5). Neither it nor the newer request
 * (SOCK_DIAG_BY_FAMILY) has more than 8 bits for what is wanted, so nothing is lost by it:
 * include/uapi/linux/inet_diag.h says of the attributes beyond 8 "request as ..." another.
 */
#ifndef SOCKLAPSE_DIAG_TABLE_H
#define SOCKLAPSE_DIAG_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "sock.h"

/* Room for any request's payload. */
#define DIAG_REQUEST_MAX 64

struct diag_table {
	const char *name; /* for messages: "tcp", "udp IPv4" */
	uint16_t type;	  /* of the netlink message */
	uint8_t family;	  /* AF_*; the old TCP request does not look at it */
	uint8_t ipproto;  /* IPPROTO_*; the same */
	enum sock_proto proto;
};

extern const struct diag_table diag_tables[];
extern const size_t diag_tables_count;

/* The payload of the request for every socket of the table, with all that is recorded of it. */
size_t diag_table_request(const struct diag_table *table, uint8_t ret_payload[DIAG_REQUEST_MAX]);

#endif
