/* cgroups.c - see cgroups.h. */
#include "cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* include/uapi/linux/magic.h */
#define CGROUP2_MAGIC 0x63677270

/* FILEID_KERNFS of include/linux/exportfs.h: the handle of a cgroup is its id (Linux 5.5 on). */
#define HANDLE_TYPE_KERNFS 0xfe

void cgroups_open(struct cgroups *c, const char *root)
{
	static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char path[PATH_MAX];
	struct statfs fs;
	*c = (struct cgroups){.mount_fd = -1};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && c->mount_fd < 0; i++) {
		snprintf(path, sizeof(path), "%s%s", root, places[i]);
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		/* A test's directory is no cgroup, and is searched as one. */
		if (*root || (fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_MAGIC))
			c->mount_fd = fd;
		else
			close(fd);
	}
}

void cgroups_close(struct cgroups *c)
{
	if (c->mount_fd >= 0)
		close(c->mount_fd);
	c->mount_fd = -1;
}

/* ------------------------------------------------------------------------------- by handle */

/* The path behind a descriptor. -1: unknown. */
static ssize_t path_of(int fd, char ret[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	ssize_t n = readlink(link, ret, PATH_MAX - 1);
	if (n >= 0)
		ret[n] = '\0';
	return n;
}

/* `path` as it is below `base`; NULL if it is not. */
static const char *below(const char *path, const char *base)
{
	size_t len = strlen(base);
	if (len == 1)
		return path;
	if (strncmp(path, base, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path[len] ? path + len : "/";
}

/* Is this what a kernel or a filter of system calls says that does not do it at all? */
static bool is_refused(int errnum)
{
	return errnum == EPERM || errnum == EACCES || errnum == ENOSYS || errnum == EOPNOTSUPP;
}

static int find_by_handle(struct cgroups *c, const char *base, struct cgroup_wanted *w)
{
	char path[PATH_MAX];
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(w->id)];
	} h = {.handle = {.handle_bytes = sizeof(w->id), .handle_type = HANDLE_TYPE_KERNFS}};
	memcpy(h.bytes + sizeof(h.handle), &w->id, sizeof(w->id));
	int fd = open_by_handle_at(c->mount_fd, &h.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		c->no_handle = is_refused(errno);
		return 0;
	}
	const char *found = path_of(fd, path) > 0 ? below(path, base) : NULL;
	close(fd);
	w->path = found ? strdup(found) : NULL;
	return found && !w->path ? ERR_NOMEM : 0;
}

/* ------------------------------------------------------------------------------ by search */

struct search {
	struct cgroup_wanted *wanted;
	size_t count, left;
	unsigned dirs;
	char path[PATH_MAX];
};

static int take_dir(struct search *s, uint64_t id)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->wanted[i].id != id || s->wanted[i].path)
			continue;
		s->wanted[i].path = strdup(*s->path ? s->path : "/");
		if (!s->wanted[i].path)
			return ERR_NOMEM;
		s->left--;
	}
	return 0;
}

/* The directory `fd`, which is closed, and all below it. */
static int search_dir(struct search *s, int fd, unsigned depth)
{
	struct stat st;
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return 0;
	}
	int rc = fstat(fd, &st) ? 0 : take_dir(s, st.st_ino);
	size_t len = strlen(s->path);
	const struct dirent *entry;
	while (!rc && s->left && depth < CGROUPS_MAX_DEPTH && (entry = readdir(d)) != NULL) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    s->dirs >= CGROUPS_MAX_DIRS)
			continue;
		int n = snprintf(s->path + len, sizeof(s->path) - len, "/%s", entry->d_name);
		int sub = n < (int)(sizeof(s->path) - len)
				  ? openat(fd, entry->d_name,
					   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
				  : -1;
		s->dirs++;
		if (sub >= 0)
			rc = search_dir(s, sub, depth + 1);
		s->path[len] = '\0';
	}
	closedir(d);
	return rc;
}

static int find_by_search(const struct cgroups *c, struct cgroup_wanted *wanted, size_t count,
			  size_t left)
{
	struct search s = {.wanted = wanted, .count = count, .left = left};
	int fd = openat(c->mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? 0 : search_dir(&s, fd, 0);
}

int cgroups_find(struct cgroups *c, struct cgroup_wanted *wanted, size_t count, struct err *e)
{
	char base[PATH_MAX];
	size_t left = 0;
	int rc = 0;
	if (c->mount_fd < 0 || path_of(c->mount_fd, base) < 0)
		return 0;
	for (size_t i = 0; i < count && !rc && !c->no_handle; i++)
		rc = find_by_handle(c, base, &wanted[i]);
	for (size_t i = 0; i < count; i++)
		left += !wanted[i].path;
	if (!rc && left && c->no_handle)
		rc = find_by_search(c, wanted, count, left);
	return rc ? err_set(e, rc, "cgroups: out of memory") : 0;
}
