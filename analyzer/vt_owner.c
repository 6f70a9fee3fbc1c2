/*
 * vt_owner.c - the table `owner`: a row per snapshot, socket and process that holds it: every fd of
 * every process (forked workers, fds passed on). A socket that nobody holds has one row if its
 * owner is known all the same; `source` says from where, as in table `socket`.
 */
#include "vt.h"

#include <string.h>

#include "bytes.h"
#include "vt_cgroup.h"
#include "vt_frame.h"

#define OWNER_SCHEMA                                                                               \
	"CREATE TABLE x(" FRAME_SCHEMA ", fd INTEGER, source TEXT, pid INTEGER, comm TEXT, "       \
	"exe TEXT, cmdline TEXT, cgroup TEXT, container TEXT, process_uid INTEGER, "               \
	"start_ticks INTEGER)"

enum owner_column {
	OWNER_COL_FD = FRAME_COLUMNS,
	OWNER_COL_SOURCE,
	OWNER_COL_PROCESS, /* the first of frame_process_column */
};

struct owner_vtab {
	sqlite3_vtab base;
	const struct vt_context *context;
};

struct owner_cursor {
	struct frame_cursor frame;
	struct owner owner;		     /* of the present row */
	const struct history_cgroup *cgroup; /* of a socket that nobody holds */
	struct span more; /* further holders, not told yet; bytes are the history's */
	int64_t number;	  /* of the row */
};

static int owner_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			 sqlite3_vtab **ret, char **error)
{
	(void)argc, (void)argv, (void)error;
	int rc = sqlite3_declare_vtab(db, OWNER_SCHEMA);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	struct owner_vtab *v = sqlite3_malloc(sizeof(*v));
	if (!v)
		return SQLITE_NOMEM;
	*v = (struct owner_vtab){.context = aux};
	*ret = &v->base;
	return SQLITE_OK;
}

static int owner_disconnect(sqlite3_vtab *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

static int owner_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	return frame_best_index(((const struct owner_vtab *)base)->context, info,
				(int)(FRAME_GROUPS | GRP_RARE | VT_CGROUP_GROUPS) | FRAME_OWNERS,
				-1);
}

static int owner_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct owner_cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof(*c));
	frame_init(&c->frame, ((const struct owner_vtab *)base)->context);
	*ret = &c->frame.base;
	return SQLITE_OK;
}

static int owner_close(sqlite3_vtab_cursor *base)
{
	struct owner_cursor *c = (struct owner_cursor *)base;
	frame_fini(&c->frame);
	sqlite3_free(c);
	return SQLITE_OK;
}

/* The first holder of the present socket, and where the others are listed. */
static int load_owner(struct owner_cursor *c, struct err *e)
{
	struct frame_cursor *f = &c->frame;
	const struct row_owner *o = SLOT_GROUP(f->set, frame_slot(f), owner);
	const char *bytes = NULL;
	size_t len = 0;
	int rc = owner_carry_get(f->carry, f->set, f->position, &c->owner, e);
	if (!rc)
		rc = vt_cgroup_own(f, &c->owner, &c->cgroup, e);
	if (!rc && o->owner_more)
		rc = history_text(f->context->history, frame_file(f), o->owner_more, &bytes, &len,
				  e);
	c->more = span_of(bytes ? bytes : "", bytes ? len : 0);
	return rc;
}

/* From the present socket on, the first that has an owner. */
static int settle(struct owner_cursor *c, int rc)
{
	struct err e = {0};
	while (rc == SQLITE_OK && !c->frame.eof) {
		if (load_owner(c, &e))
			return vt_fail(c->frame.base.pVtab, &e);
		if (c->owner.source != OWNER_NONE)
			break;
		rc = frame_next(&c->frame);
	}
	return rc;
}

static int owner_filter(sqlite3_vtab_cursor *base, int needs, const char *plan, int argc,
			sqlite3_value **argv)
{
	struct owner_cursor *c = (struct owner_cursor *)base;
	c->number = 1;
	return settle(c, frame_filter(&c->frame, needs, plan, argc, argv));
}

static int owner_next(sqlite3_vtab_cursor *base)
{
	struct owner_cursor *c = (struct owner_cursor *)base;
	c->number++;
	if (span_left(&c->more)) {
		uint64_t process = span_varint_max(&c->more, UINT32_MAX);
		uint64_t fd = span_varint_max(&c->more, UINT32_MAX);
		/* What cannot be read ends the list; the holders before it were told. */
		if (!c->more.bad && process) {
			c->owner.process = (uint32_t)process;
			c->owner.fd = (uint32_t)fd;
			return SQLITE_OK;
		}
	}
	return settle(c, frame_next(&c->frame));
}

static int owner_eof(sqlite3_vtab_cursor *base)
{
	return ((struct owner_cursor *)base)->frame.eof;
}

static int owner_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct owner_cursor *)base)->number;
	return SQLITE_OK;
}

static int owner_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
	struct owner_cursor *c = (struct owner_cursor *)base;
	const struct history_process *p;
	if (column < FRAME_COLUMNS)
		return frame_result(&c->frame, out, column);
	if (column == OWNER_COL_FD) {
		if (c->owner.process)
			sqlite3_result_int64(out, c->owner.fd);
		return SQLITE_OK;
	}
	if (column == OWNER_COL_SOURCE) {
		sqlite3_result_text(out, owner_source_name(c->owner.source), -1, SQLITE_STATIC);
		return SQLITE_OK;
	}
	if (c->owner.source == OWNER_CGROUP) {
		vt_cgroup_result(c->cgroup, out, column - OWNER_COL_PROCESS);
		return SQLITE_OK;
	}
	int rc = frame_process(&c->frame, c->owner.file, c->owner.process, &p);
	if (rc == SQLITE_OK)
		frame_process_result(p, out,
				     (enum frame_process_column)(column - OWNER_COL_PROCESS));
	return rc;
}

static const sqlite3_module owner_module = {
	.iVersion = 0,
	.xConnect = owner_connect,
	.xBestIndex = owner_best_index,
	.xDisconnect = owner_disconnect,
	.xOpen = owner_open,
	.xClose = owner_close,
	.xFilter = owner_filter,
	.xNext = owner_next,
	.xEof = owner_eof,
	.xColumn = owner_column,
	.xRowid = owner_rowid,
};

int vt_owner_register(sqlite3 *db, const struct vt_context *context)
{
	/* The client data is only read; SQLite's signature has no const. */
	union {
		const struct vt_context *in;
		void *out;
	} aux = {.in = context};
	return sqlite3_create_module_v2(db, "owner", &owner_module, aux.out, NULL);
}
