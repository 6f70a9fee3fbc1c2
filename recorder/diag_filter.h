/*
 * diag_filter.h - what of a filter the kernel can do for us: states in the request, ports, prefixes
 * and interfaces as inet_diag bytecode. It only spares the telling of rows: whatever it lets
 * through is asked again (sieve.h), so it may let through too much, and must never hold back what
 * matches.
 */
#ifndef SOCKLAPSE_DIAG_FILTER_H
#define SOCKLAPSE_DIAG_FILTER_H

#include "diag_table.h"
#include "filter_row.h"

/* A filter whose code would be longer goes without. Jumps are 16 bits. */
#define DIAG_CODE_MAX 16384

/*
 * Appends the bytecode (include/uapi/linux/inet_diag.h, INET_DIAG_BC_*) of the filter; nothing if
 * it would let everything through. ERR_NOMEM. Pure.
 */
int diag_filter_code(const struct filter_rows *r, struct buf *code, struct err *e) MUST_CHECK;

/* Can the table's request carry states and code? */
bool diag_filter_suits(const struct diag_table *table) MUST_CHECK;

/*
 * Turns the payload of diag_table_request(), which lies in `payload`, into one for these states
 * (bits 1 << TCP state; as filter_scope has them) and this code, if it is not empty.
 */
void diag_filter_apply(const struct diag_table *table, uint32_t states, const struct buf *code,
		       struct buf *payload);

#endif
