/* test_record_files.c - names of recordings, the lock, events left for others, facts of a host. */
#include <fcntl.h>
#include <time.h>

#include "hostfacts.h"
#include "lock.h"
#include "pending.h"
#include "rotate.h"
#include "tmpdir.h"

Test(rotate, names)
{
	static const struct {
		const char *dir, *host, *base;
	} cases[] = {
		{"/d", "web1.example", "/d/web1.example"},
		{"/d/", "web", "/d//web"},
		{".", "a/b", "./a_b"},
		{"/d", "../x", "/d/_._x"},
		{"/d", ".hidden", "/d/_hidden"},
		{"/d", "a b\n\xff", "/d/a_b__"},
		{"/d", "", "/d/localhost"},
	};
	char base[128];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(rotate_base(cases[i].dir, cases[i].host, base, sizeof(base), NULL), 0);
		cr_assert_str_eq(base, cases[i].base);
	}
	cr_assert_eq(rotate_base("/directory", "host", base, 15, NULL), ERR_LIMIT);
	cr_assert_eq(rotate_base("/directory", "host", base, 16, NULL), 0);
}

Test(rotate, days_are_utc)
{
	static const struct {
		int64_t wall_ns;
		const char *path;
	} cases[] = {
		{0, "/d/h-19700101.socklapse"},
		{1795305599999999999, "/d/h-20261121.socklapse"},
		{1795305600000000000, "/d/h-20261122.socklapse"},
		{1709164800000000000, "/d/h-20240229.socklapse"},
	};
	char path[64];
	setenv("TZ", "Pacific/Auckland", 1);
	tzset();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(rotate_path("/d/h", cases[i].wall_ns, path, sizeof(path), NULL), 0);
		cr_assert_str_eq(path, cases[i].path);
	}
	cr_assert_eq(rotate_path("/d/h", 0, path, 23, NULL), ERR_LIMIT);
}

Test(rotate, directory)
{
	struct tmpdir t = tmpdir_make();
	struct stat st;
	struct err e = {0};
	umask(0);
	cr_assert_eq(rotate_make_dir(tmpdir_path(&t, "new"), NULL), 0);
	cr_assert_eq(rotate_make_dir(tmpdir_path(&t, "new"), NULL), 0);
	cr_assert_eq(stat(tmpdir_path(&t, "new"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0750);
	cr_assert_eq(rotate_make_dir(tmpdir_path(&t, "no/such"), &e), ERR_NOT_FOUND);
	tmpdir_write(tmpdir_path(&t, "file"), "", 0);
	cr_assert_lt(rotate_make_dir(tmpdir_path(&t, "file"), &e), 0);
	cr_assert_not_null(strstr(e.text, "Not a directory"), "%s", e.text);
	tmpdir_remove(&t);
}

Test(lock, one_at_a_time)
{
	struct tmpdir t = tmpdir_make();
	const char *path = tmpdir_path(&t, "lock");
	int a = -1, b = -1;
	struct err e = {0};
	cr_assert_eq(lock_take(path, false, &a, &e), 0);
	cr_assert_eq(lock_take(path, false, &b, &e), ERR_BUSY);
	cr_assert_not_null(strstr(e.text, "another run holds it"));
	cr_assert_eq(b, -1);
	lock_release(path, a);
	cr_assert_neq(access(path, F_OK), 0, "the file is gone");
	cr_assert_eq(lock_take(path, false, &b, &e), 0);
	lock_release(path, b);
	lock_release(path, -1);
	tmpdir_remove(&t);
}

Test(lock, a_link_is_not_followed)
{
	struct tmpdir t = tmpdir_make();
	int fd;
	cr_assert_eq(symlink("/tmp/elsewhere", tmpdir_path(&t, "lock")), 0);
	cr_assert_lt(lock_take(tmpdir_path(&t, "lock"), false, &fd, NULL), 0);
	tmpdir_remove(&t);
}

struct taken {
	unsigned count;
	int64_t wall_ns[4];
	char kind[4][16];
	char text[4][PENDING_TEXT_MAX + 1];
	int fail_at;
};

static int take(void *ctx, int64_t wall_ns, const char *kind, const char *text, struct err *e)
{
	struct taken *t = ctx;
	if (t->fail_at && t->count + 1 == (unsigned)t->fail_at)
		return err_set(e, ERR_FULL, "full");
	cr_assert_lt(t->count, 4);
	t->wall_ns[t->count] = wall_ns;
	snprintf(t->kind[t->count], sizeof(t->kind[0]), "%s", kind);
	snprintf(t->text[t->count++], sizeof(t->text[0]), "%s", text);
	return 0;
}

Test(pending, what_is_put_is_taken_once)
{
	struct tmpdir dir = tmpdir_make();
	const char *path = tmpdir_path(&dir, "p");
	struct taken t = {0};
	cr_assert_eq(pending_take(path, take, &t, NULL), 0);
	cr_assert_eq(pending_put(path, 12, "note", "deploy 14:02", NULL), 0);
	cr_assert_eq(pending_put(path, 13, "gap", "two\nlines\x01", NULL), 0);
	cr_assert_eq(pending_put(path, 14, "note", "", NULL), 0);
	cr_assert_eq(pending_take(path, take, &t, NULL), 0);
	cr_assert_eq(t.count, 3);
	cr_assert(t.wall_ns[0] == 12 && t.wall_ns[1] == 13 && t.wall_ns[2] == 14);
	cr_assert_str_eq(t.kind[0], "note");
	cr_assert_str_eq(t.text[0], "deploy 14:02");
	cr_assert_str_eq(t.text[1], "two lines ");
	cr_assert_str_eq(t.text[2], "");
	cr_assert_neq(access(path, F_OK), 0);
	cr_assert_eq(pending_take(path, take, &t, NULL), 0);
	cr_assert_eq(t.count, 3);
	tmpdir_remove(&dir);
}

Test(pending, is_kept_if_it_cannot_be_written)
{
	struct tmpdir dir = tmpdir_make();
	const char *path = tmpdir_path(&dir, "p");
	struct taken t = {.fail_at = 1};
	cr_assert_eq(pending_put(path, 12, "note", "x", NULL), 0);
	cr_assert_eq(pending_take(path, take, &t, NULL), ERR_FULL);
	t.fail_at = 0;
	cr_assert_eq(pending_take(path, take, &t, NULL), 0);
	cr_assert_eq(t.count, 1);
	tmpdir_remove(&dir);
}

Test(pending, hostile_content)
{
	static const char text[] = "\n\nnonsense\n5\n5 \n5 note\n5  x\n7 note ok\n\xff\xff";
	struct tmpdir dir = tmpdir_make();
	const char *path = tmpdir_path(&dir, "p");
	struct taken t = {0};
	tmpdir_write(path, text, sizeof(text) - 1);
	cr_assert_eq(pending_take(path, take, &t, NULL), 0);
	cr_assert_eq(t.count, 1);
	cr_assert_str_eq(t.text[0], "ok");
	char *big = calloc(1, 5000);
	memset(big, 'x', 4999);
	cr_assert_eq(pending_put(path, 1, "note", big, NULL), 0);
	cr_assert_eq(pending_take(path, take, &t, NULL), 0);
	cr_assert_eq(strlen(t.text[1]), PENDING_TEXT_MAX);
	free(big);
	cr_assert_eq(truncate(path, 0), -1);
	tmpdir_write(path, "", 0);
	cr_assert_eq(truncate(path, PENDING_FILE_MAX + 1), 0);
	cr_assert_eq(pending_put(path, 1, "note", "x", NULL), ERR_LIMIT);
	tmpdir_remove(&dir);
}

static void put_file(const struct tmpdir *t, const char *path, const char *text)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", t->path, path);
	for (char *slash = full + strlen(t->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	tmpdir_write(full, text, strlen(text));
}

Test(hostfacts, of_a_fake_host)
{
	struct tmpdir t = tmpdir_make();
	struct hostfacts f = {0};
	struct err e = {0};
	cr_assert_eq(hostfacts_read(&f, t.path, &e), ERR_IO);
	put_file(&t, "proc/sys/kernel/random/boot_id", "abc-def\n");
	put_file(&t, "proc/sys/net/ipv4/tcp_fin_timeout", "30\n");
	put_file(&t, "proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
	put_file(&t, "proc/sys/net/ipv4/ip_local_reserved_ports", "\n");
	put_file(&t, "proc/sys/net/ipv4/tcp_congestion_control", "cu\"b\\ic\n");
	put_file(&t, "proc/sys/net/core/somaxconn", "4096\n");
	put_file(&t, "etc/machine-id", "0123\n");
	cr_assert_eq(symlink("/usr/share/zoneinfo/Europe/Vienna", tmpdir_path(&t, "etc/localtime")),
		     0);
	cr_assert_eq(hostfacts_read(&f, t.path, &e), 0, "%s", e.text);
	cr_assert_str_eq(f.host.boot_id, "abc-def");
	cr_assert_str_eq(f.host.machine_id, "0123");
	cr_assert_str_eq(f.host.time_zone, "Europe/Vienna");
	char want[256];
	snprintf(want, sizeof(want),
		 "{\"user_hz\":%ld,\"ip_local_port_range\":[32768,60999],"
		 "\"tcp_congestion_control\":\"cubic\",\"tcp_fin_timeout\":30,\"somaxconn\":4096}",
		 sysconf(_SC_CLK_TCK));
	cr_assert_str_eq(f.host.facts, want);
	unlink(tmpdir_path(&t, "etc/localtime"));
	put_file(&t, "etc/timezone", "Asia/Tokyo\n");
	unlink(tmpdir_path(&t, "etc/machine-id"));
	cr_assert_eq(hostfacts_read(&f, t.path, &e), 0);
	cr_assert_str_eq(f.host.time_zone, "Asia/Tokyo");
	cr_assert_null(f.host.machine_id);
	hostfacts_fini(&f);
	tmpdir_remove(&t);
}

Test(hostfacts, ticks_a_second)
{
	static const struct {
		long coarse_ns;
		int64_t hz;
	} cases[] = {{4000000, 250}, {10000000, 100}, {1000000, 1000}, {3333333, 300},
		     {999848, 1000}, {1, 0},	      {0, 0},	       {1000000000, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(hostfacts_hz(cases[i].coarse_ns), cases[i].hz, "%zu", i);
}
