/*
 * cmd_sql.c - `socklapse sql`: SQL over the tables of vt.h. The words are the query; without words
 * queries are read from standard input, each ended by a semicolon. An error ends the program, but
 * on a terminal it is told and the next query read.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cmds.h"
#include "session.h"

/* A query over several lines is never longer. */
#define QUERY_MAX_BYTES (1u << 20)

struct runner {
	struct session *s;
	struct buf line;
	unsigned tables;
	bool asking; /* a person sits there */
};

static const char list_tables[] =
	"SELECT name FROM pragma_module_list WHERE name IN ('socket', 'differing', 'owner', "
	"'spell', "
	"'snapshot', 'tally', 'process', 'process_files', 'host', 'netns', 'netns_fact', "
	"'interface', 'cgroup', 'counter', 'watermark', 'name', 'scope', 'event') UNION SELECT "
	"name FROM sqlite_temp_master WHERE type = 'view' ORDER BY 1";

/* Prints the rows of one statement; its columns become the table's. */
static int print_rows(struct runner *r, sqlite3_stmt *stmt, struct err *e)
{
	int n = sqlite3_column_count(stmt);
	char name[32];
	struct out_column *cells = calloc((size_t)n + 1, sizeof(*cells));
	if (!cells)
		return err_set(e, ERR_NOMEM, "query: memory ran out");
	for (int i = 0; i < n; i++)
		cells[i] = (struct out_column){.name = sqlite3_column_name(stmt, i),
					       .kind = OUT_ANY};
	snprintf(name, sizeof(name), r->tables ? "rows_%u" : "rows", r->tables + 1);
	r->tables++;
	const struct out_table table = {.name = name, .columns = cells, .count = (size_t)n};
	out_table(r->s->out, &table);
	int rc = db_out_rows(stmt, r->s->out, 0, NULL, e);
	out_table_end(r->s->out);
	free(cells);
	return rc;
}

/* Runs all statements of a text. */
static int run(struct runner *r, const char *sql, struct err *e)
{
	int rc = 0;
	while (!rc && *sql) {
		sqlite3_stmt *stmt = NULL;
		if (sqlite3_prepare_v2(r->s->db, sql, -1, &stmt, &sql) != SQLITE_OK)
			return db_error(r->s->db, "query", e);
		if (!stmt)
			continue;
		if (sqlite3_column_count(stmt) > 0)
			rc = print_rows(r, stmt, e);
		else if (sqlite3_step(stmt) != SQLITE_DONE)
			rc = db_error(r->s->db, "query", e);
		sqlite3_finalize(stmt);
	}
	return rc;
}

/* .tables, .schema TABLE, .help, .quit: what a person types first. 1: leave. */
static int run_dot(struct runner *r, const char *text, struct err *e)
{
	char table[64] = "";
	if (strncmp(text, ".q", 2) == 0 || strncmp(text, ".exit", 5) == 0)
		return 1;
	if (strncmp(text, ".tables", 7) == 0)
		return run(r, list_tables, e);
	if (sscanf(text, ".schema %63[a-z_]", table) == 1) {
		char sql[128];
		snprintf(sql, sizeof(sql), "SELECT name, type FROM pragma_table_info('%s')", table);
		return run(r, sql, e);
	}
	out_note(r->s->out, ".tables   .schema TABLE   .quit   or SQL that ends with a semicolon");
	return 0;
}

/* Tells a person of an error and goes on; otherwise it stands. */
static int forgive(struct runner *r, int rc, struct err *e)
{
	if (rc >= 0 || !r->asking || rc == ERR_NOMEM)
		return rc;
	fprintf(stderr, "%s\n", e->text);
	*e = (struct err){0};
	return 0;
}

/* One line: a command with a dot, or a further part of a query. */
static int take_line(struct runner *r, const char *text, struct err *e)
{
	if (!r->line.len && text[0] == '.')
		return forgive(r, run_dot(r, text, e), e);
	buf_put_str(&r->line, text);
	if (r->line.len > QUERY_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "query: longer than %u bytes", QUERY_MAX_BYTES);
	const char *sql = buf_str(&r->line);
	if (r->line.failed)
		return err_set(e, ERR_NOMEM, "query: memory ran out");
	if (!sqlite3_complete(sql))
		return 0;
	int rc = forgive(r, run(r, sql, e), e);
	buf_clear(&r->line);
	return rc;
}

static void prompt(const struct runner *r)
{
	if (!r->asking)
		return;
	fputs(r->line.len ? "      ...> " : "socklapse> ", stdout);
	fflush(stdout);
}

static bool only_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return !*text;
}

static int read_queries(struct runner *r, struct err *e)
{
	char *text = NULL;
	size_t cap = 0;
	int rc = 0;
	for (prompt(r); !rc && getline(&text, &cap, stdin) >= 0; prompt(r))
		rc = take_line(r, text, e);
	free(text);
	/* The last query may lack its semicolon. */
	if (!rc && !only_blanks(buf_str(&r->line)))
		rc = run(r, buf_str(&r->line), e);
	return rc < 0 ? rc : 0;
}

static int run_words(struct runner *r, const struct args *a, struct err *e)
{
	for (size_t i = 0; i < a->words_count; i++) {
		buf_put_str(&r->line, i ? " " : "");
		buf_put_str(&r->line, a->words[i]);
	}
	const char *sql = buf_str(&r->line);
	if (r->line.failed)
		return err_set(e, ERR_NOMEM, "query: memory ran out");
	int rc = sql[0] == '.' ? run_dot(r, sql, e) : run(r, sql, e);
	return rc < 0 ? rc : 0;
}

int cmd_sql(struct cmd *c, struct err *e)
{
	struct session s;
	int rc = session_open(c, &s, e);
	if (rc)
		return rc;
	struct runner r = {.s = &s};
	r.asking = !c->args.words_count && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	rc = c->args.words_count ? run_words(&r, &c->args, e) : read_queries(&r, e);
	if (!rc)
		rc = out_end(s.out, e);
	buf_fini(&r.line);
	session_close(&s);
	return rc;
}
