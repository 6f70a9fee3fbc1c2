/* test_recorder.c - a run of the recorder on files of its own: days, locks, damage, events. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "rec_read.h"
#include "recorder.h"
#include "tmpdir.h"

#define MIDNIGHT_NS INT64_C(1795305600000000000) /* 2026-11-22 00:00:00 UTC */

static int64_t now_ns;

static int64_t fake_wall_ns(void)
{
	return now_ns;
}

struct fixture {
	struct tmpdir dir;
	struct options options;
	struct recorder recorder;
};

static void setup(struct fixture *f, const char *output)
{
	struct err e = {0};
	memset(f, 0, sizeof(*f));
	f->dir = tmpdir_make();
	f->options = (struct options){.dir = f->dir.path,
				      .output = output,
				      .cmdline = CMDLINE_EXE,
				      .deadline_ns = DEFAULT_DEADLINE_NS};
	cr_assert_eq(recorder_open(&f->recorder, &f->options, &e), 0, "%s", e.text);
	f->recorder.wall_ns = fake_wall_ns;
	now_ns = MIDNIGHT_NS - 1;
}

static void teardown(struct fixture *f)
{
	recorder_close(&f->recorder);
	tmpdir_remove(&f->dir);
}

static struct recorder_snapshot take(struct fixture *f)
{
	struct recorder_snapshot snap;
	struct err e = {0};
	cr_assert_eq(recorder_take(&f->recorder, &snap, &e), 0, "%s", e.text);
	return snap;
}

/* The first column of the first row, as a number. */
static int64_t query(const char *path, const char *sql)
{
	struct rec *r;
	struct err e = {0};
	sqlite3_stmt *stmt;
	cr_assert_eq(rec_open(path, &r, &e), 0, "%s", e.text);
	cr_assert_eq(sqlite3_prepare_v2(rec_db(r), sql, -1, &stmt, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	int64_t v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	rec_close(r);
	return v;
}

Test(recorder, a_new_day_is_a_new_file)
{
	struct fixture f;
	char first[PATH_MAX];
	setup(&f, NULL);
	cr_assert_eq(take(&f).info.id, 1);
	cr_assert_eq(take(&f).info.id, 2);
	strcpy(first, f.recorder.path);
	cr_assert_not_null(strstr(first, "-20261121.socklapse"), "%s", first);
	now_ns = MIDNIGHT_NS;
	struct recorder_snapshot snap = take(&f);
	cr_assert_eq(snap.info.id, 1);
	cr_assert(snap.info.key, "a file stands alone");
	cr_assert_not_null(strstr(f.recorder.path, "-20261122.socklapse"));
	now_ns = MIDNIGHT_NS - 5; /* a clock that is set back goes on in the old file */
	cr_assert_eq(take(&f).info.id, 3);
	cr_assert_eq(query(first, "SELECT count(*) FROM snapshot"), 3);
	struct stat st;
	cr_assert_eq(stat(first, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	teardown(&f);
}

Test(recorder, what_has_had_its_time_goes_and_is_told)
{
	struct fixture f;
	char first[PATH_MAX], journal[PATH_MAX + 8];
	setup(&f, NULL);
	f.options.keep_ns = UINT64_C(86400000000000);
	take(&f);
	strcpy(first, f.recorder.path);
	now_ns = MIDNIGHT_NS + 1;
	take(&f);
	cr_assert_eq(access(first, F_OK), 0, "it ended a moment ago");
	snprintf(journal, sizeof(journal), "%s-journal", first);
	tmpdir_write(journal, "x", 1);
	now_ns = MIDNIGHT_NS + INT64_C(86400000000000);
	take(&f);
	cr_assert_neq(access(first, F_OK), 0);
	cr_assert_neq(access(journal, F_OK), 0);
	cr_assert_eq(query(f.recorder.path,
			   "SELECT count(*) FROM event WHERE kind = 'retention' AND text LIKE "
			   "'removed %-20261121.socklapse, % bytes: older than --keep'"),
		     1);
	cr_assert_str_eq(f.recorder.notice, "");
	take(&f);
	cr_assert_eq(query(f.recorder.path, "SELECT count(*) FROM event"), 1);
	teardown(&f);
}

static const char *fake_answer;

static void fake_lookup(void *ctx, const char *host, struct buf *answer, struct buf *error)
{
	(void)ctx;
	if (strcmp(host, "good") == 0)
		buf_put_str(answer, fake_answer);
	else
		buf_put_str(error, "no such name");
}

static void await_names(struct fixture *f)
{
	while (recorder_awaits_names(&f->recorder))
		usleep(500);
	recorder_late_names(&f->recorder);
	cr_assert_str_eq(f->recorder.notice, "");
}

Test(recorder, names_are_written_when_they_change)
{
	struct fixture f;
	setup(&f, NULL);
	f.recorder.lookup = fake_lookup;
	f.options.watch[f.options.watch_count++] = "good:80";
	f.options.watch[f.options.watch_count++] = "bad";
	fake_answer = "10.0.0.1 10.0.0.2";
	take(&f);
	await_names(&f);
	take(&f);
	await_names(&f);
	const char *path = f.recorder.path;
	cr_assert_eq(query(path, "SELECT count(*) FROM name"), 2);
	cr_assert_eq(query(path,
			   "SELECT count(*) FROM name WHERE snapshot = 1 AND name = 'good:80' "
			   "AND answer = '10.0.0.1 10.0.0.2' AND error IS NULL"),
		     1);
	cr_assert_eq(query(path, "SELECT count(*) FROM name WHERE snapshot = 1 AND name = 'bad' "
				 "AND answer = '' AND error = 'no such name'"),
		     1);
	/* Another run, another answer, one name less. */
	recorder_close(&f.recorder);
	f.options.watch_count = 1;
	cr_assert_eq(recorder_open(&f.recorder, &f.options, NULL), 0);
	f.recorder.wall_ns = fake_wall_ns;
	f.recorder.lookup = fake_lookup;
	fake_answer = "10.0.0.3";
	take(&f);
	await_names(&f);
	take(&f);
	await_names(&f);
	cr_assert_eq(query(path, "SELECT count(*) FROM name"), 4);
	cr_assert_eq(query(path, "SELECT count(*) FROM name WHERE snapshot = 3 AND answer = "
				 "'10.0.0.3'"),
		     1);
	cr_assert_eq(query(path,
			   "SELECT count(*) FROM name WHERE snapshot = 3 AND name = 'bad' AND "
			   "error = 'not watched'"),
		     1);
	/* A file stands alone: what is known is told to it at once. */
	now_ns = MIDNIGHT_NS;
	take(&f);
	cr_assert_eq(query(f.recorder.path, "SELECT count(*) FROM name WHERE snapshot = 1"), 1);
	teardown(&f);
}

Test(recorder, events_go_to_the_holder_of_the_lock)
{
	struct fixture f;
	struct recorder other;
	struct err e = {0};
	struct options note = {.note = "deploy"};
	setup(&f, NULL);
	take(&f);
	/* A second run: its snapshot is skipped. A third has a note. */
	cr_assert_eq(recorder_open(&other, &f.options, &e), ERR_BUSY);
	recorder_close(&other);
	note.dir = f.dir.path;
	cr_assert_eq(recorder_open(&other, &note, &e), ERR_BUSY);
	cr_assert_eq(recorder_event(&other, "note", note.note, &e), 0, "%s", e.text);
	recorder_close(&other);
	cr_assert_eq(query(f.recorder.path, "SELECT count(*) FROM event"), 0);
	take(&f);
	cr_assert_eq(query(f.recorder.path, "SELECT count(*) FROM event WHERE kind = 'gap'"), 1);
	cr_assert_eq(query(f.recorder.path,
			   "SELECT count(*) FROM event WHERE kind = 'note' AND text = 'deploy'"),
		     1);
	take(&f);
	cr_assert_eq(query(f.recorder.path, "SELECT count(*) FROM event"), 2, "once");
	cr_assert_eq(recorder_event(&f.recorder, "note", "own", &e), 0);
	cr_assert_eq(query(f.recorder.path, "SELECT count(*) FROM event WHERE text = 'own'"), 1);
	teardown(&f);
}

Test(recorder, a_damaged_file_is_set_aside)
{
	struct fixture f;
	char path[PATH_MAX], aside[PATH_MAX + 16];
	setup(&f, NULL);
	take(&f);
	strcpy(path, f.recorder.path);
	recorder_reopen(&f.recorder);
	/* The header stays, the schema goes. */
	int fd = open(path, O_RDWR);
	char noise[2000];
	memset(noise, 0xa5, sizeof(noise));
	cr_assert_eq(pwrite(fd, noise, sizeof(noise), 100), (ssize_t)sizeof(noise));
	close(fd);
	cr_assert_eq(take(&f).info.id, 1);
	snprintf(aside, sizeof(aside), "%s.damaged-1", path);
	cr_assert_eq(access(aside, F_OK), 0);
	cr_assert_not_null(strstr(f.recorder.notice, aside), "%s", f.recorder.notice);
	cr_assert_eq(query(path, "SELECT count(*) FROM event WHERE kind = 'set-aside'"), 1);
	take(&f);
	cr_assert_str_eq(f.recorder.notice, "", "said once");
	teardown(&f);
}

/* Bytes of a file, at most 64, as a text; "" if it is not there. */
static const char *content(const char *path)
{
	static char text[65];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/*
 * Killed between any two of its steps, setting aside leaves the file and its journal together
 * somewhere, and the next run begins a new recording.
 */
Test(recorder, setting_aside_can_be_cut_off_anywhere)
{
	static const char journal[] = "pages, then a name, then \xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
	for (int steps = 0; steps <= 4; steps++) {
		struct fixture f;
		char path[PATH_MAX], path_j[PATH_MAX + 32], aside[PATH_MAX + 32],
			aside_j[PATH_MAX + 64], good[64];
		setup(&f, NULL);
		take(&f);
		strcpy(path, f.recorder.path);
		recorder_reopen(&f.recorder);
		snprintf(path_j, sizeof(path_j), "%s-journal", path);
		snprintf(aside, sizeof(aside), "%s.damaged-1", path);
		snprintf(aside_j, sizeof(aside_j), "%s-journal", aside);
		/* A journal that would have SQLite delete another file: the recording is refused.
		 */
		tmpdir_write(path_j, journal, sizeof(journal) - 1);
		snprintf(good, sizeof(good), "%s", content(path));
		if (steps > 0)
			cr_assert_eq(link(path, aside), 0);
		if (steps > 1)
			cr_assert_eq(link(path_j, aside_j), 0);
		if (steps > 2)
			cr_assert_eq(unlink(path), 0);
		if (steps > 3)
			cr_assert_eq(unlink(path_j), 0);
		cr_assert_eq(take(&f).info.id, 1, "%d", steps);
		cr_assert_eq(query(path, "SELECT count(*) FROM snapshot"), 1, "%d", steps);
		/* After one step the journal went with the second copy. */
		const char *number = steps == 1 ? "2" : "1";
		aside[strlen(aside) - 1] = *number;
		snprintf(aside_j, sizeof(aside_j), "%s-journal", aside);
		cr_assert_str_eq(content(aside), good, "%d", steps);
		cr_assert_str_eq(content(aside_j), journal, "%d", steps);
		teardown(&f);
	}
}

Test(recorder, a_foreign_file_is_left_alone)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n";
	struct fixture f;
	struct recorder_snapshot snap;
	struct err e = {0};
	char path[PATH_MAX];
	struct stat before, after;
	setup(&f, NULL);
	snprintf(path, sizeof(path), "%s-20261121.socklapse", f.recorder.base);
	tmpdir_write(path, text, sizeof(text) - 1);
	stat(path, &before);
	cr_assert_eq(recorder_take(&f.recorder, &snap, &e), ERR_NOT_OURS);
	cr_assert_eq(strncmp(e.text, path, strlen(path)), 0, "the message names the file");
	stat(path, &after);
	cr_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
	teardown(&f);
}

Test(recorder, stats_are_a_line_of_json)
{
	struct fixture f;
	struct buf json = {0};
	setup(&f, "/tmp/socklapse-test-\"q\\");
	struct recorder_snapshot snap = take(&f);
	const char *line = recorder_stats(&f.recorder, &snap, &json);
	sqlite3 *db;
	sqlite3_stmt *stmt;
	sqlite3_open(":memory:", &db);
	cr_assert_eq(sqlite3_prepare_v2(db,
					"SELECT json_extract(?1, '$.snapshot'), "
					"json_extract(?1, '$.sockets'), "
					"json_extract(?1, '$.total_us'), "
					"json_extract(?1, '$.file')",
					-1, &stmt, NULL),
		     SQLITE_OK);
	sqlite3_bind_text(stmt, 1, line, -1, SQLITE_STATIC);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW, "%s", line);
	cr_assert_eq(sqlite3_column_int(stmt, 0), 1);
	cr_assert_eq(sqlite3_column_int64(stmt, 1), snap.info.sockets);
	cr_assert_gt(sqlite3_column_int64(stmt, 2), 0);
	cr_assert_str_eq((const char *)sqlite3_column_text(stmt, 3), f.options.output);
	cr_assert_null(strchr(line, '\n'));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	buf_fini(&json);
	unlink(f.options.output);
	teardown(&f);
}
