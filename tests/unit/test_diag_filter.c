/*
 * test_diag_filter.c - bytecode for the kernel: it passes the checks of the kernel, and lets
 * through every row that the filter matches. The kernel's side is written after its rules
 * (net/ipv4/inet_diag.c: inet_diag_bc_audit, inet_diag_bc_run).
 */
#include <criterion/criterion.h>
#include <linux/inet_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "diag_filter.h"
#include "filter_names.h"
#include "filter_rows_of.h"

#define LINE_BYTES 1024

static struct inet_diag_bc_op op_at(const struct buf *code, size_t at)
{
	struct inet_diag_bc_op o;
	memcpy(&o, code->bytes + at, sizeof(o));
	return o;
}

/* Does the path of all `yes` come by this place? */
static bool on_path(const struct buf *code, size_t place)
{
	size_t at = 0;
	while (at < place && at < code->len)
		at += op_at(code, at).yes;
	return at == place;
}

static size_t least_bytes(const struct buf *code, size_t at)
{
	struct inet_diag_hostcond cond;
	switch (op_at(code, at).code) {
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_NOP:
		return 4;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		memcpy(&cond, code->bytes + at + 4, sizeof(cond));
		cr_assert(cond.prefix_len <= (cond.family == AF_INET ? 32 : 128));
		return 12 + (cond.family == AF_INET ? 4 : 16);
	default:
		return 8;
	}
}

static bool audit(const struct buf *code)
{
	size_t at = 0;
	while (at < code->len) {
		struct inet_diag_bc_op o = op_at(code, at);
		size_t len = code->len - at, least = least_bytes(code, at);
		if (o.no < 4 || o.no > len + 4 || o.no & 3 || least > len)
			return false;
		if (o.no < len && !on_path(code, at + o.no))
			return false;
		if (o.yes < least || o.yes > len + 4 || o.yes & 3)
			return false;
		at += o.yes;
	}
	return at == code->len;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

static bool host_passes(const struct buf *code, size_t at, const struct sock_row *r, bool peer)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct inet_diag_hostcond cond;
	memcpy(&cond, code->bytes + at + 4, sizeof(cond));
	const uint8_t *want = code->bytes + at + 12;
	const uint8_t *addr = peer ? r->member.peer.b : r->member.local.b;
	int port = peer ? r->member.peer_port : r->member.local_port;
	if (cond.port != -1 && cond.port != port)
		return false;
	if (cond.family != r->member.family)
		return r->member.family == AF_INET6 && cond.family == AF_INET &&
		       memcmp(addr, mapped, 12) == 0 && same_bits(addr + 12, want, cond.prefix_len);
	return same_bits(addr, want, cond.prefix_len);
}

static bool op_passes(const struct buf *code, size_t at, const struct sock_row *r)
{
	struct inet_diag_bc_op o = op_at(code, at);
	uint32_t word = 0;
	if (at + 8 <= code->len)
		memcpy(&word, code->bytes + at + 4, 4);
	unsigned port = at + 8 <= code->len ? op_at(code, at + 4).no : 0;
	switch (o.code) {
	case INET_DIAG_BC_S_GE:
		return r->member.local_port >= port;
	case INET_DIAG_BC_S_LE:
		return r->member.local_port <= port;
	case INET_DIAG_BC_D_GE:
		return r->member.peer_port >= port;
	case INET_DIAG_BC_D_LE:
		return r->member.peer_port <= port;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		return host_passes(code, at, r, o.code == INET_DIAG_BC_D_COND);
	case INET_DIAG_BC_DEV_COND:
		return r->state.ifindex == word;
	case INET_DIAG_BC_JMP:
		return false;
	default:
		cr_assert_fail("operation %d", o.code);
	}
	return true;
}

static bool run(const struct buf *code, const struct sock_row *r)
{
	size_t at = 0;
	while (at < code->len)
		at += op_passes(code, at, r) ? op_at(code, at).yes : op_at(code, at).no;
	return at == code->len;
}

struct tally {
	unsigned filters, coded, spared;
};

static void check(const char *text, const struct test_row *rows, unsigned count, struct tally *t)
{
	struct filter_env env = filter_row_env();
	struct filter *f = NULL;
	struct filter_rows *r = NULL;
	struct buf code = {0};
	env.resolver = filter_test_resolver();
	if (filter_parse(text, &env, &f, NULL, NULL))
		return;
	cr_assert_eq(filter_rows_new(f, &r, NULL), 0);
	filter_rows_cgroups(r, test_rows_cgroup, NULL);
	cr_assert_eq(diag_filter_code(r, &code, NULL), 0);
	cr_assert(audit(&code), "%s: the kernel would refuse it", text);
	for (unsigned i = 0; i < count; i++) {
		unsigned family = rows[i].row.member.family;
		if (family != AF_INET && family != AF_INET6)
			continue;
		bool matches = filter_rows_match(r, &rows[i].row, &rows[i].about);
		bool passes = run(&code, &rows[i].row);
		cr_assert(passes || !matches, "%s: row %d is held back", text, rows[i].n);
		t->spared += !passes;
	}
	t->filters++;
	t->coded += code.len > 0;
	buf_fini(&code);
	filter_rows_free(r);
	filter_free(f);
}

static unsigned load(struct test_row rows[TEST_ROWS_MAX])
{
	char sql[32768];
	sqlite3 *db;
	FILE *file = fopen(CASES_DIR "/filter.sql", "r");
	cr_assert_not_null(file);
	size_t len = fread(sql, 1, sizeof(sql) - 1, file);
	sql[len] = 0;
	fclose(file);
	cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	unsigned count = test_rows_read(db, rows);
	sqlite3_close(db);
	return count;
}

Test(diag_filter, holds_back_nothing_that_matches)
{
	static struct test_row rows[TEST_ROWS_MAX];
	char line[LINE_BYTES], text[4 * LINE_BYTES], before[LINE_BYTES] = "sport = :22";
	struct tally t = {0};
	unsigned count = load(rows);
	FILE *file = fopen(CASES_DIR "/filter.txt", "r");
	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		static const char *const forms[] = {"%s\n", "not (%s\n)", "(%s\n) or (%s\n)",
						    "(%s\n) and not (%s\n)",
						    "not ((%s\n) or (%s\n)) or dport = :443"};
		line[strcspn(line, "\n")] = 0;
		if (line[0] != '>' || !line[1])
			continue;
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
			snprintf(text, sizeof(text), forms[i], line + 2, before);
#pragma GCC diagnostic pop
			check(text, rows, count, &t);
		}
		snprintf(before, sizeof(before), "%s", line + 2);
	}
	fclose(file);
	fprintf(stderr, "%u filters, %u with code, %u rows spared\n", t.filters, t.coded, t.spared);
	cr_assert(t.filters > 500 && t.coded > 200 && t.spared > 1000);
}

Test(diag_filter, what_is_too_much_goes_without)
{
	static struct test_row rows[TEST_ROWS_MAX];
	struct tally t = {0};
	struct buf text = {0};
	unsigned count = load(rows);
	for (int i = 0; i < 500; i++)
		buf_printf(&text, "%ssport = :%d", i ? " or " : "", i);
	check(buf_str(&text), rows, count, &t);
	cr_assert_eq(t.coded, 0);
	buf_clear(&text);
	for (int i = 0; i < 3000; i++)
		buf_printf(&text, "sport != :%d ", i);
	check(buf_str(&text), rows, count, &t);
	cr_assert_eq(t.coded, 0);
	buf_fini(&text);
}
