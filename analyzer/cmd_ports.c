/*
 * cmd_ports.c - `socklapse ports`: how many of the host's ephemeral ports are in use for each
 * source, destination and port, and by whom (sql/q_ports.sql).
 */
#include <stdio.h>
#include <string.h>

#include "cmd_filter.h"
#include "cmds.h"
#include "queries.h"
#include "session.h"

#define TOP_DEFAULT 20

/* The columns of q_ports.sql; text has addresses and ports together. */
static const struct out_column ports_columns[] = {
	{"host", NULL, OUT_STRING, OUT_NOT_TEXT},
	{"netns", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"netns_name", NULL, OUT_STRING, OUT_NOT_TEXT},
	{"local", "Source", OUT_STRING, OUT_RIGHT},
	{"peer", "Destination", OUT_STRING, OUT_RIGHT},
	{"peer_port", "Port", OUT_NUMBER, 0},
	{"ports", "In use", OUT_NUMBER, 0},
	{"range", "Of", OUT_NUMBER, 0},
	{"percent", "%", OUT_NUMBER, 0},
	{"time_wait", "TIME-WAIT", OUT_NUMBER, 0},
	{"estab", "ESTAB", OUT_NUMBER, 0},
	{"comm", "Mostly by", OUT_STRING, 0},
	{"comm_ports", "Its", OUT_NUMBER, 0},
};
static const struct out_table ports_table = {.name = "ports",
					     .columns = ports_columns,
					     .count = sizeof(ports_columns) /
						      sizeof(ports_columns[0])};

struct ports {
	struct session s;
	struct filter *filter;
	struct cmd_query query;
	sqlite3_stmt *stmt;
	int64_t top;
	bool begun;
};

static int ports_of(struct ports *p, size_t index, struct err *e)
{
	char at[TIME_TEXT_BYTES];
	size_t hosts;
	uint64_t rows = 0;
	bool text = p->s.cmd->out.format == OUT_TEXT;
	const struct history_host *h = history_hosts(p->s.history, &hosts);
	time_format(session_time(&p->s, index), at);
	if (p->s.cmd->out.header)
		out_note(p->s.out, "%s #%zu %s %s", h[p->s.snapshots[index].host].name, index + 1,
			 at, p->s.zone);
	sqlite3_reset(p->stmt);
	db_bind_int(p->stmt, ":snapshot", (int64_t)index + 1);
	if (!p->begun || text)
		out_table(p->s.out, &ports_table);
	p->begun = true;
	int rc = db_out_rows(p->stmt, p->s.out, (uint64_t)p->top, &rows, e);
	if (!rc && !rows)
		out_note(p->s.out, "No port of ip_local_port_range is in use.");
	return rc;
}

/* The snapshot of --at, or the last one, of every host that has it; #N is one of one host. */
static int all_hosts(struct ports *p, struct err *e)
{
	const char *at = args_value(&p->s.cmd->args, OPT_AT);
	size_t hosts, index, told = 0;
	int rc = 0;
	history_hosts(p->s.history, &hosts);
	for (size_t h = 0; h < hosts; h++) {
		rc = session_at(&p->s, (uint32_t)h, at, &index, e);
		if (rc == ERR_NOT_FOUND && hosts > 1)
			continue;
		if (!rc)
			rc = ports_of(p, index, e);
		if (rc)
			return rc;
		told++;
		if (at && strchr(at, '#'))
			break;
	}
	if (!told)
		return rc ? rc : err_set(e, ERR_NOT_FOUND, "no snapshots");
	return 0;
}

static int prepare(struct ports *p, struct cmd *c, struct err *e)
{
	struct filter_env env = filter_socket_env();
	env.resolver = filter_system_resolver();
	int rc = session_top(&p->s, TOP_DEFAULT, &p->top, e);
	if (!rc)
		rc = cmd_filter_read(c, 0, &env, &p->filter, e);
	if (!rc)
		rc = cmd_query_make(sql_q_ports, "", p->filter, &p->query, e);
	return rc ? rc : cmd_query_prepare(&p->query, p->s.db, &p->stmt, e);
}

int cmd_ports(struct cmd *c, struct err *e)
{
	struct ports p = {0};
	int rc = session_open(c, &p.s, e);
	if (rc)
		return rc;
	rc = prepare(&p, c, e);
	if (!rc)
		rc = all_hosts(&p, e);
	if (!rc)
		rc = out_end(p.s.out, e);
	sqlite3_finalize(p.stmt);
	cmd_query_fini(&p.query);
	filter_free(p.filter);
	session_close(&p.s);
	return rc;
}
