/*
 * trace_names.c - what the watched names behind a connection's peer resolved to, and when that
 * changed. A name NAME:PORT means every peer with that port; a name without a port means the
 * addresses that it ever resolved to. Told only of connections that were not answered at once.
 */
#include "db.h"
#include "trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Every answer of every name, in order; the one before it of the same name beside it. */
static const char names_sql[] =
	"SELECT snapshot, host, name, coalesce(nullif(answer, ''), error, '?') AS answer,"
	" lag(coalesce(nullif(answer, ''), error, '?')) OVER w AS former,"
	" lag(time_ns) OVER w AS former_ns, time_ns,"
	" group_concat(answer, ' ') OVER (PARTITION BY host, name) AS all_answers "
	"FROM name WINDOW w AS (PARTITION BY host, name ORDER BY snapshot) "
	"ORDER BY host, name, snapshot";

enum {
	AT_SNAPSHOT,
	AT_HOST,
	AT_NAME,
	AT_ANSWER,
	AT_FORMER,
	AT_FORMER_NS,
	AT_TIME_NS,
	AT_ALL
};

static const char *text_at(sqlite3_stmt *row, int at)
{
	const char *text = (const char *)sqlite3_column_text(row, at);
	return text ? text : "";
}

/* Is `word` one of the words of `text`, which are apart by blanks? */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = text; (at = strstr(at, word)) != NULL; at += len)
		if ((at == text || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static bool is_meant(sqlite3_stmt *row, const struct trace_connection *c)
{
	char address[46];
	const char *colon = strrchr(text_at(row, AT_NAME), ':');
	if (colon && colon[1])
		return strtoul(colon + 1, NULL, 10) == c->id.peer_port;
	if (c->id.family != AF_INET && c->id.family != AF_INET6)
		return false;
	sock_addr_format(&c->id.peer, c->id.family, address);
	return has_word(text_at(row, AT_ALL), address);
}

/* When the snapshot before began, if there was one: answers are recorded when they change. */
static int64_t before_ns(const struct history *h, size_t index, int64_t at_ns)
{
	size_t count;
	const struct history_snapshot *all = history_snapshots(h, &count);
	bool is = index && index < count && all[index - 1].host == all[index].host;
	return is ? all[index - 1].rec->wall_begin_ns : at_ns;
}

static int put(sqlite3_stmt *row, const struct history *h, struct trace *t, unsigned number,
	       struct err *e)
{
	struct buf text CLEANUP(buf_fini) = {0};
	bool first = sqlite3_column_type(row, AT_FORMER_NS) == SQLITE_NULL;
	int64_t at_ns = sqlite3_column_int64(row, AT_TIME_NS);
	size_t index = (size_t)sqlite3_column_int64(row, AT_SNAPSHOT) - 1;
	buf_printf(&text, "%s resolves to ", text_at(row, AT_NAME));
	if (!first)
		buf_printf(&text, "%s -> ", text_at(row, AT_FORMER));
	buf_put_str(&text, text_at(row, AT_ANSWER));
	const struct trace_event event = {.connection = number,
					  .kind = TRACE_NAME,
					  .lo_ns = first ? at_ns : before_ns(h, index, at_ns),
					  .hi_ns = at_ns,
					  .snapshot = index};
	return trace_put(t, &event, buf_str(&text), e);
}

static int take_row(sqlite3_stmt *row, struct history *h, struct trace *t, struct err *e)
{
	size_t hosts;
	const struct history_host *all = history_hosts(h, &hosts);
	bool same = strcmp(text_at(row, AT_FORMER), text_at(row, AT_ANSWER)) == 0;
	int rc = 0;
	if (same && sqlite3_column_type(row, AT_FORMER_NS) != SQLITE_NULL)
		return 0;
	for (unsigned i = 0; !rc && i < t->count; i++) {
		const struct trace_connection *c = &t->connections[i];
		if (c->tried && strcmp(all[c->host].name, text_at(row, AT_HOST)) == 0 &&
		    is_meant(row, c))
			rc = put(row, h, t, i, e);
	}
	return rc;
}

int trace_names(sqlite3 *db, struct history *h, struct trace *t, struct err *e)
{
	sqlite3_stmt *stmt;
	int step = SQLITE_DONE;
	int rc = db_prepare(db, names_sql, &stmt, e);
	if (rc)
		return rc;
	while (!rc && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = take_row(stmt, h, t, e);
	if (!rc && step != SQLITE_DONE)
		rc = db_error(db, "names", e);
	sqlite3_finalize(stmt);
	return rc;
}
