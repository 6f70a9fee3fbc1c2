/* test_proc_walk.c - the walk over fake /proc roots made in a temporary directory. */
#include <fcntl.h>
#include <sys/socket.h>

#include "proc_walk.h"
#include "tmpdir.h"

struct fixture {
	struct tmpdir dir;
	struct proc_walk walk;
	atomic_bool stop;
};

static struct fixture setup(void)
{
	return (struct fixture){.dir = tmpdir_make()};
}

static void teardown(struct fixture *f)
{
	proc_walk_fini(&f->walk);
	tmpdir_remove(&f->dir);
}

static int run(struct fixture *f, enum cmdline_mode mode)
{
	int fd = open(f->dir.path, O_RDONLY | O_DIRECTORY);
	int rc = proc_walk_run(&f->walk, fd, mode, &f->stop, NULL);
	close(fd);
	return rc;
}

static void put_text(struct fixture *f, int pid, const char *name, const char *text)
{
	tmpdir_write(tmpdir_path(&f->dir, "%d/%s", pid, name), text, strlen(text));
}

/* A process with all of its files. */
static void put_process(struct fixture *f, int pid, const char *comm)
{
	char text[512];
	cr_assert_eq(mkdir(tmpdir_path(&f->dir, "%d", pid), 0755), 0);
	cr_assert_eq(mkdir(tmpdir_path(&f->dir, "%d/fd", pid), 0755), 0);
	snprintf(text, sizeof(text),
		 "%d (%s) S 42 1 1 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 %d 1000 200\n", pid, comm,
		 pid * 10);
	put_text(f, pid, "stat", text);
	put_text(f, pid, "status", "Name:\tx\nUid:\t1000\t1001\t0\t1\n");
	put_text(f, pid, "cgroup", "0::/lxc/web/a.service\n");
	tmpdir_write(tmpdir_path(&f->dir, "%d/cmdline", pid), "prog\0--key=secret\0", 18);
	cr_assert_eq(symlink("/usr/bin/prog", tmpdir_path(&f->dir, "%d/exe", pid)), 0);
}

static void put_fd(struct fixture *f, int pid, int fd, const char *target)
{
	cr_assert_eq(symlink(target, tmpdir_path(&f->dir, "%d/fd/%d", pid, fd)), 0);
}

static const char *text_of(struct fixture *f, uint32_t offset)
{
	return proc_walk_text(&f->walk, offset);
}

static uint32_t count_holders(const struct fixture *f, uint32_t inode)
{
	uint32_t n = 0;
	for (uint32_t h = proc_walk_find(&f->walk, inode); h != PROC_NO_HOLDER;
	     h = proc_walk_next(&f->walk, h)) {
		cr_assert_eq(f->walk.holders[h].inode, inode);
		n++;
	}
	return n;
}

Test(proc_walk, finds_every_holder)
{
	struct fixture f = setup();
	put_process(&f, 100, "one");
	put_process(&f, 200, "two");
	put_process(&f, 300, "none");
	put_fd(&f, 100, 0, "/dev/null");
	put_fd(&f, 100, 3, "socket:[555]");
	put_fd(&f, 100, 4, "socket:[666]");
	put_fd(&f, 100, 17, "socket:[555]"); /* dup() */
	put_fd(&f, 200, 3, "socket:[555]");  /* fork() */
	put_fd(&f, 200, 5, "anon_inode:[eventpoll]");
	put_fd(&f, 200, 6, "socket:[4294967297]"); /* beyond what inet_diag can name */
	put_fd(&f, 300, 1, "pipe:[555]");
	cr_assert_eq(run(&f, CMDLINE_EXE), 0);
	cr_assert_eq(count_holders(&f, 555), 3);
	cr_assert_eq(count_holders(&f, 666), 1);
	cr_assert_eq(count_holders(&f, 1), 0);
	cr_assert_eq(f.walk.processes_count, 2);
	cr_assert_eq(f.walk.processes_seen, 3);
	cr_assert_eq(f.walk.fds_seen, 8);
	cr_assert_eq(f.walk.denied, 0);
	cr_assert_not(f.walk.cut);
	teardown(&f);
}

Test(proc_walk, what_is_known_of_a_process)
{
	static const struct {
		enum cmdline_mode mode;
		const char *exe, *cmdline;
	} cases[] = {
		{CMDLINE_NONE, NULL, NULL},
		{CMDLINE_EXE, "/usr/bin/prog", NULL},
		{CMDLINE_FULL, "/usr/bin/prog", "prog --key=secret"},
	};
	struct fixture f = setup();
	put_process(&f, 100, "a) S (b\nc");
	put_fd(&f, 100, 3, "socket:[555]");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(run(&f, cases[i].mode), 0);
		cr_assert_eq(f.walk.processes_count, 1);
		const struct proc_found *p = &f.walk.processes[0];
		cr_assert_eq(p->pid, 100);
		cr_assert_eq(p->ppid, 42);
		cr_assert_eq(p->uid, 1001);
		cr_assert_eq(p->start_ticks, 1000);
		cr_assert_str_eq(text_of(&f, p->comm), "a) S (b\nc");
		cr_assert_str_eq(text_of(&f, p->cgroup), "/lxc/web/a.service");
		cr_assert_str_eq(text_of(&f, p->container), "web");
		cr_assert(cases[i].exe ? !strcmp(text_of(&f, p->exe), cases[i].exe)
				       : !text_of(&f, p->exe));
		cr_assert(cases[i].cmdline ? !strcmp(text_of(&f, p->cmdline), cases[i].cmdline)
					   : !text_of(&f, p->cmdline));
	}
	teardown(&f);
}

Test(proc_walk, files_that_are_not_there)
{
	struct fixture f = setup();
	put_process(&f, 100, "bare");
	put_fd(&f, 100, 3, "socket:[555]");
	static const char *const files[] = {"status", "cgroup", "cmdline", "exe"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		cr_assert_eq(unlink(tmpdir_path(&f.dir, "100/%s", files[i])), 0);
	cr_assert_eq(run(&f, CMDLINE_FULL), 0);
	const struct proc_found *p = &f.walk.processes[0];
	cr_assert_eq(p->uid, -1);
	cr_assert(!text_of(&f, p->cgroup) && !text_of(&f, p->container) && !text_of(&f, p->exe) &&
		  !text_of(&f, p->cmdline));
	cr_assert_str_eq(text_of(&f, p->comm), "bare");
	teardown(&f);
}

Test(proc_walk, a_process_that_vanishes_takes_its_sockets_along)
{
	struct fixture f = setup();
	put_process(&f, 100, "stays");
	put_process(&f, 200, "goes");
	put_process(&f, 300, "gone");
	put_fd(&f, 100, 3, "socket:[555]");
	put_fd(&f, 200, 3, "socket:[555]");
	put_fd(&f, 200, 4, "socket:[777]");
	unlink(tmpdir_path(&f.dir, "200/stat")); /* after its descriptors were read */
	rmdir(tmpdir_path(&f.dir, "300/fd"));
	cr_assert_eq(run(&f, CMDLINE_EXE), 0);
	cr_assert_eq(count_holders(&f, 555), 1);
	cr_assert_eq(count_holders(&f, 777), 0);
	cr_assert_eq(f.walk.processes_count, 1);
	cr_assert_eq(f.walk.denied, 0, "to be gone is not to be denied");
	teardown(&f);
}

Test(proc_walk, a_process_that_may_not_be_looked_into)
{
	struct fixture f = setup();
	put_process(&f, 100, "other");
	/* A file in place of the directory: an error other than "gone", for root too. */
	rmdir(tmpdir_path(&f.dir, "100/fd"));
	put_text(&f, 100, "fd", "");
	cr_assert_eq(run(&f, CMDLINE_EXE), 0);
	cr_assert_eq(f.walk.denied, 1);
	teardown(&f);
}

Test(proc_walk, names_that_are_no_pid_are_left_alone)
{
	struct fixture f = setup();
	mkdir(tmpdir_path(&f.dir, "self"), 0755);
	mkdir(tmpdir_path(&f.dir, "99999999999"), 0755);
	mkdir(tmpdir_path(&f.dir, "12x"), 0755);
	cr_assert_eq(run(&f, CMDLINE_EXE), 0);
	cr_assert_eq(f.walk.processes_seen, 0);
	cr_assert_eq(proc_walk_find(&f.walk, 1), PROC_NO_HOLDER);
	teardown(&f);
}

Test(proc_walk, many_descriptors_over_several_reads_of_the_directory)
{
	struct fixture f = setup();
	char target[64];
	put_process(&f, 100, "many");
	put_process(&f, 101, "more");
	for (int i = 0; i < 3000; i++) {
		snprintf(target, sizeof(target), "socket:[%d]", 100000 + i);
		put_fd(&f, 100, i, target);
	}
	put_fd(&f, 101, 1, "socket:[100007]");
	cr_assert_eq(run(&f, CMDLINE_EXE), 0);
	cr_assert_eq(f.walk.holders_count, 3001);
	for (uint32_t i = 0; i < 3000; i++) {
		cr_assert_eq(count_holders(&f, 100000 + i), i == 7 ? 2 : 1, "%u", i);
		uint32_t h = proc_walk_find(&f.walk, 100000 + i);
		if (i != 7)
			cr_assert_eq(f.walk.holders[h].fd, i);
	}
	/* A second walk starts from nothing. */
	cr_assert_eq(run(&f, CMDLINE_EXE), 0);
	cr_assert_eq(f.walk.holders_count, 3001);
	teardown(&f);
}

Test(proc_walk, stops_when_told)
{
	struct fixture f = setup();
	for (int pid = 100; pid < 110; pid++) {
		put_process(&f, pid, "p");
		put_fd(&f, pid, 1, "socket:[5]");
	}
	atomic_store(&f.stop, true);
	cr_assert_eq(run(&f, CMDLINE_EXE), 0);
	cr_assert(f.walk.cut);
	cr_assert_lt(f.walk.processes_seen, 10);
	teardown(&f);
}

Test(proc_walk, a_root_that_cannot_be_read)
{
	struct fixture f = setup();
	struct err e = {0};
	tmpdir_write(tmpdir_path(&f.dir, "file"), "", 0);
	int fd = open(tmpdir_path(&f.dir, "file"), O_RDONLY);
	cr_assert_lt(proc_walk_run(&f.walk, fd, CMDLINE_EXE, &f.stop, &e), 0);
	cr_assert_str_eq(e.text, "/proc: Not a directory");
	close(fd);
	teardown(&f);
}

Test(proc_walk, the_machines_own)
{
	struct fixture f = setup();
	int fd = open("/proc", O_RDONLY | O_DIRECTORY);
	int pair[2];
	struct stat st;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fstat(pair[0], &st);
	cr_assert_eq(proc_walk_run(&f.walk, fd, CMDLINE_FULL, &f.stop, NULL), 0);
	close(fd);
	uint32_t h = proc_walk_find(&f.walk, (uint32_t)st.st_ino);
	cr_assert_neq(h, PROC_NO_HOLDER);
	const struct proc_found *p = &f.walk.processes[f.walk.holders[h].process];
	cr_assert_eq(p->pid, getpid());
	cr_assert_eq(p->ppid, getppid());
	cr_assert_eq(p->uid, (int64_t)geteuid());
	cr_assert_eq(f.walk.holders[h].fd, (uint32_t)pair[0]);
	teardown(&f);
}

Test(proc_walk, the_limit_of_a_process_with_many_files)
{
	static const char limits[] =
		"Limit                     Soft Limit           Hard Limit  Units\n"
		"Max open files            1024                 524288      files\n";
	struct fixture f = setup();
	put_process(&f, 7, "few");
	put_fd(&f, 7, 0, "socket:[70]");
	put_text(&f, 7, "limits", limits);
	put_process(&f, 8, "many");
	for (int i = 0; i < 130; i++)
		put_fd(&f, 8, i, i < 3 ? "/dev/null" : "socket:[80]");
	put_text(&f, 8, "limits", limits);
	cr_assert_eq(run(&f, CMDLINE_NONE), 0);
	cr_assert_eq(f.walk.processes_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct proc_found *p = &f.walk.processes[i];
		cr_assert_eq(p->files, p->pid == 7 ? 1 : 130);
		cr_assert_eq(p->files_limit, p->pid == 7 ? 0 : 1024);
	}
	teardown(&f);
}
