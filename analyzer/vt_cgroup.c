/* vt_cgroup.c - see vt_cgroup.h. */
#include "vt_cgroup.h"

#include "rec_db.h"

static void forget(struct vt_cgroup *g)
{
	sqlite3_value_free(g->path);
	sqlite3_value_free(g->container);
	g->path = g->container = NULL;
	g->id = 0;
}

void vt_cgroup_fini(struct vt_cgroup *g)
{
	sqlite3_finalize(g->stmt);
	forget(g);
	*g = (struct vt_cgroup){0};
}

/* The statement for this recording; g->stmt stays NULL if it has no such table. */
static int prepare(struct vt_cgroup *g, const struct frame_cursor *f, struct err *e)
{
	static const char sql[] = "SELECT path, container FROM cgroup WHERE host = ? AND id = ? "
				  "AND path IS NOT NULL AND path <> '/'";
	uint32_t file = frame_file(f);
	if (g->asked && g->file == file)
		return 0;
	sqlite3 *db = rec_db(history_rec(f->context->history, file));
	vt_cgroup_fini(g);
	int rc = rec_db_has_table(db, "cgroup") ? rec_db_prepare(db, sql, &g->stmt, e) : 0;
	g->file = file;
	g->asked = !rc;
	return rc;
}

static int fail(struct vt_cgroup *g, const struct frame_cursor *f, struct err *e)
{
	sqlite3 *db = sqlite3_db_handle(g->stmt);
	return err_set(e, ERR_DB, "%s: table cgroup: %s",
		       rec_path(history_rec(f->context->history, g->file)), sqlite3_errmsg(db));
}

static int find(struct vt_cgroup *g, const struct frame_cursor *f, uint64_t id, struct err *e)
{
	int64_t host = f->snapshots[f->index].rec->host;
	int rc = prepare(g, f, e);
	if (rc || !g->stmt || (g->id == id && g->host == host))
		return rc;
	forget(g);
	sqlite3_bind_int64(g->stmt, 1, host);
	sqlite3_bind_int64(g->stmt, 2, (sqlite3_int64)id);
	int step = sqlite3_step(g->stmt);
	if (step == SQLITE_ROW) {
		g->path = sqlite3_value_dup(sqlite3_column_value(g->stmt, 0));
		g->container = sqlite3_value_dup(sqlite3_column_value(g->stmt, 1));
		rc = g->path && g->container ? 0 : err_set(e, ERR_NOMEM, "cgroups: out of memory");
	} else if (step != SQLITE_DONE) {
		rc = fail(g, f, e);
	}
	sqlite3_reset(g->stmt);
	g->id = rc ? 0 : id;
	g->host = host;
	return rc;
}

int vt_cgroup_own(struct vt_cgroup *g, const struct frame_cursor *f, struct owner *owner,
		  struct err *e)
{
	uint64_t id = owner->source == OWNER_NONE ? owner_cgroup(f->set, f->position) : 0;
	if (!id)
		return 0;
	int rc = find(g, f, id, e);
	if (!rc && g->path)
		owner->source = OWNER_CGROUP;
	return rc;
}

void vt_cgroup_result(const struct vt_cgroup *g, sqlite3_context *out, int column)
{
	if (column == PROCESS_CGROUP)
		sqlite3_result_value(out, g->path);
	else if (column == PROCESS_CONTAINER)
		sqlite3_result_value(out, g->container);
}
