/*
 * diag_table.h - the socket tables that are asked for, the request for each, and who decodes it.
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

#include "diag_inet.h"
#include "err.h"
#include "sock.h"

/* Room for any request's payload. */
#define DIAG_REQUEST_MAX 72

struct diag_table {
	const char *name;  /* for messages: "tcp", "udp IPv4" */
	uint16_t type;	   /* of the netlink message */
	uint8_t family;	   /* AF_*; the old TCP request does not look at it */
	uint16_t protocol; /* IPPROTO_*, for families other than inet as the table wants it */
	enum sock_proto proto;
	/* Writes the payload of the request; returns its length. */
	size_t (*request)(const struct diag_table *table, uint8_t ret_payload[DIAG_REQUEST_MAX]);
	/* As diag_inet_decode(). */
	int (*decode)(const uint8_t *payload, size_t len, enum sock_proto proto,
		      struct diag_inet *ret, struct err *e);
	/* File below /proc that tells the same as text; NULL: none. */
	const char *fallback;
};

extern const struct diag_table diag_tables[];
extern const size_t diag_tables_count;

/* The payload of the request for every socket of the table, with all that is recorded of it. */
size_t diag_table_request(const struct diag_table *table, uint8_t ret_payload[DIAG_REQUEST_MAX]);

/*
 * Takes TCP sockets that are bound but inactive out of a request for the TCP table: the kernel need
 * not walk its table of bound ports then. Does nothing to other requests.
 */
void diag_table_leave_out_bound(const struct diag_table *table, uint8_t payload[DIAG_REQUEST_MAX]);

/* Bit of a table in a set of tables, and the set of those that can be asked for. */
#define DIAG_PROTO_BIT(proto) (UINT32_C(1) << (proto))
uint32_t diag_protos(void);

/* Room for the names of all tables. */
#define DIAG_NAMES_BYTES 160

/* The names of the tables of a set, with commas between; false: there are none. */
bool diag_protos_names(uint32_t protos, char ret_names[DIAG_NAMES_BYTES]);

/* Is this what a kernel answers that has no such table? */
bool diag_is_no_table(int errnum);

/*
 * Reads a list of tables by the names that ss(8) has for -A: "tcp,udp", "inet", "all,!netlink".
 * ERR_USAGE: one of them is none, or nothing is left.
 */
int diag_protos_parse(const char *list, uint32_t *ret_protos, struct err *e) MUST_CHECK;

#endif
