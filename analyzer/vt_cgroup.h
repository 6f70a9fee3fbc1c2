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

/* The cgroup looked up last. Zeroed at first. */
struct vt_cgroup {
	sqlite3_stmt *stmt; /* of recording `file`; NULL: none yet, or no such table */
	uint32_t file;
	int64_t host; /* row of table host */
	uint64_t id;  /* 0: none */
	bool asked;   /* `file` was looked at */
	/* Copies: a row that stays open would lock the recorder out. NULL: not recorded. */
	sqlite3_value *path, *container;
};

void vt_cgroup_fini(struct vt_cgroup *g);

/*
 * Makes *owner, if it is OWNER_NONE and the path of the present socket's cgroup is recorded,
 * OWNER_CGROUP; vt_cgroup_result() tells which until the next call.
 */
int vt_cgroup_own(struct vt_cgroup *g, const struct frame_cursor *f, struct owner *owner,
		  struct err *e) MUST_CHECK;

/* Puts the value of a frame_process_column; of a process there is none, so NULL. */
void vt_cgroup_result(const struct vt_cgroup *g, sqlite3_context *out, int column);

#endif
