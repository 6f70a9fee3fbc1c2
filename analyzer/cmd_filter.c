/* cmd_filter.c - see cmd_filter.h. */
#include "cmd_filter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILTER_MARK "/*FILTER*/ 1"

/* Appends the words from `first` on to what stands before them. */
static int read_words(struct cmd *c, size_t first, struct buf *text, const struct filter_env *env,
		      struct filter **ret, struct err *e)
{
	struct filter_place place = {0};
	for (size_t i = first; i < c->args.words_count; i++) {
		buf_put_str(text, i > first ? " " : "");
		buf_put_str(text, c->args.words[i]);
	}
	const char *all = buf_str(text);
	if (text->failed)
		return err_set(e, ERR_NOMEM, "filter: memory ran out");
	int rc = filter_parse(all, env, ret, &place, e);
	if (rc == ERR_USAGE || rc == ERR_LIMIT)
		filter_caret(all, place, &c->complaint);
	if (!rc && filter_resolved(*ret)[0])
		fprintf(stderr,
			"socklapse: warning: names mean what they mean here and today: %s\n",
			filter_resolved(*ret));
	return rc;
}

int cmd_filter_read(struct cmd *c, size_t first, const struct filter_env *env, struct filter **ret,
		    struct err *e)
{
	struct buf text CLEANUP(buf_fini) = {0};
	return read_words(c, first, &text, env, ret, e);
}

int cmd_filter_read_file(struct cmd *c, const char *file, const struct filter_env *env,
			 struct filter **ret, struct err *e)
{
	struct buf text CLEANUP(buf_fini) = {0};
	bool is_stdin = strcmp(file, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(file, "re");
	if (!f)
		return err_errno(e, errno, "filter: %s", file);
	uint8_t *room = buf_reserve(&text, FILTER_TEXT_MAX + 1);
	if (room)
		text.len = fread(room, 1, FILTER_TEXT_MAX + 1, f);
	int rc = ferror(f) ? err_errno(e, errno, "filter: %s", file) : 0;
	if (!is_stdin)
		fclose(f);
	/* A NUL would end the filter early, unseen. */
	if (!rc && room && memchr(room, 0, text.len))
		rc = err_set(e, ERR_USAGE, "filter: %s: not a text", file);
	buf_put_str(&text, "\n");
	return rc ? rc : read_words(c, 0, &text, env, ret, e);
}

void cmd_query_fini(struct cmd_query *q)
{
	buf_fini(&q->sql);
	filter_args_fini(&q->args);
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "query: memory ran out");
}

int cmd_query_make(const char *stored, const char *more, const struct filter *f,
		   struct cmd_query *ret, struct err *e)
{
	const char *mark = strstr(stored, FILTER_MARK);
	if (!mark)
		return err_set(e, ERR_DB, "query: has no place for a filter");
	int rc = 0;
	for (; !rc && mark; mark = strstr(stored, FILTER_MARK)) {
		buf_put(&ret->sql, stored, (size_t)(mark - stored));
		buf_put_str(&ret->sql, more);
		rc = filter_to_sql(f, &ret->sql, &ret->args, e);
		stored = mark + strlen(FILTER_MARK);
	}
	buf_put_str(&ret->sql, stored);
	if (!rc && ret->sql.failed)
		rc = no_memory(e);
	return rc;
}

int cmd_query_replace(struct cmd_query *q, const char *mark, const char *text, struct err *e)
{
	char comment[32];
	struct buf sql = {0};
	snprintf(comment, sizeof(comment), "/*%s*/", mark);
	const char *at = buf_str(&q->sql), *next;
	while ((next = strstr(at, comment)) != NULL) {
		buf_put(&sql, at, (size_t)(next - at));
		buf_put_str(&sql, text);
		at = next + strlen(comment);
	}
	buf_put_str(&sql, at);
	buf_fini(&q->sql);
	q->sql = sql;
	return sql.failed ? no_memory(e) : 0;
}

/* The filter's values are the only parameters without a name. */
static int first_nameless(sqlite3_stmt *stmt)
{
	int n = sqlite3_bind_parameter_count(stmt);
	for (int i = 1; i <= n; i++)
		if (!sqlite3_bind_parameter_name(stmt, i))
			return i;
	return n + 1;
}

int cmd_query_prepare(struct cmd_query *q, sqlite3 *db, sqlite3_stmt **ret, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(db, buf_str(&q->sql), &stmt, e);
	if (rc)
		return rc;
	if (filter_bind(stmt, first_nameless(stmt), &q->args)) {
		sqlite3_finalize(stmt);
		return no_memory(e);
	}
	*ret = stmt;
	return 0;
}
