/* db.c - see db.h. */
#include "db.h"

#include <string.h>

#include "buf.h"
#include "db_func.h"
#include "filter.h"
#include "queries.h"
#include "vt_spell.h"

/* A query that a person types is never longer, deeper or wider than this. */
static const struct {
	int id;
	int limit;
} limits[] = {
	{SQLITE_LIMIT_SQL_LENGTH, 1 << 20},
	{SQLITE_LIMIT_LENGTH, 256 << 20},
	/* No other file is read or written: not by ATTACH, not by VACUUM INTO. */
	{SQLITE_LIMIT_ATTACHED, 0},
};

static void harden(sqlite3 *db)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(db, limits[i].id, limits[i].limit);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
}

int db_error(sqlite3 *db, const char *what, struct err *e)
{
	int code = sqlite3_errcode(db);
	return err_set(e, code == SQLITE_NOMEM ? ERR_NOMEM : ERR_DB, "%s: %s", what,
		       sqlite3_errmsg(db));
}

static int register_all(sqlite3 *db, const struct vt_context *context)
{
	int rc = vt_plain_register(db, context);
	if (rc == SQLITE_OK)
		rc = vt_socket_register(db, context);
	if (rc == SQLITE_OK)
		rc = vt_owner_register(db, context);
	if (rc == SQLITE_OK)
		rc = vt_spell_register(db, context);
	if (rc == SQLITE_OK)
		rc = db_func_register(db);
	if (rc == SQLITE_OK)
		rc = filter_register(db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql_views, NULL, NULL, NULL);
	return rc;
}

int db_add_tables(sqlite3 *db, const struct vt_context *context, struct err *e)
{
	return register_all(db, context) == SQLITE_OK ? 0 : db_error(db, "database", e);
}

int db_open(const struct vt_context *context, sqlite3 **ret, struct err *e)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(":memory:", &db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				 NULL);
	if (rc == SQLITE_OK) {
		harden(db);
		rc = sqlite3_exec(db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = register_all(db, context);
	if (rc != SQLITE_OK) {
		int code = db ? db_error(db, "database", e)
			      : err_set(e, ERR_NOMEM, "database: memory ran out");
		sqlite3_close(db);
		return code;
	}
	*ret = db;
	return 0;
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *e)
{
	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL) != SQLITE_OK)
		return db_error(db, "query", e);
	return 0;
}

void db_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int i = sqlite3_bind_parameter_index(stmt, name);
	if (i)
		sqlite3_bind_int64(stmt, i, value);
}

void db_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	int i = sqlite3_bind_parameter_index(stmt, name);
	if (i)
		sqlite3_bind_text(stmt, i, text, -1, SQLITE_TRANSIENT);
}

/* X'0aff', as SQL writes it. */
static void out_hex(sqlite3_stmt *stmt, int column, struct out *o)
{
	struct buf b CLEANUP(buf_fini) = {0};
	const unsigned char *bytes = sqlite3_column_blob(stmt, column);
	int len = sqlite3_column_bytes(stmt, column);
	buf_put_str(&b, "X'");
	for (int i = 0; bytes && i < len; i++)
		buf_printf(&b, "%02x", bytes[i]);
	buf_put_str(&b, "'");
	out_str(o, buf_str(&b));
}

void db_out_value(sqlite3_stmt *stmt, int column, struct out *o)
{
	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_NULL:
		out_null(o);
		break;
	case SQLITE_INTEGER:
		out_int(o, sqlite3_column_int64(stmt, column));
		break;
	case SQLITE_FLOAT:
		out_real(o, sqlite3_column_double(stmt, column));
		break;
	case SQLITE_BLOB:
		out_hex(stmt, column, o);
		break;
	default: {
		const char *text = sqlite3_column_blob(stmt, column);
		out_bytes(o, text ? text : "", (size_t)sqlite3_column_bytes(stmt, column));
	}
	}
}

int db_out_rows(sqlite3_stmt *stmt, struct out *o, uint64_t max, uint64_t *ret_rows, struct err *e)
{
	uint64_t rows = 0;
	int rc = SQLITE_ROW;
	int cells = sqlite3_column_count(stmt);
	while ((!max || rows < max) && !out_failed(o) && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < cells; i++)
			db_out_value(stmt, i, o);
		rows++;
	}
	if (ret_rows)
		*ret_rows = rows;
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_error(sqlite3_db_handle(stmt), "query", e);
	return 0;
}
