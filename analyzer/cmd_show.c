/*
 * cmd_show.c - `socklapse show`: one snapshot as ss(8) prints it (sql/q_show.sql). Text has ss's
 * columns; data have those of table socket.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd_filter.h"
#include "cmds.h"
#include "db_func.h"
#include "link_name.h"
#include "queries.h"
#include "session.h"
#include "show_text.h"

/* Options without a letter. */
enum {
	OPT_NETLINK = OPT_OWN
};

const struct arg_option cmd_show_options[] = {
	{'a', "all", NULL, "sockets in every state (default: connected ones)"},
	{'l', "listening", NULL, "only listening sockets"},
	{'t', "tcp", NULL, "TCP sockets"},
	{'u', "udp", NULL, "UDP sockets"},
	{'w', "raw", NULL, "raw sockets"},
	{'x', "unix", NULL, "Unix sockets"},
	{'0', "packet", NULL, "packet sockets"},
	{OPT_NETLINK, "netlink", NULL, "netlink sockets"},
	{'4', "ipv4", NULL, "IPv4 sockets"},
	{'6', "ipv6", NULL, "IPv6 sockets"},
	{'n', "numeric", NULL, "ports as numbers, not as names of services"},
	{'p', "processes", NULL, "who holds them, held them or listens for them"},
	{'o', "options", NULL, "the running timer"},
	{'e', "extended", NULL, "user, inode, cookie, cgroup"},
	{'m', "memory", NULL, "memory of the socket"},
	{'i', "info", NULL, "what TCP knows"},
	{0},
};

/* Text: index of each column in show_text_columns. */
enum {
	TEXT_NETID,
	TEXT_STATE,
	TEXT_RECVQ,
	TEXT_SENDQ,
	TEXT_LOCAL,
	TEXT_PEER,
	TEXT_PROCESS,
	TEXT_COLUMNS
};

struct show {
	struct session s;
	const struct args *args;
	struct filter *filter;
	struct filter_scope scope;
	struct services *services;
	struct buf where; /* what the options ask for, as SQL that ends with AND */
	unsigned details; /* SHOW_* */
	struct out_column text_columns[TEXT_COLUMNS];
	struct out_table text_table;
	struct out_column *data_columns;
	struct out_table data_table;
	bool begun; /* the table of data */
};

static bool given(const struct show *w, int id)
{
	return args_has(w->args, id);
}

/* The socket tables of -t -u -w; none: all. Returns how many are named. */
static unsigned put_protos(struct show *w)
{
	static const struct {
		int id;
		const char *proto;
	} options[] = {{'t', "tcp"},  {'u', "udp"},    {'w', "raw"},
		       {'x', "unix"}, {'0', "packet"}, {OPT_NETLINK, "netlink"}};
	unsigned n = 0;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (given(w, options[i].id))
			buf_printf(&w->where, "%s'%s'", n++ ? ", " : "proto IN (",
				   options[i].proto);
	buf_put_str(&w->where, n ? ") AND " : "");
	return n;
}

/* As ss: without -a and -l, what is connected or on the way to it; a filter's states go before. */
static void put_states(struct show *w)
{
	if (w->scope.names_states || given(w, 'a'))
		return;
	if (given(w, 'l'))
		buf_put_str(&w->where, "state IN ('LISTEN', 'UNCONN') AND ");
	else
		buf_put_str(&w->where, "(proto IN ('packet', 'netlink', 'xdp') OR "
				       "state NOT IN ('LISTEN', 'UNCONN', 'TIME-WAIT', "
				       "'SYN-RECV', 'NEW-SYN-RECV', 'BOUND-INACTIVE')) AND ");
}

static void put_families(struct show *w)
{
	if (given(w, '4') != given(w, '6'))
		buf_printf(&w->where, "family = %d AND ", given(w, '4') ? AF_INET : AF_INET6);
}

static void choose_details(struct show *w)
{
	static const struct {
		int id;
		unsigned bit;
	} options[] = {{'p', SHOW_PROCESS},
		       {'o', SHOW_TIMER},
		       {'e', SHOW_EXTENDED},
		       {'m', SHOW_MEMORY},
		       {'i', SHOW_INFO}};
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (given(w, options[i].id))
			w->details |= options[i].bit;
}

/* ss leaves out Netid for one table, State for one state. */
static void choose_text(struct show *w, unsigned protos)
{
	static const struct out_column all[TEXT_COLUMNS] = {
		[TEXT_NETID] = {"netid", "Netid", OUT_STRING, 0},
		[TEXT_STATE] = {"state", "State", OUT_STRING, 0},
		[TEXT_RECVQ] = {"recvq", "Recv-Q", OUT_STRING, 0},
		[TEXT_SENDQ] = {"sendq", "Send-Q", OUT_STRING, 0},
		[TEXT_LOCAL] = {"local", "Local Address:Port", OUT_STRING, OUT_RIGHT},
		[TEXT_PEER] = {"peer", "Peer Address:Port", OUT_STRING, OUT_RIGHT},
		[TEXT_PROCESS] = {"process", "Process", OUT_STRING, 0},
	};
	memcpy(w->text_columns, all, sizeof(all));
	/* ss calls stream, datagram and so on tables of their own. */
	if (protos == 1 && !given(w, 'x') && !given(w, '0'))
		w->text_columns[TEXT_NETID].flags |= OUT_NOT_TEXT;
	if (w->scope.names_states && w->scope.states && !(w->scope.states & (w->scope.states - 1)))
		w->text_columns[TEXT_STATE].flags |= OUT_NOT_TEXT;
	if (!w->details)
		w->text_columns[TEXT_PROCESS].flags |= OUT_NOT_TEXT;
	w->text_table = (struct out_table){
		.name = "sockets", .columns = w->text_columns, .count = TEXT_COLUMNS};
}

static const char *column_text(sqlite3_stmt *row, int i)
{
	const char *t = (const char *)sqlite3_column_text(row, i);
	return t ? t : "";
}

/* Columns of q_show.sql that text is made of, by name. */
struct text_places {
	int proto, family, state, recvq, sendq, local, local_port, peer, peer_port, dev, v6only;
	int sock_type, link_proto;
};

static struct text_places find_places(sqlite3_stmt *stmt)
{
	struct text_places p = {0};
	const struct {
		const char *name;
		int *at;
	} wanted[] = {
		{"proto", &p.proto},
		{"family", &p.family},
		{"state", &p.state},
		{"recvq", &p.recvq},
		{"sendq", &p.sendq},
		{"local", &p.local},
		{"peer", &p.peer},
		{"local_port", &p.local_port},
		{"peer_port", &p.peer_port},
		{"dev", &p.dev},
		{"v6only", &p.v6only},
		{"sock_type", &p.sock_type},
		{"link_proto", &p.link_proto},
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		for (int n = 0; n < sqlite3_column_count(stmt); n++)
			if (strcmp(sqlite3_column_name(stmt, n), wanted[i].name) == 0)
				*wanted[i].at = n;
	return p;
}

/* u_str, p_dgr, nl, ...: the tables that ss tells apart further. */
static const char *net_id(sqlite3_stmt *row, const struct text_places *p)
{
	static const struct {
		const char *proto;
		int type; /* SOCK_*; 0: any */
		const char *name;
	} ids[] = {
		{"unix", SOCK_STREAM, "u_str"},	   {"unix", SOCK_DGRAM, "u_dgr"},
		{"unix", SOCK_SEQPACKET, "u_seq"}, {"packet", SOCK_RAW, "p_raw"},
		{"packet", SOCK_DGRAM, "p_dgr"},   {"netlink", 0, "nl"},
		{"vsock", SOCK_STREAM, "v_str"},   {"vsock", SOCK_DGRAM, "v_dgr"},
	};
	const char *proto = column_text(row, p->proto);
	int type = sqlite3_column_int(row, p->sock_type);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strcmp(proto, ids[i].proto) == 0 && (!ids[i].type || ids[i].type == type))
			return ids[i].name;
	return proto;
}

/* As ss: PATH INODE, PROTOCOL:DEVICE, PROTOCOL:PORT. False: the socket is of inet. */
static bool put_other(struct show *w, sqlite3_stmt *row, const struct text_places *p, bool peer)
{
	struct buf b CLEANUP(buf_fini) = {0};
	char name[LINK_NAME_BYTES];
	const char *proto = column_text(row, p->proto);
	const char *address = column_text(row, peer ? p->peer : p->local);
	int numeric = given(w, 'n');
	unsigned link = (unsigned)sqlite3_column_int(row, p->link_proto);
	long long port = sqlite3_column_int64(row, peer ? p->peer_port : p->local_port);
	if (strcmp(proto, "unix") == 0) {
		buf_printf(&b, "%s %lld", address[0] ? address : "*", port);
	} else if (strcmp(proto, "packet") == 0) {
		const char *dev = column_text(row, p->dev);
		packet_proto_name(link, numeric, name);
		buf_printf(&b, "%s:%s", name, dev[0] ? dev : "*");
	} else if (strcmp(proto, "netlink") == 0) {
		netlink_proto_name(link, numeric, name);
		if (port || numeric)
			buf_printf(&b, "%s:%d", name, (int)port);
		else
			buf_printf(&b, "%s:kernel", name);
	} else {
		return false;
	}
	bool star = peer && (strcmp(proto, "packet") == 0 || !address[0]) &&
		    strcmp(proto, "unix") != 0;
	out_str(w->s.out, star ? "*" : buf_str(&b));
	return true;
}

static void put_address(struct show *w, sqlite3_stmt *row, const struct text_places *p, bool peer)
{
	struct buf b CLEANUP(buf_fini) = {0};
	int address = peer ? p->peer : p->local;
	if (put_other(w, row, p, peer))
		return;
	if (sqlite3_column_type(row, address) == SQLITE_NULL) {
		out_str(w->s.out, "*");
		return;
	}
	show_address(&b, column_text(row, p->proto), sqlite3_column_int(row, p->family),
		     sqlite3_column_int(row, p->v6only) != 0, column_text(row, address),
		     peer ? NULL : column_text(row, p->dev),
		     sqlite3_column_int(row, peer ? p->peer_port : p->local_port), w->services);
	out_str(w->s.out, buf_str(&b));
}

static void put_text_row(struct show *w, sqlite3_stmt *row, const struct text_places *p,
			 const struct show_columns *at)
{
	struct buf b CLEANUP(buf_fini) = {0};
	out_str(w->s.out, net_id(row, p));
	out_str(w->s.out, column_text(row, p->state));
	out_str(w->s.out, column_text(row, p->recvq));
	out_str(w->s.out, column_text(row, p->sendq));
	put_address(w, row, p, false);
	put_address(w, row, p, true);
	show_details(&b, row, at, w->details);
	out_str(w->s.out, b.len ? buf_str(&b) + 1 : "");
}

static int put_text(struct show *w, sqlite3_stmt *stmt, struct err *e)
{
	struct show_columns *columns_at;
	int rc = show_columns_new(stmt, &columns_at, e);
	if (rc)
		return rc;
	struct text_places places = find_places(stmt);
	int step = SQLITE_DONE;
	out_table(w->s.out, &w->text_table);
	while (!out_failed(w->s.out) && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		put_text_row(w, stmt, &places, columns_at);
	show_columns_free(columns_at);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return db_error(w->s.db, "show", e);
	return 0;
}

/* The statement's columns; nanoseconds since the epoch are a time. */
static int begin_data(struct show *w, sqlite3_stmt *stmt, struct err *e)
{
	int n = sqlite3_column_count(stmt);
	w->data_columns = calloc((size_t)n + 1, sizeof(*w->data_columns));
	if (!w->data_columns)
		return err_set(e, ERR_NOMEM, "show: memory ran out");
	for (int i = 0; i < n; i++) {
		const char *name = sqlite3_column_name(stmt, i);
		bool is_time = strcmp(name, "time") == 0 || strcmp(name, "time_ns") == 0;
		w->data_columns[i] = (struct out_column){
			.name = is_time ? "time" : name,
			.kind = is_time ? OUT_TIME : OUT_ANY,
		};
	}
	w->data_table = (struct out_table){
		.name = "sockets", .columns = w->data_columns, .count = (size_t)n};
	out_table(w->s.out, &w->data_table);
	return 0;
}

static void put_heading(struct show *w, size_t index)
{
	char time[TIME_TEXT_BYTES], flags[256] = "";
	size_t hosts;
	const struct history_snapshot *s = &w->s.snapshots[index];
	const struct history_host *h = &history_hosts(w->s.history, &hosts)[s->host];
	time_format(s->rec->wall_begin_ns, time);
	/* Hardly a kernel has every table (sctp, xdp): list tells, this line would always. */
	flags_text(s->rec->flags & ~SNAP_NO_TABLE, flags, sizeof(flags));
	if (w->s.cmd->out.header)
		out_note(w->s.out, "%s #%zu %s %s%s%s", h->name, index + 1, time, w->s.zone,
			 flags[0] ? " " : "", flags);
}

static int show_snapshot(struct show *w, sqlite3_stmt *stmt, size_t index, struct err *e)
{
	int rc = 0;
	sqlite3_reset(stmt);
	db_bind_int(stmt, ":snapshot", (int64_t)index + 1);
	if (w->s.cmd->out.format == OUT_TEXT) {
		put_heading(w, index);
		return put_text(w, stmt, e);
	}
	if (!w->begun)
		rc = begin_data(w, stmt, e);
	w->begun = true;
	return rc ? rc : db_out_rows(stmt, w->s.out, 0, NULL, e);
}

/* The snapshot nearest to --at of every host; #N is one of one host. */
static int show_hosts(struct show *w, sqlite3_stmt *stmt, struct err *e)
{
	size_t hosts, index, shown = 0;
	const char *at = args_value(w->args, OPT_AT);
	int rc = 0;
	history_hosts(w->s.history, &hosts);
	for (size_t h = 0; h < hosts; h++) {
		rc = session_at(&w->s, (uint32_t)h, at, &index, e);
		if (rc == ERR_NOT_FOUND && hosts > 1)
			continue;
		if (!rc)
			rc = show_snapshot(w, stmt, index, e);
		if (rc)
			return rc;
		shown++;
		if (at && strchr(at, '#'))
			break;
	}
	if (!shown)
		return rc ? rc : err_set(e, ERR_NOT_FOUND, "no snapshots");
	return 0;
}

/* Frames are only read as far as the query looks: so no more than the options ask for. */
static const char *choose_query(const struct show *w)
{
	if (w->details & (SHOW_EXTENDED | SHOW_MEMORY | SHOW_INFO))
		return sql_q_show_all;
	if (w->details & SHOW_PROCESS || w->s.cmd->out.format != OUT_TEXT)
		return sql_q_show_owners;
	return sql_q_show;
}

static int prepare(struct show *w, struct cmd *c, sqlite3_stmt **ret, struct cmd_query *q,
		   struct err *e)
{
	struct filter_env env = filter_socket_env();
	env.resolver = filter_system_resolver();
	if (given(w, '4') != given(w, '6'))
		env.family = given(w, '4') ? AF_INET : AF_INET6;
	int rc = cmd_filter_read(c, 0, &env, &w->filter, e);
	if (rc)
		return rc;
	w->scope = filter_scope(w->filter);
	unsigned protos = put_protos(w);
	put_states(w);
	put_families(w);
	choose_details(w);
	choose_text(w, protos);
	rc = cmd_query_make(choose_query(w), buf_str(&w->where), w->filter, q, e);
	return rc ? rc : cmd_query_prepare(q, w->s.db, ret, e);
}

int cmd_show(struct cmd *c, struct err *e)
{
	struct show w = {.args = &c->args};
	struct cmd_query q = {0};
	sqlite3_stmt *stmt = NULL;
	int rc = session_open(c, &w.s, e);
	if (rc)
		return rc;
	rc = prepare(&w, c, &stmt, &q, e);
	if (!rc && !given(&w, 'n'))
		rc = services_load(&w.services, e);
	if (!rc)
		rc = show_hosts(&w, stmt, e);
	if (!rc)
		rc = out_end(w.s.out, e);
	sqlite3_finalize(stmt);
	cmd_query_fini(&q);
	filter_free(w.filter);
	services_free(w.services);
	buf_fini(&w.where);
	session_close(&w.s);
	free(w.data_columns);
	return rc;
}
