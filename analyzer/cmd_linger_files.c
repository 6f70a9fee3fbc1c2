/*
 * cmd_linger_files.c - who leaks sockets runs out of files: how many the owners of the longest
 * spells have open, and when they may have no more. See cmd_linger.h.
 */
#include "cmd_linger.h"
#include "queries.h"

#include <inttypes.h>
#include <string.h>

static const struct out_column files_columns[] = {
	{"process", "Process", OUT_STRING, OUT_NOT_DATA},
	{"host", NULL, OUT_STRING, OUT_NOT_TEXT},
	{"pid", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"comm", NULL, OUT_STRING, OUT_NOT_TEXT},
	{"files", "Files", OUT_NUMBER, 0},
	{"files_limit", "Limit", OUT_NUMBER, 0},
	{"per_hour", "Per hour", OUT_NUMBER, 0},
	{"full", "Full, if it goes on like this", OUT_TIME, 0},
};
static const struct out_table files_table = {.name = "files",
					     .columns = files_columns,
					     .count = sizeof(files_columns) /
						      sizeof(files_columns[0]),
					     .flags = OUT_TAGGED};

/* Places in q_files.sql. */
enum {
	AT_HOST,
	AT_BOOT,
	AT_PID,
	AT_START,
	AT_COMM,
	AT_FILES,
	AT_LIMIT,
	AT_PER_HOUR,
	AT_FULL_NS
};

static bool is_text(sqlite3_stmt *row, int at, const char *text)
{
	const char *have = (const char *)sqlite3_column_text(row, at);
	return have && text && strcmp(have, text) == 0;
}

/* Does the process own one of the longest spells? */
static int owns_one(struct linger_result *l, sqlite3_stmt *row, struct err *e)
{
	size_t count;
	const struct history_boot *boots = history_boots(l->look.history, &count);
	for (size_t i = 0; i < l->top.count; i++) {
		const struct history_process *p;
		spell_look_at(&l->look, &l->top.heap[i]);
		int rc = spell_look_process(&l->look, &p, e);
		if (rc)
			return rc;
		if (p && p->pid == sqlite3_column_int64(row, AT_PID) &&
		    (int64_t)p->start_ticks == sqlite3_column_int64(row, AT_START) &&
		    is_text(row, AT_BOOT, boots[l->top.heap[i].boot].boot_id))
			return 1;
	}
	return 0;
}

static void put_int(struct out *o, sqlite3_stmt *row, int at)
{
	if (sqlite3_column_type(row, at) == SQLITE_NULL)
		out_null(o);
	else
		out_int(o, sqlite3_column_int64(row, at));
}

static void put_row(struct out *o, sqlite3_stmt *row)
{
	struct buf process CLEANUP(buf_fini) = {0};
	const char *comm = (const char *)sqlite3_column_text(row, AT_COMM);
	buf_printf(&process, "%s,pid=%" PRId64, comm ? comm : "",
		   (int64_t)sqlite3_column_int64(row, AT_PID));
	out_str(o, buf_str(&process));
	out_str(o, (const char *)sqlite3_column_text(row, AT_HOST));
	put_int(o, row, AT_PID);
	out_str(o, comm);
	for (int at = AT_FILES; at <= AT_FULL_NS; at++)
		put_int(o, row, at);
}

int linger_put_files(struct session *s, struct linger_result *l, struct err *e)
{
	sqlite3_stmt *stmt;
	bool begun = s->cmd->out.format == OUT_JSON;
	int step = SQLITE_DONE, rc = db_prepare(s->db, sql_q_files, &stmt, e);
	if (rc)
		return rc;
	if (begun) /* a document has it even if it is empty */
		out_table(s->out, &files_table);
	db_bind_int(stmt, ":from_ns", INT64_MIN);
	db_bind_int(stmt, ":to_ns", l->basis.snapshots ? l->basis.last_ns : INT64_MAX);
	while (rc >= 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = owns_one(l, stmt, e);
		if (rc <= 0)
			continue;
		if (!begun)
			out_table(s->out, &files_table);
		begun = true;
		put_row(s->out, stmt);
	}
	if (rc >= 0 && step != SQLITE_DONE)
		rc = db_error(s->db, "open files", e);
	sqlite3_finalize(stmt);
	if (begun)
		out_note(s->out, "%s", "");
	return rc < 0 ? rc : 0;
}
