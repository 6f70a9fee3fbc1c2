/* test_retain.c - which recordings go, which never do, whatever the clock says. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#include "duration.h"
#include "retain.h"
#include "tmpdir.h"

#define NOON_NS	  (INT64_C(1795305600) * NS_PER_S + 12 * NS_PER_H) /* 2026-11-22 12:00 UTC */
#define MAX_FILES 40

Test(retain, names)
{
	static const struct {
		const char *name;
		bool ours;
		uint32_t ymd, damaged;
	} cases[] = {
		{"web-20261122.socklapse", true, 20261122, 0},
		{"web-20240229.socklapse", true, 20240229, 0},
		{"web-20261122.socklapse.damaged-1", true, 20261122, 1},
		{"web-20261122.socklapse.damaged-9999", true, 20261122, 9999},
		{"web-20230229.socklapse", false, 0, 0},
		{"web-20261301.socklapse", false, 0, 0},
		{"web-00000000.socklapse", false, 0, 0},
		{"web-19691231.socklapse", false, 0, 0},
		{"web-20261122.socklapse.damaged-0", false, 0, 0},
		{"web-20261122.socklapse.damaged-01", false, 0, 0},
		{"web-20261122.socklapse.damaged-", false, 0, 0},
		{"web-20261122.socklapse.damaged-12345", false, 0, 0},
		{"web-20261122.socklapse.damaged-1x", false, 0, 0},
		{"web-20261122.socklapse-journal", false, 0, 0},
		{"web-20261122.socklapse.gz", false, 0, 0},
		{"web-2026112.socklapse", false, 0, 0},
		{"web-202611220.socklapse", false, 0, 0},
		{"web-2026112x.socklapse", false, 0, 0},
		{"web-1-20261122.socklapse", false, 0, 0},
		{"xweb-20261122.socklapse", false, 0, 0},
		{"web20261122.socklapse", false, 0, 0},
		{"WEB-20261122.socklapse", false, 0, 0},
		{"web-", false, 0, 0},
		{"web", false, 0, 0},
		{"", false, 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct retain_file f = {.ymd = 7};
		cr_assert_eq(retain_parse(cases[i].name, "web", &f), cases[i].ours, "%s",
			     cases[i].name);
		cr_assert_eq(f.ymd, cases[i].ours ? cases[i].ymd : 7, "%s", cases[i].name);
		if (cases[i].ours)
			cr_assert_eq(f.damaged, cases[i].damaged, "%s", cases[i].name);
	}
}

/*
 * A case is the files as days from today, oldest first ("!": set aside; each takes 100 bytes), and
 * what becomes of each: k kept, o old, x excess.
 */
struct decision {
	const char *what;
	int64_t keep_ns;
	uint64_t keep_bytes;
	const char *days;
	const char *fate;
};

static const struct decision decisions[] = {
	{"nothing is due", 7 * NS_PER_DAY, 0, "-7 -6 -5 -1 0", "kkkkk"},
	{"a day's file ages from the day's end", 7 * NS_PER_DAY, 0, "-8 -7 -6 -5 -4 -3 -2 -1 0",
	 "okkkkkkkk"},
	{"several at once", 2 * NS_PER_DAY, 0, "-9 -5 -4 -3 -2 -1 0", "ooookkk"},
	{"damaged ones age too", 2 * NS_PER_DAY, 0, "-4! -4 -3! -1! -1 0", "oookkk"},
	{"less than a day", NS_PER_H, 0, "-2 -1 0", "ook"},
	{"a clock that jumped a year ahead: only as many go as were recorded since", 7 * NS_PER_DAY,
	 0, "-372 -371 -370 -369 -368 -367 -366 -365 0", "ookkkkkkk"},
	{"a clock that jumped a year ahead, on the first day", 3 * NS_PER_DAY, 0,
	 "-368 -367 -366 -365 0", "ookkk"},
	{"a clock that was set back: files of the future are not old and prove nothing",
	 2 * NS_PER_DAY, 0, "-3 0 1 2 300", "kkkkk"},
	{"a clock that begins in 1970", NS_PER_DAY, 0, "0 20000 20001", "kkk"},
	{"a host that was off for a month keeps what it has for a while", 3 * NS_PER_DAY, 0,
	 "-33 -32 -31 -30 0", "ookkk"},
	{"size: the oldest go first", 0, 250, "-3 -2 -1 0", "xxkk"},
	{"size: exactly so much may stay", 0, 300, "-3 -2 -1 0", "xkkk"},
	{"size: never the present one", 0, 1, "-2 -1 0", "xxk"},
	{"size: the present one alone is too large", 0, 1, "0", "k"},
	{"size: what was set aside today may go", 0, 1, "-1 0! 0", "xxk"},
	{"size looks at no clock", 0, 200, "-1 0 300 301", "xkxk"},
	{"both: age first, then size of the rest", 2 * NS_PER_DAY, 200, "-4 -3 -2 -1 0", "ooxkk"},
	{"neither", 0, 0, "-900 0", "kk"},
};

static size_t read_days(const char *text, struct retain_file files[MAX_FILES])
{
	size_t n = 0;
	for (char *end; *text; text = end, n++) {
		files[n] = (struct retain_file){
			.day = NOON_NS / NS_PER_DAY + strtoll(text, &end, 10), .bytes = 100};
		if (*end == '!') {
			files[n].damaged = 1;
			end++;
		}
		while (*end == ' ')
			end++;
	}
	return n;
}

Test(retain, decisions)
{
	static const char letters[] = {'k', 'o', 'x'};
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		const struct decision *d = &decisions[i];
		struct retain_file files[MAX_FILES];
		enum retain_why why[MAX_FILES];
		char fate[MAX_FILES + 1] = "";
		size_t n = read_days(d->days, files);
		struct retain_policy policy = {(uint64_t)d->keep_ns, d->keep_bytes};
		/* The order in which a directory lists them does not matter. */
		struct retain_file first = files[0];
		files[0] = files[n - 1];
		files[n - 1] = first;
		retain_decide(&policy, NOON_NS, NOON_NS / NS_PER_DAY, files, n, why);
		for (size_t k = 0; k < n; k++)
			fate[k] = letters[why[k]];
		cr_assert_str_eq(fate, d->fate, "%s", d->what);
	}
}

Test(retain, a_stuck_clock_costs_a_day_for_a_day)
{
	/* Seven days, then a clock a year ahead that stays so: never do more go than have come. */
	struct retain_file files[MAX_FILES];
	enum retain_why why[MAX_FILES];
	struct retain_policy policy = {7 * NS_PER_DAY, 0};
	int64_t today = NOON_NS / NS_PER_DAY;
	for (int64_t wrong = 1; wrong <= 7; wrong++) {
		size_t n = 0, kept = 0;
		for (int64_t d = 7; d >= 0; d--)
			files[n++] = (struct retain_file){.day = today - d};
		for (int64_t d = 0; d < wrong; d++)
			files[n++] = (struct retain_file){.day = today + 365 + d};
		int64_t now_ns = (today + 365 + wrong - 1) * NS_PER_DAY + 1;
		retain_decide(&policy, now_ns, now_ns / NS_PER_DAY, files, n, why);
		for (size_t i = 0; i < n; i++)
			kept += why[i] == RETAIN_KEEP;
		cr_assert_eq(kept, 7, "day %lld", (long long)wrong);
	}
}

/* ------------------------------------------------------------------------------- directories */

static void make_recording(const struct tmpdir *t, const char *name, uint32_t id, size_t len)
{
	uint8_t bytes[4096] = "SQLite format 3";
	bytes[68] = (uint8_t)(id >> 24);
	bytes[69] = (uint8_t)(id >> 16);
	bytes[70] = (uint8_t)(id >> 8);
	bytes[71] = (uint8_t)id;
	tmpdir_write(tmpdir_path(t, "%s", name), bytes, len);
}

static bool exists(const struct tmpdir *t, const char *name)
{
	struct stat st;
	return lstat(tmpdir_path(t, "%s", name), &st) == 0;
}

#define OURS 0x536c7073

struct told {
	unsigned count;
	char last[512];
};

static void tell(void *ctx, const char *text)
{
	struct told *t = ctx;
	t->count++;
	snprintf(t->last, sizeof(t->last), "%s", text);
}

static int enforce(const struct tmpdir *t, struct retain_policy policy, struct told *told,
		   struct err *e)
{
	char base[PATH_MAX], current[PATH_MAX];
	snprintf(base, sizeof(base), "%s/web", t->path);
	snprintf(current, sizeof(current), "%s/web-20261122.socklapse", t->path);
	return retain_enforce(&policy, base, current, NOON_NS, tell, told, e);
}

Test(retain, only_our_own_files_go)
{
	static const char *const stay[] = {
		"web-20261122.socklapse",    /* the present one */
		"web-20261121.socklapse",    /* not old */
		"db-20200101.socklapse",     /* of another host */
		"web-1-20200101.socklapse",  /* of another host, too */
		"web-20200105.socklapse",    /* another program's */
		"web-20200106.socklapse",    /* a link */
		"web-20200107.socklapse",    /* a directory */
		"web-20200108.socklapse",    /* a pipe */
		"web-20200109.socklapse",    /* too short */
		"web-20200110.socklapse",    /* empty */
		"web-20200111.socklapse.gz", /* packed by somebody */
		"elsewhere",
	};
	static const char *const go[] = {"web-20200101.socklapse", "web-20200101.socklapse-journal",
					 "web-20200102.socklapse.damaged-3",
					 "web-20200102.socklapse.damaged-3-journal"};
	struct tmpdir t = tmpdir_make();
	struct told told = {0};
	struct err e = {0};
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		make_recording(&t, stay[i], i == 4 ? OURS + 1 : OURS,
			       i == 8	? 71
			       : i == 9 ? 0
					: 500);
	for (size_t i = 0; i < sizeof(go) / sizeof(go[0]); i++)
		make_recording(&t, go[i], OURS, 500);
	for (size_t i = 5; i <= 7; i++)
		cr_assert_eq(unlink(tmpdir_path(&t, "%s", stay[i])), 0);
	cr_assert_eq(symlink("elsewhere", tmpdir_path(&t, "%s", stay[5])), 0);
	cr_assert_eq(mkdir(tmpdir_path(&t, "%s", stay[6]), 0700), 0);
	cr_assert_eq(mkfifo(tmpdir_path(&t, "%s", stay[7]), 0600), 0);
	cr_assert_eq(enforce(&t, (struct retain_policy){NS_PER_DAY, 0}, &told, &e), 0, "%s",
		     e.text);
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		cr_assert(exists(&t, stay[i]), "%s", stay[i]);
	for (size_t i = 0; i < sizeof(go) / sizeof(go[0]); i++)
		cr_assert(!exists(&t, go[i]), "%s", go[i]);
	cr_assert_eq(told.count, 2);
	cr_assert_str_eq(told.last, "removed web-20200102.socklapse.damaged-3, 500 bytes: older "
				    "than --keep");
	tmpdir_remove(&t);
}

Test(retain, what_is_not_ours_takes_no_part_in_the_sum)
{
	struct tmpdir t = tmpdir_make();
	struct told told = {0};
	make_recording(&t, "web-20261119.socklapse", OURS + 1, 4000);
	make_recording(&t, "web-20261120.socklapse", OURS, 1000);
	make_recording(&t, "web-20261121.socklapse", OURS, 1000);
	make_recording(&t, "web-20261122.socklapse", OURS, 1000);
	cr_assert_eq(enforce(&t, (struct retain_policy){0, 3000}, &told, NULL), 0);
	cr_assert_eq(told.count, 0);
	cr_assert_eq(enforce(&t, (struct retain_policy){0, 2999}, &told, NULL), 0);
	cr_assert_eq(told.count, 1);
	cr_assert(!exists(&t, "web-20261120.socklapse") && exists(&t, "web-20261121.socklapse"));
	cr_assert_str_eq(told.last,
			 "removed web-20261120.socklapse, 1000 bytes: beyond --keep-size");
	tmpdir_remove(&t);
}

Test(retain, so_many_at_a_time)
{
	struct tmpdir t = tmpdir_make();
	struct told told = {0};
	char name[64];
	for (unsigned i = 1; i <= RETAIN_REMOVALS_MAX + 6; i++) {
		snprintf(name, sizeof(name), "web-20200101.socklapse.damaged-%u", i);
		make_recording(&t, name, OURS, 100);
	}
	make_recording(&t, "web-20261122.socklapse", OURS, 100);
	struct retain_policy policy = {NS_PER_DAY, 0};
	cr_assert_eq(enforce(&t, policy, &told, NULL), 0);
	cr_assert_eq(told.count, RETAIN_REMOVALS_MAX);
	cr_assert(!exists(&t, "web-20200101.socklapse.damaged-64"), "oldest first");
	cr_assert(exists(&t, "web-20200101.socklapse.damaged-65"));
	cr_assert_eq(enforce(&t, policy, &told, NULL), 0);
	cr_assert_eq(told.count, RETAIN_REMOVALS_MAX + 6);
	tmpdir_remove(&t);
}

Test(retain, a_directory_that_is_not_there)
{
	struct tmpdir t = tmpdir_make();
	struct told told = {0};
	struct err e = {0};
	tmpdir_remove(&t);
	cr_assert_eq(enforce(&t, (struct retain_policy){1, 1}, &told, &e), ERR_NOT_FOUND);
	cr_assert_eq(enforce(&t, (struct retain_policy){0, 0}, &told, &e), 0, "not looked at");
}
