/*
 * main.c - the program `socklapse`: reads the command line, calls the command, prints what went
 * wrong, says how it ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "help.h"
#include "pager.h"
#include "show_ask.h"
#include "timeparse.h"

#define EXIT_USAGE 2

static const struct arg_option common_options[] = {
	{OPT_FILE, "file", "FILE|DIR", "a recording or a directory of them; repeatable"},
	{OPT_JSON, "json", NULL, "one JSON document"},
	{OPT_NDJSON, "ndjson", NULL, "a JSON object a line"},
	{OPT_CSV, "csv", NULL,
	 "comma-separated values, of one table: the first, or that of --table"},
	{OPT_TABLE, "table", "NAME", "only this table of the answer, of those that --json has"},
	{OPT_NO_HEADER, "no-header", NULL, "no line of column names"},
	{OPT_TZ, "tz", "ZONE|host|utc", "zone of times (default: the recorded host's)"},
	{OPT_COLOR, "color", "auto|always|never", "color (default: on a terminal)"},
	{OPT_NO_PAGER, "no-pager", NULL, "no pager on a terminal"},
	{OPT_HELP, "help", NULL, "this text"},
	{OPT_VERSION, "version", NULL, "the version"},
	{0},
};

static const struct {
	unsigned shared;
	struct arg_option options[4];
} shared_options[] = {
	{CMD_RANGE,
	 {{OPT_FROM, "from", "TIME", "snapshots from this time on"},
	  {OPT_TO, "to", "TIME", "up to this time"},
	  {OPT_LAST, "last", "DURATION", "only the last of the history"},
	  {0}}},
	{CMD_AT, {{OPT_AT, "at", "TIME", "the snapshot nearest to this time (default: end)"}, {0}}},
	{CMD_BY, {{OPT_BY, "by", "KEY,...", "sums by these columns"}, {0}}},
	{CMD_TOP, {{OPT_TOP, "top", "N", "at most so many rows"}, {0}}},
	{CMD_MIN, {{OPT_MIN, "min", "DURATION", "nothing shorter"}, {0}}},
};

#define SHARED_COUNT (sizeof(shared_options) / sizeof(shared_options[0]))

/* Common tables, those that the command shares, its own, NULL. */
typedef const struct arg_option *option_tables[SHARED_COUNT + 3];

static void fill_tables(const struct command *c, option_tables tables)
{
	size_t n = 0;
	tables[n++] = common_options;
	for (size_t i = 0; c && i < SHARED_COUNT; i++)
		if (c->shared & shared_options[i].shared)
			tables[n++] = shared_options[i].options;
	if (c && c->options)
		tables[n++] = c->options;
	tables[n] = NULL;
}

static void print_help(const struct command *c)
{
	struct buf b CLEANUP(buf_fini) = {0};
	option_tables tables;
	fill_tables(c, tables);
	help_put(&b, c, tables);
	fputs(buf_str(&b), stdout);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

/* ss says -f FAMILY, we say -f FILE: behind the name of such a command both are understood. */
static void tell_families(struct args *a, size_t from)
{
	for (size_t i = from; i < a->given_count; i++)
		if (a->given[i].id == OPT_FILE && show_is_family(a->given[i].value))
			a->given[i].id = OPT_FAMILY;
}

/* Options before the command, the command, the rest. */
static int read_line(int argc, char **argv, struct cmd *c, struct err *e)
{
	option_tables tables;
	int at = 1;
	fill_tables(NULL, tables);
	int rc = args_read(&c->args, argc, argv, &at, tables, true, e);
	if (rc || !c->args.words_count)
		return rc;
	c->self = find_command(c->args.words[0]);
	if (!c->self)
		return help_no_command(c->args.words[0], e);
	c->args.words_count = 0;
	fill_tables(c->self, tables);
	size_t before = c->args.given_count;
	rc = args_read(&c->args, argc, argv, &at, tables, false, e);
	if (!rc && c->self->shared & CMD_SS)
		tell_families(&c->args, before);
	return rc;
}

static int choose_format(struct cmd *c, struct err *e)
{
	static const struct {
		int id;
		enum out_format format;
	} formats[] = {{OPT_JSON, OUT_JSON}, {OPT_NDJSON, OUT_NDJSON}, {OPT_CSV, OUT_CSV}};
	int chosen = 0;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (args_has(&c->args, formats[i].id)) {
			c->out.format = formats[i].format;
			chosen++;
		}
	if (chosen > 1)
		return err_set(e, ERR_USAGE, "--json, --ndjson, --csv: only one of them");
	c->out.table = args_value(&c->args, OPT_TABLE);
	c->out.all_tables = c->self->shared & CMD_ASKS;
	c->out.header = !args_has(&c->args, OPT_NO_HEADER);
	return 0;
}

/* --color, and what no-color.org says. */
static int choose_color(struct cmd *c, struct err *e)
{
	const char *when = args_value(&c->args, OPT_COLOR);
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	if (!when || strcmp(when, "auto") == 0)
		c->out.color = isatty(STDOUT_FILENO) && !(no && no[0]) && term &&
			       strcmp(term, "dumb") != 0;
	else if (strcmp(when, "always") == 0)
		c->out.color = true;
	else if (strcmp(when, "never") != 0)
		return err_set(e, ERR_USAGE, "--color: %.32s: auto, always or never", when);
	return 0;
}

static int run(struct cmd *c, struct err *e)
{
	struct pager pager = {0};
	struct timespec now;
	int rc = choose_format(c, e);
	if (!rc)
		rc = choose_color(c, e);
	if (rc)
		return rc;
	clock_gettime(CLOCK_REALTIME, &now);
	c->now_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
	c->out.file = stdout;
	if (c->out.format == OUT_TEXT && isatty(STDOUT_FILENO) && !args_has(&c->args, OPT_NO_PAGER))
		pager_begin(&pager, getenv("PAGER"));
	rc = c->self->run(c, e);
	pager_end(&pager);
	return rc;
}

int main(int argc, char **argv)
{
	struct cmd c = {0};
	struct err e = {0};
	bool left_out = false;
	c.left_out = &left_out;
	int rc = read_line(argc, argv, &c, &e);
	if (rc) {
		fprintf(stderr, "socklapse: %s\n", e.text);
	} else if (args_has(&c.args, OPT_HELP)) {
		print_help(c.self);
	} else if (args_has(&c.args, OPT_VERSION)) {
		printf("socklapse %s\n", SOCKLAPSE_VERSION);
	} else if (!c.self) {
		rc = ERR_USAGE;
		fprintf(stderr, "socklapse: no command: see socklapse --help\n");
	} else {
		rc = run(&c, &e);
		if (rc == ERR_USAGE && strncmp(e.text, "filter:", 7) == 0)
			help_times(&c);
		if (rc)
			fprintf(stderr, "socklapse: %s\n%s", e.text[0] ? e.text : err_name(rc),
				buf_str(&c.complaint));
	}
	args_fini(&c.args);
	buf_fini(&c.complaint);
	return rc == ERR_USAGE ? EXIT_USAGE : rc || left_out ? EXIT_FAILURE : EXIT_SUCCESS;
}
