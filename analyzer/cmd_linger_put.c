/* cmd_linger_put.c - what `socklapse linger` found, as tables. See cmd_linger.h. */
#include "cmd_linger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BAR_WIDTH 50u

static const double quantiles[] = {0.5, 0.9};
#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

/* The summary's columns behind its keys. */
static const struct out_column sum_columns[] = {
	{"spells", "Spells", OUT_NUMBER, 0},
	{"open", "Open", OUT_NUMBER, 0},
	{"early", "Early", OUT_NUMBER, 0},
	{"per_hour", NULL, OUT_NUMBER, OUT_NOT_TEXT},
	{"growth", "Per hour", OUT_STRING, OUT_NOT_DATA | OUT_RIGHT},
	{"unread", "Unread", OUT_NUMBER, 0},
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct out_table hist_table = {.name = "histogram",
					    .columns = hist_columns,
					    .count = COUNT(hist_columns),
					    .flags = OUT_TAGGED};
/* "5min .. 6min", ">= 5min" if `most` is unknown, "5min" if both are the same. */
static void bracket_text(int64_t least_ms, int64_t most_ms, char ret[2 * TIME_TEXT_BYTES])
{
	char least[TIME_TEXT_BYTES], most[TIME_TEXT_BYTES];
	const int64_t limit_ms = INT64_MAX / NS_PER_MS;
	duration_format((least_ms < limit_ms ? least_ms : limit_ms) * NS_PER_MS, least);
	if (most_ms == SPELL_UNKNOWN) {
		snprintf(ret, 2 * TIME_TEXT_BYTES, ">= %s", least);
		return;
	}
	duration_format_up((most_ms < limit_ms ? most_ms : limit_ms) * NS_PER_MS, most);
	if (least_ms == most_ms || strcmp(least, most) == 0)
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

/* How many more there are at the end than at the begin, an hour; NULL without two snapshots. */
static void put_growth(struct out *o, const struct dwell_group *g, const struct basis *b)
{
	char text[32];
	double hours = (double)(b->last_ns - b->first_ns) / 3.6e12;
	double more = (double)g->open - (double)g->at_first;
	if (hours <= 0) {
		out_null(o);
		out_null(o);
		return;
	}
	double rate = more / hours;
	out_real(o, rate);
	snprintf(text, sizeof(text), more == 0 ? "0" : "%+.*f", rate > -10 && rate < 10, rate);
	out_str(o, text);
}

static int put_group(struct out *o, const struct spell_keys *keys, const struct dwell_group *g,
		     const struct basis *basis, struct err *e)
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
	put_growth(o, g, basis);
	out_int(o, (int64_t)g->unread);
	for (size_t i = 0; i < QUANTILES; i++)
		put_bracket(o, q[i].least, q[i].most);
	put_bracket(o, g->max_least_ms, g->open || g->since_boot ? SPELL_UNKNOWN : g->max_most_ms);
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

/* A column that would be 0 throughout is left out of text. */
static void hide_unread(const struct dwell_sum *sum, struct out_column *own)
{
	bool any = false;
	for (size_t i = 0; i < sum->count; i++)
		any |= sum->groups[i].unread > 0;
	for (size_t i = 0; i < SUM_COLUMNS; i++)
		if (!any && strcmp(own[i].name, "unread") == 0)
			own[i].flags |= OUT_NOT_TEXT;
}

static int put_summary(struct out *o, const struct dwell_sum *sum, const struct basis *basis,
		       size_t top, struct tables *t, struct err *e)
{
	size_t n = 0;
	for (; n < sum->keys.count; n++) {
		const struct key *key = sum->keys.keys[n];
		t->sum_columns[n] = (struct out_column){
			.name = spell_key_column(key),
			.title = spell_key_name(key),
			.kind = spell_key_is_number(key) ? OUT_NUMBER : OUT_STRING};
	}
	memcpy(t->sum_columns + n, sum_columns, sizeof(sum_columns));
	hide_unread(sum, t->sum_columns + n);
	t->sum = (struct out_table){.name = "summary",
				    .columns = t->sum_columns,
				    .count = n + SUM_COLUMNS,
				    .flags = OUT_TAGGED};
	out_table(o, &t->sum);
	int rc = 0;
	for (size_t i = 0; !rc && i < sum->count && i < top && !out_failed(o); i++)
		rc = put_group(o, &sum->keys, &sum->groups[i], basis, e);
	out_note(o, "%s", "");
	return rc;
}

static bool is_inet(const struct row_member *id)
{
	return id->family == AF_INET || id->family == AF_INET6;
}

/*
 * A socket without addresses of inet: "unix ino:4711", by which `show -x` and a filter find it. If
 * it has a path, that stands where a local address would.
 */
static void put_inode(struct out *o, struct spell_look *look)
{
	const struct spell *s = look->spell;
	const char *path = spell_path(look);
	char text[64];
	const char *proto = sock_proto_name(s->id.proto);
	int len = snprintf(text, sizeof(text), "%s", proto ? proto : "?");
	if (s->inode)
		snprintf(text + len, sizeof(text) - (size_t)len, " ino:%" PRIu32, s->inode);
	out_str(o, path ? path : text);
	out_str(o, path ? text : NULL);
}

static void put_endpoint(struct out *o, const struct row_member *id, const union addr_bytes *addr,
			 unsigned port)
{
	char address[46], text[64], port_text[8] = "*";
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
	bracket_text(s->at_least_ms, spell_is_since_boot(s) ? SPELL_UNKNOWN : s->at_most_ms, text);
	out_str(o, text);
	out_str(o, state.text);
	out_int(o, s->entered.hi_ns);
	out_str(o, s->open ? s->early ? "open early" : "open" : s->early ? "early" : "");
	if (is_inet(&s->id)) {
		put_endpoint(o, &s->id, &s->id.local, s->id.local_port);
		put_endpoint(o, &s->id, &s->id.peer, s->id.peer_port);
	} else {
		put_inode(o, look);
	}
	if (p) {
		struct buf process = {0};
		buf_printf(&process, "%s,pid=%" PRId64, p->comm, p->pid);
		out_str(o, buf_str(&process));
		buf_fini(&process);
	} else {
		out_str(o, s->cgroup ? s->cgroup->path : NULL);
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

static int put_answer(struct session *s, struct linger_result *l, const struct linger_options *o,
		      struct tables *t, struct err *e)
{
	struct linger_rest rest;
	int rc = linger_rest_find(s, l, &rest, e);
	if (rc)
		return rc;
	bool text = s->cmd->out.format == OUT_TEXT;
	bool by = args_has(&s->cmd->args, OPT_BY);
	if (s->cmd->out.format != OUT_CSV) /* there, only tables of rows */
		linger_rest_data(s->out, l, &rest);
	if (text && !l->basis.snapshots)
		out_note(s->out, "No snapshots in this range.");
	else if (text && !l->spells)
		out_note(s->out, "No socket matches.");
	if (!text || l->spells)
		rc = put_summary(s->out, &l->sum, &l->basis, by ? o->top : SIZE_MAX, t, e);
	if (!rc && args_has(&s->cmd->args, OPT_HIST))
		put_hist(s->out, l, text);
	if (!rc && (!text || l->top.count))
		rc = put_spells(s->out, l, t, e);
	if (!rc)
		rc = linger_put_files(s, l, e);
	if (!rc && l->basis.snapshots)
		linger_rest_text(s->out, l, &rest);
	return rc ? rc : out_end(s->out, e);
}

int linger_put(struct session *s, struct linger_result *l, const struct linger_options *o,
	       struct err *e)
{
	struct tables t = {0};
	int rc = put_answer(s, l, o, &t, e);
	tables_fini(&t);
	return rc;
}
