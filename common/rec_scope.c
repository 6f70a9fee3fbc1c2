/* rec_scope.c - which scope each snapshot of a recording has. See rec_scope.h. */
#include "rec_scope.h"

#include <string.h>
#include <zlib.h>

#include "rec_db.h"

static uint32_t scope_mark(const char *text)
{
	return text && *text ? (uint32_t)crc32_z(0, (const Bytef *)text, strlen(text)) | 1 : 0;
}

static bool has_table(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	if (rec_db_prepare(db,
			   "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'scope'",
			   &stmt, NULL))
		return false;
	bool has = sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_finalize(stmt);
	return has;
}

int rec_scope_load(sqlite3 *db, struct rec_snapshot *snapshots, size_t count, struct err *e)
{
	sqlite3_stmt *stmt;
	uint32_t mark = 0;
	size_t i = 0;
	int step;
	if (!has_table(db))
		return 0;
	int rc = rec_db_prepare(db, "SELECT snapshot, text FROM scope ORDER BY snapshot", &stmt, e);
	if (rc)
		return rc;
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (; i < count && snapshots[i].id < sqlite3_column_int64(stmt, 0); i++)
			snapshots[i].scope = mark;
		mark = scope_mark((const char *)sqlite3_column_text(stmt, 1));
	}
	for (; i < count; i++)
		snapshots[i].scope = mark;
	if (step != SQLITE_DONE)
		rc = rec_db_error(db, "cannot read its scope", e);
	sqlite3_finalize(stmt);
	return rc;
}
