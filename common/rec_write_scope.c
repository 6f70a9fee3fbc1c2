/*
 * rec_write_scope.c - table scope: what the recorder was told to keep (FORMAT.md 3.3). Where that
 * changes, a key frame begins. See rec_write.h.
 */
#include <stdlib.h>
#include <string.h>

#include "rec_write_internal.h"

/* The last row's text; "" if there is none. */
static int load_scope(struct rec_writer *w, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(w->db, "SELECT text FROM scope ORDER BY snapshot DESC LIMIT 1",
				&stmt, e);
	if (rc)
		return rc;
	int step = sqlite3_step(stmt);
	const char *text = step == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		rc = rec_db_error(w->db, "cannot read its scope", e);
	free(w->scope);
	w->scope = rc ? NULL : strdup(text ? text : "");
	sqlite3_finalize(stmt);
	if (!rc && !w->scope)
		rc = err_set(e, ERR_NOMEM, "out of memory");
	return rc;
}

int rec_writer_scope(struct rec_writer *w, const char *text, struct err *e)
{
	int rc = w->scope ? 0 : load_scope(w, e);
	if (rc)
		return err_context(e, "%s", w->path);
	free(w->new_scope);
	w->new_scope = NULL;
	if (strcmp(w->scope, text) == 0)
		return 0;
	w->new_scope = strdup(text);
	w->chain = 0;
	return w->new_scope ? 0 : err_set(e, ERR_NOMEM, "%s: out of memory", w->path);
}

int rec_writer_put_scope(struct rec_writer *w, int64_t snapshot, struct err *e)
{
	sqlite3_stmt *stmt;
	if (!w->new_scope)
		return 0;
	int rc = rec_writer_stmt(w, W_PUT_SCOPE, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, snapshot);
	sqlite3_bind_text(stmt, 2, w->new_scope, -1, SQLITE_STATIC);
	return rec_db_run(stmt, "cannot write a row", e);
}

void rec_writer_scope_written(struct rec_writer *w)
{
	if (!w->new_scope)
		return;
	free(w->scope);
	w->scope = w->new_scope;
	w->new_scope = NULL;
}
