/*
 * netns_find.h - which network namespaces there are: those of processes (/proc/PID/ns/net) and
 * those that a name is kept for (bind mounts in /run/netns). Nothing is opened that would keep a
 * namespace alive.
 *
 * Not found: a namespace that nothing but a thread other than its process's first, an open
 * descriptor or a socket keeps alive.
 */
#ifndef SOCKLAPSE_NETNS_FIND_H
#define SOCKLAPSE_NETNS_FIND_H

#include "intern.h"

/* More namespaces than this are not looked at. */
#define NETNS_MAX 4096

/* Texts are offsets in netns_list.text; 0: there is none. */
struct netns_found {
	uint64_t inode;
	uint32_t pid;	    /* the first process in it; 0: there is none */
	uint32_t other_pid; /* the last one seen, if that is another one */
	uint32_t path;	    /* of the file that stands for it, where it has a name */
	uint32_t name;	    /* in /run/netns */
};

/* Zero-initialised it is empty. */
struct netns_list {
	struct netns_found *items; /* ascending by inode after netns_find() */
	size_t items_cap;
	size_t count;
	struct buf text;
	struct intern index; /* inode -> place in items[] while it is filled */
	uint32_t denied;     /* processes of which the namespace was not to be seen */
	bool cut;	     /* there are more than NETNS_MAX */
};

/*
 * Finds them anew. `proc_fd` is a directory like /proc; `root` is "" for the running system (a test
 * gives a directory that holds run/netns). ERR_IO: /proc cannot be read; ERR_NOMEM.
 */
int netns_find(struct netns_list *l, int proc_fd, const char *root, struct err *e) MUST_CHECK
	NONNULL(1, 3);
void netns_list_fini(struct netns_list *l);

/* A text of a namespace; NULL if it has none. */
const char *netns_text(struct netns_list *l, uint32_t offset);

/*
 * Does a word of the option --netns mean this namespace? By its name, its container (12 digits or
 * more of it will do) or its inode number. Pure.
 */
bool netns_is_named(const char *word, size_t len, uint64_t inode, const char *name,
		    const char *container) NONNULL(1);

#endif
