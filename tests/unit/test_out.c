/* test_out.c - one table in four formats. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "timeparse.h"

static const struct out_column columns[] = {
	{"time", "Time", OUT_TIME, 0},
	{"comm", "Comm", OUT_STRING, 0},
	{"sockets", "Sockets", OUT_NUMBER, 0},
	{"lasted_ms", "Lasted", OUT_DURATION, 0},
	{"ratio", NULL, OUT_NUMBER, OUT_NOT_TEXT},
};

static const struct out_table table = {
	.name = "rows", .columns = columns, .count = sizeof(columns) / sizeof(columns[0])};

static void put_rows(struct out *o)
{
	out_int(o, 1795348800 * NS_PER_S);
	out_str(o, "ngi\"nx, a");
	out_int(o, 1234);
	out_int(o, 303000);
	out_real(o, 0.5);
	out_int(o, 1795348800 * NS_PER_S + 250 * NS_PER_MS);
	out_str(o, "\033[31mx\xff\xe2\x80\xae");
	out_null(o);
	out_null(o);
	out_null(o);
}

/* What two rows look like in a format. */
static char *written(enum out_format format, bool header, bool two_tables)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct out *o;
	struct out_options options = {.file = f, .format = format, .header = header};
	cr_assert_eq(zone_use("utc", NULL), 0);
	cr_assert_eq(out_new(&options, &o, NULL), 0);
	out_note(o, "note\t%d", 7);
	out_table(o, &table);
	put_rows(o);
	if (two_tables) {
		static const struct out_column one[] = {{"n", NULL, OUT_NUMBER, 0}};
		static const struct out_table basis = {.name = "basis",
						       .columns = one,
						       .count = 1,
						       .flags = OUT_OBJECT | OUT_TAGGED};
		out_table(o, &basis);
		out_int(o, 3);
	}
	cr_assert_eq(out_end(o, NULL), 0);
	out_free(o);
	fclose(f);
	return text;
}

Test(out, text_is_aligned_and_harmless)
{
	char *text = written(OUT_TEXT, true, false);
	cr_assert_str_eq(
		text,
		"note\\x097\n"
		"Time                     Comm                       Sockets   Lasted\n"
		"2026-11-22 12:00:00      ngi\"nx, a                     1234  5min 3s\n"
		"2026-11-22 12:00:00.250  \\x1b[31mx\\xff\\xe2\\x80\\xae        -        -\n");
	free(text);
}

Test(out, json_is_one_document)
{
	char *text = written(OUT_JSON, true, true);
	cr_assert_str_eq(text,
			 "{\n\"rows\": [\n"
			 "  {\"time\": \"2026-11-22T12:00:00.000000000+00:00\", \"time_ns\": "
			 "1795348800000000000, \"comm\": \"ngi\\\"nx, a\", \"sockets\": 1234, "
			 "\"lasted_ms\": 303000, \"ratio\": 0.5},\n"
			 "  {\"time\": \"2026-11-22T12:00:00.250000000+00:00\", \"time_ns\": "
			 "1795348800250000000, \"comm\": \"\\u001b[31mx\\ufffd\xe2\x80\xae\", "
			 "\"sockets\": null, \"lasted_ms\": null, \"ratio\": null}\n"
			 "],\n\"basis\": {\"n\": 3}\n}\n");
	free(text);
}

Test(out, ndjson_is_a_row_a_line)
{
	char *text = written(OUT_NDJSON, true, true);
	size_t lines = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	cr_assert_eq(lines, 3);
	cr_assert(strstr(text, "\n{\"table\": \"basis\", \"n\": 3}\n"), "%s", text);
	free(text);
}

Test(out, csv_quotes_and_tells_empty_from_null)
{
	char *text = written(OUT_CSV, true, true);
	cr_assert_str_eq(text, "time,time_ns,comm,sockets,lasted_ms,ratio\n"
			       "2026-11-22T12:00:00.000000000+00:00,1795348800000000000,"
			       "\"ngi\"\"nx, a\",1234,303000,0.5\n"
			       "2026-11-22T12:00:00.250000000+00:00,1795348800250000000,"
			       "\033[31mx\xff\xe2\x80\xae,,,\n");
	free(text);
	text = written(OUT_CSV, false, false);
	cr_assert_eq(strncmp(text, "2026-", 5), 0);
	free(text);
}

/* Two tables, one of them asked for. */
static int choose(const char *name, bool all, char **ret_text, struct err *e)
{
	size_t len = 0;
	FILE *f = open_memstream(ret_text, &len);
	struct out *o;
	struct out_options options = {
		.file = f, .format = OUT_CSV, .table = name, .all_tables = all};
	static const struct out_column one[] = {{"n", NULL, OUT_NUMBER, 0}};
	static const struct out_table first = {"first", one, 1, 0}, second = {"second", one, 1, 0};
	cr_assert_eq(out_new(&options, &o, NULL), 0);
	out_table(o, &first);
	out_int(o, 1);
	out_table(o, &second);
	out_int(o, 2);
	out_table(o, &first);
	out_int(o, 3);
	int rc = out_end(o, e);
	out_free(o);
	fclose(f);
	return rc;
}

Test(out, csv_has_one_table_the_first_or_the_one_that_is_named)
{
	static const struct {
		const char *name;
		bool all;
		const char *text;
	} cases[] = {{NULL, false, "1\n\n3\n"},
		     {"second", false, "2\n"},
		     {"first", true, "1\n\n3\n"},
		     {NULL, true, "1\n\n2\n\n3\n"}};
	struct err e = {0};
	char *text = NULL;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(choose(cases[i].name, cases[i].all, &text, &e), 0, "%s", e.text);
		cr_assert_str_eq(text, cases[i].text);
		free(text);
	}
	cr_assert_eq(choose("third", false, &text, &e), ERR_USAGE);
	cr_assert_str_eq(e.text, "--table: third: no such table; there are: first second");
	free(text);
}

Test(out, a_full_disk_is_an_error)
{
	FILE *f = fopen("/dev/full", "w");
	cr_assert_not_null(f);
	struct out *o;
	struct err e = {0};
	struct out_options options = {.file = f, .format = OUT_CSV};
	cr_assert_eq(out_new(&options, &o, NULL), 0);
	out_table(o, &table);
	put_rows(o);
	cr_assert_eq(out_end(o, &e), ERR_FULL);
	cr_assert(strstr(e.text, "output"), "%s", e.text);
	out_free(o);
	fclose(f);
}
