/* proc_walk.c - see proc_walk.h. */
#include "proc_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc_parse.h"

#define DENTS_BYTES 32768

/* A file of /proc/PID that is read whole is not longer than this; the rest is cut off. */
#define FILE_MAX 8192

/* `stop` is looked at every so many descriptors. */
#define STOP_EVERY 256

_Static_assert(PROC_CMDLINE_MAX <= FILE_MAX, "a command line must fit");

/* What getdents64(2) writes; glibc's struct dirent64 is the same. */
struct dents {
	char bytes[DENTS_BYTES] __attribute__((aligned(8)));
	long len;
	long at;
};

/* The scratch memory of one walk. */
struct walk {
	struct proc_walk *w;
	const atomic_bool *stop;
	enum cmdline_mode mode;
	struct dents pids;
	struct dents fds;
	char file[FILE_MAX];
};

/* The next name in the directory, or NULL at its end or on an error (then errno is set). */
static const char *next_name(int dir, struct dents *d)
{
	if (d->at >= d->len) {
		errno = 0;
		d->at = 0;
		d->len = syscall(SYS_getdents64, dir, d->bytes, sizeof(d->bytes));
		if (d->len <= 0)
			return NULL;
	}
	const struct dirent64 *entry = (const void *)(d->bytes + d->at);
	d->at += entry->d_reclen;
	return entry->d_name;
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int open_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Reads a file below `dir` into walk->file. Its length, or -1. */
static ssize_t read_file(struct walk *walk, int dir, const char *name)
{
	CLEANUP(close_fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
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

/* All about a process. False if it is gone. */
static bool read_process(struct walk *walk, int dir, struct proc_found *p)
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

static void read_limit(struct walk *walk, int dir, uint64_t files, struct proc_found *p)
{
	p->files = files < UINT32_MAX ? (uint32_t)files : UINT32_MAX;
	ssize_t n = files >= PROC_MANY_FILES ? read_file(walk, dir, "limits") : 0;
	if (n > 0)
		p->files_limit = proc_parse_files_limit(walk->file, (size_t)n);
}

static int add_holder(struct proc_walk *w, uint32_t inode, uint32_t fd, struct err *e)
{
	if (w->holders_count >= PROC_MAX_HOLDERS) {
		w->cut = true;
		return 0;
	}
	struct proc_holder *p = array_grow(w->holders, &w->holders_cap, w->holders_count + 1u,
					   sizeof(*w->holders));
	if (!p)
		return err_set(e, ERR_NOMEM, "/proc: out of memory");
	w->holders = p;
	w->holders[w->holders_count++] = (struct proc_holder){inode, w->processes_count, fd, 0};
	return 0;
}

/* Every descriptor of a process that refers to a socket. */
static int walk_fds(struct walk *walk, int fd_dir, struct err *e)
{
	struct proc_walk *w = walk->w;
	char target[64];
	const char *name;
	uint32_t fd;
	walk->fds.at = walk->fds.len = 0;
	while ((name = next_name(fd_dir, &walk->fds)) != NULL) {
		if (!proc_parse_number(name, &fd))
			continue;
		w->fds_seen++;
		ssize_t n = readlinkat(fd_dir, name, target, sizeof(target));
		/* What is no socket is most often told by its first byte. */
		uint64_t inode = n > 0 && target[0] == 's'
					 ? proc_parse_link(target, (size_t)n, "socket")
					 : 0;
		int rc = inode && inode <= UINT32_MAX ? add_holder(w, (uint32_t)inode, fd, e) : 0;
		if (rc)
			return rc;
		if (w->fds_seen % STOP_EVERY == 0 && atomic_load(walk->stop))
			return 0;
	}
	return 0;
}

/* errno of a process that has exited, or whose files are not there any more. */
static bool is_gone(int errnum)
{
	return errnum == ENOENT || errnum == ESRCH;
}

static int walk_process(struct walk *walk, int proc_fd, const char *pid, struct err *e)
{
	struct proc_walk *w = walk->w;
	CLEANUP(close_fd) int dir = open_dir(proc_fd, pid);
	CLEANUP(close_fd) int fd_dir = dir < 0 ? -1 : open_dir(dir, "fd");
	if (fd_dir < 0) {
		w->processes_seen++;
		w->denied += !is_gone(errno);
		return 0;
	}
	w->processes_seen++;
	uint32_t first = w->holders_count;
	uint64_t seen = w->fds_seen;
	int rc = walk_fds(walk, fd_dir, e);
	if (rc || w->holders_count == first)
		return rc;
	struct proc_found *p = array_grow(w->processes, &w->processes_cap, w->processes_count + 1u,
					  sizeof(*w->processes));
	if (!p)
		return err_set(e, ERR_NOMEM, "/proc: out of memory");
	w->processes = p;
	p = &w->processes[w->processes_count];
	if (read_process(walk, dir, p)) {
		read_limit(walk, dir, w->fds_seen - seen, p);
		w->processes_count++;
	} else {
		w->holders_count = first; /* it is gone, and with it what it held */
	}
	return w->text.failed ? err_set(e, ERR_NOMEM, "/proc: out of memory") : 0;
}

static int walk_pids(struct walk *walk, int proc_fd, struct err *e)
{
	/* A descriptor of its own: the caller's position in the directory is not touched. */
	CLEANUP(close_fd) int dir = open_dir(proc_fd, ".");
	if (dir < 0)
		return err_errno(e, errno, "/proc");
	const char *name;
	uint32_t pid;
	while ((name = next_name(dir, &walk->pids)) != NULL) {
		int rc = proc_parse_number(name, &pid) ? walk_process(walk, proc_fd, name, e) : 0;
		if (rc)
			return rc;
		if (atomic_load(walk->stop)) {
			walk->w->cut = true;
			return 0;
		}
	}
	return errno ? err_errno(e, errno, "/proc") : 0;
}

static uint32_t bucket_of(const struct proc_walk *w, uint32_t inode)
{
	return inode * UINT32_C(0x9e3779b1) >> (32 - w->bucket_bits);
}

/* Chains the holders; from the last to the first, so that a chain has the order of the walk. */
static int build_index(struct proc_walk *w, struct err *e)
{
	unsigned bits = 4;
	while (bits < 24 && (UINT32_C(1) << bits) < w->holders_count)
		bits++;
	if (!w->buckets || bits > w->bucket_bits) {
		uint32_t *p = realloc(w->buckets, sizeof(*p) << bits);
		if (!p)
			return err_set(e, ERR_NOMEM, "/proc: out of memory");
		w->buckets = p;
		w->bucket_bits = bits;
	}
	memset(w->buckets, 0xff, sizeof(*w->buckets) << w->bucket_bits);
	for (uint32_t i = w->holders_count; i-- > 0;) {
		uint32_t *first = &w->buckets[bucket_of(w, w->holders[i].inode)];
		w->holders[i].next = *first;
		*first = i;
	}
	return 0;
}

int proc_walk_run(struct proc_walk *w, int proc_fd, enum cmdline_mode mode, const atomic_bool *stop,
		  struct err *e)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	if (!walk)
		return err_set(e, ERR_NOMEM, "/proc: out of memory");
	walk->w = w;
	walk->stop = stop;
	walk->mode = mode;
	w->holders_count = w->processes_count = w->processes_seen = w->denied = 0;
	w->fds_seen = 0;
	w->cut = false;
	buf_clear(&w->text);
	buf_put_u8(&w->text, 0); /* offset 0 means unknown */
	int rc = walk_pids(walk, proc_fd, e);
	free(walk);
	return rc ? rc : build_index(w, e);
}

static uint32_t skip_to(const struct proc_walk *w, uint32_t holder, uint32_t inode)
{
	while (holder != PROC_NO_HOLDER && w->holders[holder].inode != inode)
		holder = w->holders[holder].next;
	return holder;
}

uint32_t proc_walk_find(const struct proc_walk *w, uint32_t inode)
{
	if (!w->buckets || !w->holders_count)
		return PROC_NO_HOLDER;
	return skip_to(w, w->buckets[bucket_of(w, inode)], inode);
}

uint32_t proc_walk_next(const struct proc_walk *w, uint32_t holder)
{
	return skip_to(w, w->holders[holder].next, w->holders[holder].inode);
}

const char *proc_walk_text(struct proc_walk *w, uint32_t offset)
{
	return offset ? (const char *)w->text.bytes + offset : NULL;
}

void proc_walk_fini(struct proc_walk *w)
{
	free(w->holders);
	free(w->processes);
	free(w->buckets);
	buf_fini(&w->text);
	*w = (struct proc_walk){0};
}
