/*
 * rec_write_names.c - table name: what watched names resolved to. A row is written when an answer
 * is another one than the file says last (FORMAT.md section 3.2). See rec_write.h.
 */
#include <string.h>

#include <zlib.h>

#include "rec_write_internal.h"

/* What is remembered of a text, to see that it changed. */
static int64_t text_mark(const char *text)
{
	return text ? (int64_t)crc32_z(0, (const Bytef *)text, strlen(text)) + 1 : 0;
}

static int64_t answer_mark(const char *answer, const char *error)
{
	return (text_mark(answer) << 31) ^ text_mark(error);
}

int rec_writer_name(struct rec_writer *w, const char *name, const char *answer, const char *error,
		    struct err *e)
{
	int64_t mark = answer_mark(answer, error);
	struct intern_entry *known = intern_find(&w->names, name, strlen(name));
	if ((known && known->data == mark) || (!w->in_snapshot && !w->last_id))
		return 0;
	sqlite3_stmt *stmt;
	int rc = w->in_snapshot ? rec_writer_txn(w, e) : 0;
	if (!rc)
		rc = rec_writer_stmt(w, W_PUT_NAME, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, w->last_id + w->in_snapshot);
	sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 3, answer, -1, SQLITE_STATIC);
	if (error)
		sqlite3_bind_text(stmt, 4, error, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, 4);
	rc = rec_db_run(stmt, "cannot write a name", e);
	if (rc)
		return err_context(e, "%s", w->path);
	if (!known)
		known = intern_add(&w->names, name, strlen(name), 1);
	if (!known)
		return err_set(e, ERR_NOMEM, "out of memory for a row");
	known->data = mark;
	return 0;
}

static bool is_among(const char *name, size_t len, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	return false;
}

int rec_writer_names_only(struct rec_writer *w, const char *const *names, size_t count,
			  struct err *e)
{
	for (uint32_t i = 0; i < w->names.count; i++) {
		const struct intern_entry *x = &w->names.entries[i];
		const uint8_t *bytes = w->names.keys.bytes + x->at;
		if (is_among((const char *)bytes, x->len, names, count))
			continue;
		CLEANUP(buf_fini) struct buf name = {0};
		buf_put(&name, bytes, x->len);
		int rc = rec_writer_name(w, buf_str(&name), "", REC_NOT_WATCHED, e);
		if (rc)
			return rc;
	}
	return 0;
}

static int load_row(struct rec_writer *w, sqlite3_stmt *stmt, struct err *e)
{
	const char *name = (const char *)sqlite3_column_text(stmt, 0);
	const char *answer = (const char *)sqlite3_column_text(stmt, 1);
	if (!name || !answer)
		return 0;
	struct intern_entry *x = intern_add(&w->names, name, strlen(name), 1);
	if (!x)
		return err_set(e, ERR_NOMEM, "out of memory for a row");
	x->data = answer_mark(answer, (const char *)sqlite3_column_text(stmt, 2));
	return 0;
}

int rec_writer_load_names(struct rec_writer *w, struct err *e)
{
	sqlite3_stmt *stmt;
	int step = SQLITE_ROW;
	intern_clear(&w->names);
	int rc = rec_db_prepare(w->db,
				"SELECT name, answer, error, MAX(snapshot) FROM name GROUP BY name",
				&stmt, e);
	if (rc)
		return rc;
	while (!rc && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = load_row(w, stmt, e);
	if (!rc && step != SQLITE_DONE)
		rc = rec_db_error(w->db, "cannot read its names", e);
	sqlite3_finalize(stmt);
	return rc;
}
