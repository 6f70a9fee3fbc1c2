/* proc_walk.c - see proc_walk.h. */
#include "proc_walk_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc_parse.h"

/* So many holders take some memory, which the rest of the snapshot can use. */
#define SHRINK_ABOVE 4096

/* `stop` is looked at every so many descriptors. */
#define STOP_EVERY 256

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "/proc: out of memory");
}

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

static int add_holder(struct proc_walk *w, uint32_t inode, uint32_t process, uint32_t fd,
		      struct err *e)
{
	if (w->holders_count >= PROC_MAX_HOLDERS) {
		w->cut = true;
		return 0;
	}
	if (ARRAY_NEED(w->holders, w->holders_cap, (size_t)w->holders_count + 1))
		return no_memory(e);
	w->holders[w->holders_count++] = (struct proc_holder){inode, process, fd, 0};
	return 0;
}

int walk_read_fd(struct proc_walk *w, int fd_dir, const char *name, uint32_t process, uint32_t fd,
		 struct err *e)
{
	char target[64];
	ssize_t n = readlinkat(fd_dir, name, target, sizeof(target));
	/* What is no socket is most often told by its first byte. */
	uint64_t inode = n > 0 && target[0] == 's' ? proc_parse_link(target, (size_t)n, "socket")
						   : 0;
	return inode && inode <= UINT32_MAX ? add_holder(w, (uint32_t)inode, process, fd, e) : 0;
}

int walk_read_fds(struct walk *walk, int fd_dir, uint32_t process, struct known_process *k,
		  bool *ret_holds, struct err *e)
{
	struct proc_walk *w = walk->w;
	uint32_t before = w->holders_count;
	const char *name;
	uint32_t fd;
	if (k && ARRAY_NEED(w->listed, w->listed_cap, k->fds / 8u + 1))
		return no_memory(e);
	if (k)
		memset(w->listed, 0, k->fds / 8u + 1);
	walk->fds.at = walk->fds.len = 0;
	while ((name = next_name(fd_dir, &walk->fds)) != NULL) {
		if (!proc_parse_number(name, &fd))
			continue;
		w->fds_seen++;
		if (w->fds_seen % STOP_EVERY == 0 && atomic_load(walk->stop))
			break;
		if (k && known_shares(&w->known, k, fd))
			known_drop(&w->known, k, fd); /* its end would not be noticed */
		if (k && known_has(&w->known, k, fd)) {
			w->listed[fd / 8] |= (uint8_t)(1u << fd % 8);
			w->fds_trusted++;
			continue;
		}
		int rc = walk_read_fd(w, fd_dir, name, process, fd, e);
		if (rc)
			return rc;
	}
	*ret_holds = w->holders_count > before;
	if (k && known_keep(&w->known, k, w->listed))
		*ret_holds = true;
	return 0;
}

/* errno of a process that has exited, or whose files are not there any more. */
static bool is_gone(int errnum)
{
	return errnum == ENOENT || errnum == ESRCH;
}

/* How the process looked in the walk before; NULL if it was not there. */
static const struct proc_seen *seen_before(struct proc_walk *w, uint32_t pid)
{
	while (w->former_at < w->former_count && w->former[w->former_at].pid < pid)
		w->former_at++;
	return w->former_at < w->former_count && w->former[w->former_at].pid == pid
		       ? &w->former[w->former_at]
		       : NULL;
}

struct proc_seen walk_look(int fd_dir, uint32_t pid)
{
	struct stat st;
	struct proc_seen now = {.pid = pid};
	if (fstat(fd_dir, &st) == 0) {
		now.fd_dir = st.st_ino;
		now.fds = st.st_size > 0 && st.st_size < UINT32_MAX ? (uint32_t)st.st_size : 0;
	}
	return now;
}

static bool looks_same(const struct proc_seen *now, const struct proc_seen *then)
{
	return then && now->fds && now->fds == then->fds && now->fd_dir == then->fd_dir;
}

static int skip(struct proc_walk *w, const struct proc_seen *now, struct known_process *k,
		struct err *e)
{
	if (ARRAY_NEED(w->skipped, w->skipped_cap, (size_t)w->skipped_count + 1))
		return no_memory(e);
	w->skipped[w->skipped_count++] = (struct proc_skipped){*now, k};
	w->fds_seen += now->fds;
	w->fds_trusted += now->fds;
	return 0;
}

/* What is known of a process with this pid, if it is the same one. Then `next` is filled. */
static int recall(struct walk *walk, int dir, uint32_t pid, struct known_process **ret,
		  struct err *e)
{
	struct proc_walk *w = walk->w;
	struct known_process *k = known_by_pid(&w->known, pid);
	int rc = k ? walk_next_process(walk, dir, e) : 0;
	if (k && !rc && w->processes[w->processes_count].start_ticks != k->start_ticks)
		k = NULL;
	*ret = k;
	return rc;
}

/* Reads of a process what is to be read. `k` is what is known of it, or NULL. */
static int read_holder(struct walk *walk, int dir, int fd_dir, uint32_t pid,
		       struct known_process *k, struct err *e)
{
	struct proc_walk *w = walk->w;
	const struct proc_seen now = walk_look(fd_dir, pid);
	bool same = looks_same(&now, seen_before(w, pid));
	bool whole = !w->known.on || (pid + w->known.turn) % PROC_REREAD_EVERY == 0;
	bool holds = k != NULL;
	uint32_t first = w->holders_count;
	uint64_t fds_before = w->fds_seen;
	if (ARRAY_NEED(w->seen, w->seen_cap, (size_t)w->seen_count + 1))
		return no_memory(e);
	w->seen[w->seen_count++] = now;
	if (k && whole)
		known_drop_all(&w->known, k);
	int rc = same && !whole ? skip(w, &now, k, e)
				: walk_read_fds(walk, fd_dir, w->processes_count, k, &holds, e);
	if (rc || !holds)
		return rc;
	if (!k)
		rc = walk_next_process(walk, dir, e);
	if (rc) { /* it is gone, and with it what it held */
		w->holders_count = first;
		return rc;
	}
	if (k) {
		k->found = w->processes_count;
		k->fd_dir = now.fd_dir;
	}
	walk_read_limit(walk, dir, w->fds_seen - fds_before, &w->processes[w->processes_count]);
	w->processes_count++;
	return 0;
}

static int walk_process(struct walk *walk, int proc_fd, const char *name, uint32_t pid,
			struct err *e)
{
	struct proc_walk *w = walk->w;
	CLEANUP(walk_close_fd) int dir = walk_open_dir(proc_fd, name);
	CLEANUP(walk_close_fd) int fd_dir = dir < 0 ? -1 : walk_open_dir(dir, "fd");
	w->processes_seen++;
	if (fd_dir < 0) {
		w->denied += !is_gone(errno);
		return 0;
	}
	struct known_process *k;
	int rc = recall(walk, dir, pid, &k, e);
	if (!rc)
		rc = read_holder(walk, dir, fd_dir, pid, k, e);
	return rc < 0 ? rc : 0;
}

static int walk_pids(struct walk *walk, int proc_fd, struct err *e)
{
	/* A descriptor of its own: the caller's position in the directory is not touched. */
	CLEANUP(walk_close_fd) int dir = walk_open_dir(proc_fd, ".");
	if (dir < 0)
		return err_errno(e, errno, "/proc");
	const char *name;
	uint32_t pid;
	while ((name = next_name(dir, &walk->pids)) != NULL) {
		int rc = proc_parse_number(name, &pid) ? walk_process(walk, proc_fd, name, pid, e)
						       : 0;
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
int walk_build_index(struct proc_walk *w, struct err *e)
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

struct walk *walk_scratch(struct proc_walk *w, enum cmdline_mode mode, const atomic_bool *stop)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	if (walk) {
		walk->w = w;
		walk->stop = stop;
		walk->mode = mode;
	}
	return walk;
}

/* What this walk saw, the next one compares with. */
static void age_seen(struct proc_walk *w)
{
	struct proc_seen *seen = w->former;
	size_t cap = w->former_cap;
	w->former = w->seen;
	w->former_cap = w->seen_cap;
	w->former_count = w->known.on ? w->seen_count : 0;
	w->former_at = 0;
	w->seen = seen;
	w->seen_cap = cap;
	w->seen_count = 0;
}

int proc_walk_run(struct proc_walk *w, int proc_fd, enum cmdline_mode mode, const atomic_bool *stop,
		  struct err *e)
{
	struct walk *walk = walk_scratch(w, mode, stop);
	if (!walk)
		return no_memory(e);
	w->holders_count = w->processes_count = w->processes_seen = w->denied = 0;
	w->skipped_count = 0;
	w->fds_seen = w->fds_trusted = 0;
	w->cut = false;
	age_seen(w);
	buf_clear(&w->text);
	buf_put_u8(&w->text, 0); /* offset 0 means unknown */
	int rc = walk_pids(walk, proc_fd, e);
	free(walk);
	return rc ? rc : walk_build_index(w, e);
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

void proc_walk_done(struct proc_walk *w)
{
	if (w->holders_cap < SHRINK_ABOVE)
		return;
	free(w->holders);
	free(w->buckets);
	w->holders = NULL;
	w->buckets = NULL;
	w->holders_count = w->bucket_bits = 0;
	w->holders_cap = 0;
}

void proc_walk_forget(struct proc_walk *w)
{
	w->seen_count = 0;
}

void proc_walk_fini(struct proc_walk *w)
{
	free(w->holders);
	free(w->processes);
	free(w->buckets);
	free(w->seen);
	free(w->former);
	free(w->skipped);
	free(w->listed);
	known_fini(&w->known);
	buf_fini(&w->text);
	*w = (struct proc_walk){0};
}
