/*
 * vt_cgroup.h - whose a socket is by its cgroup, where neither a process nor a listener is known:
 * the kernel keeps it on orphans, on children that nobody accepted, on what another PID namespace
 * holds. The root names nobody.
 */
#ifndef SOCKLAPSE_VT_CGROUP_H
#define SOCKLAPSE_VT_CGROUP_H

#include "vt_frame.h"

/* Groups that must be kept besides OWNER_GROUPS. */
#define VT_CGROUP_GROUPS GRP_BIT(option)

/*
 * Makes *owner, if it is OWNER_NONE and the path of the present socket's cgroup is recorded,
 * OWNER_CGROUP, and *ret that cgroup, the history's; else NULL.
 */
int vt_cgroup_own(const struct frame_cursor *f, struct owner *owner,
		  const struct history_cgroup **ret, struct err *e) MUST_CHECK;

/* Puts the value of a frame_process_column; of a process there is none, so NULL. */
void vt_cgroup_result(const struct history_cgroup *g, sqlite3_context *out, int column);

#endif
