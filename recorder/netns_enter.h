/*
 * netns_enter.h - the calling thread into a network namespace and back. Only /proc/.../net and the
 * sockets that are opened meanwhile are then those of that namespace; no descriptor of it is kept.
 */
#ifndef SOCKLAPSE_NETNS_ENTER_H
#define SOCKLAPSE_NETNS_ENTER_H

#include "netns_find.h"

/* Room for a container's id. */
#define NETNS_CONTAINER_BYTES 256

/* The calling thread's own namespace, to come back to. Its inode; fd < 0: namespaces are unknown.
 */
struct netns_home {
	int fd;
	uint64_t inode;
};

void netns_home_open(struct netns_home *h, int proc_fd);
void netns_home_close(struct netns_home *h);

/*
 * Enters a namespace that netns_find() found. ERR_NOT_FOUND: it is gone; ERR_PERM: not permitted
 * (it takes CAP_SYS_ADMIN). Then the thread is where it was.
 */
int netns_enter(const struct netns_found *n, struct netns_list *l, int proc_fd,
		struct err *e) MUST_CHECK;

/* Comes back. An error leaves the thread where it is not to be: the run must end. */
int netns_leave(const struct netns_home *h, struct err *e) MUST_CHECK;

/* The cookie of the namespace that a socket is in; 0: the kernel does not tell (before 5.14). */
uint64_t netns_cookie(int socket_fd);

/*
 * The container that the first process of a namespace is in, by its cgroup; NULL: none. The first
 * one: others of the host's own namespace may well be in containers.
 */
const char *netns_container(const struct netns_found *n, int proc_fd,
			    char ret[NETNS_CONTAINER_BYTES]);

#endif
