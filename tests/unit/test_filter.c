/*
 * test_filter.c - tests/cases/filter.txt: filters, and which rows of tests/cases/filter.sql they
 * match or how exactly they fail. The file says how it is written.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "filter.h"
#include "filter_names.h"
#include "sock.h"

#define LINE_BYTES 1024

struct suite {
	sqlite3 *db;
	const char *table;
	struct filter_env env;
	char text[LINE_BYTES]; /* the filter of the case */
	unsigned line;
	unsigned cases, wrong;
};

static void use_table(struct suite *s, const char *name)
{
	bool spell = strcmp(name, "spell") == 0;
	s->table = spell ? "spell" : "socket";
	s->env = spell ? filter_spell_env() : filter_socket_env();
	s->env.resolver = filter_test_resolver();
}

static void use_family(struct suite *s, const char *name)
{
	static const struct {
		const char *name;
		int family;
	} families[] = {{"any", AF_UNSPEC}, {"inet", AF_INET},	 {"inet6", AF_INET6},
			{"unix", AF_UNIX},  {"link", AF_PACKET}, {"netlink", AF_NETLINK},
			{"vsock", AF_VSOCK}};
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strcmp(name, families[i].name) == 0)
			s->env.family = families[i].family;
}

static void complain(struct suite *s, const char *expected, const char *got)
{
	s->wrong++;
	fprintf(stderr, "filter.txt:%u: %s\n  expected %s\n  got      %s\n", s->line, s->text,
		expected, got);
}

/* "LINE 3-5 message": the place as columns counted from 1. */
static void describe_error(struct filter_place place, const struct err *e, char *ret, size_t size)
{
	const char *text = strncmp(e->text, "filter: ", 8) == 0 ? e->text + 8 : e->text;
	if (place.end > place.begin + 1)
		snprintf(ret, size, "%zu-%zu %s", place.begin + 1, place.end, text);
	else
		snprintf(ret, size, "%zu %s", place.begin + 1, text);
}

/* The numbers of the matching rows, or what failed. */
static void run_filter(struct suite *s, const struct filter *f, char *ret, size_t size)
{
	struct buf sql = {0};
	struct filter_args args = {0};
	struct err e = {0};
	sqlite3_stmt *stmt = NULL;
	size_t len = 0;
	buf_printf(&sql, "SELECT n FROM %s WHERE n > ? AND ", s->table);
	cr_assert_eq(filter_to_sql(f, &sql, &args, &e), 0, "%s", e.text);
	buf_put_str(&sql, " ORDER BY n");
	ret[0] = 0;
	if (sqlite3_prepare_v2(s->db, buf_str(&sql), -1, &stmt, NULL) != SQLITE_OK) {
		snprintf(ret, size, "%s: %s", sqlite3_errmsg(s->db), buf_str(&sql));
	} else {
		sqlite3_bind_int(stmt, 1, 0);
		cr_assert_eq(filter_bind(stmt, 2, &args), 0);
		while (sqlite3_step(stmt) == SQLITE_ROW && len < size)
			len += (size_t)snprintf(ret + len, size - len, "%s%d", len ? " " : "",
						sqlite3_column_int(stmt, 0));
	}
	sqlite3_finalize(stmt);
	filter_args_fini(&args);
	buf_fini(&sql);
}

static void run_case(struct suite *s, char kind, const char *expected)
{
	char got[LINE_BYTES] = "";
	struct err e = {0};
	struct filter *f = NULL;
	struct filter_place place = {0, 0};
	s->cases++;
	int rc = filter_parse(s->text, &s->env, &f, &place, &e);
	if (rc) {
		cr_assert(rc == e.code && !f);
		describe_error(place, &e, got, sizeof(got));
	} else {
		run_filter(s, f, got, sizeof(got));
	}
	if (rc ? kind != '!' : kind != '=')
		complain(s, kind == '!' ? "an error" : "rows", got);
	else if (strcmp(got, expected) != 0)
		complain(s, expected, got);
	filter_free(f);
}

static void run_line(struct suite *s, const char *line)
{
	switch (line[0]) {
	case '@':
		if (strncmp(line, "@table ", 7) == 0)
			use_table(s, line + 7);
		else if (strncmp(line, "@family ", 8) == 0)
			use_family(s, line + 8);
		else
			cr_assert_fail("filter.txt:%u: %s", s->line, line);
		break;
	case '>':
		snprintf(s->text, sizeof(s->text), "%s", line[1] ? line + 2 : "");
		break;
	case '=':
	case '!':
		run_case(s, line[0], line[1] ? line + 2 : "");
		break;
	case '#':
	case 0:
		break;
	default:
		cr_assert_fail("filter.txt:%u: %s", s->line, line);
	}
}

static FILE *open_case(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", CASES_DIR, name);
	FILE *file = fopen(path, "r");
	cr_assert_not_null(file, "%s", path);
	return file;
}

static void load_rows(sqlite3 *db)
{
	char sql[32768];
	FILE *file = open_case("filter.sql");
	size_t len = fread(sql, 1, sizeof(sql) - 1, file);
	cr_assert(len && feof(file));
	sql[len] = 0;
	fclose(file);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
}

Test(filter, every_case_of_the_file)
{
	struct suite s = {.line = 0};
	char line[LINE_BYTES];
	cr_assert_eq(sqlite3_open(":memory:", &s.db), SQLITE_OK);
	cr_assert_eq(filter_register(s.db), SQLITE_OK);
	load_rows(s.db);
	use_table(&s, "socket");
	FILE *file = open_case("filter.txt");
	while (fgets(line, sizeof(line), file)) {
		s.line++;
		line[strcspn(line, "\n")] = 0;
		run_line(&s, line);
	}
	fclose(file);
	sqlite3_close(s.db);
	fprintf(stderr, "filter.txt: %u cases, %u wrong\n", s.cases, s.wrong);
	cr_assert(s.cases >= 150, "%u cases", s.cases);
	cr_assert_eq(s.wrong, 0);
}
