/*
 * cmd_diff.c - `socklapse diff A B`: what is different between two snapshots, connection by
 * connection (sql/q_diff.sql) or summed by keys (sql/q_diff_by.sql).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_filter.h"
#include "cmds.h"
#include "keys.h"
#include "queries.h"
#include "session.h"
#include "show_address.h"
#include "show_ask.h"
#include "stat_basis.h"

/* The columns of q_diff.sql, as data. Text is made of them (diff_text). */
static const struct out_column data_columns[] = {
	{"change", NULL, OUT_STRING, 0},     {"why", NULL, OUT_STRING, 0},
	{"host", NULL, OUT_STRING, 0},	     {"netns", NULL, OUT_NUMBER, 0},
	{"cookie", NULL, OUT_NUMBER, 0},     {"proto", NULL, OUT_STRING, 0},
	{"family", NULL, OUT_NUMBER, 0},     {"local", NULL, OUT_STRING, 0},
	{"local_port", NULL, OUT_NUMBER, 0}, {"peer", NULL, OUT_STRING, 0},
	{"peer_port", NULL, OUT_NUMBER, 0},  {"state_a", NULL, OUT_STRING, 0},
	{"state_b", NULL, OUT_STRING, 0},    {"recvq_a", NULL, OUT_NUMBER, 0},
	{"recvq_b", NULL, OUT_NUMBER, 0},    {"sendq_a", NULL, OUT_NUMBER, 0},
	{"sendq_b", NULL, OUT_NUMBER, 0},    {"pid_a", NULL, OUT_NUMBER, 0},
	{"pid_b", NULL, OUT_NUMBER, 0},	     {"comm_a", NULL, OUT_STRING, 0},
	{"comm_b", NULL, OUT_STRING, 0},     {"owner_source", NULL, OUT_STRING, 0},
	{"v6only", NULL, OUT_NUMBER, 0}};

/* Places of those in the statement. */
enum {
	AT_CHANGE,
	AT_WHY,
	AT_HOST,
	AT_NETNS,
	AT_COOKIE,
	AT_PROTO,
	AT_FAMILY,
	AT_LOCAL,
	AT_LOCAL_PORT,
	AT_PEER,
	AT_PEER_PORT,
	AT_STATE_A,
	AT_STATE_B,
	AT_RECVQ_A,
	AT_RECVQ_B,
	AT_SENDQ_A,
	AT_SENDQ_B,
	AT_PID_A,
	AT_PID_B,
	AT_COMM_A,
	AT_COMM_B,
	AT_OWNER_SOURCE,
	AT_V6ONLY,
	AT_COUNT
};

static const struct out_table data_table = {.name = "changes",
					    .columns = data_columns,
					    .count = sizeof(data_columns) /
						     sizeof(data_columns[0])};

static const struct out_column text_columns[] = {
	{"change", "Change", OUT_STRING, 0},
	{"proto", "Netid", OUT_STRING, 0},
	{"state", "State", OUT_STRING, 0},
	{"recvq", "Recv-Q", OUT_STRING, 0},
	{"sendq", "Send-Q", OUT_STRING, 0},
	{"local", "Local Address:Port", OUT_STRING, OUT_RIGHT},
	{"peer", "Peer Address:Port", OUT_STRING, OUT_RIGHT},
	{"why", "Why", OUT_STRING, 0},
	{"process", "Process", OUT_STRING, 0},
};

static const struct out_table text_table = {.name = "changes",
					    .columns = text_columns,
					    .count = sizeof(text_columns) /
						     sizeof(text_columns[0])};

/*
 * Between A and B so many sockets (of all snapshots together) are looked at for those that came and
 * went: a tenth of a second if they are few at a time, some seconds if they are many.
 */
#define THROUGH_MAX 250000u

/* Behind this line of q_diff.sql stands what q_diff_by.sql replaces. */
#define ROWS_MARK "-- ROWS:"

/* Columns of q_diff_by.sql behind the keys. */
static const struct out_column sum_columns[] = {
	{"a", "A", OUT_NUMBER, 0},	     {"b", "B", OUT_NUMBER, 0},
	{"more", "More", OUT_NUMBER, 0},     {"appeared", "Appeared", OUT_NUMBER, 0},
	{"gone", "Gone", OUT_NUMBER, 0},     {"changed", "Changed", OUT_NUMBER, 0},
	{"owner", "Owner", OUT_NUMBER, 0},   {"stuck", "Stuck", OUT_NUMBER, 0},
	{"passed", "Passed", OUT_NUMBER, 0},
};

#define SUMS (sizeof(sum_columns) / sizeof(sum_columns[0]))

struct diff {
	struct session s;
	struct filter *filter;
	struct keys keys;
	struct cmd_query query;
	sqlite3_stmt *stmt;
	int64_t top;
	struct out_column by_columns[KEYS_MAX + SUMS];
	struct out_table by_table;
	bool begun;
};

static const char *text(sqlite3_stmt *row, int at)
{
	const char *t = (const char *)sqlite3_column_text(row, at);
	return t ? t : "";
}

/* "A -> B", or the one that is there, or the same once. */
static void put_pair(struct out *o, sqlite3_stmt *row, int at_a, int at_b)
{
	struct buf b CLEANUP(buf_fini) = {0};
	bool in_a = sqlite3_column_type(row, at_a) != SQLITE_NULL;
	bool in_b = sqlite3_column_type(row, at_b) != SQLITE_NULL;
	if (in_a && in_b && strcmp(text(row, at_a), text(row, at_b)) != 0)
		buf_printf(&b, "%s -> %s", text(row, at_a), text(row, at_b));
	else
		buf_put_str(&b, text(row, in_b ? at_b : at_a));
	out_str(o, buf_str(&b));
}

static void put_address(struct out *o, sqlite3_stmt *row, int address, int port)
{
	struct buf b CLEANUP(buf_fini) = {0};
	if (sqlite3_column_type(row, address) != SQLITE_NULL)
		show_address(&b, text(row, AT_PROTO), sqlite3_column_int(row, AT_FAMILY),
			     sqlite3_column_int(row, AT_V6ONLY) != 0, text(row, address), NULL,
			     sqlite3_column_int(row, port), NULL);
	out_str(o, b.len ? buf_str(&b) : "*");
}

static void put_process(struct out *o, sqlite3_stmt *row)
{
	struct buf b CLEANUP(buf_fini) = {0};
	bool in_a = sqlite3_column_type(row, AT_PID_A) != SQLITE_NULL;
	bool in_b = sqlite3_column_type(row, AT_PID_B) != SQLITE_NULL;
	if (in_a)
		buf_printf(&b, "%s/%s", text(row, AT_COMM_A), text(row, AT_PID_A));
	if (in_b && (!in_a || strcmp(text(row, AT_PID_A), text(row, AT_PID_B)) != 0))
		buf_printf(&b, "%s%s/%s", in_a ? " -> " : "", text(row, AT_COMM_B),
			   text(row, AT_PID_B));
	out_str(o, b.len ? buf_str(&b) : "-");
}

static void put_text_row(struct out *o, sqlite3_stmt *row)
{
	out_str(o, text(row, AT_CHANGE));
	out_str(o, text(row, AT_PROTO));
	put_pair(o, row, AT_STATE_A, AT_STATE_B);
	put_pair(o, row, AT_RECVQ_A, AT_RECVQ_B);
	put_pair(o, row, AT_SENDQ_A, AT_SENDQ_B);
	put_address(o, row, AT_LOCAL, AT_LOCAL_PORT);
	put_address(o, row, AT_PEER, AT_PEER_PORT);
	out_str(o, text(row, AT_WHY));
	put_process(o, row);
}

static int put_text(struct diff *d, struct err *e)
{
	int step = SQLITE_DONE;
	out_table(d->s.out, &text_table);
	for (int64_t n = 0; (!d->top || n < d->top) && !out_failed(d->s.out); n++) {
		step = sqlite3_step(d->stmt);
		if (step != SQLITE_ROW)
			break;
		put_text_row(d->s.out, d->stmt);
	}
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return db_error(d->s.db, "diff", e);
	return 0;
}

static void put_heading(struct diff *d, size_t a, size_t b)
{
	char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES], length[TIME_TEXT_BYTES];
	size_t hosts;
	const struct history_host *h = history_hosts(d->s.history, &hosts);
	time_format(session_time(&d->s, a), from);
	time_format(session_time(&d->s, b), to);
	duration_format(session_time(&d->s, b) - session_time(&d->s, a), length);
	if (d->s.cmd->out.header)
		out_note(d->s.out, "%s #%zu %s to #%zu %s %s (%s)", h[d->s.snapshots[b].host].name,
			 a + 1, from, b + 1, to, d->s.zone, length);
}

static void warn_of(const struct diff *d, size_t index, uint32_t flags, const char *what)
{
	char names[256], text[512];
	basis_flags_text(flags, names);
	snprintf(text, sizeof(text), "#%zu: %s: %s may be told as gone or appeared", index + 1,
		 names, what);
	d->s.context.warn(d->s.context.arg, text);
}

/* A dump that is not whole, or that looked elsewhere than the other one, looks like a change. */
static void warn_of_holes(const struct diff *d, size_t a, size_t b)
{
	const size_t at[] = {a, b};
	bool same = basis_same_scope(d->s.snapshots[a].rec, d->s.snapshots[b].rec);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t flags = d->s.snapshots[at[i]].rec->flags;
		if (flags & BASIS_INCOMPLETE)
			warn_of(d, at[i], flags & BASIS_INCOMPLETE, "what it lacks");
		if (!same && flags & BASIS_SCOPE)
			warn_of(d, at[i], flags & BASIS_SCOPE, "what it did not look at");
	}
}

static bool is_cheap(const struct diff *d, size_t a, size_t b)
{
	uint64_t rows = 0;
	for (size_t i = a + 1; i < b && rows <= THROUGH_MAX; i++)
		rows += d->s.snapshots[i].rec->sockets;
	return rows <= THROUGH_MAX;
}

static int diff_snapshots(struct diff *d, size_t a, size_t b, struct err *e)
{
	bool through = is_cheap(d, a, b);
	sqlite3_reset(d->stmt);
	db_bind_int(d->stmt, ":through", through);
	db_bind_int(d->stmt, ":every", d->keys.count > 0); /* sums count them, too */
	db_bind_int(d->stmt, ":a", (int64_t)a + 1);
	db_bind_int(d->stmt, ":b", (int64_t)b + 1);
	put_heading(d, a, b);
	warn_of_holes(d, a, b);
	if (!through)
		out_note(d->s.out, "Too much lies between for a look at what came and went.");
	if (d->s.cmd->out.format == OUT_TEXT && !d->keys.count)
		return put_text(d, e);
	if (!d->begun || d->s.cmd->out.format == OUT_TEXT)
		out_table(d->s.out, d->keys.count ? &d->by_table : &data_table);
	d->begun = true;
	return db_out_rows(d->stmt, d->s.out, (uint64_t)d->top, NULL, e);
}

/* A and B of every host that has both; #N is one of one host. */
static int diff_hosts(struct diff *d, const char *from, const char *to, struct err *e)
{
	size_t hosts, a, b, told = 0;
	int rc = 0;
	history_hosts(d->s.history, &hosts);
	for (size_t h = 0; h < hosts; h++) {
		rc = session_at(&d->s, (uint32_t)h, from, &a, e);
		if (!rc)
			rc = session_at(&d->s, (uint32_t)h, to, &b, e);
		if (rc == ERR_NOT_FOUND && hosts > 1)
			continue;
		if (!rc && d->s.snapshots[a].host != d->s.snapshots[b].host)
			rc = err_set(e, ERR_USAGE, "diff: %s and %s are not of one host", from, to);
		if (!rc && a == b)
			rc = err_set(e, ERR_NOT_FOUND,
				     "diff: %s and %s are both snapshot #%zu (list shows their "
				     "times)",
				     from, to, a + 1);
		if (!rc && a > b)
			rc = err_set(e, ERR_NOT_FOUND, "diff: %s (#%zu) is later than %s (#%zu)",
				     from, a + 1, to, b + 1);
		if (!rc)
			rc = diff_snapshots(d, a, b, e);
		if (rc)
			return rc;
		told++;
		if (strchr(from, '#') || strchr(to, '#'))
			break;
	}
	if (!told)
		return rc ? rc : err_set(e, ERR_NOT_FOUND, "no snapshots");
	return 0;
}

/* The query's keys, and the table that has them in front. */
static int put_keys(struct diff *d, struct err *e)
{
	struct buf select CLEANUP(buf_fini) = {0}, group CLEANUP(buf_fini) = {0};
	size_t n = 0;
	for (; n < d->keys.count; n++) {
		const struct key *k = d->keys.keys[n];
		buf_printf(&select, "%s AS key_%zu, ", k->sql, n + 1);
		buf_printf(&group, "%skey_%zu", n ? ", " : "", n + 1);
		d->by_columns[n] = (struct out_column){.name = k->name, .kind = k->kind};
	}
	memcpy(d->by_columns + n, sum_columns, sizeof(sum_columns));
	d->by_table = (struct out_table){
		.name = "sums", .columns = d->by_columns, .count = n + SUMS};
	int rc = cmd_query_replace(&d->query, "KEYS", buf_str(&select), e);
	return rc ? rc : cmd_query_replace(&d->query, "GROUP", buf_str(&group), e);
}

static int prepare(struct diff *d, struct cmd *c, struct err *e)
{
	const char *by = args_value(&c->args, OPT_BY);
	struct filter_env env = filter_socket_env();
	env.resolver = filter_system_resolver();
	struct show_ask ask = {0};
	struct buf sums CLEANUP(buf_fini) = {0}, tables CLEANUP(buf_fini) = {0};
	int rc = by ? keys_parse(by, &d->keys, e) : 0;
	buf_put(&sums, sql_q_diff, (size_t)(strstr(sql_q_diff, ROWS_MARK) - sql_q_diff));
	buf_put_str(&sums, sql_q_diff_by);
	if (!rc && sums.failed)
		rc = err_set(e, ERR_NOMEM, "diff: out of memory");
	if (!rc)
		rc = session_top(&d->s, 0, &d->top, e);
	if (!rc)
		rc = cmd_filter_read(c, 2, &env, &d->filter, e);
	if (!rc)
		rc = show_ask_read(&c->args, &ask, e);
	ask.states = SHOW_STATES_EVERY;
	show_ask_sql(&ask, &tables);
	if (!rc)
		rc = cmd_query_make(by ? buf_str(&sums) : sql_q_diff, buf_str(&tables), d->filter,
				    &d->query, e);
	if (!rc && by)
		rc = put_keys(d, e);
	return rc ? rc : cmd_query_prepare(&d->query, d->s.db, &d->stmt, e);
}

int cmd_diff(struct cmd *c, struct err *e)
{
	struct diff d = {0};
	if (c->args.words_count < 2)
		return err_set(e, ERR_USAGE, "diff: needs two times, such as 13:55 14:10");
	int rc = session_open(c, &d.s, e);
	if (rc)
		return rc;
	rc = prepare(&d, c, e);
	if (!rc)
		rc = diff_hosts(&d, c->args.words[0], c->args.words[1], e);
	if (!rc)
		rc = out_end(d.s.out, e);
	sqlite3_finalize(d.stmt);
	cmd_query_fini(&d.query);
	filter_free(d.filter);
	session_close(&d.s);
	return rc;
}
