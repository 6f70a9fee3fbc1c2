/*
 * test_filter_row.c - every filter of tests/cases/filter.txt that can be asked while sockets are
 * recorded says the same of a row as SQL does of the row in the table; and what cannot be asked
 * is refused with its place and a reason.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "filter_names.h"
#include "filter_rows_of.h"

#define LINE_BYTES 1024

struct pair {
	sqlite3 *db;
	struct test_row rows[TEST_ROWS_MAX];
	unsigned count;
	unsigned asked, refused, wrong;
};

static void load(struct pair *p)
{
	char sql[32768];
	FILE *file = fopen(CASES_DIR "/filter.sql", "r");
	cr_assert_not_null(file);
	size_t len = fread(sql, 1, sizeof(sql) - 1, file);
	sql[len] = 0;
	fclose(file);
	memset(p, 0, sizeof(*p));
	cr_assert_eq(sqlite3_open(":memory:", &p->db), SQLITE_OK);
	cr_assert_eq(filter_register(p->db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(p->db, sql, NULL, NULL, NULL), SQLITE_OK);
	p->count = test_rows_read(p->db, p->rows);
	cr_assert_eq(p->count, 28);
}

static uint64_t by_sql(struct pair *p, const struct filter *f)
{
	struct buf sql = {0};
	struct filter_args args = {0};
	sqlite3_stmt *stmt = NULL;
	uint64_t found = 0;
	buf_put_str(&sql, "SELECT n FROM socket WHERE ");
	cr_assert_eq(filter_to_sql(f, &sql, &args, NULL), 0);
	cr_assert_eq(sqlite3_prepare_v2(p->db, buf_str(&sql), -1, &stmt, NULL), SQLITE_OK);
	cr_assert_eq(filter_bind(stmt, 1, &args), 0);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		found |= UINT64_C(1) << sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	filter_args_fini(&args);
	buf_fini(&sql);
	return found;
}

static uint64_t by_rows(const struct pair *p, const struct filter *f)
{
	struct filter_rows *r = NULL;
	uint64_t found = 0;
	cr_assert_eq(filter_rows_new(f, &r, NULL), 0);
	filter_rows_cgroups(r, test_rows_cgroup, NULL);
	for (unsigned i = 0; i < p->count; i++)
		if (filter_rows_match(r, &p->rows[i].row, &p->rows[i].about))
			found |= UINT64_C(1) << p->rows[i].n;
	filter_rows_free(r);
	return found;
}

static void ask_both(struct pair *p, const char *text, int family)
{
	struct filter_env table = filter_socket_env(), row = filter_row_env();
	struct filter *a = NULL, *b = NULL;
	table.resolver = row.resolver = filter_test_resolver();
	table.family = row.family = family;
	if (filter_parse(text, &table, &a, NULL, NULL))
		return;
	if (filter_parse(text, &row, &b, NULL, NULL)) {
		p->refused++;
	} else {
		uint64_t sql = by_sql(p, a), rows = by_rows(p, b);
		p->asked++;
		if (sql != rows)
			fprintf(stderr, "%s: SQL %llx, rows %llx\n", text, (unsigned long long)sql,
				(unsigned long long)rows);
		p->wrong += sql != rows;
	}
	filter_free(a);
	filter_free(b);
}

/* The opposite, too: what is not known is then true. */
static void ask(struct pair *p, const char *text, int family)
{
	char opposite[LINE_BYTES + 16];
	snprintf(opposite, sizeof(opposite), "not (%s\n)", text);
	ask_both(p, text, family);
	ask_both(p, opposite, family);
}

Test(filter_row, says_what_sql_says)
{
	struct pair p;
	char line[LINE_BYTES];
	bool sockets = true;
	load(&p);
	FILE *file = fopen(CASES_DIR "/filter.txt", "r");
	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX, AF_VSOCK};
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "@table ", 7) == 0)
			sockets = strcmp(line + 7, "socket") == 0;
		for (size_t i = 0; line[0] == '>' && sockets && i < 5; i++)
			ask(&p, line[1] ? line + 2 : "", families[i]);
	}
	fclose(file);
	sqlite3_close(p.db);
	fprintf(stderr, "%u asked of both, %u refused for rows, %u wrong\n", p.asked, p.refused,
		p.wrong);
	cr_assert_eq(p.wrong, 0);
	cr_assert(p.asked >= 1500, "%u", p.asked);
}

Test(filter_row, what_cannot_be_asked_is_refused_with_its_place)
{
	static const struct {
		const char *text;
		size_t begin, end;
		const char *message;
	} cases[] = {
		{"sport = :22 and comm = sshd", 16, 20,
		 "filter: comm is not known while the sockets are recorded, but when they are "
		 "read"},
		{"DWELL > 5min", 0, 5, "filter: dwell is known of a history only, when it is read"},
		{"dst kafka.example:9200", 4, 17,
		 "filter: names of hosts are not looked up while sockets are recorded; use "
		 "addresses"},
		{"cgroup = /system.slice/*", 9, 24,
		 "filter: cgroups are not known by a glob while sockets are recorded"},
		{"colour = red", 0, 6, "filter: 'colour' is no condition such as dport = :80"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter_env env = filter_row_env();
		struct filter *f = NULL;
		struct filter_place place = {0, 0};
		struct err e = {0};
		env.resolver = filter_test_resolver();
		cr_assert_eq(filter_parse(cases[i].text, &env, &f, &place, &e), ERR_USAGE);
		cr_assert_str_eq(e.text, cases[i].message);
		cr_assert(place.begin == cases[i].begin && place.end == cases[i].end, "%s: %zu-%zu",
			  cases[i].text, place.begin, place.end);
	}
}
