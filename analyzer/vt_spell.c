/*
 * vt_spell.c - see vt_spell.h.
 *
 * HOW IT WORKS: a cursor drives a spell pass; its rows come in no particular order. Handed down are
 * the window (hidden columns window_first, window_last), one state and one table. IN lists are
 * better served by one pass over all states: the estimated costs tell SQLite so.
 */
#include "vt_spell.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "holders.h"
#include "spell_value.h"

/* Bits of idxNum; the arguments come in this order. */
#define PLAN_FIRST    1
#define PLAN_LAST     2
#define PLAN_EVIDENCE 4
#define PLAN_STATE    8
#define PLAN_PROTO    16
#define PLAN_OWNERS   32
#define PLAN_CGROUPS  64
#define PLAN_PATHS    128

/* Columns behind the fields, which `SELECT *` does not give. */
enum hidden {
	HIDDEN_FIRST,
	HIDDEN_LAST,
	HIDDEN_EVIDENCE,
	HIDDEN_HOLDERS, /* as a filter looks at them */
};

#define SCAN_COST 1e6

/* What a table is made of. */
struct source {
	const struct vt_context *context;
	const struct spell *const *current; /* spell_row; else NULL */
};

struct table {
	sqlite3_vtab base;
	struct source source;
	int state, proto; /* columns that can be handed down */
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct spell_pass *pass;
	struct spell_look look;
	sqlite3_int64 row;
	bool eof;
	size_t warned; /* gaps */
};

static int declare(sqlite3 *db)
{
	struct buf schema = {0};
	buf_put_str(&schema, "CREATE TABLE x(");
	for (unsigned i = 0; i < spell_fields_count; i++)
		buf_printf(&schema, "%s %s, ", spell_field_name(i), spell_field_type(i));
	buf_put_str(&schema, "window_first INTEGER HIDDEN, window_last INTEGER HIDDEN, "
			     "with_evidence INTEGER HIDDEN, holders BLOB HIDDEN)");
	int rc = schema.failed ? SQLITE_NOMEM : sqlite3_declare_vtab(db, buf_str(&schema));
	buf_fini(&schema);
	return rc;
}

static int spell_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			 sqlite3_vtab **ret, char **ret_error)
{
	(void)argc;
	(void)argv;
	(void)ret_error;
	int rc = declare(db);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	struct table *t = sqlite3_malloc(sizeof(*t));
	if (!t)
		return SQLITE_NOMEM;
	*t = (struct table){.source = *(const struct source *)aux,
			    .state = spell_field_by_name("state"),
			    .proto = spell_field_by_name("proto")};
	*ret = &t->base;
	return SQLITE_OK;
}

static int spell_disconnect(sqlite3_vtab *vtab)
{
	sqlite3_free(vtab);
	return SQLITE_OK;
}

/* The plan's bit for an equality constraint on a column, or 0. */
static int plan_bit(const struct table *t, int column)
{
	static const uint8_t hidden[] = {[HIDDEN_FIRST] = PLAN_FIRST,
					 [HIDDEN_LAST] = PLAN_LAST,
					 [HIDDEN_EVIDENCE] = PLAN_EVIDENCE,
					 [HIDDEN_HOLDERS] = 0};
	if (column >= (int)spell_fields_count)
		return hidden[column - (int)spell_fields_count];
	if (column == t->state)
		return PLAN_STATE;
	return column == t->proto ? PLAN_PROTO : 0;
}

/* Does the query use columns of owners: those that a cgroup has, too, or only a process? */
static int plan_of_owners(sqlite3_uint64 used)
{
	static const char *const names[] = {"cgroup", "container", "owner_source", "comm",
					    "pid",    "fd",	   "exe",	   "cmdline"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (used >> spell_field_by_name(names[i]) & 1)
			return i < 3 ? PLAN_OWNERS | PLAN_CGROUPS : PLAN_OWNERS;
	return used >> (spell_fields_count + HIDDEN_HOLDERS) & 1 ? PLAN_OWNERS : 0;
}

static int spell_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	const struct table *t = (const struct table *)vtab;
	int at[PLAN_OWNERS] = {0}; /* constraint number + 1, by bit */
	info->estimatedCost = t->source.current ? 1 : SCAN_COST;
	info->estimatedRows = t->source.current ? 1 : 1000000;
	for (int i = 0; i < info->nConstraint && !t->source.current; i++) {
		int bit = plan_bit(t, info->aConstraint[i].iColumn);
		if (!bit || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		bool window = bit <= PLAN_EVIDENCE;
		if (!info->aConstraint[i].usable && window)
			return SQLITE_CONSTRAINT;
		if (!info->aConstraint[i].usable || at[bit])
			continue;
		at[bit] = i + 1;
		info->idxNum |= bit;
	}
	int argument = 0;
	for (int bit = PLAN_FIRST; bit <= PLAN_PROTO; bit <<= 1) {
		if (!at[bit])
			continue;
		info->aConstraintUsage[at[bit] - 1].argvIndex = ++argument;
		info->aConstraintUsage[at[bit] - 1].omit = bit <= PLAN_EVIDENCE;
		info->estimatedCost *= 0.9;
		info->estimatedRows = info->estimatedRows / 2 + 1;
	}
	info->idxNum |= plan_of_owners(info->colUsed);
	if (info->colUsed >> spell_field_by_name("local") & 1)
		info->idxNum |= PLAN_PATHS;
	return SQLITE_OK;
}

static int spell_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **ret)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	const struct table *t = (const struct table *)vtab;
	*c = (struct cursor){.look = {.history = t->source.context->history}, .eof = true};
	*ret = &c->base;
	return SQLITE_OK;
}

static int spell_close(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;
	spell_pass_free(c->pass);
	sqlite3_free(c);
	return SQLITE_OK;
}

/* Tells of snapshots that could not be read, once. */
static void warn_of_gaps(struct cursor *c)
{
	const struct vt_context *context = ((const struct table *)c->base.pVtab)->source.context;
	size_t count;
	const struct history_gap *gaps = spell_pass_gaps(c->pass, &count);
	for (; c->warned < count; c->warned++)
		if (context->warn)
			context->warn(context->arg, gaps[c->warned].why.text);
}

static int spell_next(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;
	struct err e = {0};
	const struct spell *spell;
	c->row++;
	int rc = c->pass ? spell_pass_next(c->pass, &spell, &e) : 0;
	c->eof = rc <= 0;
	if (rc > 0)
		spell_look_at(&c->look, spell);
	if (c->pass)
		warn_of_gaps(c);
	return rc < 0 ? vt_fail(base->pVtab, &e) : SQLITE_OK;
}

/* A snapshot's number as an index; what lies outside is cut to the ends. */
static size_t index_of(sqlite3_value *v)
{
	sqlite3_int64 number = sqlite3_value_int64(v);
	return number < 1 ? 0 : (size_t)number - 1;
}

/* Reads the arguments of a plan. False: no row can match. */
static bool read_plan(int plan, sqlite3_value **argv, struct spell_options *ret)
{
	*ret = (struct spell_options){.last = SIZE_MAX,
				      .owners = plan & PLAN_OWNERS,
				      .cgroups = plan & PLAN_CGROUPS,
				      .paths = plan & PLAN_PATHS};
	if (plan & PLAN_FIRST)
		ret->first = index_of(*argv++);
	if (plan & PLAN_LAST) {
		if (sqlite3_value_int64(*argv) < 1)
			return false;
		ret->last = index_of(*argv++);
	}
	if (plan & PLAN_EVIDENCE)
		ret->evidence = sqlite3_value_int64(*argv++) != 0;
	if (plan & PLAN_STATE) {
		const char *name = (const char *)sqlite3_value_text(*argv++);
		unsigned state = name ? sock_state_by_name(name) : 0;
		/* Names of other spellings are not equal to what the column holds. */
		if (state && strcmp(name, sock_state_name(state)) == 0)
			ret->states = 1u << state;
	}
	if (plan & PLAN_PROTO) {
		const char *name = (const char *)sqlite3_value_text(*argv++);
		unsigned proto = name ? sock_proto_by_name(name) : 0;
		if (proto && strcmp(name, sock_proto_name(proto)) == 0)
			ret->protos = 1u << proto;
	}
	return true;
}

static int spell_filter(sqlite3_vtab_cursor *base, int plan, const char *text, int argc,
			sqlite3_value **argv)
{
	(void)text;
	(void)argc;
	struct cursor *c = (struct cursor *)base;
	const struct table *t = (const struct table *)base->pVtab;
	spell_pass_free(c->pass);
	c->pass = NULL;
	c->row = 0;
	c->warned = 0;
	c->eof = true;
	if (t->source.current) {
		spell_look_at(&c->look, *t->source.current);
		c->eof = !*t->source.current;
		return SQLITE_OK;
	}
	struct spell_options options;
	if (!read_plan(plan, argv, &options))
		return SQLITE_OK;
	if (!(plan & PLAN_EVIDENCE))
		options.evidence = spell_evidence_is_cheap(c->look.history, options.first,
							   options.last);
	struct err e = {0};
	int rc = spell_pass_new(c->look.history, &options, &c->pass, &e);
	return rc ? vt_fail(base->pVtab, &e) : spell_next(base);
}

static int spell_eof(sqlite3_vtab_cursor *base)
{
	return ((struct cursor *)base)->eof;
}

static int put_holders(struct cursor *c, sqlite3_context *ctx)
{
	const struct spell_owner *o = &c->look.spell->owner;
	struct buf list CLEANUP(buf_fini) = {0};
	struct err e = {0};
	if (holders_list(c->look.history, o->file, o->more, &list, &e))
		return vt_fail(c->base.pVtab, &e);
	if (list.len)
		sqlite3_result_blob64(ctx, list.bytes, list.len, SQLITE_TRANSIENT);
	return SQLITE_OK;
}

static int spell_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	struct cursor *c = (struct cursor *)base;
	struct spell_value v = {.kind = SPELL_NULL};
	struct err e = {0};
	if (column == (int)spell_fields_count + HIDDEN_HOLDERS)
		return put_holders(c, ctx);
	if (column >= (int)spell_fields_count)
		return SQLITE_OK;
	int rc = spell_field_get(&c->look, (unsigned)column, &v, &e);
	if (rc)
		return vt_fail(base->pVtab, &e);
	if (v.kind == SPELL_INT)
		sqlite3_result_int64(ctx, v.number);
	else if (v.kind == SPELL_TEXT)
		sqlite3_result_text64(ctx, v.text, v.len, SQLITE_TRANSIENT, SQLITE_UTF8);
	return SQLITE_OK;
}

static int spell_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct cursor *)base)->row;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.iVersion = 0,
	.xConnect = spell_connect, /* no xCreate: eponymous only */
	.xBestIndex = spell_best_index,
	.xDisconnect = spell_disconnect,
	.xOpen = spell_open,
	.xClose = spell_close,
	.xFilter = spell_filter,
	.xNext = spell_next,
	.xEof = spell_eof,
	.xColumn = spell_column,
	.xRowid = spell_rowid,
};

static int add(sqlite3 *db, const char *name, const struct vt_context *context,
	       const struct spell *const *current)
{
	struct source *source = malloc(sizeof(*source));
	if (!source)
		return SQLITE_NOMEM;
	*source = (struct source){.context = context, .current = current};
	return sqlite3_create_module_v2(db, name, &module, source, free);
}

int vt_spell_register(sqlite3 *db, const struct vt_context *context)
{
	return add(db, "spell", context, NULL);
}

int vt_spell_row_register(sqlite3 *db, const struct vt_context *context,
			  const struct spell *const *current)
{
	return add(db, "spell_row", context, current);
}
