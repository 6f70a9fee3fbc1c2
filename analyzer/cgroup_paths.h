/* cgroup_paths.h - paths of the cgroups of one boot, by the number that sockets tell. */
#ifndef SOCKLAPSE_CGROUP_PATHS_H
#define SOCKLAPSE_CGROUP_PATHS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct cgroup_paths;

/* Reads those of `boot_id` from table cgroup. A recording that lacks them is no error. */
int cgroup_paths_load(sqlite3 *db, const char *boot_id, struct cgroup_paths **ret,
		      struct err *e) MUST_CHECK;
void cgroup_paths_free(struct cgroup_paths *c);

/*
 * Does the recording tell paths at all (recorders before that table do not)? And the path of
 * cgroup `id`, valid as long as `c`: NULL if it was removed before it was looked for.
 */
bool cgroup_paths_any(const struct cgroup_paths *c);
const char *cgroup_path(const struct cgroup_paths *c, uint64_t id);

#endif
