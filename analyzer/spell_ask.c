/* spell_ask.c - see spell_ask.h. */
#include "spell_ask.h"

#include <string.h>

#include "db.h"

static int parse(const char *text, struct spell_ask *a, struct err *e)
{
	struct filter_env env = filter_spell_env();
	struct filter_place place = {0};
	env.resolver = filter_system_resolver();
	int rc = filter_parse(text, &env, &a->filter, &place, e);
	if (rc != ERR_USAGE && rc != ERR_LIMIT)
		return rc;
	struct buf caret = {0};
	struct err why = *e;
	filter_caret(text, place, &caret);
	while (caret.len && caret.bytes[caret.len - 1] == '\n')
		caret.len--;
	rc = err_set(e, ERR_USAGE, "%s\n%s", why.text, buf_str(&caret));
	buf_fini(&caret);
	return rc;
}

static int prepare(sqlite3 *db, const char *text, struct spell_ask *a, struct err *e)
{
	int rc = parse(text, a, e);
	if (rc)
		return rc;
	a->scope = filter_scope(a->filter);
	struct buf sql = {0};
	buf_put_str(&sql, "SELECT 1 FROM spell_row WHERE ");
	rc = filter_to_sql(a->filter, &sql, &a->args, e);
	if (!rc)
		rc = db_prepare(db, buf_str(&sql), &a->stmt, e);
	if (!rc && filter_bind(a->stmt, 1, &a->args) != 0)
		rc = db_error(db, "filter", e);
	buf_fini(&sql);
	return rc;
}

int spell_ask_open(sqlite3 *db, const struct vt_context *context, const char *const *words,
		   size_t count, struct spell_ask *ret, struct err *e)
{
	*ret = (struct spell_ask){.scope = {.states = UINT32_MAX}};
	if (!count)
		return 0;
	struct buf text = {0};
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s%s", i ? " " : "", words[i]);
	int rc = 0;
	if (vt_spell_row_register(db, context, &ret->current) != SQLITE_OK)
		rc = db_error(db, "filter", e);
	if (!rc)
		rc = prepare(db, buf_str(&text), ret, e);
	buf_fini(&text);
	if (rc)
		spell_ask_close(ret);
	return rc;
}

void spell_ask_close(struct spell_ask *a)
{
	sqlite3_finalize(a->stmt);
	filter_args_fini(&a->args);
	filter_free(a->filter);
	*a = (struct spell_ask){0};
}

bool spell_ask_wants(const void *ask, const struct row_member *id)
{
	const struct spell_ask *a = ask;
	return !a->filter || filter_can_match(a->filter, id);
}

int spell_ask_matches(struct spell_ask *a, const struct spell *s, struct err *e)
{
	if (!a->stmt)
		return 1;
	a->current = s;
	int step = sqlite3_step(a->stmt);
	int rc = step == SQLITE_ROW;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		rc = db_error(sqlite3_db_handle(a->stmt), "filter", e);
	sqlite3_reset(a->stmt);
	return rc;
}
