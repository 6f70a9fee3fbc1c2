/* vt_cgroup.c - see vt_cgroup.h. */
#include "vt_cgroup.h"

int vt_cgroup_own(const struct frame_cursor *f, struct owner *owner,
		  const struct history_cgroup **ret, struct err *e)
{
	uint64_t id = owner->source == OWNER_NONE ? owner_cgroup(f->set, f->position) : 0;
	*ret = NULL;
	int rc = id ? history_cgroup(f->context->history, f->index, id, ret, e) : 0;
	if (!rc && *ret)
		owner->source = OWNER_CGROUP;
	return rc;
}

static void put(sqlite3_context *out, const char *text)
{
	if (text)
		sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

void vt_cgroup_result(const struct history_cgroup *g, sqlite3_context *out, int column)
{
	if (column == PROCESS_CGROUP)
		put(out, g->path);
	else if (column == PROCESS_CONTAINER)
		put(out, g->container);
}
