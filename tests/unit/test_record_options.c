/* test_record_options.c - the command line of socklapse-record. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

/* Splits at spaces; "_" stands for an empty argument. */
static int parse(const char *line, struct options *ret, struct err *e)
{
	static char text[256], name[] = "socklapse-record", empty[] = "";
	char *argv[20] = {name};
	int argc = 1;
	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "_") == 0 ? empty : word;
	return options_parse(argc, argv, ret, e);
}

Test(options, defaults)
{
	struct options o;
	cr_assert_eq(parse("", &o, NULL), 0);
	cr_assert_str_eq(o.dir, "/var/log/socklapse");
	cr_assert(!o.output && !o.note && !o.marks && !o.stats && !o.quiet && !o.verbose &&
		  !o.help && !o.version);
	cr_assert(o.interval_ns == 0 && o.count == 0 && o.deadline_ns == 60 * S);
	cr_assert_eq(o.cmdline, CMDLINE_EXE);
}

Test(options, all_of_them)
{
	struct options o;
	cr_assert_eq(
		parse("-d /a -o f -i 10s -n 3 --cmdline full --deadline 2s --marks --stats -qvhV",
		      &o, NULL),
		0);
	cr_assert_str_eq(o.dir, "/a");
	cr_assert_str_eq(o.output, "f");
	cr_assert(o.interval_ns == 10 * S && o.count == 3 && o.deadline_ns == 2 * S);
	cr_assert_eq(o.cmdline, CMDLINE_FULL);
	cr_assert(o.marks && o.stats && o.quiet && o.verbose && o.help && o.version);
	cr_assert_eq(
		parse("--dir=/b --output=g --interval=1min --count=1 --cmdline=none", &o, NULL), 0);
	cr_assert_str_eq(o.dir, "/b");
	cr_assert(o.interval_ns == 60 * S && o.count == 1 && o.cmdline == CMDLINE_NONE);
	cr_assert_eq(parse("--netns self,blue", &o, NULL), 0);
	cr_assert_str_eq(o.netns, "self,blue");
	cr_assert_eq(parse("--netns blue --netns all", &o, NULL), 0);
	cr_assert_null(o.netns);
	cr_assert_eq(parse("-i100ms -d/c", &o, NULL), 0);
	cr_assert_eq(o.interval_ns, 100 * MS);
	cr_assert_eq(parse("--keep 14d --keep-size 1.5G", &o, NULL), 0);
	cr_assert(o.keep_ns == 14 * 86400 * S && o.keep_bytes == UINT64_C(3) << 29);
	cr_assert_eq(parse("--keep-size 64k", &o, NULL), 0);
	cr_assert(o.keep_ns == 0 && o.keep_bytes == 65536);
	cr_assert_eq(parse("--watch-name a --watch-name b:9200 --watch-name a", &o, NULL), 0);
	cr_assert_eq(o.watch_count, 2);
	cr_assert_str_eq(o.watch[1], "b:9200");
	cr_assert_eq(parse("--note hello", &o, NULL), 0);
	cr_assert_str_eq(o.note, "hello");
}

Test(options, wrong_usage_is_one_line_that_names_the_place)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{"-x", "-x: no such option"},
		{"-qx", "-x: no such option"},
		{"--stats -x", "-x: no such option"},
		{"--frobnicate", "--frobnicate: no such option"},
		{"--frobnicate=5 -q", "--frobnicate=5: no such option"},
		{"--stats=5", "--stats: takes no argument"},
		{"--quiet=5", "--quiet: takes no argument"},
		{"-d", "--dir: its argument is missing"},
		{"--note", "--note: its argument is missing"},
		{"-d _", "--dir : wants a directory"},
		{"-o _", "--output : wants a file"},
		{"-i 10", "--interval 10: wants a duration from 10ms to 24h with its unit, such as "
			  "10s"},
		{"-i 1ms", "--interval 1ms: wants a duration from 10ms to 24h with its unit, such "
			   "as 10s"},
		{"-n 0", "--count 0: wants a number of snapshots"},
		{"-n x", "--count x: wants a number of snapshots"},
		{"-n 3", "--count: wants --interval too"},
		{"--netns ,",
		 "--netns ,: wants all, self, or a list of names of network namespaces"},
		{"--netns a,,b",
		 "--netns a,,b: wants all, self, or a list of names of network namespaces"},
		{"--cmdline some", "--cmdline some: wants none, exe or full"},
		{"--deadline 0s",
		 "--deadline 0s: wants a duration up to 24h with its unit, such as 30s"},
		{"--watch-name x:y",
		 "--watch-name x:y: wants NAME or NAME:PORT, 32 of them at most"},
		{"--keep 0s", "--keep 0s: wants a duration such as 14d"},
		{"--keep 14", "--keep 14: wants a duration such as 14d"},
		{"--keep -1d", "--keep -1d: wants a duration such as 14d"},
		{"--keep-size 0", "--keep-size 0: wants a size such as 500M or 2G"},
		{"--keep-size 1.5", "--keep-size 1.5: wants a size such as 500M or 2G"},
		{"--keep-size 5x", "--keep-size 5x: wants a size such as 500M or 2G"},
		{"-o f --keep 1d", "--keep, --keep-size: go without --output"},
		{"--note x -i 1s", "--note: goes without --interval and --count"},
		{"--note x state established", "--note: goes without a filter"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o = {.count = 77};
		struct err e = {0};
		cr_assert_eq(parse(cases[i].line, &o, &e), ERR_USAGE, "%s", cases[i].line);
		cr_assert_str_eq(e.text, cases[i].message, "%s gave: %s", cases[i].line, e.text);
		cr_assert_eq(o.count, 77, "untouched on failure");
	}
}

Test(options, durations)
{
	static const struct {
		const char *text;
		uint64_t ns; /* UINT64_MAX: none */
	} cases[] = {
		{"100ms", 100 * MS},
		{"1s", S},
		{"1sec", S},
		{"1min", 60 * S},
		{"2h", 7200 * S},
		{"1.5s", 1500 * MS},
		{"0.25min", 15 * S},
		{"0s", 0},
		{"24h", 86400 * S},
		{"25h", UINT64_MAX},
		{"1h30min", 5400 * S},
		{" 1 s", S},
		{"1", UINT64_MAX},
		{"", UINT64_MAX},
		{"s", UINT64_MAX},
		{"-1s", UINT64_MAX},
		{"+1s", UINT64_MAX},
		{"1sx", UINT64_MAX},
		{"0x10s", UINT64_MAX},
		{"1e3s", UINT64_MAX},
		{"infs", UINT64_MAX},
		{"nans", UINT64_MAX},
		{"1.2.3s", UINT64_MAX},
		{".s", UINT64_MAX},
		{"1d", 86400 * S},
		{"2d", UINT64_MAX},
		{"99999999999999999999999s", UINT64_MAX},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ns = UINT64_MAX;
		cr_assert_eq(options_duration(cases[i].text, MAX_DURATION_NS, &ns),
			     cases[i].ns != UINT64_MAX, "%s", cases[i].text);
		cr_assert_eq(ns, cases[i].ns, "%s", cases[i].text);
	}
}

Test(options, the_help_names_every_option)
{
	static const char *const names[] = {
		"-d, --dir", "-o, --output", "-i, --interval", "-n, --count",	   "--cmdline",
		"--netns",   "--deadline",   "--keep DUR",     "--keep-size SIZE", "--note",
		"--stats",   "-q, --quiet",  "-v, --verbose",  "-h, --help",	   "-V, --version"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_assert_not_null(strstr(options_help, names[i]), "%s", names[i]);
}
