/*
 * vt_socket_columns.c - see vt_socket_columns.h.
 *
 * First stand the columns of vt_frame.h, then what is asked for most, with the owner (also that of
 * a socket that nobody holds: owner_source says where it is known from), then the rest of
 * columns.def in its order. SQLite has one bit for all columns from the 64th on: what is rarely
 * asked for stands there.
 */
#include "vt_socket_columns.h"

#include <string.h>

#include "buf.h"
#include "vt_cgroup.h"

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
	/* For `show`, which names whose a port id is: others' owners need not be found out for it.
	 */
	{.name = "port_pid", .type = "INTEGER HIDDEN", .kind = SOCKET_PORT_OWNER, .n = PROCESS_PID},
	{.name = "port_comm", .type = "TEXT HIDDEN", .kind = SOCKET_PORT_OWNER, .n = PROCESS_COMM},
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

/*
 * Arguments of table `differing`, in the order of enum frame_pair_column. They are the first hidden
 * columns, as the arguments of a table must be.
 */
static const struct socket_column pair_columns[] = {
	{.name = "a", .type = "INTEGER HIDDEN", .kind = SOCKET_PAIR, .n = PAIR_A},
	{.name = "b", .type = "INTEGER HIDDEN", .kind = SOCKET_PAIR, .n = PAIR_B},
	{.name = "every", .type = "INTEGER HIDDEN", .kind = SOCKET_PAIR, .n = PAIR_EVERY},
};

static bool is_there(const struct socket_columns *v, const char *name)
{
	for (int i = 0; i < v->count; i++)
		if (v->all[i].name && strcmp(v->all[i].name, name) == 0)
			return true;
	return false;
}

static void add(struct socket_columns *v, struct socket_column c)
{
	if (c.name && !c.recorded)
		c.recorded = column_by_name(c.name);
	if (v->count < SOCKET_COLUMNS_MAX)
		v->all[v->count++] = c;
}

/* columns.def has names that the shared columns have too, and ids that mean nothing outside. */
static bool is_left_out(const struct socket_columns *v, const struct column *c)
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

static void add_columns(struct socket_columns *v, bool pair)
{
	for (int i = 0; i < FRAME_COLUMNS; i++)
		add(v, (struct socket_column){.kind = SOCKET_FRAME, .n = i});
	v->pair = pair ? v->count : -1;
	for (size_t i = 0; pair && i < sizeof(pair_columns) / sizeof(pair_columns[0]); i++)
		add(v, pair_columns[i]);
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

static int declare(sqlite3 *db, const struct socket_columns *v)
{
	struct buf sql CLEANUP(buf_fini) = {0};
	buf_put_str(&sql, "CREATE TABLE x(" FRAME_SCHEMA);
	for (int i = FRAME_COLUMNS; i < v->count; i++)
		buf_printf(&sql, ", \"%s\" %s", v->all[i].name,
			   v->all[i].type ? v->all[i].type : "INTEGER");
	buf_put_str(&sql, ")");
	const char *text = buf_str(&sql);
	return sql.failed ? SQLITE_NOMEM : sqlite3_declare_vtab(db, text);
}

int socket_columns_declare(sqlite3 *db, bool pair, struct socket_columns *cols)
{
	cols->count = 0;
	add_columns(cols, pair);
	return declare(db, cols);
}

/* What a query that looks at this column needs of the frames. */
int socket_column_needs(const struct socket_column *c)
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
	case SOCKET_PORT_OWNER:
		return (int)(FRAME_GROUPS | GRP_RARE | GRP_BIT(owner));
	case SOCKET_PAIR:
		return 0;
	case SOCKET_DEV:
		return (int)FRAME_GROUPS;
	default: {
		bool stamp = c->recorded->enc == ENC_STAMP || c->recorded->enc == ENC_EXPIRY;
		return (int)(FRAME_GROUPS | 1u << c->recorded->group) | (stamp ? FRAME_CLOCK : 0);
	}
	}
}
