/* cgroup_paths.c - see cgroup_paths.h. */
#include "cgroup_paths.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "db.h"
#include "strpool.h"

struct known {
	uint64_t id;
	const char *path;
};

struct cgroup_paths {
	struct strpool strings;
	struct known *list; /* ascending by id, each once */
	size_t cap, count;
	bool any; /* rows, be it without a path */
};

static int compare(const void *va, const void *vb)
{
	const struct known *a = va, *b = vb;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* One row, id and path. Several files of a boot may name the same cgroup. */
static int add(struct cgroup_paths *c, sqlite3_stmt *row)
{
	uint64_t id = (uint64_t)sqlite3_column_int64(row, 0);
	const char *path = (const char *)sqlite3_column_text(row, 1);
	c->any = true;
	if (!path || (c->count && c->list[c->count - 1].id == id))
		return 0;
	struct known *list = array_grow(c->list, &c->cap, c->count + 1, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	c->list = list;
	path = strpool_put(&c->strings, path, strlen(path));
	if (!path)
		return ERR_NOMEM;
	list[c->count++] = (struct known){.id = id, .path = path};
	return 0;
}

int cgroup_paths_load(sqlite3 *db, const char *boot_id, struct cgroup_paths **ret, struct err *e)
{
	static const char sql[] = "SELECT id, path FROM cgroup WHERE boot = ?1 ORDER BY id";
	sqlite3_stmt *stmt;
	int rc = db_prepare(db, sql, &stmt, e), step = SQLITE_DONE;
	if (rc)
		return rc;
	struct cgroup_paths *c = calloc(1, sizeof(*c));
	if (!c)
		rc = ERR_NOMEM;
	sqlite3_bind_text(stmt, 1, boot_id, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = add(c, stmt);
	if (rc)
		err_set(e, rc, "paths of cgroups: memory ran out");
	else if (step != SQLITE_DONE)
		rc = db_error(db, "paths of cgroups", e);
	sqlite3_finalize(stmt);
	if (rc)
		cgroup_paths_free(c);
	else if (c->count) /* SQLite compared signed numbers */
		qsort(c->list, c->count, sizeof(*c->list), compare);
	if (!rc)
		*ret = c;
	return rc;
}

void cgroup_paths_free(struct cgroup_paths *c)
{
	if (!c)
		return;
	strpool_fini(&c->strings);
	free(c->list);
	free(c);
}

bool cgroup_paths_any(const struct cgroup_paths *c)
{
	return c && c->any;
}

const char *cgroup_path(const struct cgroup_paths *c, uint64_t id)
{
	const struct known key = {.id = id};
	if (!c || !c->count)
		return NULL;
	const struct known *found = bsearch(&key, c->list, c->count, sizeof(*c->list), compare);
	return found ? found->path : NULL;
}
