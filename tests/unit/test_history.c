/*
 * test_history.c - several recordings as one history: order, copies, hosts, damage, what ids stand
 * for.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history_walk.h"
#include "lives.h"

#define S	    INT64_C(1000000000)
#define WALL_OFFSET (INT64_C(1763820000) * S)

static struct take usual_take(const char *dir)
{
	return (struct take){
		.dir = dir,
		.wall_offset_ns = WALL_OFFSET,
		.first_ns = 1000 * S,
		.last_ns = 1190 * S,
		.every_ns = 10 * S,
		.dump_ns = S / 10,
		.key_every = 5,
	};
}

static struct history *open_dir(const char *path)
{
	struct history *h = NULL;
	struct err e = {0};
	cr_assert_eq(history_open(&path, 1, &h, &e), 0, "%s", e.text);
	return h;
}

/* Runs a command within the directory. */
static void run(const char *dir, const char *what)
{
	char command[256];
	snprintf(command, sizeof(command), "cd %s && %s", dir, what);
	cr_assert_eq(system(command), 0);
}

Test(history, files_in_any_order_become_one)
{
	char dir[64];
	struct lives l;
	size_t count;
	lives_dir(dir);
	lives_init(&l, 1, 20, 900 * S, 1300 * S);
	struct take take = usual_take(dir);
	take.snapshots_per_file = 6;
	cr_assert_eq(lives_record(&l, &take), 20);
	run(dir, "mv host-000.socklapse z.socklapse"); /* the earliest is read last */
	struct history *h = open_dir(dir);
	const struct history_snapshot *all = history_snapshots(h, &count);
	cr_assert_eq(count, 20);
	cr_assert_eq(history_files(h), 4);
	for (size_t i = 0; i < count; i++) {
		int64_t wall_ns = WALL_OFFSET + (1000 + 10 * (int64_t)i) * S;
		cr_assert_eq(all[i].rec->wall_begin_ns, wall_ns);
		cr_assert_eq(history_before(h, 0, wall_ns), i);
		cr_assert_eq(history_after(h, 0, wall_ns - 1), i);
		cr_assert_eq(history_by_id(h, all[i].file, all[i].rec->id), i);
	}
	cr_assert_eq(history_before(h, 0, WALL_OFFSET), HISTORY_NONE);
	cr_assert_eq(history_after(h, 0, WALL_OFFSET + 2000 * S), HISTORY_NONE);
	history_close(h);
	lives_fini(&l);
	lives_remove(dir);
}

Test(history, a_copy_counts_once_and_another_boot_is_the_same_host)
{
	char dir[64];
	struct lives l;
	size_t count, boots, hosts;
	lives_dir(dir);
	lives_init(&l, 2, 5, 900 * S, 1300 * S);
	struct take take = usual_take(dir);
	lives_record(&l, &take);
	run(dir, "cp host-000.socklapse copy.socklapse");
	take.boot_id = "boot-0"; /* the day before */
	take.wall_offset_ns -= 86400 * S;
	take.first_file = 5;
	lives_record(&l, &take);
	struct history *h = open_dir(dir);
	const struct history_snapshot *all = history_snapshots(h, &count);
	const struct history_boot *boot = history_boots(h, &boots);
	history_hosts(h, &hosts);
	cr_assert_eq(count, 40);
	cr_assert_eq(boots, 2);
	cr_assert_eq(hosts, 1);
	cr_assert_str_eq(boot[all[0].boot].boot_id, "boot-0");
	cr_assert_str_eq(boot[all[39].boot].boot_id, "boot-1");
	history_close(h);
	lives_fini(&l);
	lives_remove(dir);
}

/* Opens the directory after `sql` was done to copy.socklapse; returns how many hosts there are. */
static size_t hosts_after(const char *dir, const char *sql, size_t *ret_snapshots)
{
	char path[96];
	sqlite3 *db;
	size_t hosts;
	snprintf(path, sizeof(path), "%s/copy.socklapse", dir);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct history *h = open_dir(dir);
	history_hosts(h, &hosts);
	history_snapshots(h, ret_snapshots);
	history_close(h);
	return hosts;
}

Test(history, containers_of_one_kernel_are_hosts_of_their_own)
{
	char dir[64];
	struct lives l;
	size_t count;
	lives_dir(dir);
	lives_init(&l, 2, 5, 900 * S, 1300 * S);
	struct take take = usual_take(dir);
	lives_record(&l, &take);
	run(dir, "cp host-000.socklapse copy.socklapse");
	cr_assert_eq(hosts_after(dir, "UPDATE host SET hostname = 'container'", &count), 2);
	cr_assert_eq(count, 40);
	cr_assert_eq(
		hosts_after(dir, "UPDATE host SET machine_id = 'm', hostname = 'host'", &count), 2);
	/* The same machine under a new name. */
	run(dir, "cp copy.socklapse host-000.socklapse");
	cr_assert_eq(hosts_after(dir, "UPDATE host SET hostname = 'renamed'", &count), 1);
	cr_assert_eq(count, 20);
	lives_fini(&l);
	lives_remove(dir);
}

Test(history, bad_files_of_a_directory_are_warnings)
{
	char dir[64], path[96];
	const char *named = path;
	struct lives l;
	struct history *h;
	struct err e = {0};
	size_t count;
	lives_dir(dir);
	lives_init(&l, 3, 5, 900 * S, 1300 * S);
	run(dir, "echo no recording >bad.socklapse && : >empty.socklapse");
	named = dir;
	cr_assert_eq(history_open(&named, 1, &h, &e), ERR_NOT_FOUND, "nothing usable in there");
	cr_assert_not_null(strstr(e.text, "bad.socklapse"), "%s", e.text);
	struct take take = usual_take(dir);
	lives_record(&l, &take);
	h = open_dir(dir);
	const char *const *warnings = history_warnings(h, &count);
	cr_assert_eq(count, 2);
	cr_assert_not_null(strstr(warnings[0], "bad.socklapse"));
	cr_assert_not_null(strstr(warnings[1], "empty.socklapse"));
	history_snapshots(h, &count);
	cr_assert_eq(count, 20);
	history_close(h);
	snprintf(path, sizeof(path), "%s/bad.socklapse", dir);
	named = path;
	cr_assert_eq(history_open(&named, 1, &h, &e), ERR_NOT_OURS, "%s", e.text);
	snprintf(path, sizeof(path), "%s/none", dir);
	cr_assert_eq(history_open(&named, 1, &h, &e), ERR_NOT_FOUND, "%s", e.text);
	lives_fini(&l);
	lives_remove(dir);
}

Test(history, ids_stand_for_something)
{
	char dir[64];
	struct lives l;
	struct err e = {0};
	lives_dir(dir);
	lives_init(&l, 4, 5, 900 * S, 1300 * S);
	struct take take = usual_take(dir);
	lives_record(&l, &take);
	struct history *h = open_dir(dir);
	const struct history_process *p;
	const struct history_netns *n;
	const char *bytes;
	size_t len;
	cr_assert_eq(history_process(h, 0, 2, &p, &e), 0, "%s", e.text);
	cr_assert_eq(p->pid, 102);
	cr_assert_str_eq(p->comm, "daemon");
	cr_assert_null(p->exe);
	cr_assert_eq(history_process(h, 0, 99, &p, &e), 0);
	cr_assert_null(p);
	cr_assert_eq(history_netns(h, 0, 1, &n, &e), 0);
	cr_assert_eq(n->inode, 4026531840);
	cr_assert_eq(history_text(h, 0, 7, &bytes, &len, &e), 0);
	cr_assert_null(bytes);
	cr_assert_eq(history_text(h, 0, UINT32_MAX, &bytes, &len, &e), ERR_LIMIT);
	history_close(h);
	lives_fini(&l);
	lives_remove(dir);
}

/* Flips bytes of the sockets of one snapshot. */
static void damage(const char *dir, int64_t snapshot)
{
	char path[96], sql[128];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/host-000.socklapse", dir);
	snprintf(sql, sizeof(sql), "UPDATE frame SET crc = crc + 1 WHERE id / 16 = %lld",
		 (long long)snapshot);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	cr_assert_gt(sqlite3_changes(db), 0);
	sqlite3_close(db);
}

Test(history, a_walk_goes_on_at_the_next_key_frame)
{
	char dir[64];
	struct lives l;
	struct err e = {0};
	struct history_walk *w;
	size_t gaps, missed, seen = 0;
	int rc;
	lives_dir(dir);
	lives_init(&l, 5, 40, 900 * S, 1300 * S);
	struct take take = usual_take(dir);
	lives_record(&l, &take); /* a key frame every five */
	damage(dir, 8);
	struct history *h = open_dir(dir);
	cr_assert_eq(history_walk_new(h, GRP_BIT(state), true, 0, SIZE_MAX, &w, &e), 0);
	while ((rc = history_walk_next(w, &e)) > 0) {
		size_t at = history_walk_index(w);
		cr_assert(at < 7 || at > 9);
		cr_assert_eq(history_walk_step(w), at % 5 != 0, "snapshot %zu", at + 1);
		seen++;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
	const struct history_gap *gap = history_walk_gaps(w, &gaps, &missed);
	cr_assert_eq(gaps, 1);
	cr_assert_eq(gap->first, 7);
	cr_assert_eq(gap->last, 9);
	cr_assert_eq(missed, 3);
	cr_assert_eq(seen, 17);
	cr_assert_neq(history_walk_to(w, 8, &e), 0, "damage is an error when asked for directly");
	cr_assert_eq(history_walk_to(w, 3, &e), 0, "%s", e.text);
	cr_assert_not(history_walk_step(w));
	history_walk_free(w);
	history_close(h);
	lives_fini(&l);
	lives_remove(dir);
}
