/*
 * vt_plain.c - the plain tables of all recordings as tables of the whole history
 * (vt_plain_table.h).
 *
 * A table is a query that is run in one recording after the other; rows stream through. Its first
 * result column says what the row is of: a snapshot's id (turned into the number in the history;
 * a snapshot that the history does not count is left out) or nothing. Constraints on the column
 * `snapshot` are handed down to the recording.
 */
#include "vt.h"

#include <stdlib.h>
#include <string.h>

#include "rec_db.h"
#include "vt_plain_table.h"

struct plain_vtab {
	sqlite3_vtab base;
	const struct vt_context *context;
	const struct plain_table *table;
};

struct plain_cursor {
	sqlite3_vtab_cursor base;
	uint32_t file;	     /* the next one to be opened */
	uint32_t of;	     /* the one that `stmt` reads */
	sqlite3_stmt *stmt;  /* NULL: between recordings, or at the end */
	int64_t first, last; /* numbers in the history, both included */
	size_t index;	     /* of the present row's snapshot, or HISTORY_NONE */
	int64_t rowid;
	bool eof;
};

int vt_fail(sqlite3_vtab *vtab, const struct err *e)
{
	sqlite3_free(vtab->zErrMsg);
	vtab->zErrMsg = sqlite3_mprintf("%s", e->text[0] ? e->text : err_name(e->code));
	return e->code == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

/* A module's client data: which table, for which history. */
struct plain_module {
	const struct vt_context *context;
	const struct plain_table *table;
};

static int plain_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			 sqlite3_vtab **ret, char **error)
{
	const struct plain_module *m = aux;
	(void)argc, (void)argv, (void)error;
	int rc = sqlite3_declare_vtab(db, m->table->schema);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	struct plain_vtab *v = sqlite3_malloc(sizeof(*v));
	if (!v)
		return SQLITE_NOMEM;
	*v = (struct plain_vtab){.context = m->context, .table = m->table};
	*ret = &v->base;
	return SQLITE_OK;
}

static int plain_disconnect(sqlite3_vtab *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

/* Bits of idxNum: which of the two values are handed to filter, in this order. */
#define PLAN_EQ 1
#define PLAN_GE 2
#define PLAN_LE 4

static int plan_of(unsigned char op)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return PLAN_EQ;
	case SQLITE_INDEX_CONSTRAINT_GE:
	case SQLITE_INDEX_CONSTRAINT_GT:
		return PLAN_GE;
	case SQLITE_INDEX_CONSTRAINT_LE:
	case SQLITE_INDEX_CONSTRAINT_LT:
		return PLAN_LE;
	default:
		return 0;
	}
}

/* SQLite checks every row again, so > may be handed down as >=. */
static int plain_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct plain_vtab *v = (const struct plain_vtab *)base;
	size_t snapshots;
	history_snapshots(v->context->history, &snapshots);
	int places[3] = {-1, -1, -1};
	for (int i = 0; v->table->by_snapshot && i < info->nConstraint; i++) {
		int plan = info->aConstraint[i].iColumn == 0 && info->aConstraint[i].usable
				   ? plan_of(info->aConstraint[i].op)
				   : 0;
		if (plan)
			places[plan >> 1] = i;
	}
	int argv = 0;
	double share = 1;
	for (int i = 0; i < 3; i++) {
		if (places[i] < 0)
			continue;
		info->aConstraintUsage[places[i]].argvIndex = ++argv;
		info->idxNum |= 1 << i;
		share *= i == 0 ? 1.0 / ((double)snapshots + 1) : 0.3;
	}
	info->estimatedCost = 50 + 20 * (double)snapshots * share;
	info->estimatedRows = 1 + (sqlite3_int64)(8 * (double)snapshots * share);
	return SQLITE_OK;
}

static int plain_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	(void)base;
	struct plain_cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct plain_cursor){.eof = true};
	*ret = &c->base;
	return SQLITE_OK;
}

static int plain_close(sqlite3_vtab_cursor *base)
{
	struct plain_cursor *c = (struct plain_cursor *)base;
	sqlite3_finalize(c->stmt);
	sqlite3_free(c);
	return SQLITE_OK;
}

/* The ids in recording `file` of the snapshots [first, last] of the history; false: none. */
static bool ids_in_file(const struct history *h, uint32_t file, const struct plain_cursor *c,
			int64_t *ret_least, int64_t *ret_greatest)
{
	size_t count;
	const struct history_snapshot *s = history_snapshots(h, &count);
	int64_t least = INT64_MAX, greatest = INT64_MIN;
	for (int64_t i = c->first; i <= c->last && i <= (int64_t)count; i++) {
		if (s[i - 1].file != file)
			continue;
		int64_t id = s[i - 1].rec->id;
		least = id < least ? id : least;
		greatest = id > greatest ? id : greatest;
	}
	*ret_least = least;
	*ret_greatest = greatest;
	return least <= greatest;
}

static int begin_file(struct plain_cursor *c, const struct plain_vtab *v)
{
	int64_t least = 0, greatest = 0;
	struct err e = {0};
	c->of = c->file++;
	if (v->table->by_snapshot && !ids_in_file(v->context->history, c->of, c, &least, &greatest))
		return SQLITE_OK;
	struct rec *rec = history_rec(v->context->history, c->of);
	if (v->table->needs && !rec_db_has_table(rec_db(rec), v->table->needs))
		return SQLITE_OK;
	if (rec_db_prepare(rec_db(rec), v->table->sql, &c->stmt, &e)) {
		err_context(&e, "%s", rec_path(rec));
		return vt_fail(c->base.pVtab, &e);
	}
	if (v->table->by_snapshot) {
		sqlite3_bind_int64(c->stmt, 1, least);
		sqlite3_bind_int64(c->stmt, 2, greatest);
	}
	return SQLITE_OK;
}

/* Takes the next row of the present recording that counts. SQLITE_ROW or SQLITE_DONE. */
static int next_in_file(struct plain_cursor *c, const struct plain_vtab *v)
{
	struct history *h = v->context->history;
	int rc;
	while ((rc = sqlite3_step(c->stmt)) == SQLITE_ROW) {
		c->index = HISTORY_NONE;
		if (!v->table->by_snapshot)
			return rc;
		c->index = history_by_id(h, c->of, sqlite3_column_int64(c->stmt, 0));
		if (c->index == HISTORY_NONE)
			continue;
		if ((int64_t)c->index + 1 >= c->first && (int64_t)c->index < c->last)
			return rc;
	}
	if (rc == SQLITE_DONE)
		return rc;
	struct err e = {0};
	struct rec *rec = history_rec(h, c->of);
	rec_db_error(rec_db(rec), v->table->name, &e);
	err_context(&e, "%s", rec_path(rec));
	return vt_fail(c->base.pVtab, &e);
}

static int plain_next(sqlite3_vtab_cursor *base)
{
	struct plain_cursor *c = (struct plain_cursor *)base;
	const struct plain_vtab *v = (const struct plain_vtab *)base->pVtab;
	c->rowid++;
	for (;;) {
		int rc = SQLITE_DONE;
		if (c->stmt)
			rc = next_in_file(c, v);
		if (rc == SQLITE_ROW)
			return SQLITE_OK;
		if (rc != SQLITE_DONE)
			return rc;
		sqlite3_finalize(c->stmt);
		c->stmt = NULL;
		if (c->file >= history_files(v->context->history)) {
			c->eof = true;
			return SQLITE_OK;
		}
		rc = begin_file(c, v);
		if (rc != SQLITE_OK)
			return rc;
	}
}

/* Narrows the range by a value; one that is no number leaves it as it is: SQLite checks again. */
static void narrow(struct plain_cursor *c, int plan, sqlite3_value *value)
{
	int type = sqlite3_value_type(value);
	if (type == SQLITE_NULL)
		c->last = 0;
	if (type != SQLITE_INTEGER)
		return;
	int64_t v = sqlite3_value_int64(value);
	if ((plan & (PLAN_EQ | PLAN_GE)) && v > c->first)
		c->first = v;
	if ((plan & (PLAN_EQ | PLAN_LE)) && v < c->last)
		c->last = v;
}

static int plain_filter(sqlite3_vtab_cursor *base, int plan, const char *text, int argc,
			sqlite3_value **argv)
{
	struct plain_cursor *c = (struct plain_cursor *)base;
	(void)text;
	sqlite3_finalize(c->stmt);
	c->stmt = NULL;
	c->file = 0;
	c->rowid = 0;
	c->first = 1;
	c->last = INT64_MAX;
	c->eof = false;
	int n = 0;
	for (int bit = 1; bit <= PLAN_LE; bit <<= 1)
		if ((plan & bit) && n < argc)
			narrow(c, bit, argv[n++]);
	return plain_next(base);
}

static int plain_eof(sqlite3_vtab_cursor *base)
{
	return ((struct plain_cursor *)base)->eof;
}

static void put_number(const struct plain_cursor *c, const struct history *h, int from,
		       sqlite3_context *out)
{
	if (sqlite3_column_type(c->stmt, from) != SQLITE_INTEGER)
		return;
	size_t i = history_by_id(h, c->of, sqlite3_column_int64(c->stmt, from));
	if (i != HISTORY_NONE)
		sqlite3_result_int64(out, (int64_t)i + 1);
}

static int plain_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
	const struct plain_cursor *c = (const struct plain_cursor *)base;
	const struct plain_vtab *v = (const struct plain_vtab *)base->pVtab;
	const struct history *h = v->context->history;
	const struct plain_column *p = &v->table->columns[column];
	size_t n;
	const struct history_snapshot *s = history_snapshots(h, &n);
	switch (p->kind) {
	case PLAIN_SNAPSHOT:
		sqlite3_result_int64(out, (int64_t)c->index + 1);
		break;
	case PLAIN_TIME:
		sqlite3_result_int64(out, s[c->index].rec->wall_begin_ns);
		break;
	case PLAIN_HOST:
		sqlite3_result_text(out, history_hosts(h, &n)[s[c->index].host].name, -1,
				    SQLITE_STATIC);
		break;
	case PLAIN_BOOT:
		sqlite3_result_text(out, history_boots(h, &n)[s[c->index].boot].boot_id, -1,
				    SQLITE_STATIC);
		break;
	case PLAIN_FILE:
		sqlite3_result_text(out, rec_path(history_rec(h, c->of)), -1, SQLITE_STATIC);
		break;
	case PLAIN_COPY:
		sqlite3_result_value(out, sqlite3_column_value(c->stmt, p->from));
		break;
	case PLAIN_NUMBER:
		put_number(c, h, p->from, out);
		break;
	}
	return SQLITE_OK;
}

static int plain_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct plain_cursor *)base)->rowid;
	return SQLITE_OK;
}

static const sqlite3_module plain_module = {
	.iVersion = 0,
	.xConnect = plain_connect,
	.xBestIndex = plain_best_index,
	.xDisconnect = plain_disconnect,
	.xOpen = plain_open,
	.xClose = plain_close,
	.xFilter = plain_filter,
	.xNext = plain_next,
	.xEof = plain_eof,
	.xColumn = plain_column,
	.xRowid = plain_rowid,
};

int vt_plain_register(sqlite3 *db, const struct vt_context *context)
{
	for (size_t i = 0; i < plain_tables_count; i++) {
		struct plain_module *m = sqlite3_malloc(sizeof(*m));
		if (!m)
			return SQLITE_NOMEM;
		*m = (struct plain_module){.context = context, .table = &plain_tables[i]};
		/* SQLite frees the client data, also when it fails. */
		int rc = sqlite3_create_module_v2(db, plain_tables[i].name, &plain_module, m,
						  sqlite3_free);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}
