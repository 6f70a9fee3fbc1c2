/*
 * cmd_info.c - `socklapse info`: which recordings, hosts, boots and times a history is made of, its
 * events, and how regular its snapshots are.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmds.h"
#include "queries.h"
#include "session.h"
#include "stat_basis.h"

/* Events other than gaps that text shows unless all are asked for. */
#define LAST_MOMENTS 20

static const struct out_column host_columns[] = {
	{"host", "Host", OUT_STRING, 0},
	{"boot", "Boot", OUT_STRING, 0},
	{"kernel", "Kernel", OUT_STRING, 0},
	{"arch", "Arch", OUT_STRING, 0},
	{"cpus", "CPUs", OUT_NUMBER, 0},
	{"hz", "HZ", OUT_NUMBER, 0},
	{"time_zone", "Zone", OUT_STRING, 0},
	{"first", "First snapshot", OUT_TIME, 0},
	{"last", "Last snapshot", OUT_TIME, 0},
	{"snapshots", "Snapshots", OUT_NUMBER, 0},
	{"interval_ms", "Every", OUT_DURATION, 0},
	{"longest_ms", "Longest gap", OUT_DURATION, 0},
	{"sockets_most", "Most sockets", OUT_NUMBER, 0},
};
static const struct out_table host_table = {.name = "hosts",
					    .columns = host_columns,
					    .count = sizeof(host_columns) / sizeof(host_columns[0]),
					    .flags = OUT_TAGGED};

static const struct out_column file_columns[] = {
	{"file", "File", OUT_STRING, 0},
	{"snapshots", "Snapshots", OUT_NUMBER, 0},
	{"bytes", "Bytes", OUT_BYTES, 0},
	{"socket_snapshots", "Socket-snapshots", OUT_NUMBER, 0},
	{"bytes_each", "Bytes each", OUT_NUMBER, 0},
};
static const struct out_table file_table = {.name = "files",
					    .columns = file_columns,
					    .count = sizeof(file_columns) / sizeof(file_columns[0]),
					    .flags = OUT_TAGGED};

static const struct out_column problem_columns[] = {
	{"host", "Host", OUT_STRING, 0},
	{"text", "Not seen, or not whole", OUT_STRING, 0},
	{"snapshots", "Snapshots", OUT_NUMBER, 0},
	{"first", "First", OUT_TIME, 0},
	{"last", "Last", OUT_TIME, 0},
};
static const struct out_table problem_table = {.name = "problems",
					       .columns = problem_columns,
					       .count = sizeof(problem_columns) /
							sizeof(problem_columns[0]),
					       .flags = OUT_TAGGED};

static const struct out_column event_columns[] = {
	{"time", "Time", OUT_TIME, 0},	  {"host", "Host", OUT_STRING, 0},
	{"kind", "Event", OUT_STRING, 0}, {"text", "Text", OUT_STRING, 0},
	{"end", "Until", OUT_TIME, 0},	  {"missed", "Missed", OUT_NUMBER, 0},
};
static const struct out_table event_table = {.name = "events",
					     .columns = event_columns,
					     .count = sizeof(event_columns) /
						      sizeof(event_columns[0]),
					     .flags = OUT_TAGGED};
/* Events that are no gaps have neither an end nor a count. */
static const struct out_table moment_table = {
	.name = "events", .columns = event_columns, .count = 4, .flags = OUT_TAGGED};

static const struct out_column gap_columns[] = {
	{"host", "Host", OUT_STRING, 0},	 {"text", "Not taken, because", OUT_STRING, 0},
	{"missed", "Missed", OUT_NUMBER, 0},	 {"gaps", "In gaps", OUT_NUMBER, 0},
	{"longest", "Longest", OUT_DURATION, 0}, {"first", "First", OUT_TIME, 0},
	{"last", "Last", OUT_TIME, 0},
};
static const struct out_table gap_table = {.name = "gaps",
					   .columns = gap_columns,
					   .count = sizeof(gap_columns) / sizeof(gap_columns[0]),
					   .flags = OUT_TAGGED};

static const struct out_column scope_columns[] = {
	{"host", "Host", OUT_STRING, 0},
	{"scope", "Recorded only", OUT_STRING, 0},
	{"from", "From", OUT_TIME, 0},
};
static const struct out_table scope_table = {.name = "scopes",
					     .columns = scope_columns,
					     .count = sizeof(scope_columns) /
						      sizeof(scope_columns[0]),
					     .flags = OUT_TAGGED};

static const struct out_column name_columns[] = {
	{"host", "Host", OUT_STRING, 0},
	{"name", "Name", OUT_STRING, 0},
	{"answer", "Resolved to", OUT_STRING, 0},
	{"error", "Or not, because", OUT_STRING, 0},
	{"from", "From", OUT_TIME, 0},
	{"to", "To", OUT_TIME, 0},
};
static const struct out_table name_table = {.name = "names",
					    .columns = name_columns,
					    .count = sizeof(name_columns) / sizeof(name_columns[0]),
					    .flags = OUT_TAGGED};

/* What the snapshots of one boot say together. */
struct boot_sum {
	struct basis basis;
	uint32_t most;
};

static int sum_boot(const struct session *s, uint32_t boot, struct boot_sum *ret, struct err *e)
{
	size_t first = 0, end;
	*ret = (struct boot_sum){0};
	while (first < s->count && s->snapshots[first].boot != boot)
		first++;
	for (end = first; end < s->count && s->snapshots[end].boot == boot; end++)
		if (s->snapshots[end].rec->sockets > ret->most)
			ret->most = s->snapshots[end].rec->sockets;
	return end > first ? basis_add(&ret->basis, s->snapshots, first, end - 1, e) : 0;
}

/* NULL where the recording does not say. */
static void put_known(struct out *o, int64_t v)
{
	if (v)
		out_int(o, v);
	else
		out_null(o);
}

static int put_hosts(struct session *s, struct err *e)
{
	size_t boots;
	const struct history_boot *all = history_boots(s->history, &boots);
	out_table(s->out, &host_table);
	for (size_t i = 0; i < boots; i++) {
		struct boot_sum b;
		int rc = sum_boot(s, (uint32_t)i, &b, e);
		if (rc)
			return rc;
		out_str(s->out, all[i].hostname);
		out_str(s->out, all[i].boot_id);
		out_str(s->out, all[i].kernel);
		out_str(s->out, all[i].arch);
		put_known(s->out, all[i].cpus);
		put_known(s->out, all[i].hz);
		out_str(s->out, all[i].time_zone);
		put_known(s->out, b.basis.first_ns);
		put_known(s->out, b.basis.last_ns);
		out_int(s->out, (int64_t)b.basis.snapshots);
		if (b.basis.snapshots > 1) {
			out_int(s->out, basis_cadence_ms(&b.basis));
			out_int(s->out, b.basis.widest_ns / NS_PER_MS);
		} else {
			out_null(s->out);
			out_null(s->out);
		}
		out_int(s->out, b.most);
	}
	return 0;
}

static void put_files(struct session *s)
{
	out_note(s->out, "%s", "");
	out_table(s->out, &file_table);
	for (size_t f = 0; f < history_files(s->history); f++) {
		struct stat st;
		size_t count;
		uint64_t rows = 0;
		const struct rec *rec = history_rec(s->history, (uint32_t)f);
		const struct rec_snapshot *all = rec_snapshots(rec, &count);
		for (size_t i = 0; i < count; i++)
			rows += all[i].sockets;
		bool known = stat(rec_path(rec), &st) == 0;
		out_str(s->out, rec_path(rec));
		out_int(s->out, (int64_t)count);
		if (known)
			out_int(s->out, st.st_size);
		else
			out_null(s->out);
		out_int(s->out, (int64_t)rows);
		if (known && rows)
			out_real(s->out, (double)(st.st_size * 100 / (int64_t)rows) / 100);
		else
			out_null(s->out);
	}
}

/* What a query says, as a table; in text none if it says nothing. */
static int put_query(struct session *s, const char *sql, const struct out_table *table,
		     struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = db_prepare(s->db, sql, &stmt, e);
	if (rc)
		return rc;
	bool text = s->cmd->out.format == OUT_TEXT;
	bool all = !text || args_has(&s->cmd->args, OPT_EVENTS);
	db_bind_int(stmt, ":last", all ? -1 : LAST_MOMENTS);
	bool some = !text || sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_reset(stmt);
	if (!some) {
		sqlite3_finalize(stmt);
		return 0;
	}
	out_note(s->out, "%s", "");
	out_table(s->out, table);
	rc = db_out_rows(stmt, s->out, 0, NULL, e);
	sqlite3_finalize(stmt);
	return rc;
}

/* In text, unless all are asked for: gaps as sums, and the last of the other events. */
static int put_events(struct session *s, struct err *e)
{
	bool all = s->cmd->out.format != OUT_TEXT || args_has(&s->cmd->args, OPT_EVENTS);
	if (all)
		return put_query(s, sql_q_events, &event_table, e);
	int rc = put_query(s, sql_q_moments, &moment_table, e);
	return rc ? rc : put_query(s, sql_q_gaps, &gap_table, e);
}

int cmd_info(struct cmd *c, struct err *e)
{
	struct session s;
	if (c->args.words_count)
		return err_set(e, ERR_USAGE, "info: %.64s: takes no words", c->args.words[0]);
	int rc = session_open(c, &s, e);
	if (rc)
		return rc;
	rc = put_hosts(&s, e);
	if (!rc)
		put_files(&s);
	if (!rc)
		rc = put_query(&s, sql_q_scopes, &scope_table, e);
	if (!rc)
		rc = put_query(&s, sql_q_names, &name_table, e);
	if (!rc)
		rc = put_query(&s, sql_q_problems, &problem_table, e);
	if (!rc)
		rc = put_events(&s, e);
	if (!rc)
		rc = out_end(s.out, e);
	session_close(&s);
	return rc;
}
