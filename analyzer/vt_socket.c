/*
 * vt_socket.c - the table `socket`: a row per snapshot and socket, with every recorded column.
 *
 *   SELECT state, count(*) FROM socket WHERE snapshot = 12 GROUP BY state;
 *
 * First stand the columns of vt_frame.h, then what is asked for most, with the owner (also that of
 * a socket that nobody holds: owner_source says where it is known from), then the rest of
 * columns.def in its order. A column that the kernel did not send is NULL.
 *
 * SQLite has one bit for all columns from the 64th on: what is rarely asked for stands there.
 */
#include "vt.h"

#include <string.h>

#include "buf.h"
#include "bytes.h"
#include "holders.h"
#include "rec_db.h"
#include "vt_cgroup.h"
#include "vt_frame.h"

#define COLUMN_MAX 256

/* So many holders of a socket are written out; `owner` has all. */
#define USERS_MAX 256

enum socket_kind {
	SOCKET_FRAME,	/* of vt_frame.h; `n` says which */
	SOCKET_VALUE,	/* a recorded number */
	SOCKET_TIMER,	/* its name */
	SOCKET_TEXT,	/* a row of table text, as text */
	SOCKET_BLOB,	/* the same, as bytes */
	SOCKET_PROCESS, /* of the owner; `n` is a frame_process_column */
	SOCKET_FD,
	SOCKET_SOURCE,
	SOCKET_USERS,	/* every holder, as ss writes them */
	SOCKET_HOLDERS, /* all but the first, for a filter (filter.h) */
	SOCKET_DEV,	/* name of the interface of ifindex */
};

struct socket_column {
	const char *name;
	const char *type;
	enum socket_kind kind;
	int n;
	const struct column *recorded;
};

static const struct socket_column first_columns[] = {
	{.name = "recvq", .kind = SOCKET_VALUE},
	{.name = "sendq", .kind = SOCKET_VALUE},
	{.name = "timer", .type = "TEXT", .kind = SOCKET_TIMER},
	{.name = "timer_ms", .kind = SOCKET_VALUE},
	{.name = "retrans", .kind = SOCKET_VALUE},
	{.name = "shutdown", .kind = SOCKET_VALUE},
	{.name = "uid", .kind = SOCKET_VALUE},
	{.name = "ifindex", .kind = SOCKET_VALUE},
	{.name = "dev", .type = "TEXT", .kind = SOCKET_DEV},
	{.name = "pid", .type = "INTEGER", .kind = SOCKET_PROCESS, .n = PROCESS_PID},
	{.name = "comm", .type = "TEXT", .kind = SOCKET_PROCESS, .n = PROCESS_COMM},
	{.name = "fd", .type = "INTEGER", .kind = SOCKET_FD},
	{.name = "exe", .type = "TEXT", .kind = SOCKET_PROCESS, .n = PROCESS_EXE},
	{.name = "cmdline", .type = "TEXT", .kind = SOCKET_PROCESS, .n = PROCESS_CMDLINE},
	{.name = "cgroup", .type = "TEXT", .kind = SOCKET_PROCESS, .n = PROCESS_CGROUP},
	{.name = "container", .type = "TEXT", .kind = SOCKET_PROCESS, .n = PROCESS_CONTAINER},
	{.name = "owner_source", .type = "TEXT", .kind = SOCKET_SOURCE, .n = PROCESS_CGROUP},
	{.name = "users", .type = "TEXT", .kind = SOCKET_USERS, .n = PROCESS_CGROUP},
	{.name = "holders", .type = "BLOB HIDDEN", .kind = SOCKET_HOLDERS},
	{.name = "v6only", .kind = SOCKET_VALUE},
	{.name = "sock_type", .kind = SOCKET_VALUE},
	{.name = "link_proto", .kind = SOCKET_VALUE},
	{.name = "delivered", .kind = SOCKET_VALUE},
	{.name = "data_segs_in", .kind = SOCKET_VALUE},
	{.name = "bytes_sent", .kind = SOCKET_VALUE},
	{.name = "bytes_received", .kind = SOCKET_VALUE},
	{.name = "rtt_us", .kind = SOCKET_VALUE},
	{.name = "has", .kind = SOCKET_VALUE},
	{.name = "info_bytes", .kind = SOCKET_VALUE},
	{.name = "cong", .type = "TEXT", .kind = SOCKET_TEXT},
	{.name = "cgroup_id", .kind = SOCKET_VALUE},
	{.name = "mark", .kind = SOCKET_VALUE},
};

struct socket_vtab {
	sqlite3_vtab base;
	const struct vt_context *context;
	struct socket_column columns[COLUMN_MAX];
	int count;
};

struct socket_cursor {
	struct frame_cursor frame;
	uint32_t owner_position; /* `owner` is that of this row */
	size_t owner_index;
	struct owner owner;
	struct vt_cgroup cgroup; /* if the owner is OWNER_CGROUP, whose */
	sqlite3_stmt *dev; /* name of an interface in recording `dev_file`; NULL: not asked yet */
	uint32_t dev_file;
};

static bool is_there(const struct socket_vtab *v, const char *name)
{
	for (int i = 0; i < v->count; i++)
		if (v->columns[i].name && strcmp(v->columns[i].name, name) == 0)
			return true;
	return false;
}

static void add(struct socket_vtab *v, struct socket_column c)
{
	if (c.name && !c.recorded)
		c.recorded = column_by_name(c.name);
	if (v->count < COLUMN_MAX)
		v->columns[v->count++] = c;
}

/* columns.def has names that the shared columns have too, and ids that mean nothing outside. */
static bool is_left_out(const struct socket_vtab *v, const struct column *c)
{
	static const char *const shared[] = {"cookie", "local",	     "peer",	  "netns", "proto",
					     "family", "local_port", "peer_port", "inode", "state"};
	if (c->group == GRP_ID_owner || is_there(v, c->name))
		return true;
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (strcmp(c->name, shared[i]) == 0)
			return true;
	return false;
}

static void add_columns(struct socket_vtab *v)
{
	for (int i = 0; i < FRAME_COLUMNS; i++)
		add(v, (struct socket_column){.kind = SOCKET_FRAME, .n = i});
	for (size_t i = 0; i < sizeof(first_columns) / sizeof(first_columns[0]); i++)
		add(v, first_columns[i]);
	for (unsigned i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		if (is_left_out(v, c))
			continue;
		bool blob = c->kind == KIND_TEXT;
		add(v, (struct socket_column){.name = c->name,
					      .type = blob ? "BLOB" : "INTEGER",
					      .kind = blob ? SOCKET_BLOB : SOCKET_VALUE,
					      .recorded = c});
	}
}

static int declare(sqlite3 *db, const struct socket_vtab *v)
{
	struct buf sql CLEANUP(buf_fini) = {0};
	buf_put_str(&sql, "CREATE TABLE x(" FRAME_SCHEMA);
	for (int i = FRAME_COLUMNS; i < v->count; i++)
		buf_printf(&sql, ", \"%s\" %s", v->columns[i].name,
			   v->columns[i].type ? v->columns[i].type : "INTEGER");
	buf_put_str(&sql, ")");
	const char *text = buf_str(&sql);
	return sql.failed ? SQLITE_NOMEM : sqlite3_declare_vtab(db, text);
}

static int socket_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			  sqlite3_vtab **ret, char **error)
{
	(void)argc, (void)argv, (void)error;
	struct socket_vtab *v = sqlite3_malloc(sizeof(*v));
	if (!v)
		return SQLITE_NOMEM;
	memset(v, 0, sizeof(*v));
	v->context = aux;
	add_columns(v);
	int rc = declare(db, v);
	if (rc != SQLITE_OK) {
		sqlite3_free(v);
		return rc;
	}
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	*ret = &v->base;
	return SQLITE_OK;
}

static int socket_disconnect(sqlite3_vtab *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

/* What a query that looks at this column needs of the frames. */
static int needs_of(const struct socket_column *c)
{
	switch (c->kind) {
	case SOCKET_FRAME:
		if (c->n >= FRAME_LOCAL && c->n <= FRAME_PEER_PORT)
			return (int)(FRAME_GROUPS | GRP_RARE);
		return c->n >= FRAME_STATE ? (int)FRAME_GROUPS : (int)GRP_BIT(member);
	case SOCKET_PROCESS:
	case SOCKET_FD:
	case SOCKET_SOURCE:
	case SOCKET_USERS:
	case SOCKET_HOLDERS:
		return FRAME_OWNERS |
		       (c->n == PROCESS_CGROUP || c->n == PROCESS_CONTAINER ? (int)VT_CGROUP_GROUPS
									    : 0);
	case SOCKET_DEV:
		return (int)FRAME_GROUPS;
	default: {
		bool stamp = c->recorded->enc == ENC_STAMP || c->recorded->enc == ENC_EXPIRY;
		return (int)(FRAME_GROUPS | 1u << c->recorded->group) | (stamp ? FRAME_CLOCK : 0);
	}
	}
}

static int socket_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct socket_vtab *v = (const struct socket_vtab *)base;
	int needs = (int)GRP_BIT(member);
	for (int i = 0; i < v->count; i++)
		if (info->colUsed >> (i < 63 ? i : 63) & 1)
			needs |= needs_of(&v->columns[i]);
	return frame_best_index(v->context, info, needs);
}

static int socket_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	const struct socket_vtab *v = (const struct socket_vtab *)base;
	struct socket_cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof(*c));
	frame_init(&c->frame, v->context);
	*ret = &c->frame.base;
	return SQLITE_OK;
}

static int socket_close(sqlite3_vtab_cursor *base)
{
	struct socket_cursor *c = (struct socket_cursor *)base;
	frame_fini(&c->frame);
	sqlite3_finalize(c->dev);
	vt_cgroup_fini(&c->cgroup);
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
	if ((f->groups & VT_CGROUP_GROUPS) && vt_cgroup_own(&c->cgroup, f, &c->owner, &e))
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
		vt_cgroup_result(&c->cgroup, out, col->n);
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
	const struct socket_column *col = &v->columns[column];
	switch (col->kind) {
	case SOCKET_FRAME:
		return frame_result(&c->frame, out, col->n);
	case SOCKET_PROCESS:
	case SOCKET_FD:
	case SOCKET_SOURCE:
	case SOCKET_USERS:
	case SOCKET_HOLDERS:
		return put_owner(c, out, col);
	case SOCKET_DEV:
		return put_dev(c, out);
	default:
		return put_recorded(&c->frame, out, col);
	}
}

static const sqlite3_module socket_module = {
	.iVersion = 0,
	.xConnect = socket_connect,
	.xBestIndex = socket_best_index,
	.xDisconnect = socket_disconnect,
	.xOpen = socket_open,
	.xClose = socket_close,
	.xFilter = socket_filter,
	.xNext = socket_next,
	.xEof = socket_eof,
	.xColumn = socket_column,
	.xRowid = socket_rowid,
};

int vt_socket_register(sqlite3 *db, const struct vt_context *context)
{
	/* The client data is only read; SQLite's signature has no const. */
	union {
		const struct vt_context *in;
		void *out;
	} aux = {.in = context};
	return sqlite3_create_module_v2(db, "socket", &socket_module, aux.out, NULL);
}
