/*
 * fuzz_filter.c - any text as a filter. What is taken must become SQL that SQLite takes, and
 * `not` of it must match exactly the other rows; what is refused must say where and why. What can
 * be asked of single rows must say of them what SQL says.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "filter.h"
#include "filter_names.h"
#include "filter_rows_of.h"
#include "fuzz.h"

#define ROWS_MAX 64

static void must(bool true_thing, const char *what, const char *text)
{
	if (true_thing)
		return;
	fprintf(stderr, "%s: %s\n", what, text);
	abort();
}

static sqlite3 *db; /* for all runs */
static struct test_row sockets[TEST_ROWS_MAX];
static unsigned sockets_count;

static void close_rows(void)
{
	sqlite3_close(db);
}

/* The rows of tests/cases/filter.sql. */
static sqlite3 *rows(void)
{
	char sql[32768];
	if (db)
		return db;
	FILE *file = fopen(CASES_DIR "/filter.sql", "r");
	must(file != NULL, "cannot be read", CASES_DIR "/filter.sql");
	size_t len = fread(sql, 1, sizeof(sql) - 1, file);
	sql[len] = 0;
	fclose(file);
	must(sqlite3_open(":memory:", &db) == SQLITE_OK, "open", "");
	atexit(close_rows);
	must(filter_register(db) == SQLITE_OK, "register", "");
	must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db), "");
	sockets_count = test_rows_read(db, sockets);
	must(sockets_count > 0, "rows", "");
	return db;
}

/* Bits 1 << n of the rows that match. */
static uint64_t match(const struct filter *f, const char *table, const char *text)
{
	struct buf sql = {0};
	struct filter_args args = {0};
	sqlite3_stmt *stmt = NULL;
	uint64_t found = 0;
	int rc;
	buf_printf(&sql, "SELECT n FROM %s WHERE ", table);
	must(filter_to_sql(f, &sql, &args, NULL) == 0, "to_sql", text);
	must(sqlite3_prepare_v2(rows(), buf_str(&sql), -1, &stmt, NULL) == SQLITE_OK,
	     sqlite3_errmsg(rows()), text);
	must(filter_bind(stmt, 1, &args) == 0, "bind", text);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		found |= UINT64_C(1) << (sqlite3_column_int(stmt, 0) % ROWS_MAX);
	must(rc == SQLITE_DONE, sqlite3_errmsg(rows()), text);
	sqlite3_finalize(stmt);
	filter_args_fini(&args);
	buf_fini(&sql);
	return found;
}

static void check_error(const char *text, struct filter_place place, const struct err *e)
{
	struct buf out = {0};
	must(place.begin <= place.end && place.end <= strlen(text), "place", text);
	must(strncmp(e->text, "filter: ", 8) == 0, e->text, text);
	for (const char *c = e->text; *c; c++)
		must((unsigned char)*c >= ' ' && *c != 127, "control character in the error", text);
	filter_caret(text, place, &out);
	must(strchr(buf_str(&out), '^') != NULL, "caret", text);
	buf_fini(&out);
}

/* `not` of a filter that was taken; it may pass a limit that the filter itself did not. */
static void check_opposite(const char *text, const struct filter_env *env, const char *table,
			   uint64_t found)
{
	struct buf opposite = {0};
	struct filter *f = NULL;
	struct filter *all = NULL;
	struct err e = {0};
	buf_printf(&opposite, "not (\n%s\n)", text);
	int rc = filter_parse(buf_str(&opposite), env, &f, NULL, &e);
	must(rc == 0 || rc == ERR_LIMIT, e.text, text);
	must(filter_parse("", env, &all, NULL, NULL) == 0, "empty", text);
	if (!rc)
		must(match(f, table, text) == (match(all, table, "") & ~found), "not", text);
	filter_free(all);
	filter_free(f);
	buf_fini(&opposite);
}

/* Whether "not (TEXT)" says the opposite: not if TEXT is empty, and not if it hides the ')'. */
static bool may_be_wrapped(const char *text)
{
	size_t len = strlen(text);
	return strspn(text, " \t\n\v\f\r") != len && text[0] != '#' && !strstr(text, "\n#") &&
	       text[len - 1] != '\\';
}

static void check_rows(const char *text, int family, uint64_t by_sql)
{
	struct filter_env env = filter_row_env();
	struct filter *f = NULL;
	struct filter_rows *r = NULL;
	struct filter_place place = {0, 0};
	struct err e = {0};
	uint64_t found = 0;
	env.family = family;
	env.resolver = filter_test_resolver();
	if (filter_parse(text, &env, &f, &place, &e)) {
		check_error(text, place, &e);
		return;
	}
	must(filter_rows_new(f, &r, NULL) == 0, "rows_new", text);
	filter_rows_cgroups(r, test_rows_cgroup, NULL);
	for (unsigned i = 0; i < sockets_count; i++)
		if (filter_rows_match(r, &sockets[i].row, &sockets[i].about))
			found |= UINT64_C(1) << (sockets[i].n % ROWS_MAX);
	must(found == by_sql, "single rows", text);
	filter_rows_free(r);
	filter_free(f);
}

static void run(const char *text, const char *table, struct filter_env env, int family)
{
	struct filter *f = NULL;
	struct filter_place place = {0, 0};
	struct err e = {0};
	env.family = family;
	env.resolver = filter_test_resolver();
	int rc = filter_parse(text, &env, &f, &place, &e);
	if (rc) {
		check_error(text, place, &e);
		return;
	}
	struct filter_scope scope = filter_scope(f);
	uint64_t found = match(f, table, text);
	must(!found || (scope.states && scope.families), "scope", text);
	if (strcmp(table, "socket") == 0)
		check_rows(text, family, found);
	if (may_be_wrapped(text))
		check_opposite(text, &env, table, found);
	filter_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const int families[] = {AF_UNSPEC, AF_UNSPEC,  AF_INET,	AF_INET6,
				       AF_UNIX,	  AF_NETLINK, AF_VSOCK, AF_PACKET};
	char *text = malloc(len + 1);
	if (!text)
		return 0;
	if (len)
		memcpy(text, bytes, len);
	text[len] = 0;
	run(text, "socket", filter_socket_env(), families[len % 8]);
	run(text, "spell", filter_spell_env(), AF_UNSPEC);
	free(text);
	return 0;
}
