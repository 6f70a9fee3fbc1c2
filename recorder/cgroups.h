/*
 * cgroups.h - the paths of cgroups by their ids (cgroup v2). The kernel tells the id of every inet
 * socket's cgroup, of orphans and of connections not yet accepted too: where no process can be
 * named, the service can.
 */
#ifndef SOCKLAPSE_CGROUPS_H
#define SOCKLAPSE_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Directories that a search looks at, and how deep; what lies beyond is not found. */
#define CGROUPS_MAX_DIRS  20000
#define CGROUPS_MAX_DEPTH 32

/* No more ids than this are looked for at a time. */
#define CGROUPS_MAX_WANTED 4096

struct cgroup_wanted {
	uint64_t id;
	char *path; /* below the root of cgroup v2, "/" for itself; NULL: not found; free() it */
};

struct cgroups {
	int mount_fd;	/* the root of cgroup v2; -1: there is none */
	bool no_handle; /* the kernel does not open by handle: directories are searched */
};

/* Opens the mount that is at one of the usual places. `root` is "" for the running system. */
void cgroups_open(struct cgroups *c, const char *root);
void cgroups_close(struct cgroups *c);

/*
 * Finds the paths of `count` ids. A cgroup that was removed has none any more. By its handle, which
 * takes CAP_DAC_READ_SEARCH, one costs a few microseconds; else all directories are looked at, once
 * for all ids. ERR_NOMEM.
 */
int cgroups_find(struct cgroups *c, struct cgroup_wanted *wanted, size_t count,
		 struct err *e) MUST_CHECK;

#endif
