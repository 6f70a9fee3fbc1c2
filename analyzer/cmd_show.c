/*
 * cmd_show.c - `socklapse show`: one snapshot as ss(8) prints it. Text (sql/q_show_text.sql) has
 * ss's options, columns and fields; data (sql/q_show.sql, sql/q_show_all.sql) those of table
 * socket.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd_filter.h"
#include "cmds.h"
#include "db_func.h"
#include "queries.h"
#include "session.h"
#include "show_row.h"

/* Names of hosts (-r) are waited for so long in all. */
#define NAMES_TIMEOUT_MS 2000

struct show {
	struct session s;
	struct show_ask ask;
	struct show_look look;
	struct filter *filter;
	struct services *services;
	struct names *names;
	struct cgroup_paths *cgroups; /* of the boot of the snapshot that is shown */
	struct layout layout;
	int64_t top;		   /* rows at most, 0: all */
	sqlite3_stmt *rows, *sums; /* NULL: not asked for */
	struct out_column *data_columns;
	struct out_table data_table;
	bool begun; /* the table of data */
};

static bool is_text(const struct show *w)
{
	return w->s.cmd->out.format == OUT_TEXT;
}

/* --- text --- */

/* ss leaves out Netid for one table, State for one state. */
static uint32_t hidden_columns(const struct show *w)
{
	return (show_ask_has_net_id(&w->ask) ? 0 : 1u << LAYOUT_NET_ID) |
	       (show_ask_has_state(&w->ask) ? 0 : 1u << LAYOUT_STATE);
}

static int step_failed(const struct show *w, int step, struct err *e)
{
	return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : db_error(w->s.db, "show", e);
}

/* Asks for the names of all addresses first: widths depend on them. */
static int ask_names(struct show *w, struct err *e)
{
	const struct show_row row = {.stmt = w->rows, .look = &w->look};
	int rc = w->names ? 0 : names_new(&w->names, e), step = SQLITE_DONE;
	size_t missing = 0;
	while (!rc && (step = sqlite3_step(w->rows)) == SQLITE_ROW) {
		rc = names_want(w->names, show_string(&row, AT_LOCAL), e);
		if (!rc)
			rc = names_want(w->names, show_string(&row, AT_PEER), e);
	}
	if (!rc)
		rc = step_failed(w, step, e);
	if (!rc)
		rc = names_ask(w->names, NAMES_TIMEOUT_MS, &missing, e);
	sqlite3_reset(w->rows);
	if (rc)
		return rc;
	fprintf(stderr, "socklapse: warning: names of hosts are those of here and today");
	if (missing)
		fprintf(stderr, "; %zu addresses were not answered in %d s", missing,
			NAMES_TIMEOUT_MS / 1000);
	fprintf(stderr, "\n");
	w->look.names = w->names;
	return 0;
}

static int put_text(struct show *w, struct err *e)
{
	const struct show_row row = {.stmt = w->rows, .look = &w->look};
	int step = SQLITE_DONE;
	int rc = w->ask.resolve ? ask_names(w, e) : 0;
	if (rc)
		return rc;
	layout_begin(&w->layout, w->s.out, hidden_columns(w), w->s.cmd->out.header,
		     w->s.cmd->out.color);
	for (int64_t n = 0; !w->top || n < w->top; n++) {
		if (out_failed(w->s.out) || (step = sqlite3_step(w->rows)) != SQLITE_ROW)
			break;
		show_put_row(&row, &w->layout);
	}
	rc = step_failed(w, step, e);
	return rc ? rc : layout_end(&w->layout, e);
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

/* --- -s --- */

/* Rows of ss's summary; INET is the sum of them. */
enum {
	SUM_RAW,
	SUM_UDP,
	SUM_TCP,
	SUM_INET,
	SUM_COUNT
};

struct sums {
	int64_t ip[SUM_COUNT], ip6[SUM_COUNT];
	int64_t all, tcp, estab, closed, orphaned, timewait;
};

static const char *const sum_names[SUM_COUNT] = {"RAW", "UDP", "TCP", "INET"};

/* One row of q_show_summary.sql: proto, family, state, sockets, orphans. */
static void add_sum(struct sums *m, sqlite3_stmt *row)
{
	const char *proto = (const char *)sqlite3_column_text(row, 0);
	const char *state = (const char *)sqlite3_column_text(row, 2);
	int64_t n = sqlite3_column_int64(row, 3);
	bool is_tcp = proto && strcmp(proto, "tcp") == 0;
	unsigned s = state ? sock_state_by_name(state) : 0;
	bool is_closed = s == STATE_UNCONN || s == STATE_BOUND_INACTIVE || s == STATE_TIME_WAIT;
	int which = !proto			? SUM_COUNT
		    : strcmp(proto, "raw") == 0 ? SUM_RAW
		    : strcmp(proto, "udp") == 0 ? SUM_UDP
		    : is_tcp && !is_closed	? SUM_TCP
						: SUM_COUNT;
	m->all += n;
	if (is_tcp) {
		m->tcp += n;
		m->estab += s == STATE_ESTAB ? n : 0;
		m->timewait += s == STATE_TIME_WAIT ? n : 0;
		m->closed += is_closed ? n : 0;
		m->orphaned += sqlite3_column_int64(row, 4);
	}
	if (which == SUM_COUNT)
		return;
	int64_t *side = sqlite3_column_int(row, 1) == AF_INET6 ? m->ip6 : m->ip;
	side[which] += n;
	side[SUM_INET] += n;
}

static void put_sums_text(struct show *w, const struct sums *m)
{
	struct buf b CLEANUP(buf_fini) = {0};
	buf_printf(&b, "Total: %" PRId64 "\n", m->all);
	buf_printf(&b,
		   "TCP:   %" PRId64 " (estab %" PRId64 ", closed %" PRId64 ", orphaned %" PRId64
		   ", timewait %" PRId64 ")\n\n",
		   m->tcp, m->estab, m->closed, m->orphaned, m->timewait);
	buf_put_str(&b, "Transport Total     IP        IPv6\n");
	for (int i = 0; i < SUM_COUNT; i++)
		buf_printf(&b, "%s\t  %-9" PRId64 " %-9" PRId64 " %-9" PRId64 "\n", sum_names[i],
			   m->ip[i] + m->ip6[i], m->ip[i], m->ip6[i]);
	buf_put_str(&b, "\n");
	out_lines(w->s.out, b.bytes, b.len);
}

static void put_sums_data(struct show *w, const struct sums *m)
{
	static const struct out_column sum_columns[] = {
		{"sockets", NULL, OUT_NUMBER, 0},      {"tcp", NULL, OUT_NUMBER, 0},
		{"tcp_estab", NULL, OUT_NUMBER, 0},    {"tcp_closed", NULL, OUT_NUMBER, 0},
		{"tcp_orphaned", NULL, OUT_NUMBER, 0}, {"tcp_timewait", NULL, OUT_NUMBER, 0},
		{"raw_ip", NULL, OUT_NUMBER, 0},       {"raw_ip6", NULL, OUT_NUMBER, 0},
		{"udp_ip", NULL, OUT_NUMBER, 0},       {"udp_ip6", NULL, OUT_NUMBER, 0},
		{"tcp_ip", NULL, OUT_NUMBER, 0},       {"tcp_ip6", NULL, OUT_NUMBER, 0},
	};
	static const struct out_table table = {.name = "summary",
					       .columns = sum_columns,
					       .count = sizeof(sum_columns) /
							sizeof(sum_columns[0]),
					       .flags = OUT_TAGGED};
	const int64_t first[] = {m->all, m->tcp, m->estab, m->closed, m->orphaned, m->timewait};
	out_table(w->s.out, &table);
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		out_int(w->s.out, first[i]);
	for (int i = SUM_RAW; i < SUM_INET; i++) {
		out_int(w->s.out, m->ip[i]);
		out_int(w->s.out, m->ip6[i]);
	}
}

static int put_sums(struct show *w, struct err *e)
{
	struct sums m = {0};
	int step;
	while ((step = sqlite3_step(w->sums)) == SQLITE_ROW)
		add_sum(&m, w->sums);
	int rc = step_failed(w, step, e);
	if (!rc && is_text(w))
		put_sums_text(w, &m);
	else if (!rc)
		put_sums_data(w, &m);
	return rc;
}

/* --- data --- */

/* The statement's columns; nanoseconds since the epoch are a time. */
static int begin_data(struct show *w, struct err *e)
{
	int n = sqlite3_column_count(w->rows);
	w->data_columns = calloc((size_t)n + 1, sizeof(*w->data_columns));
	if (!w->data_columns)
		return err_set(e, ERR_NOMEM, "show: memory ran out");
	for (int i = 0; i < n; i++) {
		const char *name = sqlite3_column_name(w->rows, i);
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

static int put_data(struct show *w, struct err *e)
{
	int rc = w->begun ? 0 : begin_data(w, e);
	w->begun = true;
	return rc ? rc : db_out_rows(w->rows, w->s.out, (uint64_t)w->top, NULL, e);
}

/* --- snapshots --- */

static int load_cgroups(struct show *w, size_t index, struct err *e)
{
	size_t boots;
	if (!is_text(w) || !w->rows || !(w->look.details & (SHOW_DETAILS | SHOW_CGROUP)))
		return 0;
	cgroup_paths_free(w->cgroups);
	w->look.cgroups = w->cgroups = NULL;
	const struct history_boot *boot = &history_boots(w->s.history,
							 &boots)[w->s.snapshots[index].boot];
	int rc = cgroup_paths_load(w->s.db, boot->boot_id, &w->cgroups, e);
	w->look.cgroups = w->cgroups;
	return rc;
}

static int show_snapshot(struct show *w, size_t index, struct err *e)
{
	int rc = load_cgroups(w, index, e);
	sqlite3_stmt *const both[] = {w->rows, w->sums};
	if (rc)
		return rc;
	for (size_t i = 0; i < 2; i++) {
		if (!both[i])
			continue;
		sqlite3_reset(both[i]);
		db_bind_int(both[i], ":snapshot", (int64_t)index + 1);
	}
	if (is_text(w))
		put_heading(w, index);
	if (w->sums)
		rc = put_sums(w, e);
	if (!rc && w->rows)
		rc = is_text(w) ? put_text(w, e) : put_data(w, e);
	return rc;
}

/* The snapshot nearest to --at of every host; #N is one of one host. */
static int show_hosts(struct show *w, struct err *e)
{
	size_t hosts, index, shown = 0;
	const char *at = args_value(&w->s.cmd->args, OPT_AT);
	int rc = 0;
	history_hosts(w->s.history, &hosts);
	for (size_t h = 0; h < hosts; h++) {
		rc = session_at(&w->s, (uint32_t)h, at, &index, e);
		if (rc == ERR_NOT_FOUND && hosts > 1)
			continue;
		if (!rc)
			rc = show_snapshot(w, index, e);
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

/* --- the question --- */

/* Is there such a network namespace at all? And is there more than one? */
static int check_netns(struct show *w, struct err *e)
{
	static const char sql[] = "SELECT count(DISTINCT netns), "
				  "coalesce(sum(name = ?1 OR netns = ?2), 0) FROM netns";
	sqlite3_stmt *stmt;
	int rc = db_prepare(w->s.db, sql, &stmt, e);
	if (rc)
		return rc;
	if (w->ask.netns) {
		sqlite3_bind_text(stmt, 1, w->ask.netns, -1, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, strtoll(w->ask.netns, NULL, 10));
	}
	if (sqlite3_step(stmt) != SQLITE_ROW)
		rc = db_error(w->s.db, "show", e);
	w->look.tell_netns = !rc && sqlite3_column_int64(stmt, 0) > 1;
	if (!rc && w->ask.netns && !sqlite3_column_int64(stmt, 1))
		rc = err_set(e, ERR_NOT_FOUND,
			     "show: -N %.64s: no such network namespace was recorded",
			     w->ask.netns);
	sqlite3_finalize(stmt);
	return rc;
}

/* `more` holds columns in place of the mark COLUMNS, if there is one. */
static int prepare_query(struct show *w, const struct show_ask *ask, const char *stored,
			 const char *more, sqlite3_stmt **ret, struct err *e)
{
	struct buf where CLEANUP(buf_fini) = {0};
	struct cmd_query q = {0};
	show_ask_sql(ask, &where);
	int rc = where.failed ? err_set(e, ERR_NOMEM, "show: memory ran out") : 0;
	if (!rc)
		rc = cmd_query_make(stored, buf_str(&where), w->filter, &q, e);
	if (!rc && more)
		rc = cmd_query_replace(&q, "COLUMNS", more, e);
	if (!rc)
		rc = cmd_query_prepare(&q, w->s.db, ret, e);
	if (!rc && w->ask.netns) {
		db_bind_text(*ret, ":netns", w->ask.netns);
		db_bind_int(*ret, ":netns_inode", strtoll(w->ask.netns, NULL, 10));
	}
	cmd_query_fini(&q);
	return rc;
}

/* Frames are only read as far as the query looks: so no more than the options ask for. */
static int prepare_rows(struct show *w, struct err *e)
{
	struct buf select CLEANUP(buf_fini) = {0};
	const char *data = w->look.details & ~SHOW_PROCESS ? sql_q_show_all : sql_q_show;
	if (!is_text(w))
		return prepare_query(w, &w->ask, data, NULL, &w->rows, e);
	show_select(&w->look, &select);
	if (select.failed)
		return err_set(e, ERR_NOMEM, "show: memory ran out");
	return prepare_query(w, &w->ask, sql_q_show_text, buf_str(&select), &w->rows, e);
}

/* A summary is of every state, whatever is listed behind it. */
static int prepare_sums(struct show *w, struct err *e)
{
	struct show_ask every_state = w->ask;
	every_state.states = SHOW_STATES_EVERY;
	return prepare_query(w, &every_state, sql_q_show_summary, NULL, &w->sums, e);
}

static int read_filter(struct show *w, struct cmd *c, struct err *e)
{
	struct filter_env env = filter_socket_env();
	env.resolver = filter_system_resolver();
	env.family = show_ask_family(&w->ask);
	int rc = w->ask.file ? cmd_filter_read_file(c, w->ask.file, &env, &w->filter, e)
			     : cmd_filter_read(c, 0, &env, &w->filter, e);
	if (!rc)
		show_ask_scope(&w->ask, filter_scope(w->filter));
	return rc;
}

static int prepare(struct show *w, struct cmd *c, struct err *e)
{
	int rc = read_filter(w, c, e);
	w->look.details = w->ask.details;
	w->look.numeric = w->ask.numeric;
	w->look.one_line = w->ask.one_line;
	if (!rc)
		rc = session_top(&w->s, 0, &w->top, e);
	if (!rc)
		rc = check_netns(w, e);
	if (!rc && w->ask.summary)
		rc = prepare_sums(w, e);
	/* As in ss: a summary alone, unless something else is asked for as well. */
	if (!rc && (!w->ask.summary || w->ask.chosen || c->args.words_count || w->ask.file))
		rc = prepare_rows(w, e);
	if (!rc && !w->ask.numeric && is_text(w))
		rc = services_load(&w->services, e);
	w->look.services = w->services;
	return rc;
}

int cmd_show(struct cmd *c, struct err *e)
{
	struct show w = {0};
	int rc = show_ask_read(&c->args, &w.ask, e);
	if (!rc)
		rc = session_open(c, &w.s, e);
	if (rc)
		return rc;
	rc = prepare(&w, c, e);
	if (!rc)
		rc = show_hosts(&w, e);
	if (!rc)
		rc = out_end(w.s.out, e);
	sqlite3_finalize(w.rows);
	sqlite3_finalize(w.sums);
	filter_free(w.filter);
	services_free(w.services);
	names_free(w.names);
	cgroup_paths_free(w.cgroups);
	layout_fini(&w.layout);
	session_close(&w.s);
	free(w.data_columns);
	return rc;
}
