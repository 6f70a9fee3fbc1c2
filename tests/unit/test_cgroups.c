/* test_cgroups.c - paths of cgroups by id: a tree of directories, and the running machine's own. */
#include <dirent.h>

#include "cgroups.h"
#include "tmpdir.h"

static uint64_t inode_of(const char *path)
{
	struct stat st;
	cr_assert_eq(stat(path, &st), 0, "%s", path);
	return st.st_ino;
}

static const char *make(const struct tmpdir *dir, const char *name)
{
	const char *path = tmpdir_path(dir, "sys/fs/cgroup%s", name);
	cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
	return path;
}

Test(cgroups, a_tree_is_searched_once_for_all)
{
	struct tmpdir dir = tmpdir_make();
	struct err e = {0};
	struct cgroups c;
	mkdir(tmpdir_path(&dir, "sys"), 0755);
	mkdir(tmpdir_path(&dir, "sys/fs"), 0755);
	struct cgroup_wanted wanted[5] = {
		{.id = inode_of(make(&dir, ""))},
		{.id = inode_of(make(&dir, "/system.slice"))},
		{.id = inode_of(make(&dir, "/system.slice/odd\nname"))},
		{.id = inode_of(make(&dir, "/user.slice"))},
		{.id = 1},
	};
	tmpdir_write(tmpdir_path(&dir, "sys/fs/cgroup/cgroup.procs"), "", 0);
	cgroups_open(&c, dir.path);
	c.no_handle = true;
	cr_assert_eq(cgroups_find(&c, wanted, 5, &e), 0);
	static const char *const paths[] = {"/", "/system.slice", "/system.slice/odd\nname",
					    "/user.slice"};
	for (unsigned i = 0; i < 4; i++)
		cr_assert_str_eq(wanted[i].path, paths[i]);
	cr_assert_null(wanted[4].path, "no such cgroup");
	for (unsigned i = 0; i < 4; i++)
		free(wanted[i].path);

	/* Too deep to be looked at. */
	char name[256] = "";
	for (unsigned i = 0; i <= CGROUPS_MAX_DEPTH; i++) {
		strcat(name, "/d");
		wanted[i % 2] = (struct cgroup_wanted){.id = inode_of(make(&dir, name))};
	}
	cr_assert_eq(cgroups_find(&c, wanted, 2, &e), 0);
	cr_assert_null(wanted[CGROUPS_MAX_DEPTH % 2].path);
	cr_assert_not_null(wanted[(CGROUPS_MAX_DEPTH + 1) % 2].path, "the one above is found");
	free(wanted[(CGROUPS_MAX_DEPTH + 1) % 2].path);
	cgroups_close(&c);
	cr_assert_eq(cgroups_find(&c, wanted, 2, &e), 0, "without a tree nothing is found");
	tmpdir_remove(&dir);
}

/* By handle or by search, the answer is the same. */
Test(cgroups, of_the_running_machine)
{
	struct err e = {0};
	struct cgroups c;
	cgroups_open(&c, "");
	if (c.mount_fd < 0)
		cr_skip_test("no cgroup v2 here");
	struct stat st;
	cr_assert_eq(fstat(c.mount_fd, &st), 0);
	struct cgroup_wanted wanted[2] = {{.id = st.st_ino}, {.id = UINT64_MAX - 7}};
	for (int search = 0; search < 2; search++) {
		c.no_handle = search;
		cr_assert_eq(cgroups_find(&c, wanted, 2, &e), 0);
		cr_assert_str_eq(wanted[0].path, "/");
		cr_assert_null(wanted[1].path);
		free(wanted[0].path);
		wanted[0].path = NULL;
	}
	cgroups_close(&c);
}
