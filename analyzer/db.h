/*
 * db.h - a history as a database: one in-memory SQLite connection with the tables of vt.h, the
 * functions of filters and the views of sql/views.sql.
 */
#ifndef SOCKLAPSE_DB_H
#define SOCKLAPSE_DB_H

#include <sqlite3.h>

#include "out.h"
#include "vt.h"

/* `context` must outlive the connection. ERR_DB, ERR_NOMEM. */
int db_open(const struct vt_context *context, sqlite3 **ret, struct err *e) MUST_CHECK;

/* Adds tables, functions and views to a connection that is somebody else's. */
int db_add_tables(sqlite3 *db, const struct vt_context *context, struct err *e) MUST_CHECK;

/* SQLite's last error as ours. `what` says what was tried. */
int db_error(sqlite3 *db, const char *what, struct err *e);

/* Prepares one statement; the caller finalizes it. */
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *e) MUST_CHECK;

/* Binds a named parameter (":from_ns"). A query that does not have it stays as it is. */
void db_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);
void db_bind_text(sqlite3_stmt *stmt, const char *name, const char *text); /* NULL: SQL NULL */

/* Puts the statement's present value of a column into the next cell. */
void db_out_value(sqlite3_stmt *stmt, int column, struct out *o);

/*
 * Runs the statement to its end; each row becomes one of the output's present table, whose first
 * columns are the statement's. At most `max` rows (0: all). *ret_rows may be NULL.
 */
int db_out_rows(sqlite3_stmt *stmt, struct out *o, uint64_t max, uint64_t *ret_rows,
		struct err *e) MUST_CHECK;

#endif
