/* proc_read.c - the files of a process in /proc. See proc_walk_internal.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "proc_parse.h"
#include "proc_walk_internal.h"

_Static_assert(PROC_CMDLINE_MAX <= FILE_MAX, "a command line must fit");

void walk_close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int walk_open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Reads a file below `dir` into walk->file. Its length, or -1. */
static ssize_t read_file(struct walk *walk, int dir, const char *name)
{
	CLEANUP(walk_close_fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	while (fd >= 0 && len < FILE_MAX) {
		ssize_t n = read(fd, walk->file + len, FILE_MAX - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			return (ssize_t)len;
		len += (size_t)n;
	}
	return fd < 0 ? -1 : (ssize_t)len;
}

/* Keeps a text; 0 if it is empty or memory ran out (then text.failed is set). */
static uint32_t keep_text(struct proc_walk *w, const char *at, size_t len)
{
	if (!at || w->text.len > UINT32_MAX - FILE_MAX - 1) {
		w->cut |= at != NULL;
		return 0;
	}
	uint32_t offset = (uint32_t)w->text.len;
	/* Behind a NUL nothing would be seen: no text of /proc has one inside. */
	buf_put(&w->text, at, strnlen(at, len));
	buf_put_u8(&w->text, 0);
	return w->text.failed ? 0 : offset;
}

static void read_cgroup(struct walk *walk, int dir, struct proc_found *p)
{
	ssize_t n = read_file(walk, dir, "cgroup");
	if (n <= 0)
		return;
	struct text_piece cgroup = proc_parse_cgroup(walk->file, (size_t)n);
	struct text_piece container = proc_parse_container(cgroup);
	p->cgroup = keep_text(walk->w, cgroup.at, cgroup.len);
	p->container = keep_text(walk->w, container.at, container.len);
}

static void read_command(struct walk *walk, int dir, struct proc_found *p)
{
	if (walk->mode == CMDLINE_NONE)
		return;
	ssize_t n = readlinkat(dir, "exe", walk->file, PATH_MAX);
	if (n > 0)
		p->exe = keep_text(walk->w, walk->file, (size_t)n);
	if (walk->mode != CMDLINE_FULL)
		return;
	n = read_file(walk, dir, "cmdline");
	if (n > 0) {
		size_t len = n < PROC_CMDLINE_MAX ? (size_t)n : PROC_CMDLINE_MAX;
		p->cmdline = keep_text(walk->w, walk->file, proc_parse_cmdline(walk->file, len));
	}
}

bool walk_read_process(struct walk *walk, int dir, struct proc_found *p)
{
	struct proc_stat stat;
	ssize_t n = read_file(walk, dir, "stat");
	if (n < 0 || !proc_parse_stat(walk->file, (size_t)n, &stat))
		return false;
	*p = (struct proc_found){
		.pid = stat.pid, .ppid = stat.ppid, .uid = -1, .start_ticks = stat.start_ticks};
	p->comm = keep_text(walk->w, stat.comm.at, stat.comm.len);
	n = read_file(walk, dir, "status");
	if (n > 0)
		p->uid = proc_parse_uid(walk->file, (size_t)n);
	read_cgroup(walk, dir, p);
	read_command(walk, dir, p);
	return true;
}

void walk_read_limit(struct walk *walk, int dir, uint64_t files, struct proc_found *p)
{
	p->files = files < UINT32_MAX ? (uint32_t)files : UINT32_MAX;
	ssize_t n = files >= PROC_MANY_FILES ? read_file(walk, dir, "limits") : 0;
	if (n > 0)
		p->files_limit = proc_parse_files_limit(walk->file, (size_t)n);
}

int walk_next_process(struct walk *walk, int dir, struct err *e)
{
	struct proc_walk *w = walk->w;
	if (ARRAY_NEED(w->processes, w->processes_cap, (size_t)w->processes_count + 1))
		return err_set(e, ERR_NOMEM, "/proc: out of memory");
	bool there = walk_read_process(walk, dir, &w->processes[w->processes_count]);
	if (w->text.failed)
		return err_set(e, ERR_NOMEM, "/proc: out of memory");
	return there ? 0 : 1;
}
