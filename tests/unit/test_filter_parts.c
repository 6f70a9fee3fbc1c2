/*
 * test_filter_parts.c - what filter.txt cannot show: globs and prefixes by themselves, the mark
 * under an error, what a filter says about states, names that were looked up, and the limits.
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Test(filter_parts, globs)
{
	static const struct {
		const char *glob;
		const char *text;
		bool any_case, match;
	} cases[] = {
		{"", "", false, true},
		{"", "a", false, false},
		{"*", "", false, true},
		{"***", "abc", false, true},
		{"a*c", "abbbc", false, true},
		{"a*c", "abbbcd", false, false},
		{"*ab*ab", "aabab", false, true},
		{"?", "\xc3\xa9", false, true}, /* one character of two bytes */
		{"??", "\xc3\xa9", false, false},
		{"??", "\xc3\xc3", false, true}, /* bytes that are no characters */
		{"[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", false, true},
		{"[abc]", "b", false, true},
		{"[!abc]", "b", false, false},
		{"[^abc]", "d", false, true},
		{"[a-c]x", "bx", false, true},
		{"[]]", "]", false, true},
		{"[!]]", "]", false, false},
		{"[a-]", "-", false, true},
		{"[\\]]", "]", false, true},
		{"[a", "[a", false, true}, /* not closed: a '[' */
		{"[", "[", false, true},
		{"\\*", "*", false, true},
		{"\\*", "x", false, false},
		{"\\", "\\", false, true},
		{"ABC*", "abcd", false, false},
		{"ABC*", "abcd", true, true},
		{"[A-C]", "b", true, true},
		{"[!A-C]", "b", true, false},
		{"[a-c]", "B", true, true},
		{"*/", "/a/b", false, false},
		{"/*", "/a/b", false, true}, /* as fnmatch(3) without FNM_PATHNAME */
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect_eq(filter_glob_match(cases[i].glob, cases[i].text, cases[i].any_case),
			     cases[i].match, "%s of %s", cases[i].glob, cases[i].text);
}

/* Doubling the text must not double the work for every star: 40 of them would take for ever. */
Test(filter_parts, globs_with_many_stars_end, .timeout = 10)
{
	char glob[200] = "";
	char text[4001];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (int i = 0; i < 40; i++)
		strcat(glob, "*a");
	strcat(glob, "b");
	cr_assert_not(filter_glob_match(glob, text, false));
}

Test(filter_parts, prefixes)
{
	static const struct {
		const char *addr;
		const char *prefix;
		int in;
	} cases[] = {
		{"10.1.2.3", "10.0.0.0/8", 1},
		{"11.1.2.3", "10.0.0.0/8", 0},
		{"10.1.2.3", "10.1.2.3", 1},
		{"10.1.2.3", "10.99.99.99/8", 1}, /* bits behind the prefix do not count */
		{"10.1.2.3", "10.1.2.2/31", 1},
		{"10.1.2.4", "10.1.2.2/31", 0},
		{"1.2.3.4", "0.0.0.0/0", 1},
		{"::1", "0.0.0.0/0", 0},
		{"::1", "::/0", 1},
		{"1.2.3.4", "::/0", 0},
		{"::ffff:10.1.2.3", "10.0.0.0/8", 1},
		{"::ffff:11.1.2.3", "10.0.0.0/8", 0},
		{"10.1.2.3", "::ffff:0:0/96", 0},
		{"::ffff:10.1.2.3", "::ffff:0:0/96", 1},
		{"fe80::1", "fe80::/10", 1},
		{"febf::1", "fe80::/10", 1},
		{"fec0::1", "fe80::/10", 0},
		{"2001:db8::1", "2001:db8::1/128", 1},
		{"x", "10.0.0.0/8", -1},
		{"", "10.0.0.0/8", -1},
		{"10.1.2.3/8", "10.0.0.0/8", -1},
		{"10.1.2.3", "10.0.0.0/33", -1},
		{"10.1.2.3", "10.0.0.0/", -1},
		{"10.1.2.3", "10.0.0.0/8x", -1},
		{"10.1.2.3", "10.0.0.0/ 8", -1},
		{"10.1.2.3", "10/8", -1},
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect_eq(filter_addr_in(cases[i].addr, cases[i].prefix), cases[i].in,
			     "%s in %s", cases[i].addr, cases[i].prefix);
}

Test(filter_parts, functions_of_sql)
{
	static const struct {
		const char *sql;
		const char *answer;
	} cases[] = {
		{"SELECT addr_in('10.1.2.3', '10.0.0.0/8')", "1"},
		{"SELECT addr_in('/run/x', '0.0.0.0/0')", "0"},
		{"SELECT addr_in(NULL, '10.0.0.0/8') IS NULL", "1"},
		{"SELECT addr_in('10.1.2.3', NULL) IS NULL", "1"},
		{"SELECT addr_in('10.1.2.3', 'ten')",
		 "addr_in: the second argument is not ADDRESS/BITS"},
		{"SELECT group_concat(addr_in('10.1.2.3', p)) FROM (SELECT '10.0.0.0/8' AS p UNION "
		 "ALL "
		 "SELECT '11.0.0.0/8')",
		 "1,0"},
		{"SELECT glob_match('nginx', 'ng*')", "1"},
		{"SELECT glob_match('NGINX', 'ng*')", "0"},
		{"SELECT glob_match('NGINX', 'ng*', 1)", "1"},
		{"SELECT glob_match(NULL, 'ng*') IS NULL", "1"},
	};
	sqlite3 *db = NULL;
	cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	cr_assert_eq(filter_register(db), SQLITE_OK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		sqlite3_stmt *stmt = NULL;
		cr_assert_eq(sqlite3_prepare_v2(db, cases[i].sql, -1, &stmt, NULL), SQLITE_OK);
		int rc = sqlite3_step(stmt);
		const char *got = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0)
						   : sqlite3_errmsg(db);
		cr_expect_str_eq(got, cases[i].answer, "%s", cases[i].sql);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
}

Test(filter_parts, caret_under_the_error)
{
	static const struct {
		const char *text;
		struct filter_place place;
		const char *lines;
	} cases[] = {
		{"sport = :x", {8, 10}, "sport = :x\n        ^~\n"},
		{"sport =", {7, 7}, "sport =\n       ^\n"},
		{"", {0, 0}, "\n^\n"},
		{"comm = \xc3\xa9t\xc3\xa9 x",
		 {13, 14},
		 "comm = \xc3\xa9t\xc3\xa9 x\n           ^\n"},
		{"comm = \xc3\xa9t\xc3\xa9", {7, 12}, "comm = \xc3\xa9t\xc3\xa9\n       ^~~\n"},
		{"a\nbb ccc\nd", {5, 8}, "bb ccc\n   ^~~\n"},
		{"a\tb\x1b", {2, 3}, "a b \n  ^\n"}, /* nothing that a terminal obeys */
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = {0};
		filter_caret(cases[i].text, cases[i].place, &out);
		cr_expect_str_eq(buf_str(&out), cases[i].lines, "%s", cases[i].text);
		buf_fini(&out);
	}
}

Test(filter_parts, caret_in_a_long_line_stays_in_sight)
{
	char text[5001];
	struct buf out = {0};
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	memcpy(text + 3000, "HERE", 4);
	filter_caret(text, (struct filter_place){3000, 3004}, &out);
	const char *line = buf_str(&out);
	const char *caret = strchr(line, '^');
	const char *second = strchr(line, '\n') + 1;
	cr_assert_lt(strlen(line), 220);
	cr_assert_eq(strncmp(line + (caret - second), "HERE", 4), 0);
	cr_assert_str_eq(caret, "^~~~\n");
	buf_fini(&out);
}

static int parse(const char *text, struct filter **ret, struct filter_place *place, struct err *e)
{
	struct filter_env env = filter_socket_env();
	env.resolver = filter_test_resolver();
	return filter_parse(text, &env, ret, place, e);
}

#define BIT(s) (UINT32_C(1) << (s))

Test(filter_parts, what_it_says_about_states_and_families)
{
	static const uint64_t any = UINT64_MAX;
	static const struct {
		const char *text;
		bool names_states, names_families;
		uint32_t states; /* 0: not looked at */
		uint64_t families;
	} cases[] = {
		{"", false, false, 0, any},
		{"dport = :80", false, false, 0, any},
		{"state established", true, false, BIT(STATE_ESTAB), any},
		{"state established dport :80", true, false, BIT(STATE_ESTAB), any},
		{"state established or state listening", true, false,
		 BIT(STATE_ESTAB) | BIT(STATE_LISTEN), any},
		{"state established and state bucket", true, false, 0, any},
		{"not exclude time-wait", true, false, BIT(STATE_TIME_WAIT), any},
		{"( state established or dport = :80 )", true, false, 0, any},
		{"src unix:/x", false, true, 0, UINT64_C(1) << AF_UNIX},
		{"src unix:/x or sport = inet::80", false, true, 0,
		 UINT64_C(1) << AF_UNIX | UINT64_C(1) << AF_INET},
		{"src unix:/x or comm = y", false, true, 0, any},
		{"not src unix:/x", false, true, 0, any},
		{"src vsock:3 comm y", false, true, 0, UINT64_C(1) << AF_VSOCK},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct filter *f = NULL;
		struct err e = {0};
		cr_assert_eq(parse(cases[i].text, &f, NULL, &e), 0, "%s: %s", cases[i].text,
			     e.text);
		struct filter_scope s = filter_scope(f);
		uint32_t known = (BIT(STATE_COUNT) - 2) & s.states;
		cr_expect_eq(s.names_states, cases[i].names_states, "%s", cases[i].text);
		cr_expect_eq(s.names_families, cases[i].names_families, "%s", cases[i].text);
		cr_expect_eq(s.families, cases[i].families, "%s", cases[i].text);
		if (cases[i].states)
			cr_expect_eq(known, cases[i].states, "%s: %x", cases[i].text, known);
		filter_free(f);
	}
	struct filter *f = NULL;
	cr_assert_eq(parse("( state established or dport = :80 )", &f, NULL, NULL), 0);
	cr_assert_eq(filter_scope(f).states, UINT32_MAX);
	filter_free(f);
	cr_assert_eq(parse("state established and state bucket", &f, NULL, NULL), 0);
	cr_assert_eq(filter_scope(f).states & (BIT(STATE_COUNT) - 2), 0);
	filter_free(f);
}

/* What it says no to must be certain; it may say yes to anything. */
Test(filter_parts, identities_that_can_match)
{
	static const struct {
		const char *text;
		bool can;
	} cases[] = {
		{"", true},
		{"sport = :4000", true},
		{"sport = :4001", false},
		{"dport = :80", true},
		{"dport = :81", false},
		{"dport < :80", false},
		{"dport <= :80", true},
		{"dport > :79 and sport >= :4001", false},
		{"dport = :81 or sport = :4000", true},
		{"dport = :81 or sport = :4001", false},
		{"dport = :81 or comm = x", true},
		{"dport = :81 and comm = x", false},
		{"not dport = :81", true},
		{"not ( dport = :81 and comm = x )", true},
		{"dport != :80", true}, /* not looked at */
		{"src 10.0.0.1:4000", true},
		{"src 10.0.0.1:4001", false},
		{"src 10.0.0.2", true},
		{"state time-wait", true},
		{"src unix:/x", true},
	};
	const struct row_member m = {
		.family = AF_INET, .proto = PROTO_TCP, .local_port = 4000, .peer_port = 80};
	const struct row_member other = {.family = AF_UNIX, .proto = PROTO_UNIX};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct filter *f = NULL;
		struct err e = {0};
		cr_assert_eq(parse(cases[i].text, &f, NULL, &e), 0, "%s: %s", cases[i].text,
			     e.text);
		cr_expect_eq(filter_can_match(f, &m), cases[i].can, "%s", cases[i].text);
		cr_expect(filter_can_match(f, &other), "%s", cases[i].text);
		filter_free(f);
	}
}

Test(filter_parts, names_that_were_looked_up)
{
	struct filter *f = NULL;
	cr_assert_eq(
		parse("dst kafka.example:ssh or user = www or dst dual.example", &f, NULL, NULL),
		0);
	cr_assert_str_eq(filter_resolved(f), "kafka.example www dual.example");
	filter_free(f);
	cr_assert_eq(parse("dst 10.0.0.1:22", &f, NULL, NULL), 0);
	cr_assert_str_eq(filter_resolved(f), "");
	filter_free(f);
}

Test(filter_parts, without_a_resolver_names_are_refused)
{
	static const char *const texts[] = {"dst kafka.example", "sport = :ssh", "user = root"};
	struct filter_env env = filter_socket_env();
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct filter *f = NULL;
		cr_expect_eq(filter_parse(texts[i], &env, &f, NULL, NULL), ERR_USAGE, "%s",
			     texts[i]);
		cr_expect_null(f);
	}
}

Test(filter_parts, the_machine_knows_some_names)
{
	const struct filter_resolver *r = filter_system_resolver();
	uint16_t port = 0;
	uint32_t uid = 1;
	struct filter_addr addrs[4];
	unsigned count = 0;
	cr_assert_eq(r->user(r->ctx, "root", &uid), 0);
	cr_assert_eq(uid, 0);
	cr_assert_neq(r->user(r->ctx, "no such user", &uid), 0);
	cr_assert_neq(r->service(r->ctx, "no such service", &port), 0);
	cr_assert_eq(r->host(r->ctx, "127.0.0.9", AF_UNSPEC, 4, addrs, &count), 0);
	cr_assert_eq(count, 1);
	cr_assert_eq(memcmp(addrs[0].bytes, "\x7f\0\0\x09", 4), 0);
}

Test(filter_parts, range_of_automatic_ports_is_the_hosts)
{
	struct filter_env env = filter_socket_env();
	struct filter *f = NULL;
	struct buf sql = {0};
	struct filter_args args = {0};
	env.auto_port_lo = 1024;
	env.auto_port_hi = 2048;
	cr_assert_eq(filter_parse("autobound", &env, &f, NULL, NULL), 0);
	cr_assert_eq(filter_to_sql(f, &sql, &args, NULL), 0);
	cr_assert_not_null(strstr(buf_str(&sql), "BETWEEN 1024 AND 2048"));
	filter_args_fini(&args);
	buf_fini(&sql);
	filter_free(f);
}

/* `text`, `times` times, with `before` and `behind` around all. The caller frees it. */
static char *repeat(const char *before, const char *text, unsigned times, const char *behind)
{
	struct buf b = {0};
	buf_put_str(&b, before);
	for (unsigned i = 0; i < times; i++)
		buf_put_str(&b, text);
	buf_put_str(&b, behind);
	cr_assert_str_not_empty(buf_str(&b));
	return (char *)b.bytes;
}

/* Whether SQLite takes what the filter becomes, within its usual limits. */
static void check_sql(const char *text)
{
	struct filter *f = NULL;
	struct buf sql = {0};
	struct filter_args args = {0};
	struct err e = {0};
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	cr_assert_eq(parse(text, &f, NULL, &e), 0, "%s", e.text);
	cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	cr_assert_eq(filter_register(db), SQLITE_OK);
	cr_assert_eq(
		sqlite3_exec(db,
			     "CREATE TABLE socket(comm, family, state, sport, local_port, holders)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	buf_put_str(&sql, "SELECT * FROM (SELECT * FROM socket WHERE (comm <> 'x' AND (");
	cr_assert_eq(filter_to_sql(f, &sql, &args, &e), 0);
	buf_put_str(&sql, ")))");
	cr_assert_eq(sqlite3_prepare_v2(db, buf_str(&sql), -1, &stmt, NULL), SQLITE_OK,
		     "%.60s...: %s", text, sqlite3_errmsg(db));
	cr_assert_eq(filter_bind(stmt, 1, &args), 0);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	filter_args_fini(&args);
	buf_fini(&sql);
	filter_free(f);
}

static void check_refused(const char *text, size_t begin)
{
	struct filter *f = NULL;
	struct filter_place place = {0, 0};
	struct err e = {0};
	cr_expect_eq(parse(text, &f, &place, &e), ERR_LIMIT, "%.40s", text);
	cr_expect_eq(place.begin, begin, "%.40s at %zu: %s", text, place.begin, e.text);
	filter_free(f);
}

Test(filter_parts, long_chains_and_deep_groups_are_taken)
{
	char *chain = repeat("comm=x", " or comm=y", FILTER_CONDITION_MAX - 1, "");
	char *and_chain = repeat("comm=x", " !comm=y", FILTER_CONDITION_MAX - 1, "");
	char *open = repeat("", "(", FILTER_DEPTH_MAX, "comm=x");
	char *groups = repeat(open, ")", FILTER_DEPTH_MAX, "");
	char *not_groups = repeat("", "!(", FILTER_DEPTH_MAX, "comm=x");
	char *nots = repeat(not_groups, ")", FILTER_DEPTH_MAX, "");
	char *turns_open = repeat("", "sport>1&(sport<2|!(", FILTER_HEIGHT_MAX / 2 - 1,
				  "comm=x|comm=y");
	char *turns = repeat(turns_open, "))", FILTER_HEIGHT_MAX / 2 - 1, "");
	check_sql(chain);
	check_sql(and_chain);
	check_sql(groups);
	check_sql(nots);
	check_sql(turns);
	free(chain);
	free(and_chain);
	free(open);
	free(groups);
	free(not_groups);
	free(nots);
	free(turns_open);
	free(turns);
}

Test(filter_parts, what_is_too_much_is_refused_with_its_place)
{
	char *chain = repeat("comm=x", " comm=y", FILTER_CONDITION_MAX, "");
	char *open = repeat("", "(", FILTER_DEPTH_MAX + 1, "comm=x");
	char *length = repeat("comm=x", "     ", FILTER_TEXT_MAX / 5, "");
	char *turns_open = repeat("", "sport>1&(sport<2|(", FILTER_HEIGHT_MAX, "comm=x");
	char *turns = repeat(turns_open, "))", FILTER_HEIGHT_MAX, "");
	check_refused(chain, strlen("comm=x") + 7 * (FILTER_CONDITION_MAX - 1) + 1);
	check_refused(open, FILTER_DEPTH_MAX);
	check_refused(length, FILTER_TEXT_MAX);
	check_refused(turns, strlen("sport>1&(sport<2|(") * (FILTER_HEIGHT_MAX / 2 - 1) +
				     strlen("sport>1&("));
	free(chain);
	free(open);
	free(length);
	free(turns_open);
	free(turns);
}
