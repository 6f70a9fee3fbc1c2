/* cmd_linger.c - `socklapse linger`: how long sockets have been in their states. */
#include "cmds.h"
#include "linger.h"
#include "queries.h"
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TOP_DEFAULT 20
#define BAR_WIDTH   50u

static const double quantiles[] = {0.5, 0.9};
#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

/* The summary's columns behind its keys. */
static const struct out_column sum_columns[] = {
	{"spells", "Spells", OUT_NUMBER, 0},
	{"open", "Open", OUT_NUMBER, 0},
	{"early", "Early", OUT_NUMBER, 0},
	{"p50", "p50", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"p50_least_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"p50_most_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"p90", "p90", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"p90_least_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"p90_most_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"max", "Longest", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"max_least_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"max_most_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"total", "Total", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"total_least_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"total_most_ms", NULL, OUT_NUMBER, OUT_NOT_TEXT},
};
#define SUM_COLUMNS (sizeof(sum_columns) / sizeof(sum_columns[0]))

/* A spell in text; data have all fields instead. */
static const struct out_column brief_columns[] = {
	{"lasted", "Lasted", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"state_text", "State", OUT_STRING, OUT_NOT_DATA},
	{"since", "Since, at the latest", OUT_TIME, OUT_NOT_DATA},
	{"marks", "", OUT_STRING, OUT_NOT_DATA},
	{"local_text", "Local", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"peer_text", "Peer", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"process_text", "Process", OUT_STRING, OUT_NOT_DATA},
	{"owner_text", "Known by", OUT_STRING, OUT_NOT_DATA},
};
#define BRIEF_COLUMNS (sizeof(brief_columns) / sizeof(brief_columns[0]))

static const struct out_column hist_columns[] = {
	{"from_ms", "From", OUT_DURATION, 0},
	{"to_ms", "To", OUT_DURATION, 0},
	{"spells", "Spells", OUT_NUMBER, 0},
	{"bar", "", OUT_STRING, OUT_NOT_DATA},
};

static const struct out_column basis_columns[] = {
	{"snapshots", NULL, OUT_NUMBER, 0},
	{"first", NULL, OUT_TIME, 0},
	{"last", NULL, OUT_TIME, 0},
	{"cadence_ms", NULL, OUT_NUMBER, 0},
	{"widest_ms", NULL, OUT_NUMBER, 0},
	{"gaps", NULL, OUT_NUMBER, 0},
	{"reboots", NULL, OUT_NUMBER, 0},
	{"incomplete", NULL, OUT_NUMBER, 0},
	{"unreadable", NULL, OUT_NUMBER, 0},
	{"flags", NULL, OUT_STRING, 0},
	{"evidence", NULL, OUT_NUMBER, 0},
	{"spells", NULL, OUT_NUMBER, 0},
	{"connections_unseen", NULL, OUT_NUMBER, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct out_table hist_table = {.name = "histogram",
					    .columns = hist_columns,
					    .count = COUNT(hist_columns),
					    .flags = OUT_TAGGED};
static const struct out_table basis_table = {.name = "basis",
					     .columns = basis_columns,
					     .count = COUNT(basis_columns),
					     .flags = OUT_NOT_TEXT | OUT_OBJECT | OUT_TAGGED};

/* "5min .. 6min", ">= 5min" if `most` is unknown, "5min" if both look the same. */
static void bracket_text(int64_t least_ms, int64_t most_ms, char ret[2 * TIME_TEXT_BYTES])
{
	char least[TIME_TEXT_BYTES], most[TIME_TEXT_BYTES];
	const int64_t limit_ms = INT64_MAX / NS_PER_MS;
	duration_format((least_ms < limit_ms ? least_ms : limit_ms) * NS_PER_MS, least);
	if (most_ms == SPELL_UNKNOWN) {
		snprintf(ret, 2 * TIME_TEXT_BYTES, ">= %s", least);
		return;
	}
	duration_format((most_ms < limit_ms ? most_ms : limit_ms) * NS_PER_MS, most);
	if (strcmp(least, most) == 0)
		snprintf(ret, 2 * TIME_TEXT_BYTES, "%s", least);
	else
		snprintf(ret, 2 * TIME_TEXT_BYTES, "%s .. %s", least, most);
}

static void put_ms(struct out *o, int64_t ms)
{
	if (ms == SPELL_UNKNOWN)
		out_null(o);
	else
		out_int(o, ms);
}

static void put_bracket(struct out *o, int64_t least_ms, int64_t most_ms)
{
	char text[2 * TIME_TEXT_BYTES];
	bracket_text(least_ms, most_ms, text);
	out_str(o, text);
	put_ms(o, least_ms);
	put_ms(o, most_ms);
}

static int put_group(struct out *o, const struct spell_keys *keys, const struct dwell_group *g,
		     struct err *e)
{
	struct km_quantile q[QUANTILES];
	char total[2 * TIME_TEXT_BYTES];
	int rc = km_quantiles(&g->km, quantiles, QUANTILES, q, e);
	if (rc)
		return rc;
	struct span packed = span_of(g->key, g->key_len);
	for (unsigned i = 0; i < keys->count; i++) {
		struct spell_value v = spell_key_unpack(&packed);
		if (v.kind == SPELL_INT)
			out_int(o, v.number);
		else if (v.kind == SPELL_TEXT)
			out_bytes(o, v.text, v.len);
		else
			out_null(o);
	}
	out_int(o, (int64_t)g->spells);
	out_int(o, (int64_t)g->open);
	out_int(o, (int64_t)g->early);
	for (size_t i = 0; i < QUANTILES; i++)
		put_bracket(o, q[i].least, q[i].most);
	put_bracket(o, g->max_least_ms, g->open ? SPELL_UNKNOWN : g->max_most_ms);
	/* With early ones the sum goes back to the boot: true, but nothing to read. */
	bracket_text(g->total_least_ms, g->early ? SPELL_UNKNOWN : g->total_most_ms, total);
	out_str(o, total);
	out_int(o, g->total_least_ms);
	out_int(o, g->total_most_ms);
	return 0;
}

/* The tables whose columns depend on the question; they must last until out_end(). */
struct tables {
	struct out_column sum_columns[SPELL_MAX_KEYS + SUM_COLUMNS];
	struct out_table sum;
	struct out_column *spell_columns;
	struct out_table spells;
	struct strpool names;
};

static void tables_fini(struct tables *t)
{
	free(t->spell_columns);
	strpool_fini(&t->names);
}

static int put_summary(struct out *o, const struct dwell_sum *sum, size_t top, struct tables *t,
		       struct err *e)
{
	size_t n = 0;
	for (; n < sum->keys.count; n++) {
		const struct spell_key *key = sum->keys.keys[n];
		t->sum_columns[n] = (struct out_column){
			.name = spell_key_column(key),
			.title = spell_key_name(key),
			.kind = spell_key_is_number(key) ? OUT_NUMBER : OUT_STRING};
	}
	memcpy(t->sum_columns + n, sum_columns, sizeof(sum_columns));
	t->sum = (struct out_table){.name = "summary",
				    .columns = t->sum_columns,
				    .count = n + SUM_COLUMNS,
				    .flags = OUT_TAGGED};
	out_table(o, &t->sum);
	int rc = 0;
	for (size_t i = 0; !rc && i < sum->count && i < top && !out_failed(o); i++)
		rc = put_group(o, &sum->keys, &sum->groups[i], e);
	out_note(o, "%s", "");
	return rc;
}

static void put_endpoint(struct out *o, const struct row_member *id, const union addr_bytes *addr,
			 unsigned port)
{
	char address[46], text[64], port_text[8] = "*";
	if (id->family != AF_INET && id->family != AF_INET6) {
		out_null(o);
		return;
	}
	sock_addr_format(addr, id->family, address);
	if (port)
		snprintf(port_text, sizeof(port_text), "%u", port);
	snprintf(text, sizeof(text), id->family == AF_INET6 ? "[%s]:%s" : "%s:%s", address,
		 port_text);
	out_str(o, text);
}

static int put_brief(struct out *o, struct spell_look *look, struct err *e)
{
	const struct spell *s = look->spell;
	const struct history_process *p;
	struct spell_value state;
	char text[2 * TIME_TEXT_BYTES];
	int rc = spell_look_process(look, &p, e);
	if (!rc)
		rc = spell_field_get(look, (unsigned)spell_field_by_name("state"), &state, e);
	if (rc)
		return rc;
	bracket_text(s->at_least_ms, s->at_most_ms, text);
	out_str(o, text);
	out_str(o, state.text);
	out_int(o, s->entered.hi_ns);
	out_str(o, s->open ? s->early ? "open early" : "open" : s->early ? "early" : "");
	put_endpoint(o, &s->id, &s->id.local, s->id.local_port);
	put_endpoint(o, &s->id, &s->id.peer, s->id.peer_port);
	if (p) {
		struct buf process = {0};
		buf_printf(&process, "%s,pid=%" PRId64, p->comm, p->pid);
		out_str(o, buf_str(&process));
		buf_fini(&process);
	} else {
		out_null(o);
	}
	out_str(o, owner_source_name(s->owner.source));
	return 0;
}

static int put_fields(struct out *o, struct spell_look *look, struct err *e)
{
	for (unsigned i = 0; i < spell_fields_count; i++) {
		struct spell_value v;
		int rc = spell_field_get(look, i, &v, e);
		if (rc)
			return rc;
		if (v.kind == SPELL_INT)
			out_int(o, v.number);
		else if (v.kind == SPELL_TEXT)
			out_bytes(o, v.text, v.len);
		else
			out_null(o);
	}
	return 0;
}

/* A field's column: times lose their _ns, which the output puts back. */
static int field_column(unsigned field, struct out_column *ret, struct strpool *names,
			struct err *e)
{
	const char *name = spell_field_name(field);
	size_t len = strlen(name);
	bool time = len > 3 && strcmp(name + len - 3, "_ns") == 0;
	bool text = strcmp(spell_field_type(field), "TEXT") == 0;
	*ret = (struct out_column){
		.name = strpool_put(names, name, time ? len - 3 : len),
		.kind = time   ? OUT_TIME
			: text ? OUT_STRING
			       : OUT_NUMBER,
		.flags = OUT_NOT_TEXT,
	};
	return ret->name ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int put_spells(struct out *o, struct linger_result *l, struct tables *t, struct err *e)
{
	size_t count = BRIEF_COLUMNS + spell_fields_count;
	t->spell_columns = calloc(count, sizeof(*t->spell_columns));
	if (!t->spell_columns)
		return err_set(e, ERR_NOMEM, "out of memory");
	memcpy(t->spell_columns, brief_columns, sizeof(brief_columns));
	int rc = 0;
	for (unsigned i = 0; !rc && i < spell_fields_count; i++)
		rc = field_column(i, &t->spell_columns[BRIEF_COLUMNS + i], &t->names, e);
	t->spells = (struct out_table){
		.name = "spells", .columns = t->spell_columns, .count = count, .flags = OUT_TAGGED};
	if (!rc)
		out_table(o, &t->spells);
	for (size_t i = 0; !rc && i < l->top.count && !out_failed(o); i++) {
		spell_look_at(&l->look, &l->top.heap[i]);
		rc = put_brief(o, &l->look, e);
		if (!rc)
			rc = put_fields(o, &l->look, e);
	}
	out_note(o, "%s", "");
	return rc;
}

static void put_hist(struct out *o, const struct linger_result *l, bool text)
{
	unsigned first = 0, last = LINGER_HIST_BUCKETS;
	uint64_t most = 0;
	while (first < last && !l->hist[first])
		first++;
	while (last > first && !l->hist[last - 1])
		last--;
	for (unsigned i = first; i < last; i++)
		most = l->hist[i] > most ? l->hist[i] : most;
	if (first == last && text)
		return;
	out_table(o, &hist_table);
	for (unsigned i = first; i < last; i++) {
		char bar[BAR_WIDTH + 1] = {0};
		unsigned width = (unsigned)((double)l->hist[i] / (double)most * BAR_WIDTH + 0.5);
		memset(bar, '#', width ? width : l->hist[i] > 0);
		out_int(o, linger_bucket_begin(i));
		if (i + 1 < LINGER_HIST_BUCKETS)
			out_int(o, linger_bucket_begin(i + 1));
		else
			out_null(o);
		out_int(o, (int64_t)l->hist[i]);
		out_str(o, bar);
	}
	out_note(o, "%s", "");
}

/* Connections that the kernel opened and no snapshot has; SPELL_UNKNOWN if nobody counted. */
static int count_unseen(struct session *s, const struct linger_result *l, int64_t *ret,
			struct err *e)
{
	sqlite3_stmt *stmt;
	*ret = SPELL_UNKNOWN;
	int rc = db_prepare(s->db, sql_q_unseen, &stmt, e);
	if (rc)
		return rc;
	db_bind_int(stmt, ":from_ns", INT64_MIN);
	db_bind_int(stmt, ":to_ns", l->basis.last_ns);
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
		int64_t opened = sqlite3_column_int64(stmt, 0);
		*ret = opened > (int64_t)l->opened ? opened - (int64_t)l->opened : 0;
	} else if (step != SQLITE_ROW) {
		rc = db_error(s->db, "counters", e);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static void put_basis_data(struct out *o, const struct linger_result *l, int64_t unseen)
{
	const struct basis *b = &l->basis;
	char flags[256];
	basis_flags_text(b->flags, flags);
	out_table(o, &basis_table);
	out_int(o, (int64_t)b->snapshots);
	out_int(o, b->first_ns);
	out_int(o, b->last_ns);
	out_int(o, b->cadence_ns / NS_PER_MS);
	out_int(o, b->widest_ns / NS_PER_MS);
	out_int(o, (int64_t)b->gaps);
	out_int(o, (int64_t)b->reboots);
	out_int(o, (int64_t)b->incomplete);
	out_int(o, (int64_t)l->unreadable);
	out_str(o, flags);
	out_int(o, l->evidence);
	out_int(o, (int64_t)l->spells);
	put_ms(o, unseen);
}

static void put_basis_text(struct out *o, const struct linger_result *l, int64_t unseen)
{
	const struct basis *b = &l->basis;
	char first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES], cadence[TIME_TEXT_BYTES],
		widest[TIME_TEXT_BYTES], flags[256];
	time_format(b->first_ns, first);
	time_format(b->last_ns, last);
	duration_format(b->cadence_ns, cadence);
	duration_format(b->widest_ns, widest);
	basis_flags_text(b->flags & ~SNAP_NO_TABLE, flags); /* as show's heading */
	out_note(o, "Rests on %zu snapshots, %s to %s, every %s, at worst %s apart.", b->snapshots,
		 first, last, cadence, widest);
	out_note(o, "%s",
		 l->evidence ? "Bounds are from snapshot times and the kernel's timers and stamps."
			     : "Bounds are from snapshot times alone (--evidence always: narrower, "
			       "slower).");
	if (b->gaps || b->reboots || b->incomplete || l->unreadable)
		out_note(o, "Gaps: %zu; reboots: %zu; incomplete snapshots: %zu; unreadable: %zu.",
			 b->gaps, b->reboots, b->incomplete, l->unreadable);
	if (flags[0])
		out_note(o, "Flags of snapshots: %s.", flags);
	if (unseen > 0)
		out_note(o,
			 "About %" PRId64 " TCP connections came and went between snapshots, "
			 "unseen.",
			 unseen);
	if (l->resting)
		out_note(o, "Not among the longest: %" PRIu64 " spells in LISTEN and UNCONN.",
			 l->resting);
}

static int put_answer(struct session *s, struct linger_result *l, const struct linger_options *o,
		      struct tables *t, struct err *e)
{
	int64_t unseen;
	int rc = count_unseen(s, l, &unseen, e);
	if (rc)
		return rc;
	bool text = s->cmd->out.format == OUT_TEXT;
	bool by = args_has(&s->cmd->args, OPT_BY);
	if (s->cmd->out.format != OUT_CSV) /* there, only tables of rows */
		put_basis_data(s->out, l, unseen);
	if (text && !l->basis.snapshots)
		out_note(s->out, "No snapshots in this range.");
	else if (text && !l->spells)
		out_note(s->out, "No socket matches.");
	if (!text || l->spells)
		rc = put_summary(s->out, &l->sum, by ? o->top : SIZE_MAX, t, e);
	if (!rc && args_has(&s->cmd->args, OPT_HIST))
		put_hist(s->out, l, text);
	if (!rc && (!text || l->top.count))
		rc = put_spells(s->out, l, t, e);
	if (!rc && l->basis.snapshots)
		put_basis_text(s->out, l, unseen);
	return rc ? rc : out_end(s->out, e);
}

static int put_all(struct session *s, struct linger_result *l, const struct linger_options *o,
		   struct err *e)
{
	struct tables t = {0};
	int rc = put_answer(s, l, o, &t, e);
	tables_fini(&t);
	return rc;
}

static int read_evidence(const struct session *s, enum linger_evidence *ret, struct err *e)
{
	static const char *const words[] = {"auto", "always", "never"};
	const char *text = args_value(&s->cmd->args, OPT_EVIDENCE);
	if (!text)
		return 0;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], text) == 0) {
			*ret = (enum linger_evidence)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--evidence: %.32s: auto, always or never", text);
}

static int read_options(struct session *s, struct linger_options *ret, struct err *e)
{
	const char *by = args_value(&s->cmd->args, OPT_BY);
	const char *min = args_value(&s->cmd->args, OPT_MIN);
	int64_t top = 0, min_ns = 0;
	int rc = session_range(s, &ret->from_ns, &ret->to_ns, e);
	if (!rc)
		rc = session_top(s, TOP_DEFAULT, &top, e);
	if (!rc)
		rc = read_evidence(s, &ret->evidence, e);
	if (!rc && min && duration_parse(min, &min_ns, e))
		rc = err_context(e, "--min");
	if (!rc)
		rc = spell_keys_parse(by ? by : "state", &ret->keys, e);
	ret->top = (size_t)top;
	ret->min_ms = (min_ns + NS_PER_MS - 1) / NS_PER_MS;
	return rc;
}

static int linger(struct session *s, struct err *e)
{
	struct linger_options options = {0};
	struct spell_ask ask;
	int rc = read_options(s, &options, e);
	if (!rc)
		rc = spell_ask_open(s->db, &s->context, s->cmd->args.words,
				    s->cmd->args.words_count, &ask, e);
	if (rc)
		return rc;
	options.by_rest = ask.scope.names_states;
	struct linger_result l;
	rc = linger_run(s->history, &options, &ask, &s->context, &l, e);
	if (!rc) {
		rc = put_all(s, &l, &options, e);
		linger_fini(&l);
	}
	spell_ask_close(&ask);
	return rc;
}

int cmd_linger(struct cmd *c, struct err *e)
{
	struct session s;
	int rc = session_open(c, &s, e);
	if (rc)
		return rc;
	rc = linger(&s, e);
	session_close(&s);
	return rc;
}
