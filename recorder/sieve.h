/*
 * sieve.h - which sockets are recorded, if not all: the tables of -A and the FILTER of the command
 * line (common/FILTER.md). Each row is asked of here; what the kernel leaves out of its own
 * (diag_filter.h) only spares work.
 */
#ifndef SOCKLAPSE_SIEVE_H
#define SOCKLAPSE_SIEVE_H

#include "diag_table.h"
#include "filter_row.h"
#include "options.h"

struct sieve {
	struct buf text;       /* as table scope has it; empty: everything */
	struct filter *filter; /* NULL: every socket of the tables */
	struct filter_rows *rows;
	struct buf code;	   /* of the kernel; empty: it is to tell of all */
	struct filter_scope scope; /* what the filter says of states and families */
};

/*
 * ERR_USAGE: not a filter, or one that cannot be asked while sockets are recorded; then `caret` has
 * the place of the error as lines of text. sieve_close() in any case.
 */
int sieve_open(struct sieve *s, const struct options *options, struct buf *caret,
	       struct err *e) MUST_CHECK;
void sieve_close(struct sieve *s);

/* Before each snapshot: cgroups come and go. */
void sieve_refresh(struct sieve *s);

/* Can any socket of the table match? */
bool sieve_wants_table(const struct sieve *s, const struct diag_table *table) MUST_CHECK;

/* Narrows a request for the table down by what the kernel can look at, if it can. */
bool sieve_can_narrow(const struct sieve *s, const struct diag_table *table) MUST_CHECK;
void sieve_narrow(const struct sieve *s, const struct diag_table *table, struct buf *payload);

bool sieve_takes(const struct sieve *s, const struct sock_row *row,
		 const struct filter_about *about) MUST_CHECK;

#endif
