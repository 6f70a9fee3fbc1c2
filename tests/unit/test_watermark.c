/*
 * test_watermark.c - the inode watermark: lists of CPUs, marks of the running machine against
 * sockets made before and after on each CPU, and what a reader gets of them.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/socket.h>

#include "bytes.h"
#include "clocks.h"
#include "rec_marks.h"
#include "rec_write.h"
#include "tmpdir.h"
#include "watermark.h"

Test(watermark, lists_of_cpus)
{
	static const struct {
		const char *text;
		int count; /* -1: no list */
		unsigned last;
	} cases[] = {{"", 0, 0},
		     {"\n", 0, 0},
		     {"0\n", 1, 0},
		     {"0-3\n", 4, 3},
		     {"0-1,8\n", 3, 8},
		     {"5,7-9", 4, 9},
		     {"0-99999", WATERMARK_MAX_CPUS, 0},
		     {"99999", 0, 0},
		     {"(null)", -1, 0},
		     {"3-1", -1, 0},
		     {"1-", -1, 0},
		     {"-1", -1, 0},
		     {"1,,2", -1, 0},
		     {"1 2", -1, 0},
		     {"a", -1, 0},
		     {"4294967296", 0, 0}};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cpu_set_t set;
		bool is = watermark_parse_cpus(cases[i].text, &set);
		cr_assert_eq(is, cases[i].count >= 0, "'%s'", cases[i].text);
		if (is)
			cr_assert_eq(CPU_COUNT(&set), cases[i].count, "'%s'", cases[i].text);
		if (is && cases[i].last)
			cr_assert(CPU_ISSET(cases[i].last, &set), "'%s'", cases[i].text);
	}
}

static int open_cpus(void)
{
	return open("/sys/devices/system/cpu", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void take(struct watermark *m)
{
	int fd = open_cpus();
	watermark_start(m, fd);
	watermark_finish(m);
	close(fd);
}

/* Inode of a socket made on this CPU; 0: the test may not run there. */
static uint32_t made_on(unsigned cpu)
{
	cpu_set_t set;
	struct stat st;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	close(fd);
	return (uint32_t)st.st_ino;
}

/* Is a older than b, both of one CPU? It goes on to another batch now and then. */
static bool ascends(uint32_t a, uint32_t b)
{
	return b - a < 1u << 31 && a != b;
}

Test(watermark, marks_lie_between_what_each_cpu_made_before_and_after)
{
	static struct watermark m;
	static uint32_t before[WATERMARK_MAX_CPUS];
	cpu_set_t affinity, now;
	cr_assert_eq(sched_getaffinity(0, sizeof(affinity), &affinity), 0);
	take(&m);
	cr_assert_eq(sched_getaffinity(0, sizeof(now), &now), 0);
	cr_assert(CPU_EQUAL(&affinity, &now), "the caller stays where it was");
	cr_assert_gt(m.cpus, 0);
	cr_assert_lt(m.missed, m.cpus, "at least one CPU can be marked anywhere");
	unsigned tested = 0;
	for (unsigned i = 0; i < m.cpus; i++)
		before[i] = made_on(i);
	uint64_t begin_ns = clocks_mono_ns();
	take(&m);
	cr_assert(m.begin_ns >= begin_ns && m.end_ns >= m.begin_ns && m.end_ns <= clocks_mono_ns());
	for (unsigned i = 0; i < m.cpus; i++) {
		uint32_t after = made_on(i);
		if (!before[i] || !after || m.inodes[i] == REC_MARK_MISSED)
			continue;
		cr_assert(ascends(before[i], m.inodes[i]), "CPU %u: %u, then %u", i, before[i],
			  m.inodes[i]);
		cr_assert(ascends(m.inodes[i], after), "CPU %u: %u, then %u", i, m.inodes[i],
			  after);
		tested++;
	}
	cr_assert_gt(tested, 0);
}

Test(watermark, cpus_that_are_kept_free_or_off_line)
{
	static struct watermark m;
	struct tmpdir dir = tmpdir_make();
	tmpdir_write(tmpdir_path(&dir, "online"), "0,2-3\n", 6);
	tmpdir_write(tmpdir_path(&dir, "isolated"), "2\n", 2);
	tmpdir_write(tmpdir_path(&dir, "nohz_full"), "3\n", 2);
	int fd = open(dir.path, O_PATH | O_DIRECTORY);
	watermark_start(&m, fd);
	watermark_finish(&m);
	cr_assert_eq(m.cpus, 4);
	cr_assert_gt(m.inodes[0], REC_MARK_MISSED);
	cr_assert_eq(m.inodes[1], REC_MARK_OFFLINE);
	cr_assert(m.inodes[2] == REC_MARK_MISSED && m.inodes[3] == REC_MARK_MISSED);
	cr_assert_eq(m.missed, 2);
	tmpdir_write(tmpdir_path(&dir, "online"), "none", 4);
	watermark_start(&m, fd);
	watermark_finish(&m);
	cr_assert(m.cpus == 0 && m.missed == 0, "no list, no marks");
	watermark_start(&m, -1);
	watermark_finish(&m);
	cr_assert(m.cpus == 0 && m.missed == 0);
	close(fd);
	tmpdir_remove(&dir);
}

/* One snapshot without sockets; `cpus` 0: without a watermark. */
static void put(struct rec_writer *w, const uint32_t *inodes, size_t cpus)
{
	struct err e = {0};
	struct rec_snapshot info = {.wall_begin_ns = 1, .wall_end_ns = 2};
	cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
	cr_assert_eq(track_members(rec_writer_track(w), &e), 0);
	if (cpus)
		cr_assert_eq(rec_writer_watermark(w, 30, 40, inodes, cpus, &e), 0, "%s", e.text);
	cr_assert_eq(rec_writer_commit(w, &info, "{}", &e), 0, "%s", e.text);
}

static struct rec_marks read_marks(const char *path, int64_t snapshot)
{
	struct err e = {0};
	struct rec *r;
	struct rec_marks m = {0};
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	cr_assert_eq(rec_marks_read(&m, r, snapshot, &e), 0, "%s", e.text);
	sqlite3_finalize(m.stmt);
	m.stmt = NULL;
	rec_close(r);
	return m;
}

static void run(const char *path, const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

Test(watermark, what_was_written_is_read)
{
	static const struct rec_host host = {
		.boot_id = "b", .hostname = "h", .kernel = "k", .arch = "a", .facts = "{}"};
	const uint32_t some[] = {0xfffffffe, REC_MARK_OFFLINE, 1025};
	const uint32_t missed[] = {7, REC_MARK_MISSED};
	static uint32_t many[REC_MAX_CPUS + 1];
	struct tmpdir dir = tmpdir_make();
	const char *path = tmpdir_path(&dir, "r");
	struct err e = {0};
	struct rec_writer *w;
	cr_assert_eq(rec_writer_open(path, &host, NULL, &w, &e), 0, "%s", e.text);
	put(w, some, 3);
	put(w, missed, 2);
	put(w, NULL, 0);
	cr_assert_eq(rec_writer_begin(w, &e), 0);
	cr_assert_eq(rec_writer_watermark(w, 0, 0, many, REC_MAX_CPUS + 1, &e), ERR_LIMIT);
	rec_writer_abandon(w);
	rec_writer_close(w);

	struct rec_marks m = read_marks(path, 1);
	cr_assert(m.cpus == 3 && m.whole && m.begin_us == 30 && m.end_us == 40);
	cr_assert_eq(memcmp(m.inodes, some, sizeof(some)), 0);
	rec_marks_fini(&m);
	m = read_marks(path, 2);
	cr_assert(m.cpus == 2 && !m.whole && m.inodes[0] == 7 && m.inodes[1] == 0);
	rec_marks_fini(&m);
	m = read_marks(path, 3);
	cr_assert(m.cpus == 0 && !m.whole);
	rec_marks_fini(&m);

	static const char *const nonsense[] = {
		"UPDATE watermark SET inodes = x'010203'",
		"UPDATE watermark SET inodes = ''",
		"UPDATE watermark SET inodes = zeroblob(4 * 8193)",
		"UPDATE watermark SET inodes = x'09000000', begin_us = -1",
		"UPDATE watermark SET begin_us = 2, end_us = 1",
		"DROP TABLE watermark"};
	for (unsigned i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		run(path, nonsense[i]);
		m = read_marks(path, 1);
		cr_assert_eq(m.cpus, 0, "%s", nonsense[i]);
		rec_marks_fini(&m);
	}
	/* A recording of an earlier recorder lacks the table; a writer makes it. */
	cr_assert_eq(rec_writer_open(path, &host, NULL, &w, &e), 0, "%s", e.text);
	put(w, some, 3);
	rec_writer_close(w);
	m = read_marks(path, 4);
	cr_assert_eq(m.cpus, 3);
	rec_marks_fini(&m);
	tmpdir_remove(&dir);
}
