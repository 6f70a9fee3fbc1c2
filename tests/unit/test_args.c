/* test_args.c - command lines by tables. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "args.h"

static const struct arg_option shared[] = {
	{'f', "file", "FILE", ""},
	{256, "from", "TIME", ""},
	{0},
};
static const struct arg_option own[] = {
	{'l', "listening", NULL, ""},
	{'t', "tcp", NULL, ""},
	{'4', NULL, NULL, ""},
	{0},
};
static const struct arg_option *const tables[] = {shared, own, NULL};

/* What was read, as one line: "f=x l | word word". */
static int read_line(char **argv, char *text, size_t size, struct err *e)
{
	struct args a = {0};
	int argc = 0, at = 1;
	FILE *f = fmemopen(text, size, "w");
	while (argv[argc])
		argc++;
	int rc = args_read(&a, argc, argv, &at, tables, false, e);
	for (size_t i = 0; i < a.given_count; i++) {
		fprintf(f, a.given[i].id < 256 ? "%c" : "%d", a.given[i].id);
		fprintf(f, a.given[i].value ? "=%s " : " ", a.given[i].value);
	}
	fprintf(f, "|");
	for (size_t i = 0; i < a.words_count; i++)
		fprintf(f, " %s", a.words[i]);
	fclose(f);
	args_fini(&a);
	return rc;
}

static const struct {
	const char *argv[8];
	const char *is; /* NULL: usage */
} lines[] = {
	{{"x", "-lt4", "sport", "=", ":80"}, "l t 4 | sport = :80"},
	{{"x", "-fA", "-f", "B", "--file=C", "--file", "D"}, "f=A f=B f=C f=D |"},
	{{"x", "word", "-l", "more"}, "l | word more"},
	{{"x", "--from", "-15min", "-15min", "-4"}, "256=-15min 4 | -15min"},
	{{"x", "-4t", "-44min"}, "4 t | -44min"},
	{{"x", "--", "-l", "--tcp"}, "| -l --tcp"},
	{{"x", "-"}, "| -"},
	{{"x", "--from="}, "256= |"},
	{{"x", "--from"}, NULL},
	{{"x", "-f"}, NULL},
	{{"x", "-lq"}, NULL},
	{{"x", "--tcp=1"}, NULL},
	{{"x", "--fro", "1"}, NULL},
};

Test(args, lines)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[256] = "";
		char copies[8][32];
		char *argv[9] = {0};
		struct err e = {0};
		for (size_t n = 0; lines[i].argv[n]; n++) {
			snprintf(copies[n], sizeof(copies[n]), "%s", lines[i].argv[n]);
			argv[n] = copies[n];
		}
		int rc = read_line(argv, text, sizeof(text), &e);
		if (lines[i].is) {
			cr_assert_eq(rc, 0, "line %zu: %s", i, e.text);
			cr_assert_str_eq(text, lines[i].is);
		} else {
			cr_assert_eq(rc, ERR_USAGE, "line %zu", i);
			cr_assert_neq(e.text[0], 0);
		}
	}
}
