/* netns_enter.c - see netns_enter.h. */
#include "netns_enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caps.h"
#include "proc_parse.h"

/* include/uapi/asm-generic/socket.h; newer than some libc. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

void netns_home_open(struct netns_home *h, int proc_fd)
{
	struct stat st;
	h->inode = 0;
	h->fd = openat(proc_fd, "thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (h->fd >= 0 && fstat(h->fd, &st) == 0)
		h->inode = st.st_ino;
}

void netns_home_close(struct netns_home *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

/* Opens the file if it stands for this namespace. -1 with errno. */
static int open_if_same(int at, const char *path, uint64_t inode)
{
	struct stat st;
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_ino == inode)
		return fd;
	close(fd);
	errno = ENOENT; /* the process is in another one now, or the name is of another one */
	return -1;
}

static int open_of_process(int proc_fd, uint32_t pid, uint64_t inode)
{
	char path[32];
	snprintf(path, sizeof(path), "%u/ns/net", pid);
	errno = ENOENT;
	return pid ? open_if_same(proc_fd, path, inode) : -1;
}

/* By any of what is known of it: what stood for it when it was found may be gone. */
static int open_found(const struct netns_found *n, struct netns_list *l, int proc_fd)
{
	int fd = open_of_process(proc_fd, n->pid, n->inode);
	if (fd < 0 && n->other_pid)
		fd = open_of_process(proc_fd, n->other_pid, n->inode);
	if (fd < 0 && n->path)
		fd = open_if_same(AT_FDCWD, netns_text(l, n->path), n->inode);
	return fd;
}

/* CAP_SYS_ADMIN is in use for this one call. */
static int set_namespace(int fd)
{
	caps_use_sys_admin(true);
	int rc = setns(fd, CLONE_NEWNET);
	int errnum = errno;
	caps_use_sys_admin(false);
	errno = errnum;
	return rc;
}

int netns_enter(const struct netns_found *n, struct netns_list *l, int proc_fd, struct err *e)
{
	int fd = open_found(n, l, proc_fd);
	if (fd < 0 && (errno == ENOENT || errno == ESRCH))
		return err_set(e, ERR_NOT_FOUND, "network namespace: it is gone");
	if (fd < 0)
		return err_errno(e, errno, "network namespace");
	int rc = set_namespace(fd) ? err_errno(e, errno, "network namespace: setns") : 0;
	close(fd);
	return rc;
}

int netns_leave(const struct netns_home *h, struct err *e)
{
	return set_namespace(h->fd) ? err_errno(e, errno, "own network namespace: setns") : 0;
}

uint64_t netns_cookie(int socket_fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	if (getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ||
	    len != sizeof(cookie))
		return 0;
	return cookie;
}

const char *netns_container(const struct netns_found *n, int proc_fd,
			    char ret[NETNS_CONTAINER_BYTES])
{
	char path[32], text[4096];
	snprintf(path, sizeof(path), "%u/cgroup", n->pid);
	int fd = n->pid ? openat(proc_fd, path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return NULL;
	struct text_piece container = proc_parse_container(proc_parse_cgroup(text, (size_t)len));
	if (!container.at || container.len >= NETNS_CONTAINER_BYTES)
		return NULL;
	memcpy(ret, container.at, container.len);
	ret[container.len] = '\0';
	return ret;
}
