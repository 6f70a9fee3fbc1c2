/* cmd_trace.c - `socklapse trace`: the life of each connection that matches, on one timeline. */
#include "cmds.h"
#include "session.h"
#include "trace.h"

#include <inttypes.h>
#include <sys/socket.h>

#define TOP_DEFAULT 10

static const struct out_column text_columns[] = {
	{"time", "Not before", OUT_TIME, 0}, {"until", "Not after", OUT_TIME, 0},
	{"snapshot", "#", OUT_NUMBER, 0},    {"event", "Event", OUT_STRING, 0},
	{"what", "What", OUT_STRING, 0},
};
static const struct out_table text_table = {.name = "events",
					    .columns = text_columns,
					    .count = sizeof(text_columns) /
						     sizeof(text_columns[0])};

static const struct out_column data_columns[] = {
	{"connection", NULL, OUT_NUMBER, 0}, {"host", NULL, OUT_STRING, 0},
	{"boot", NULL, OUT_STRING, 0},	     {"netns", NULL, OUT_NUMBER, 0},
	{"cookie", NULL, OUT_NUMBER, 0},     {"proto", NULL, OUT_STRING, 0},
	{"local", NULL, OUT_STRING, 0},	     {"local_port", NULL, OUT_NUMBER, 0},
	{"peer", NULL, OUT_STRING, 0},	     {"peer_port", NULL, OUT_NUMBER, 0},
	{"time", NULL, OUT_TIME, 0},	     {"until", NULL, OUT_TIME, 0},
	{"snapshot", NULL, OUT_NUMBER, 0},   {"event", NULL, OUT_STRING, 0},
	{"what", NULL, OUT_STRING, 0},
};
static const struct out_table data_table = {.name = "events",
					    .columns = data_columns,
					    .count = sizeof(data_columns) /
						     sizeof(data_columns[0])};

static bool is_inet(const struct row_member *id)
{
	return id->family == AF_INET || id->family == AF_INET6;
}

static void put_address(struct buf *b, const struct row_member *id, const union addr_bytes *addr,
			unsigned port)
{
	char text[46];
	sock_addr_format(addr, id->family, text);
	buf_printf(b, id->family == AF_INET6 ? "[%s]:" : "%s:", text);
	if (port)
		buf_printf(b, "%u", port);
	else
		buf_put_u8(b, '*');
}

/*
 * "tcp 10.0.0.1:4000 -> 10.0.0.2:80 on web1, java,pid=12, cookie 7"; "unix /run/x on web1, ...".
 */
static int put_heading(struct session *s, const struct trace_connection *c, struct err *e)
{
	struct buf b CLEANUP(buf_fini) = {0};
	size_t count;
	const struct history_process *p = NULL;
	const char *proto = sock_proto_name(c->id.proto);
	int rc = 0;
	if (c->owner.process)
		rc = history_process(s->history, c->owner.file, c->owner.process, &p, e);
	if (rc)
		return rc;
	buf_put_str(&b, proto ? proto : "?");
	if (is_inet(&c->id)) {
		buf_put_u8(&b, ' ');
		put_address(&b, &c->id, &c->id.local, c->id.local_port);
		buf_put_str(&b, " -> ");
		put_address(&b, &c->id, &c->id.peer, c->id.peer_port);
	}
	if (c->path)
		buf_printf(&b, " %s", c->path);
	buf_printf(&b, " on %s", history_hosts(s->history, &count)[c->host].name);
	if (p)
		buf_printf(&b, ", %s,pid=%" PRId64 " (%s)", p->comm, p->pid,
			   owner_source_name(c->owner.source));
	else if (c->cgroup)
		buf_printf(&b, ", %s (%s)", c->cgroup->path, owner_source_name(OWNER_CGROUP));
	if (c->role >= 0)
		buf_put_str(&b, c->role ? ", opened by this host" : ", opened by the peer");
	buf_printf(&b, ", cookie %" PRIu64, c->id.cookie);
	out_note(s->out, "%s", buf_str(&b));
	return 0;
}

static void put_text_event(struct out *o, const struct trace_event *v)
{
	out_int(o, v->lo_ns);
	out_int(o, v->hi_ns);
	out_int(o, (int64_t)v->snapshot + 1);
	out_str(o, trace_kind_name(v->kind));
	out_str(o, v->text);
}

static void put_data_address(struct out *o, const struct row_member *id,
			     const union addr_bytes *addr, unsigned port, const char *path)
{
	char text[46];
	if (!is_inet(id)) {
		out_str(o, path);
		out_null(o);
		return;
	}
	sock_addr_format(addr, id->family, text);
	out_str(o, text);
	out_int(o, port);
}

static void put_data_event(struct session *s, const struct trace *t, const struct trace_event *v)
{
	const struct trace_connection *c = &t->connections[v->connection];
	struct out *o = s->out;
	size_t count;
	out_int(o, v->connection + 1);
	out_str(o, history_hosts(s->history, &count)[c->host].name);
	out_str(o, history_boots(s->history, &count)[c->boot].boot_id);
	out_int(o, (int64_t)c->netns);
	out_int(o, (int64_t)c->id.cookie);
	out_str(o, sock_proto_name(c->id.proto));
	put_data_address(o, &c->id, &c->id.local, c->id.local_port, c->path);
	put_data_address(o, &c->id, &c->id.peer, c->id.peer_port, NULL);
	put_text_event(o, v);
}

static int put_text(struct session *s, const struct trace *t, struct err *e)
{
	size_t at = 0;
	for (unsigned i = 0; i < t->count && !out_failed(s->out); i++) {
		if (i)
			out_note(s->out, "%s", "");
		int rc = put_heading(s, &t->connections[i], e);
		if (rc)
			return rc;
		out_table(s->out, &text_table);
		for (; at < t->events_count && t->events[at].connection == i; at++)
			put_text_event(s->out, &t->events[at]);
	}
	if (!t->count)
		out_note(s->out, "No socket matches.");
	else
		out_note(s->out,
			 "%zu connection%s shown; %" PRIu64 " spell%s match%s, the longest first.",
			 t->count, t->count == 1 ? "" : "s", t->matching,
			 t->matching == 1 ? "" : "s", t->matching == 1 ? "es" : "");
	return 0;
}

static int put_all(struct session *s, const struct trace *t, struct err *e)
{
	int rc = 0;
	if (s->cmd->out.format == OUT_TEXT) {
		rc = put_text(s, t, e);
	} else {
		out_table(s->out, &data_table);
		for (size_t i = 0; i < t->events_count && !out_failed(s->out); i++)
			put_data_event(s, t, &t->events[i]);
	}
	return rc ? rc : out_end(s->out, e);
}

static int trace(struct session *s, struct err *e)
{
	struct trace_options options = {.context = &s->context};
	struct spell_ask ask;
	struct trace t = {0};
	int64_t top;
	int rc = session_range(s, &options.from_ns, &options.to_ns, e);
	if (!rc)
		rc = session_top(s, TOP_DEFAULT, &top, e);
	if (!rc && top > TRACE_MAX_CONNECTIONS)
		rc = err_set(e, ERR_USAGE, "--top: at most %u connections", TRACE_MAX_CONNECTIONS);
	if (!rc)
		rc = spell_ask_open(s->db, &s->context, s->cmd->args.words,
				    s->cmd->args.words_count, &ask, e);
	if (rc)
		return rc;
	options.top = (size_t)top;
	options.db = s->db;
	rc = trace_run(s->history, &options, &ask, &t, e);
	if (!rc)
		rc = put_all(s, &t, e);
	trace_fini(&t);
	spell_ask_close(&ask);
	return rc;
}

int cmd_trace(struct cmd *c, struct err *e)
{
	struct session s;
	if (!c->args.words_count)
		return err_set(e, ERR_USAGE, "trace: needs a filter: whose life?");
	int rc = session_open(c, &s, e);
	if (rc)
		return rc;
	rc = trace(&s, e);
	session_close(&s);
	return rc;
}
