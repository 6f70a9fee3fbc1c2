/* cmd_list.c - `socklapse list`: one line a snapshot (sql/q_list.sql). */
#include "cmds.h"
#include "queries.h"
#include "session.h"

static const struct out_column list_columns[] = {
	{"snapshot", "#", OUT_NUMBER, 0},	   {"time", "Time", OUT_TIME, 0},
	{"host", "Host", OUT_STRING, 0},	   {"sockets", "Sockets", OUT_NUMBER, 0},
	{"estab", "ESTAB", OUT_NUMBER, 0},	   {"listen", "LISTEN", OUT_NUMBER, 0},
	{"time_wait", "TIME-WAIT", OUT_NUMBER, 0}, {"close_wait", "CLOSE-WAIT", OUT_NUMBER, 0},
	{"flags", "Flags", OUT_STRING, 0},	   {"bytes", "Bytes", OUT_BYTES, 0},
	{"duration_ms", "Took", OUT_DURATION, 0},
};

static const struct out_table table = {.name = "snapshots",
				       .columns = list_columns,
				       .count = sizeof(list_columns) / sizeof(list_columns[0])};

static int list(struct session *s, struct err *e)
{
	sqlite3_stmt *stmt;
	int64_t from_ns, to_ns, top;
	int rc = session_range(s, &from_ns, &to_ns, e);
	if (!rc)
		rc = session_top(s, 0, &top, e);
	if (!rc)
		rc = db_prepare(s->db, sql_q_list, &stmt, e);
	if (rc)
		return rc;
	db_bind_int(stmt, ":from_ns", from_ns);
	db_bind_int(stmt, ":to_ns", to_ns);
	out_table(s->out, &table);
	uint64_t rows = 0;
	rc = db_out_rows(stmt, s->out, (uint64_t)top, &rows, e);
	if (!rc && !rows)
		out_note(s->out, "No snapshots in this range.");
	sqlite3_finalize(stmt);
	return rc ? rc : out_end(s->out, e);
}

int cmd_list(struct cmd *c, struct err *e)
{
	struct session s;
	if (c->args.words_count)
		return err_set(e, ERR_USAGE, "list: %.64s: takes no words", c->args.words[0]);
	int rc = session_open(c, &s, e);
	if (rc)
		return rc;
	rc = list(&s, e);
	session_close(&s);
	return rc;
}
