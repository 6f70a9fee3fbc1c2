/*
 * cmd_trend.c - `socklapse trend`: how many sockets there were over time, by state or other keys,
 * and how fast they grow. Where table, state and host are all that is asked for, the tallies of the
 * snapshots tell (sql/q_trend.sql), if all of them looked at the same; else the spells do: one
 * counts at every point between its first and its last snapshot.
 */
#include "cmds.h"
#include "queries.h"
#include "session.h"
#include "spell_ask.h"
#include "stat_basis.h"
#include "stat_trend.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TOP_DEFAULT    20
#define POINTS_DEFAULT 60u
#define LINE_WIDTH     60u
#define LINE_LEAST     8u
#define NUMBERS_WIDTH  42u /* what stands between the keys and the line, as a rule */

static const struct out_column trend_columns[] = {
	{"first", "First", OUT_NUMBER, 0},
	{"last", "Last", OUT_NUMBER, 0},
	{"least", "Least", OUT_NUMBER, 0},
	{"most", "Most", OUT_NUMBER, 0},
	{"per_hour", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"per_hour_text", "Per hour", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"line", "", OUT_STRING, OUT_NOT_DATA},
};
#define TREND_COLUMNS (sizeof(trend_columns) / sizeof(trend_columns[0]))

static const struct out_column point_columns[] = {
	{"time", NULL, OUT_TIME, 0},
	{"sockets", NULL, OUT_NUMBER, 0},
};
#define POINT_COLUMNS (sizeof(point_columns) / sizeof(point_columns[0]))

struct trend_run {
	struct session s;
	struct spell_ask ask;
	struct spell_keys keys;
	struct trend trend;
	int64_t from_ns, to_ns, top;
	int64_t *times_ns; /* of the points */
	unsigned line_width;
	size_t *at; /* host * points + point: index of the snapshot, or HISTORY_NONE */
};

/* The points in time: every --every, or as many as fit a line. */
static int choose_points(struct trend_run *r, struct err *e)
{
	const char *every = args_value(&r->s.cmd->args, OPT_EVERY);
	int64_t from = r->from_ns > r->s.ref.start_ns ? r->from_ns : r->s.ref.start_ns;
	int64_t to = r->to_ns < r->s.ref.end_ns ? r->to_ns : r->s.ref.end_ns;
	int64_t every_ns = 0;
	if (every && duration_parse(every, &every_ns, e))
		return err_context(e, "--every");
	if (every && every_ns <= 0)
		return err_set(e, ERR_USAGE, "--every: %.32s: not a distance", every);
	if (!r->s.count || from > to)
		return 0;
	uint64_t span = (uint64_t)to - (uint64_t)from;
	size_t points = r->s.count < POINTS_DEFAULT ? r->s.count : POINTS_DEFAULT;
	if (every && span / (uint64_t)every_ns + 1 > TREND_MAX_POINTS)
		return err_set(e, ERR_USAGE, "--every: %.32s: more than %u points", every,
			       TREND_MAX_POINTS);
	if (every)
		points = (size_t)(span / (uint64_t)every_ns) + 1;
	r->times_ns = calloc(points + 1, sizeof(*r->times_ns));
	if (!r->times_ns)
		return err_set(e, ERR_NOMEM, "out of memory");
	/* The last point is the end, so that it shows how things are. */
	uint64_t step = every ? (uint64_t)every_ns : points > 1 ? span / (points - 1) : 0;
	for (size_t i = 0; i < points; i++)
		r->times_ns[i] = to - (int64_t)((points - 1 - i) * step);
	r->trend.times_ns = r->times_ns;
	r->trend.points = points;
	return 0;
}

/* Which snapshot of which host shows each point. */
static int find_snapshots(struct trend_run *r, struct err *e)
{
	size_t hosts, points = r->trend.points;
	history_hosts(r->s.history, &hosts);
	r->at = calloc(hosts * points + 1, sizeof(*r->at));
	if (!r->at)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t h = 0; h < hosts; h++)
		for (size_t i = 0; i < points; i++)
			r->at[h * points + i] = history_before(r->s.history, (uint32_t)h,
							       r->times_ns[i]);
	return 0;
}

/* The points at which snapshots [first, last] of a host are shown: [*ret_first, *ret_last). */
static void points_of(const struct trend_run *r, uint32_t host, size_t first, size_t last,
		      size_t *ret_first, size_t *ret_last)
{
	const size_t *at = r->at + host * r->trend.points;
	size_t lo = 0, end;
	while (lo < r->trend.points && (at[lo] == HISTORY_NONE || at[lo] < first))
		lo++;
	for (end = lo; end < r->trend.points && at[end] <= last; end++)
		;
	*ret_first = lo;
	*ret_last = end;
}

static int count_spell(struct trend_run *r, struct spell_look *look, struct buf *key, struct err *e)
{
	const struct spell *s = look->spell;
	size_t first, end;
	points_of(r, s->host, s->first, s->last, &first, &end);
	if (first >= end)
		return 0;
	int rc = spell_ask_matches(&r->ask, s, e);
	if (rc <= 0)
		return rc;
	rc = spell_keys_pack(&r->keys, look, key, e);
	return rc ? rc : trend_add(&r->trend, key->bytes, key->len, first, end - 1, 1, e);
}

static int count_host(struct trend_run *r, uint32_t host, struct err *e)
{
	size_t hosts;
	const struct history_host *h = &history_hosts(r->s.history, &hosts)[host];
	size_t last = history_before(r->s.history, host, r->to_ns);
	const struct spell_options options = {.first = h->first,
					      .last = last,
					      .states = r->ask.scope.states,
					      .owners = true,
					      .cgroups = true,
					      .paths = true,
					      .wants = spell_ask_wants,
					      .wants_arg = &r->ask};
	struct spell_look look = {.history = r->s.history};
	struct spell_pass *p;
	const struct spell *s;
	struct buf key CLEANUP(buf_fini) = {0};
	if (last == HISTORY_NONE)
		return 0;
	int rc = spell_pass_new(r->s.history, &options, &p, e);
	if (rc)
		return rc;
	while ((rc = spell_pass_next(p, &s, e)) > 0) {
		spell_look_at(&look, s);
		rc = count_spell(r, &look, &key, e);
		if (rc < 0)
			break;
	}
	size_t gaps;
	const struct history_gap *gap = spell_pass_gaps(p, &gaps);
	for (size_t i = 0; i < gaps; i++)
		r->s.context.warn(r->s.context.arg, gap[i].why.text);
	spell_pass_free(p);
	return rc;
}

static int count_spells(struct trend_run *r, struct err *e)
{
	size_t hosts;
	int rc = 0;
	history_hosts(r->s.history, &hosts);
	for (uint32_t h = 0; !rc && h < hosts; h++)
		rc = count_host(r, h, e);
	return rc;
}

/* What a snapshot did not look at is not in its tally, and was there all the same. */
static bool all_look_alike(const struct trend_run *r)
{
	for (size_t i = 1; i < r->s.count; i++) {
		const struct rec_snapshot *a = r->s.snapshots[i - 1].rec;
		const struct rec_snapshot *b = r->s.snapshots[i].rec;
		if (r->s.snapshots[i - 1].host == r->s.snapshots[i].host && !basis_same_scope(a, b))
			return false;
	}
	return true;
}

/* Can the tallies tell? */
static bool tallies_tell(const struct trend_run *r)
{
	static const char *const known[] = {"proto", "state", "host"};
	if (r->s.cmd->args.words_count || !all_look_alike(r))
		return false;
	for (unsigned i = 0; i < r->keys.count; i++) {
		bool found = false;
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			found |= strcmp(spell_key_name(r->keys.keys[i]), known[k]) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* Packs a row of q_trend.sql as spell_keys_pack() would pack a spell. */
static void pack_row(const struct trend_run *r, sqlite3_stmt *row, struct buf *key)
{
	buf_clear(key);
	for (unsigned i = 0; i < r->keys.count; i++) {
		const char *name = spell_key_name(r->keys.keys[i]);
		int column = strcmp(name, "host") == 0 ? 1 : strcmp(name, "proto") == 0 ? 2 : 3;
		const char *text = (const char *)sqlite3_column_text(row, column);
		if (!text) {
			buf_put_u8(key, SPELL_NULL);
			continue;
		}
		buf_put_u8(key, SPELL_TEXT);
		buf_put_varint(key, strlen(text));
		buf_put_str(key, text);
	}
}

static int count_row(struct trend_run *r, sqlite3_stmt *row, struct buf *key, struct err *e)
{
	int64_t number = sqlite3_column_int64(row, 0);
	size_t first, end;
	if (number < 1 || (uint64_t)number > r->s.count)
		return 0;
	size_t index = (size_t)number - 1;
	points_of(r, r->s.snapshots[index].host, index, index, &first, &end);
	if (first >= end)
		return 0;
	pack_row(r, row, key);
	if (key->failed)
		return err_set(e, ERR_NOMEM, "out of memory");
	return trend_add(&r->trend, key->bytes, key->len, first, end - 1,
			 sqlite3_column_int64(row, 4), e);
}

static int count_tallies(struct trend_run *r, struct err *e)
{
	struct buf key CLEANUP(buf_fini) = {0};
	sqlite3_stmt *stmt;
	int step = SQLITE_DONE;
	int rc = db_prepare(r->s.db, sql_q_trend, &stmt, e);
	if (rc)
		return rc;
	db_bind_int(stmt, ":from_ns", INT64_MIN);
	db_bind_int(stmt, ":to_ns", r->to_ns);
	while (!rc && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = count_row(r, stmt, &key, e);
	if (!rc && step != SQLITE_DONE)
		rc = db_error(r->s.db, "trend", e);
	sqlite3_finalize(stmt);
	return rc;
}

static void put_keys(struct trend_run *r, const struct trend_group *g)
{
	struct span packed = span_of(g->key, g->key_len);
	for (unsigned i = 0; i < r->keys.count; i++) {
		struct spell_value v = spell_key_unpack(&packed);
		if (v.kind == SPELL_INT)
			out_int(r->s.out, v.number);
		else if (v.kind == SPELL_TEXT)
			out_bytes(r->s.out, v.text, v.len);
		else
			out_null(r->s.out);
	}
}

/* Columns that the keys take in text, as wide as their widest value. */
static unsigned keys_width(const struct trend_run *r)
{
	size_t widest[SPELL_MAX_KEYS] = {0}, sum = 0;
	for (size_t i = 0; i < r->trend.count; i++) {
		struct span packed = span_of(r->trend.groups[i].key, r->trend.groups[i].key_len);
		for (unsigned k = 0; k < r->keys.count; k++) {
			struct spell_value v = spell_key_unpack(&packed);
			size_t len = v.kind == SPELL_TEXT ? v.len : 6;
			widest[k] = len > widest[k] ? len : widest[k];
		}
	}
	for (unsigned k = 0; k < r->keys.count; k++) {
		size_t title = strlen(spell_key_name(r->keys.keys[k]));
		sum += (widest[k] > title ? widest[k] : title) + 2;
	}
	return sum < UINT16_MAX ? (unsigned)sum : UINT16_MAX;
}

/* As much as the terminal has room for; standard output may be the pager's. */
static unsigned line_width(const struct trend_run *r)
{
	struct winsize size;
	unsigned used = keys_width(r) + NUMBERS_WIDTH;
	if (!isatty(STDERR_FILENO) || ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return LINE_WIDTH;
	if (size.ws_col < used + LINE_LEAST)
		return LINE_LEAST;
	return size.ws_col - used < LINE_WIDTH ? size.ws_col - used : LINE_WIDTH;
}

static void put_group(struct trend_run *r, const struct trend_group *g)
{
	struct out *o = r->s.out;
	struct buf text CLEANUP(buf_fini) = {0};
	put_keys(r, g);
	out_int(o, g->counts[0]);
	out_int(o, g->counts[r->trend.points - 1]);
	out_int(o, g->least);
	out_int(o, g->most);
	out_real(o, g->slope);
	if (g->slope > -0.05 && g->slope < 0.05) /* no "+0.0" */
		buf_put_u8(&text, '0');
	else
		buf_printf(&text, g->slope > -10 && g->slope < 10 ? "%+.1f" : "%+.0f", g->slope);
	out_str(o, buf_str(&text));
	buf_clear(&text);
	trend_line(g, r->trend.points, r->line_width, &text);
	out_str(o, buf_str(&text));
}

/* Columns: the keys, then `more`. */
static size_t fill_columns(const struct trend_run *r, const struct out_column *more, size_t count,
			   struct out_column *ret)
{
	size_t n = 0;
	for (; n < r->keys.count; n++) {
		const struct key *key = r->keys.keys[n];
		ret[n] = (struct out_column){.name = spell_key_column(key),
					     .title = spell_key_name(key),
					     .kind = spell_key_is_number(key) ? OUT_NUMBER
									      : OUT_STRING};
	}
	memcpy(ret + n, more, count * sizeof(*more));
	return n + count;
}

static int put_all(struct trend_run *r, struct err *e)
{
	struct out *o = r->s.out;
	r->line_width = line_width(r);
	struct out_column all[SPELL_MAX_KEYS + TREND_COLUMNS];
	struct out_column points[SPELL_MAX_KEYS + POINT_COLUMNS];
	const struct out_table table = {.name = "trend",
					.columns = all,
					.count = fill_columns(r, trend_columns, TREND_COLUMNS, all),
					.flags = OUT_TAGGED};
	const struct out_table point_table = {
		.name = "points",
		.columns = points,
		.count = fill_columns(r, point_columns, POINT_COLUMNS, points),
		.flags = OUT_NOT_TEXT | OUT_TAGGED};
	size_t shown = r->trend.count < (size_t)r->top ? r->trend.count : (size_t)r->top;
	out_table(o, &table);
	for (size_t i = 0; i < shown && !out_failed(o); i++)
		put_group(r, &r->trend.groups[i]);
	out_table(o, &point_table);
	for (size_t i = 0; i < shown && !out_failed(o); i++)
		for (size_t k = 0; k < r->trend.points; k++) {
			put_keys(r, &r->trend.groups[i]);
			out_int(o, r->times_ns[k]);
			out_int(o, r->trend.groups[i].counts[k]);
		}
	if (r->trend.points) {
		char first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
		time_format(r->times_ns[0], first);
		time_format(r->times_ns[r->trend.points - 1], last);
		out_note(o, "%zu points from %s to %s; %zu of %zu shown.", r->trend.points, first,
			 last, shown, r->trend.count);
	} else {
		out_note(o, "No snapshots in this range.");
	}
	return out_end(o, e);
}

static int trend(struct trend_run *r, struct err *e)
{
	const char *by = args_value(&r->s.cmd->args, OPT_BY);
	int rc = session_range(&r->s, &r->from_ns, &r->to_ns, e);
	if (!rc)
		rc = session_top(&r->s, TOP_DEFAULT, &r->top, e);
	if (!rc)
		rc = spell_keys_parse(by ? by : "state", &r->keys, e);
	if (!rc)
		rc = spell_ask_open(r->s.db, &r->s.context, r->s.cmd->args.words,
				    r->s.cmd->args.words_count, &r->ask, e);
	if (!rc)
		rc = choose_points(r, e);
	if (!rc)
		rc = find_snapshots(r, e);
	if (!rc && r->trend.points)
		rc = tallies_tell(r) ? count_tallies(r, e) : count_spells(r, e);
	if (rc)
		return rc;
	trend_finish(&r->trend);
	return put_all(r, e);
}

int cmd_trend(struct cmd *c, struct err *e)
{
	struct trend_run r = {0};
	int rc = session_open(c, &r.s, e);
	if (rc)
		return rc;
	rc = trend(&r, e);
	trend_fini(&r.trend);
	free(r.times_ns);
	free(r.at);
	spell_ask_close(&r.ask);
	session_close(&r.s);
	return rc;
}
