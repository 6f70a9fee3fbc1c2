/* test_cgroup_paths.c - the path that belongs to a cgroup's number, of one boot alone. */
#include <criterion/criterion.h>

#include "cgroup_paths.h"

static sqlite3 *table(const char *rows)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "CREATE TABLE cgroup (boot, id, path)", NULL, NULL, NULL),
		     SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

Test(cgroup_paths, by_number)
{
	sqlite3 *db = table(
		"INSERT INTO cgroup VALUES ('b', 7, '/web'), ('b', 1, '/'), "
		"('b', -2, '/high'), ('b', 9, NULL), ('b', 8, NULL), ('b', 8, '/twice'), "
		"('a', 7, '/another boot')");
	struct cgroup_paths *c;
	struct err e = {0};
	cr_assert_eq(cgroup_paths_load(db, "b", &c, &e), 0, "%s", e.text);
	cr_expect(cgroup_paths_any(c));
	cr_expect_str_eq(cgroup_path(c, 1), "/");
	cr_expect_str_eq(cgroup_path(c, 7), "/web");
	cr_expect_str_eq(cgroup_path(c, 8), "/twice");
	cr_expect_str_eq(cgroup_path(c, UINT64_MAX - 1), "/high");
	cr_expect_null(cgroup_path(c, 9), "removed before it was looked for");
	cr_expect_null(cgroup_path(c, 2), "not told");
	cgroup_paths_free(c);
	sqlite3_close(db);
}

Test(cgroup_paths, recordings_that_tell_none)
{
	sqlite3 *db = table("INSERT INTO cgroup VALUES ('a', 7, '/web')");
	struct cgroup_paths *c;
	struct err e = {0};
	cr_assert_eq(cgroup_paths_load(db, "b", &c, &e), 0, "%s", e.text);
	cr_expect_not(cgroup_paths_any(c));
	cr_expect_null(cgroup_path(c, 7));
	cr_expect_not(cgroup_paths_any(NULL));
	cgroup_paths_free(c);
	sqlite3_exec(db, "DROP TABLE cgroup", NULL, NULL, NULL);
	cr_expect_lt(cgroup_paths_load(db, "b", &c, &e), 0);
	sqlite3_close(db);
}
