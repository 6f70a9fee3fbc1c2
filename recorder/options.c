/* options.c - see options.h. */
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "diag_table.h"
#include "duration.h"
#include "filter_value.h"
#include "proc_parse.h"

const char options_help[] =
	"usage: socklapse-record [OPTIONS] [FILTER]\n"
	"Takes a snapshot of the host's sockets and of the processes that hold them; with a\n"
	"FILTER (that of ss), of those sockets only that match.\n"
	"\n"
	"  -d, --dir DIR        directory of recordings, one file per host and UTC day\n"
	"                       (default " DEFAULT_DIR ")\n"
	"  -o, --output FILE    this file instead, no daily rotation\n"
	"  -i, --interval DUR   a snapshot every DUR (100ms, 10s, 1min); without it: one\n"
	"  -n, --count N        stop after N snapshots\n"
	"  -A, --query LIST     socket tables, as ss names them (tcp,udp,raw,unix,packet,netlink,\n"
	"                       ..., inet, all, !tcp; default: all that the kernel offers)\n"
	"      --netns all|self|NAME,...   network namespaces (default all): our own, or those\n"
	"                       of these names in /run/netns, containers or inode numbers\n"
	"      --cmdline none|exe|full   what is kept of a process's command\n"
	"                       (default exe: its program, not its arguments)\n"
	"      --deadline DUR   a part that takes longer is cut off, and the snapshot says\n"
	"                       which (default 1min)\n"
	"      --marks          record SO_MARK too: keeps CAP_NET_ADMIN, which is dropped "
	"otherwise\n"
	"      --watch-name NAME[:PORT]  record what NAME resolves to; may be given again\n"
	"      --keep DUR       remove this host's recordings that are older (14d)\n"
	"      --keep-size SIZE and the oldest ones while all of them take more (500M, 2G)\n"
	"      --note TEXT      write an event (\"deploy 14:02\") instead of a snapshot\n"
	"      --stats          a line of JSON on stdout for each snapshot: what it cost\n"
	"  -q, --quiet          no warnings\n"
	"  -v, --verbose        a line on stderr for each snapshot\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"SIGTERM and SIGINT end it after the snapshot under way, SIGUSR1 takes one now,\n"
	"SIGHUP opens the file anew. Exit code: 0 done, 1 failed, 2 wrong usage,\n"
	"75 another run holds the recording.\n";

bool options_duration(const char *text, uint64_t max_ns, uint64_t *ret_ns)
{
	struct err ignored = {0};
	int64_t ns;
	if (duration_parse(text, &ns, &ignored) || (uint64_t)ns > max_ns)
		return false;
	*ret_ns = (uint64_t)ns;
	return true;
}

/* Handlers of options with an argument: false if it makes no sense. */
static bool set_dir(struct options *o, const char *arg)
{
	o->dir = arg;
	return *arg;
}

static bool set_output(struct options *o, const char *arg)
{
	o->output = arg;
	return *arg;
}

static bool set_interval(struct options *o, const char *arg)
{
	return options_duration(arg, MAX_DURATION_NS, &o->interval_ns) &&
	       o->interval_ns >= MIN_INTERVAL_NS;
}

static bool set_deadline(struct options *o, const char *arg)
{
	return options_duration(arg, MAX_DURATION_NS, &o->deadline_ns) && o->deadline_ns > 0;
}

static bool set_keep(struct options *o, const char *arg)
{
	return options_duration(arg, MAX_KEEP_NS, &o->keep_ns) && o->keep_ns > 0;
}

static bool set_keep_size(struct options *o, const char *arg)
{
	struct filter_value v;
	if (filter_read_bytes(arg, &v) != VALUE_OK || v.kind != VALUE_INT || v.num <= 0)
		return false;
	o->keep_bytes = (uint64_t)v.num;
	return true;
}

static bool set_count(struct options *o, const char *arg)
{
	uint32_t n;
	if (!proc_parse_number(arg, &n) || n == 0)
		return false;
	o->count = n;
	return true;
}

static bool set_cmdline(struct options *o, const char *arg)
{
	static const char *const modes[] = {
		[CMDLINE_NONE] = "none", [CMDLINE_EXE] = "exe", [CMDLINE_FULL] = "full"};
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(arg, modes[i]) == 0) {
			o->cmdline = (enum cmdline_mode)i;
			return true;
		}
	return false;
}

/* "all" is NULL; anything else a list without an empty word. */
static bool set_netns(struct options *o, const char *arg)
{
	size_t len = strlen(arg);
	o->netns = strcmp(arg, "all") == 0 ? NULL : arg;
	return len && *arg != ',' && arg[len - 1] != ',' && !strstr(arg, ",,");
}

static bool set_query(struct options *o, const char *arg)
{
	struct err ignored = {0};
	return diag_protos_parse(arg, &o->protos, &ignored) == 0;
}

static bool set_watch_name(struct options *o, const char *arg)
{
	char host[NAMES_HOST_MAX];
	if (!names_parse(arg, host))
		return false;
	for (size_t i = 0; i < o->watch_count; i++)
		if (strcmp(o->watch[i], arg) == 0)
			return true;
	if (o->watch_count == NAMES_MAX)
		return false;
	o->watch[o->watch_count++] = arg;
	return true;
}

static bool set_note(struct options *o, const char *arg)
{
	o->note = arg;
	return *arg;
}

#define FLAG(name)                                                                                 \
	static bool set_##name(struct options *o, const char *arg)                                 \
	{                                                                                          \
		(void)arg;                                                                         \
		return o->name = true;                                                             \
	}
FLAG(marks)
FLAG(stats)
FLAG(quiet)
FLAG(verbose)
FLAG(help)
FLAG(version)

/* Options without a letter. */
enum {
	OPT_CMDLINE = 256,
	OPT_DEADLINE,
	OPT_KEEP,
	OPT_KEEP_SIZE,
	OPT_MARKS,
	OPT_NETNS,
	OPT_NOTE,
	OPT_STATS,
	OPT_WATCH_NAME,
};

static const struct {
	struct option option;
	bool (*set)(struct options *o, const char *arg);
	const char *wants; /* what its argument must be */
} table[] = {
	{{"dir", required_argument, NULL, 'd'}, set_dir, "a directory"},
	{{"output", required_argument, NULL, 'o'}, set_output, "a file"},
	{{"interval", required_argument, NULL, 'i'},
	 set_interval,
	 "a duration from 10ms to 24h with its unit, such as 10s"},
	{{"count", required_argument, NULL, 'n'}, set_count, "a number of snapshots"},
	{{"query", required_argument, NULL, 'A'},
	 set_query,
	 "a list of socket tables such as tcp,udp,unix"},
	{{"cmdline", required_argument, NULL, OPT_CMDLINE}, set_cmdline, "none, exe or full"},
	{{"watch-name", required_argument, NULL, OPT_WATCH_NAME},
	 set_watch_name,
	 "NAME or NAME:PORT, 32 of them at most"},
	{{"keep", required_argument, NULL, OPT_KEEP}, set_keep, "a duration such as 14d"},
	{{"keep-size", required_argument, NULL, OPT_KEEP_SIZE},
	 set_keep_size,
	 "a size such as 500M or 2G"},
	{{"deadline", required_argument, NULL, OPT_DEADLINE},
	 set_deadline,
	 "a duration up to 24h with its unit, such as 30s"},
	{{"marks", no_argument, NULL, OPT_MARKS}, set_marks, ""},
	{{"netns", required_argument, NULL, OPT_NETNS},
	 set_netns,
	 "all, self, or a list of names of network namespaces"},
	{{"note", required_argument, NULL, OPT_NOTE}, set_note, "a text"},
	{{"stats", no_argument, NULL, OPT_STATS}, set_stats, ""},
	{{"quiet", no_argument, NULL, 'q'}, set_quiet, ""},
	{{"verbose", no_argument, NULL, 'v'}, set_verbose, ""},
	{{"help", no_argument, NULL, 'h'}, set_help, ""},
	{{"version", no_argument, NULL, 'V'}, set_version, ""},
};
#define OPTIONS	   (sizeof(table) / sizeof(table[0]))
#define SHORT_LIST ":d:o:i:n:A:qvhV"

static const char *name_of(int val)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].option.val == val)
			return table[i].option.name;
	return NULL;
}

/* What getopt_long() did not like; it says in optopt which option, if it knows that one. */
static int refuse(int result, const char *word, struct err *e)
{
	const char *name = name_of(optopt);
	if (result == ':')
		return err_set(e, ERR_USAGE, "--%s: its argument is missing", name);
	if (name)
		return err_set(e, ERR_USAGE, "--%s: takes no argument", name);
	if (optopt)
		return err_set(e, ERR_USAGE, "-%c: no such option", optopt);
	return err_set(e, ERR_USAGE, "%s: no such option", word);
}

static int take_option(int result, struct options *o, struct err *e)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].option.val == result) {
			if (table[i].set(o, optarg))
				return 0;
			return err_set(e, ERR_USAGE, "--%s %s: wants %s", table[i].option.name,
				       optarg, table[i].wants);
		}
	return err_set(e, ERR_USAGE, "no such option");
}

static int check(const struct options *o, struct err *e)
{
	if (o->help || o->version)
		return 0;
	if (o->count > 1 && !o->interval_ns)
		return err_set(e, ERR_USAGE, "--count: wants --interval too");
	if (o->output && (o->keep_ns || o->keep_bytes))
		return err_set(e, ERR_USAGE, "--keep, --keep-size: go without --output");
	if (o->note && o->filter_count)
		return err_set(e, ERR_USAGE, "--note: goes without a filter");
	if (o->note && (o->interval_ns || o->count))
		return err_set(e, ERR_USAGE, "--note: goes without --interval and --count");
	return 0;
}

int options_parse(int argc, char *const argv[], struct options *ret, struct err *e)
{
	struct option list[OPTIONS + 1] = {{0}};
	struct options o = {
		.dir = DEFAULT_DIR, .cmdline = CMDLINE_EXE, .deadline_ns = DEFAULT_DEADLINE_NS};
	for (size_t i = 0; i < OPTIONS; i++)
		list[i] = table[i].option;
	optind = 0; /* starts anew, whatever was parsed before */
	opterr = 0;
	for (;;) {
		int result = getopt_long(argc, argv, SHORT_LIST, list, NULL);
		if (result == -1)
			break;
		int rc = result == '?' || result == ':' ? refuse(result, argv[optind - 1], e)
							: take_option(result, &o, e);
		if (rc)
			return rc;
	}
	o.filter = &argv[optind];
	o.filter_count = argc - optind;
	int rc = check(&o, e);
	if (!rc)
		*ret = o;
	return rc;
}
