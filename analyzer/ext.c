/*
 * ext.c - socklapse.so: the tables of vt.h for any program that uses the system's SQLite.
 *
 *   sqlite> .load ./socklapse
 *   sqlite> SELECT socklapse_open('/var/log/socklapse');
 *   sqlite> SELECT state, count(*) FROM socket GROUP BY state;
 *
 * socklapse_open(PATH, ...) opens files and directories as one history, adds the tables to the
 * connection and returns the number of snapshots. It can be called once for a connection.
 */
#include <sqlite3ext.h>
#include <stdlib.h>

#include "db.h"
#include "history.h"

/* This file alone is told of the host's SQLite by a table of functions; the others are linked. */
SQLITE_EXTENSION_INIT1

int sqlite3_socklapse_init(sqlite3 *db, char **error, const sqlite3_api_routines *api);

/* What a connection has open. */
struct extension {
	struct history *history;
	struct vt_context context;
};

static void extension_free(void *p)
{
	struct extension *x = p;
	history_close(x->history);
	free(x);
}

static int open_paths(struct extension *x, int argc, sqlite3_value **argv, struct err *e)
{
	const char **paths = calloc((size_t)argc + 1, sizeof(*paths));
	if (!paths)
		return err_set(e, ERR_NOMEM, "socklapse_open: memory ran out");
	for (int i = 0; i < argc; i++) {
		paths[i] = (const char *)sqlite3_value_text(argv[i]);
		if (!paths[i])
			paths[i] = "";
	}
	int rc = history_open(paths, (size_t)argc, &x->history, e);
	free(paths);
	return rc;
}

static void socklapse_open(sqlite3_context *out, int argc, sqlite3_value **argv)
{
	struct extension *x = sqlite3_user_data(out);
	struct err e = {0};
	size_t snapshots;
	if (x->history) {
		sqlite3_result_error(out, "socklapse_open: a history is open already", -1);
		return;
	}
	int rc = open_paths(x, argc, argv, &e);
	if (!rc) {
		x->context = (struct vt_context){.history = x->history};
		rc = db_add_tables(sqlite3_context_db_handle(out), &x->context, &e);
	}
	if (rc) {
		sqlite3_result_error(out, e.text, -1);
		return;
	}
	history_snapshots(x->history, &snapshots);
	sqlite3_result_int64(out, (sqlite3_int64)snapshots);
}

__attribute__((visibility("default"))) int sqlite3_socklapse_init(sqlite3 *db, char **error,
								  const sqlite3_api_routines *api)
{
	(void)error;
	SQLITE_EXTENSION_INIT2(api);
	struct extension *x = calloc(1, sizeof(*x));
	if (!x)
		return SQLITE_NOMEM;
	/* Opens files, so no view or trigger may call it. SQLite frees x, also when this fails. */
	return sqlite3_create_function_v2(db, "socklapse_open", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
					  x, socklapse_open, NULL, NULL, extension_free);
}
