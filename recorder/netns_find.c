/* netns_find.c - see netns_find.h. */
#include "netns_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc_parse.h"

/* Fewer characters of a container's id could mean another one. */
#define CONTAINER_MIN 12

/* Where names are kept; the first place's count as names. */
static const char *const name_dirs[] = {"/run/netns", "/run/docker/netns"};

static uint32_t keep_text(struct netns_list *l, const char *text)
{
	uint32_t offset = (uint32_t)l->text.len;
	buf_put(&l->text, text, strlen(text) + 1);
	return offset;
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "network namespaces: out of memory");
}

/* The item of an inode, made if it is new. *ret NULL: there are too many. */
static int want_item(struct netns_list *l, uint64_t inode, struct netns_found **ret, struct err *e)
{
	struct intern_entry *known = intern_find(&l->index, &inode, sizeof(inode));
	*ret = NULL;
	if (!known && l->count >= NETNS_MAX) {
		l->cut = true;
		return 0;
	}
	if (!known) {
		if (ARRAY_NEED(l->items, l->items_cap, l->count + 1))
			return no_memory(e);
		known = intern_add(&l->index, &inode, sizeof(inode), (uint32_t)l->count);
		if (!known)
			return no_memory(e);
		l->items[l->count++] = (struct netns_found){.inode = inode};
	}
	*ret = &l->items[known->value];
	return 0;
}

static int take_process(struct netns_list *l, int proc_fd, const char *pid_name, uint32_t pid,
			struct err *e)
{
	char path[32], target[64];
	struct netns_found *n;
	snprintf(path, sizeof(path), "%s/ns/net", pid_name);
	ssize_t len = readlinkat(proc_fd, path, target, sizeof(target));
	uint64_t inode = len > 0 ? proc_parse_link(target, (size_t)len, "net") : 0;
	if (!inode) {
		l->denied += len < 0 && errno != ENOENT && errno != ESRCH;
		return 0;
	}
	int rc = want_item(l, inode, &n, e);
	if (rc || !n)
		return rc;
	if (!n->pid)
		n->pid = pid;
	else
		n->other_pid = pid;
	return 0;
}

static DIR *open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && fd >= 0)
		close(fd);
	return d;
}

static int take_processes(struct netns_list *l, int proc_fd, struct err *e)
{
	DIR *d = open_dir(proc_fd, ".");
	if (!d)
		return err_errno(e, errno, "/proc");
	const struct dirent *entry;
	uint32_t pid;
	int rc = 0;
	while (!rc && (entry = readdir(d)) != NULL)
		if (proc_parse_number(entry->d_name, &pid))
			rc = take_process(l, proc_fd, entry->d_name, pid, e);
	closedir(d);
	return rc;
}

/* The device of the files that stand for namespaces; another file of that name stands for none. */
static bool nsfs_device(int proc_fd, dev_t *ret)
{
	struct stat st;
	if (fstatat(proc_fd, "self/ns/net", &st, 0))
		return false;
	*ret = st.st_dev;
	return true;
}

static int take_names(struct netns_list *l, const char *root, const char *dir, bool are_names,
		      dev_t device, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof(path), "%s%s", root, dir);
	DIR *d = open_dir(AT_FDCWD, path);
	const struct dirent *entry;
	int rc = 0;
	while (!rc && d && (entry = readdir(d)) != NULL) {
		struct netns_found *n;
		if (fstatat(dirfd(d), entry->d_name, &st, 0) || st.st_dev != device ||
		    S_ISDIR(st.st_mode))
			continue;
		rc = want_item(l, st.st_ino, &n, e);
		if (rc || !n || n->name || (n->path && !are_names))
			continue;
		snprintf(path, sizeof(path), "%s%s/%s", root, dir, entry->d_name);
		n->path = keep_text(l, path);
		n->name = are_names ? n->path + (uint32_t)strlen(path) -
					      (uint32_t)strlen(entry->d_name)
				    : 0;
	}
	if (d)
		closedir(d);
	return rc;
}

static int by_inode(const void *a, const void *b)
{
	const struct netns_found *x = a, *y = b;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

int netns_find(struct netns_list *l, int proc_fd, const char *root, struct err *e)
{
	dev_t device;
	l->count = 0;
	l->denied = 0;
	l->cut = false;
	intern_clear(&l->index);
	buf_clear(&l->text);
	buf_put_u8(&l->text, 0); /* offset 0: none */
	int rc = take_processes(l, proc_fd, e);
	bool knows = nsfs_device(proc_fd, &device);
	for (size_t i = 0; i < sizeof(name_dirs) / sizeof(name_dirs[0]) && !rc && knows; i++)
		rc = take_names(l, root, name_dirs[i], i == 0, device, e);
	if (!rc && l->text.failed)
		rc = no_memory(e);
	if (!rc && l->count)
		qsort(l->items, l->count, sizeof(*l->items), by_inode);
	return rc;
}

void netns_list_fini(struct netns_list *l)
{
	free(l->items);
	buf_fini(&l->text);
	intern_fini(&l->index);
	*l = (struct netns_list){0};
}

const char *netns_text(struct netns_list *l, uint32_t offset)
{
	return offset ? (const char *)l->text.bytes + offset : NULL;
}

bool netns_is_named(const char *word, size_t len, uint64_t inode, const char *name,
		    const char *container)
{
	char number[24];
	snprintf(number, sizeof(number), "%" PRIu64, inode);
	if (strlen(number) == len && memcmp(number, word, len) == 0)
		return true;
	if (name && strlen(name) == len && memcmp(name, word, len) == 0)
		return true;
	if (!container || strncmp(container, word, len) != 0)
		return false;
	return len >= CONTAINER_MIN || container[len] == '\0';
}
