/* help.c - see help.h. Words of filters and keys are those of the tables that read them. */
#include "help.h"

#include <string.h>

#include "filter.h"
#include "keys.h"
#include "timeparse.h"

#define LINE_WIDTH 96

/* Words so different from a command are not meant. */
#define DISTANCE_MAX   2
#define NAME_BYTES_MAX 16

static void put_options(struct buf *b, const struct arg_option *const *tables)
{
	for (; *tables; tables++)
		for (const struct arg_option *o = *tables; o->id; o++) {
			struct buf name CLEANUP(buf_fini) = {0};
			bool has_letter = o->id < OPT_JSON;
			buf_printf(&name, has_letter ? "-%c" : "  ", o->id);
			if (o->name)
				buf_printf(&name, "%s--%s%s%s", has_letter ? ", " : "  ", o->name,
					   o->value ? " " : "", o->value ? o->value : "");
			buf_printf(b, "  %-32s %s\n", buf_str(&name), o->help);
		}
}

/* "TITLE: word word ...", wrapped, following lines indented as far as the first word. */
static void put_words(struct buf *b, const char *title, const char *words)
{
	size_t indent = strlen(title), column = indent;
	buf_put_str(b, title);
	while (*words) {
		words += strspn(words, " ");
		size_t len = strcspn(words, " ");
		if (column + 1 + len > LINE_WIDTH) {
			buf_printf(b, "\n%*s", (int)indent, "");
			column = indent;
		}
		buf_put_u8(b, ' ');
		buf_put(b, words, len);
		column += 1 + len;
		words += len;
	}
	buf_put_u8(b, '\n');
}

static void put_filter(struct buf *b, const struct command *c)
{
	struct filter_env env = c->shared & CMD_SPELLS ? filter_spell_env() : filter_socket_env();
	struct buf words CLEANUP(buf_fini) = {0};
	buf_put_str(&words, "state exclude src dst sport dport");
	if (env.columns->dev)
		buf_put_str(&words, " dev");
	if (env.columns->mark)
		buf_put_str(&words, " fwmark");
	buf_put_str(&words, " cgroup autobound as in ss(8), and");
	for (unsigned i = 0; i < env.field_count; i++)
		buf_printf(&words, " %s", env.fields[i].name);
	buf_put_u8(b, '\n');
	put_words(b, "filter:", buf_str(&words));
	buf_put_str(
		b,
		"        state close-wait dst 10.0.0.0/8:50010 and not comm = java*\n"
		"        operators: = != < <= > >= and or not ( ); sizes: 64k; durations: 5min\n");
}

static void put_keys(struct buf *b, bool of_spells)
{
	struct buf words CLEANUP(buf_fini) = {0};
	keys_words(&words, of_spells);
	buf_put_u8(b, '\n');
	put_words(b, "keys of --by:", buf_str(&words));
}

static void put_times(struct buf *b)
{
	buf_put_str(b, "\ntimes:  14:05[:30]  yesterday 14:05  2026-11-22 14:05  RFC 3339  @EPOCH\n"
		       "        start  end  end-10min  #12 (a snapshot's number, see list)\n"
		       "        -15min or end-15min: before the end of the history\n"
		       "        15min ago, now: by the clock of this machine\n");
}

void help_put(struct buf *b, const struct command *c, const struct arg_option *const *tables)
{
	if (c) {
		buf_printf(b, "usage: socklapse [-f FILE|DIR]... %s%s%s%s\n%s\n", c->name,
			   c->options ? " [OPTIONS]" : "", c->words[0] ? " " : "", c->words,
			   c->summary);
	} else {
		buf_put_str(b, "usage: socklapse [-f FILE|DIR]... COMMAND [OPTIONS] [FILTER]\n"
			       "Answers questions from recordings of a host's sockets. Without -f: "
			       "those in /var/log/socklapse.\n\n"
			       "commands (more of each: socklapse COMMAND --help):\n");
		for (const struct command *k = commands; k->name; k++)
			buf_printf(b, "  %-10s %s\n", k->name, k->summary);
	}
	if (c && c->note)
		buf_put_str(b, c->note);
	buf_put_str(b, "\noptions:\n");
	put_options(b, tables);
	if (c && c->shared & (CMD_SOCKETS | CMD_SPELLS))
		put_filter(b, c);
	if (c && c->shared & CMD_BY)
		put_keys(b, c->shared & CMD_SPELLS);
	if (!c || c->shared & (CMD_RANGE | CMD_AT | CMD_TIMES))
		put_times(b);
}

static int any_snapshot(const void *history, int64_t number, int64_t *ret_ns)
{
	(void)history, (void)number;
	*ret_ns = 0;
	return 0;
}

/* A word of the filter that is a time stands where --at, or --from and --to, was meant. */
void help_times(struct cmd *c)
{
	const struct time_ref any = {.has_history = true, .snapshot_time = any_snapshot};
	const char *options = c->self->shared & CMD_AT	    ? "--at"
			      : c->self->shared & CMD_RANGE ? "--from, --to or --last"
							    : NULL;
	for (size_t i = 0; options && i < c->args.words_count; i++) {
		struct time_point p;
		struct err ignored = {0};
		if (time_parse(c->args.words[i], &any, &p, &ignored))
			continue;
		buf_printf(&c->complaint,
			   "%.64s looks like a time, which is given by %s: see %s --help\n",
			   c->args.words[i], options, c->self->name);
		return;
	}
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters to change, add, leave out or swap with the next one. */
static size_t distance(const char *a, const char *b)
{
	size_t d[NAME_BYTES_MAX + 1][NAME_BYTES_MAX + 1];
	size_t n = strlen(a), m = strlen(b);
	if (n > NAME_BYTES_MAX || m > NAME_BYTES_MAX)
		return NAME_BYTES_MAX;
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			d[i][j] = i ? i : j;
			if (!i || !j)
				continue;
			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

int help_no_command(const char *name, struct err *e)
{
	struct buf all CLEANUP(buf_fini) = {0};
	const struct command *nearest = NULL;
	size_t best = DISTANCE_MAX + 1;
	for (const struct command *c = commands; c->name; c++) {
		size_t d = distance(name, c->name);
		if (d < best && d < strlen(c->name)) {
			best = d;
			nearest = c;
		}
		buf_printf(&all, " %s", c->name);
	}
	return err_set(e, ERR_USAGE, "%.64s: no such command%s%s%s; there are:%s", name,
		       nearest ? ": did you mean " : "", nearest ? nearest->name : "",
		       nearest ? "?" : "", buf_str(&all));
}
