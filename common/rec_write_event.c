/* rec_write_event.c - rows of table event. See rec_write.h. */
#include "rec_write_internal.h"

int rec_writer_event(struct rec_writer *w, int64_t wall_ns, const char *kind, const char *text,
		     struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_writer_stmt(w, W_PUT_EVENT, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, wall_ns);
	sqlite3_bind_text(stmt, 2, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 3, text, -1, SQLITE_STATIC);
	return rec_db_run(stmt, "cannot write an event", e);
}

static int run_gap(struct rec_writer *w, enum writer_stmt which, const struct rec_gap *gap,
		   struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_writer_stmt(w, which, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, gap->begin_ns);
	sqlite3_bind_text(stmt, 2, gap->why, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, gap->end_ns);
	sqlite3_bind_int64(stmt, 4, gap->count);
	if (which == W_PROLONG_GAP)
		sqlite3_bind_int64(stmt, 5, REC_GAP_MERGE_NS);
	return rec_db_run(stmt, "cannot write an event", e);
}

int rec_writer_gap(struct rec_writer *w, const struct rec_gap *gap, struct err *e)
{
	int rc = run_gap(w, W_PROLONG_GAP, gap, e);
	if (rc || sqlite3_changes(w->db))
		return rc;
	return run_gap(w, W_PUT_GAP, gap, e);
}
