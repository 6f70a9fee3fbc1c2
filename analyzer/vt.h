/*
 * vt.h - the SQLite tables over a history: what they share, and how each is added to a connection.
 */
#ifndef SOCKLAPSE_VT_H
#define SOCKLAPSE_VT_H

#include <sqlite3.h>

#include "history.h"

/* Lives as long as the connection; read-only for the tables. */
struct vt_context {
	struct history *history;
	/* Told once of each stretch of snapshots that cannot be read; may be NULL. */
	void (*warn)(void *arg, const char *text);
	void *arg;
};

/* Each returns an SQLite code. The tables are eponymous: they are there without CREATE. */
int vt_plain_register(sqlite3 *db, const struct vt_context *context);
int vt_socket_register(sqlite3 *db, const struct vt_context *context);
int vt_owner_register(sqlite3 *db, const struct vt_context *context);

/* Fails a virtual table's method: its message becomes SQLite's. Returns an SQLite code. */
int vt_fail(sqlite3_vtab *vtab, const struct err *e);

#endif
