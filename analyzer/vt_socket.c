/*
 * vt_socket.c - the table `socket`: a row per snapshot and socket, with every recorded column; one
 * that the kernel did not send is NULL.
 *
 *   SELECT state, count(*) FROM socket WHERE snapshot = 12 GROUP BY state;
 *
 * And the table `differing`: of snapshots a to b, the rows of `socket` in which anything may differ
 * (differing.h).
 *
 *   SELECT * FROM differing(12, 20) WHERE snapshot IN (12, 20);
 */
#include "vt.h"

#include <string.h>

#include "buf.h"
#include "bytes.h"
#include "holders.h"
#include "rec_db.h"
#include "vt_cgroup.h"
#include "vt_socket_columns.h"

/* So many holders of a socket are written out; `owner` has all. */
#define USERS_MAX 256

struct socket_vtab {
	sqlite3_vtab base;
	const struct vt_context *context;
	struct socket_columns columns;
	struct differing *differing; /* the last one asked for; NULL: none yet */
};

struct socket_cursor {
	struct frame_cursor frame;
	uint32_t owner_position; /* `owner` is that of this row */
	size_t owner_index;
	struct owner owner;
	const struct history_cgroup *cgroup; /* if the owner is OWNER_CGROUP, whose */
	sqlite3_stmt *dev; /* name of an interface in recording `dev_file`; NULL: not asked yet */
	uint32_t dev_file;
};

static int connect_table(sqlite3 *db, void *aux, bool pair, sqlite3_vtab **ret)
{
	struct socket_vtab *v = sqlite3_malloc(sizeof(*v));
	if (!v)
		return SQLITE_NOMEM;
	memset(v, 0, sizeof(*v));
	v->context = aux;
	int rc = socket_columns_declare(db, pair, &v->columns);
	if (rc != SQLITE_OK) {
		sqlite3_free(v);
		return rc;
	}
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	*ret = &v->base;
	return SQLITE_OK;
}

static int socket_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			  sqlite3_vtab **ret, char **error)
{
	(void)argc, (void)argv, (void)error;
	return connect_table(db, aux, false, ret);
}

static int differing_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			     sqlite3_vtab **ret, char **error)
{
	(void)argc, (void)argv, (void)error;
	return connect_table(db, aux, true, ret);
}

static int socket_disconnect(sqlite3_vtab *base)
{
	differing_release(((struct socket_vtab *)base)->differing);
	sqlite3_free(base);
	return SQLITE_OK;
}

static int socket_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct socket_vtab *v = (const struct socket_vtab *)base;
	int needs = (int)GRP_BIT(member);
	for (int i = 0; i < v->columns.count; i++)
		if (info->colUsed >> (i < 63 ? i : 63) & 1)
			needs |= socket_column_needs(&v->columns.all[i]);
	return frame_best_index(v->context, info, needs, v->columns.pair);
}

static int socket_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct socket_vtab *v = (struct socket_vtab *)base;
	struct socket_cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof(*c));
	frame_init(&c->frame, v->context);
	c->frame.differing_last = v->columns.pair >= 0 ? &v->differing : NULL;
	*ret = &c->frame.base;
	return SQLITE_OK;
}

static int socket_close(sqlite3_vtab_cursor *base)
{
	struct socket_cursor *c = (struct socket_cursor *)base;
	frame_fini(&c->frame);
	sqlite3_finalize(c->dev);
	sqlite3_free(c);
	return SQLITE_OK;
}

static int socket_filter(sqlite3_vtab_cursor *base, int needs, const char *plan, int argc,
			 sqlite3_value **argv)
{
	struct socket_cursor *c = (struct socket_cursor *)base;
	c->owner_index = HISTORY_NONE;
	return frame_filter(&c->frame, needs, plan, argc, argv);
}

static int socket_next(sqlite3_vtab_cursor *base)
{
	return frame_next(&((struct socket_cursor *)base)->frame);
}

static int socket_eof(sqlite3_vtab_cursor *base)
{
	return ((struct socket_cursor *)base)->frame.eof;
}

static int socket_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = frame_rowid(&((struct socket_cursor *)base)->frame);
	return SQLITE_OK;
}

/* A number as SQL has it: what does not fit a signed 64-bit one is a REAL, unless it is a name. */
static void put_number(sqlite3_context *out, const struct column *c, uint64_t v)
{
	if (v > INT64_MAX && (c->kind == KIND_COUNTER || c->kind == KIND_GAUGE))
		sqlite3_result_double(out, (double)v);
	else
		sqlite3_result_int64(out, (sqlite3_int64)v);
}

static int put_text(struct frame_cursor *f, sqlite3_context *out, const struct socket_column *c)
{
	struct err e = {0};
	const char *bytes = NULL;
	size_t len = 0;
	uint32_t id = (uint32_t)sockset_value(f->set, c->recorded, f->position);
	int rc = id ? history_text(f->context->history, frame_file(f), id, &bytes, &len, &e) : 0;
	if (rc)
		return vt_fail(f->base.pVtab, &e);
	if (!bytes)
		return SQLITE_OK;
	if (c->kind == SOCKET_TEXT)
		sqlite3_result_text64(out, bytes, len, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_result_blob64(out, bytes, len, SQLITE_STATIC);
	return SQLITE_OK;
}

static int put_recorded(struct frame_cursor *f, sqlite3_context *out, const struct socket_column *c)
{
	if (!sockset_present(f->set, c->recorded, f->position))
		return SQLITE_OK;
	if (c->recorded->id == COL_ID_uid &&
	    SLOT_GROUP(f->set, frame_slot(f), state)->has & HAS_NO_UID)
		return SQLITE_OK;
	if (c->kind == SOCKET_TEXT || c->kind == SOCKET_BLOB)
		return put_text(f, out, c);
	uint64_t v = sockset_value(f->set, c->recorded, f->position);
	if (c->kind == SOCKET_TIMER)
		sqlite3_result_text(out, sock_timer_name((unsigned)v), -1, SQLITE_STATIC);
	else
		put_number(out, c->recorded, v);
	return SQLITE_OK;
}

/* The owner of the present row; looked up once. */
static int find_owner(struct socket_cursor *c)
{
	struct frame_cursor *f = &c->frame;
	struct err e = {0};
	if (c->owner_index == f->index && c->owner_position == f->position)
		return SQLITE_OK;
	if (owner_carry_get(f->carry, f->set, f->position, &c->owner, &e))
		return vt_fail(f->base.pVtab, &e);
	if ((f->groups & VT_CGROUP_GROUPS) && vt_cgroup_own(f, &c->owner, &c->cgroup, &e))
		return vt_fail(f->base.pVtab, &e);
	c->owner_index = f->index;
	c->owner_position = f->position;
	return SQLITE_OK;
}

static int put_user(struct socket_cursor *c, struct buf *b, uint32_t process, uint32_t fd)
{
	const struct history_process *p;
	int rc = frame_process(&c->frame, c->owner.file, process, &p);
	if (rc == SQLITE_OK && p)
		buf_printf(b, "%s(\"%s\",pid=%lld,fd=%u)", b->len ? "," : "", p->comm,
			   (long long)p->pid, fd);
	return rc;
}

/* Text row with the further holders of the present row; 0: there are none. */
static uint32_t owner_more(const struct socket_cursor *c)
{
	return c->owner.source == OWNER_FD
		       ? SLOT_GROUP(c->frame.set, frame_slot(&c->frame), owner)->owner_more
		       : 0;
}

static int further_holders(struct socket_cursor *c, struct span *ret)
{
	struct frame_cursor *f = &c->frame;
	struct err e = {0};
	const char *more = NULL;
	size_t len = 0;
	uint32_t id = owner_more(c);
	if (id && history_text(f->context->history, frame_file(f), id, &more, &len, &e))
		return vt_fail(f->base.pVtab, &e);
	*ret = span_of(more ? more : "", more ? len : 0);
	return SQLITE_OK;
}

/* Calls put() for each of them, `max` at most. */
static int each_holder(struct socket_cursor *c, struct buf *b, size_t max,
		       int (*put)(struct socket_cursor *c, struct buf *b, uint32_t process,
				  uint32_t fd))
{
	struct span s;
	int rc = further_holders(c, &s);
	for (size_t n = 0; rc == SQLITE_OK && span_left(&s) && n < max; n++) {
		uint64_t process = span_varint_max(&s, UINT32_MAX);
		uint64_t fd = span_varint_max(&s, UINT32_MAX);
		if (!s.bad)
			rc = put(c, b, (uint32_t)process, (uint32_t)fd);
	}
	return rc == SQLITE_OK && b->failed ? SQLITE_NOMEM : rc;
}

/* ("nginx",pid=7,fd=6),("nginx",pid=8,fd=6) */
static int put_users(struct socket_cursor *c, sqlite3_context *out)
{
	struct buf b CLEANUP(buf_fini) = {0};
	int rc = put_user(c, &b, c->owner.process, c->owner.fd);
	if (rc == SQLITE_OK)
		rc = each_holder(c, &b, USERS_MAX, put_user);
	if (rc == SQLITE_OK)
		sqlite3_result_text64(out, buf_str(&b), b.len, SQLITE_TRANSIENT, SQLITE_UTF8);
	return rc;
}

static int put_holders(struct socket_cursor *c, sqlite3_context *out)
{
	struct buf b CLEANUP(buf_fini) = {0};
	struct frame_cursor *f = &c->frame;
	struct err e = {0};
	if (holders_list(f->context->history, frame_file(f), owner_more(c), &b, &e))
		return vt_fail(f->base.pVtab, &e);
	if (b.len)
		sqlite3_result_blob64(out, b.bytes, b.len, SQLITE_TRANSIENT);
	return SQLITE_OK;
}

static int put_owner(struct socket_cursor *c, sqlite3_context *out, const struct socket_column *col)
{
	const struct history_process *p;
	int rc = find_owner(c);
	if (rc != SQLITE_OK || c->owner.source == OWNER_NONE)
		return rc;
	if (col->kind == SOCKET_SOURCE)
		sqlite3_result_text(out, owner_source_name(c->owner.source), -1, SQLITE_STATIC);
	else if (c->owner.source == OWNER_CGROUP)
		vt_cgroup_result(c->cgroup, out, col->n);
	else if (col->kind == SOCKET_USERS)
		rc = put_users(c, out);
	else if (col->kind == SOCKET_HOLDERS)
		rc = put_holders(c, out);
	else if (col->kind == SOCKET_FD)
		sqlite3_result_int64(out, c->owner.fd);
	else if ((rc = frame_process(&c->frame, c->owner.file, c->owner.process, &p)) == SQLITE_OK)
		frame_process_result(p, out, (enum frame_process_column)col->n);
	return rc;
}

/* Whose the port id of a netlink socket may be. */
static int put_port_owner(struct socket_cursor *c, sqlite3_context *out,
			  const struct socket_column *col)
{
	struct frame_cursor *f = &c->frame;
	struct owner owner;
	const struct history_process *p;
	const struct row_link *l = SLOT_GROUP(f->set, frame_slot(f), link);
	if (SLOT_GROUP(f->set, frame_slot(f), member)->proto != PROTO_NETLINK ||
	    (!l->portid && !l->dst_portid))
		return SQLITE_OK;
	int rc = f->owners ? find_owner(c) : frame_late_owner(f, &owner);
	if (rc != SQLITE_OK)
		return rc;
	if (f->owners)
		owner = c->owner;
	if (owner.source == OWNER_NONE || owner.source == OWNER_CGROUP)
		return SQLITE_OK;
	rc = frame_process(f, owner.file, owner.process, &p);
	if (rc == SQLITE_OK)
		frame_process_result(p, out, (enum frame_process_column)col->n);
	return rc;
}

/* The name that the interface had in this snapshot. */
static int put_dev(struct socket_cursor *c, sqlite3_context *out)
{
	static const char sql[] = "SELECT name FROM interface WHERE netns = ? AND ifindex = ? "
				  "AND first_snapshot <= ? ORDER BY first_snapshot DESC LIMIT 1";
	struct frame_cursor *f = &c->frame;
	uint32_t ifindex = SLOT_GROUP(f->set, frame_slot(f), state)->ifindex;
	struct err e = {0};
	if (!ifindex)
		return SQLITE_OK;
	if (c->dev && c->dev_file != frame_file(f)) {
		sqlite3_finalize(c->dev);
		c->dev = NULL;
	}
	struct sqlite3 *db = rec_db(history_rec(f->context->history, frame_file(f)));
	if (!c->dev && rec_db_prepare(db, sql, &c->dev, &e))
		return vt_fail(f->base.pVtab, &e);
	c->dev_file = frame_file(f);
	sqlite3_bind_int64(c->dev, 1, SLOT_GROUP(f->set, frame_slot(f), member)->netns);
	sqlite3_bind_int64(c->dev, 2, ifindex);
	sqlite3_bind_int64(c->dev, 3, f->snapshots[f->index].rec->id);
	if (sqlite3_step(c->dev) == SQLITE_ROW)
		sqlite3_result_value(out, sqlite3_column_value(c->dev, 0));
	sqlite3_reset(c->dev);
	return SQLITE_OK;
}

static int socket_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
	struct socket_cursor *c = (struct socket_cursor *)base;
	const struct socket_vtab *v = (const struct socket_vtab *)base->pVtab;
	const struct socket_column *col = &v->columns.all[column];
	switch (col->kind) {
	case SOCKET_FRAME:
		return frame_result(&c->frame, out, col->n);
	case SOCKET_PROCESS:
	case SOCKET_FD:
	case SOCKET_SOURCE:
	case SOCKET_USERS:
	case SOCKET_HOLDERS:
		return put_owner(c, out, col);
	case SOCKET_PORT_OWNER:
		return put_port_owner(c, out, col);
	case SOCKET_DEV:
		return put_dev(c, out);
	case SOCKET_PAIR:
		sqlite3_result_int64(out, c->frame.pair[col->n]);
		return SQLITE_OK;
	default:
		return put_recorded(&c->frame, out, col);
	}
}

/* Both tables have the same rows and methods, but for what is left out. */
#define MODULE(connect)                                                                            \
	{                                                                                          \
		.iVersion = 0, .xConnect = (connect), .xBestIndex = socket_best_index,             \
		.xDisconnect = socket_disconnect, .xOpen = socket_open, .xClose = socket_close,    \
		.xFilter = socket_filter, .xNext = socket_next, .xEof = socket_eof,                \
		.xColumn = socket_column, .xRowid = socket_rowid,                                  \
	}

static const sqlite3_module socket_module = MODULE(socket_connect);
static const sqlite3_module differing_module = MODULE(differing_connect);

int vt_socket_register(sqlite3 *db, const struct vt_context *context)
{
	/* The client data is only read; SQLite's signature has no const. */
	union {
		const struct vt_context *in;
		void *out;
	} aux = {.in = context};
	int rc = sqlite3_create_module_v2(db, "socket", &socket_module, aux.out, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_module_v2(db, "differing", &differing_module, aux.out, NULL);
	return rc;
}
