/*
 * show_text.h - one row of table `socket` as ss(8) writes it. Pure: a row of a statement in, text
 * out. Field names and units are those of misc/ss.c of iproute2.
 */
#ifndef SOCKLAPSE_SHOW_TEXT_H
#define SOCKLAPSE_SHOW_TEXT_H

#include <sqlite3.h>

#include "buf.h"
#include "services.h"

#define SHOW_PROCESS  1u  /* -p users:(...); history:(...) and listener:(...) where not by fd */
#define SHOW_TIMER    2u  /* -o timer:(...) */
#define SHOW_EXTENDED 4u  /* -e uid: ino: sk: ... */
#define SHOW_MEMORY   8u  /* -m skmem:(...) */
#define SHOW_INFO     16u /* -i tcp_info */

/* "10.0.0.1:80", "[::1]:https", "*:*". `proto` is for the name of the port. */
void show_address(struct buf *b, const char *proto, int family, bool v6only, const char *address,
		  const char *dev, int port, const struct services *services);

/* Where the columns stand in a statement. */
struct show_columns;

/* ERR_NOMEM. Columns that the statement does not have are not written. */
int show_columns_new(sqlite3_stmt *stmt, struct show_columns **ret, struct err *e) MUST_CHECK;
void show_columns_free(struct show_columns *c);

/* Appends what `what` (SHOW_*) asks for, separated by a blank. */
void show_details(struct buf *b, sqlite3_stmt *row, const struct show_columns *c, unsigned what);

#endif
