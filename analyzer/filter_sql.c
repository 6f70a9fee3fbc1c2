/*
 * filter_sql.c - the tree as an SQL expression with bound values.
 *
 * What follows is shaped by SQLite: conditions that a virtual table can use for itself stand alone
 * between ANDs (column = ?, column IN (...)), and long chains are cut into groups, because an
 * expression may be 1000 levels high and the SQL parser's stack holds 100 entries.
 */
#include "filter_ast.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sock.h"

#define CHAIN_MAX 48 /* operands in a row before they are put into groups */

struct writer {
	const struct filter *f;
	struct buf *out;
	struct filter_args *args;
	bool failed;
};

static void put(struct writer *w, const char *text)
{
	buf_put_str(w->out, text);
}

/* Writes `?` and remembers what it stands for. */
static void put_arg(struct writer *w, struct filter_arg arg)
{
	struct filter_args *a = w->args;
	struct filter_arg *grown = array_grow(a->args, &a->cap, a->count + 1, sizeof(*a->args));
	arg.filter = w->f;
	put(w, "?");
	if (!grown) {
		w->failed = true;
		return;
	}
	a->args = grown;
	a->args[a->count++] = arg;
}

static void put_value(struct writer *w, const struct filter_value *v)
{
	put_arg(w, (struct filter_arg){
			   .kind = v->kind, .text = v->text, .num = v->num, .real = v->real});
}

static void put_text(struct writer *w, uint32_t text)
{
	put_arg(w, (struct filter_arg){.kind = VALUE_TEXT, .text = text});
}

/* --- conditions --- */

static void put_family(struct writer *w, unsigned family)
{
	put(w, w->f->columns->family ? w->f->columns->family : "2");
	if (family == AF_UNSPEC)
		buf_printf(w->out, " IN (%d,%d)", AF_INET, AF_INET6);
	else
		buf_printf(w->out, "=%u", family);
}

static void put_states(struct writer *w, const struct filter_node *n)
{
	uint32_t known = (UINT32_C(1) << STATE_COUNT) - 2;
	uint32_t set = (n->negated ? ~n->states : n->states) & known;
	const char *sep = "";
	if (set == known || set == 0) {
		put(w, set ? "1" : "0");
		return;
	}
	buf_printf(w->out, "%s IN (", w->f->columns->state);
	for (unsigned s = 1; s < STATE_COUNT; s++) {
		if (!(set & UINT32_C(1) << s))
			continue;
		buf_printf(w->out, "%s'%s'", sep, sock_state_name(s));
		sep = ",";
	}
	put(w, ")");
}

static void put_text_match(struct writer *w, const char *sql, const struct filter_value *v)
{
	bool glob = v->kind == VALUE_GLOB;
	buf_printf(w->out, glob ? "glob_match(%s," : "%s=", sql);
	put_text(w, v->text);
	put(w, glob ? ")" : "");
}

/* Addresses to be found in the column as they stand: column IN (?,?...). Returns how many. */
static size_t put_exact_addrs(struct writer *w, const struct filter_node *n, const char *column)
{
	size_t count = 0;
	for (uint32_t i = n->addr_first; i < n->addr_first + n->addr_count; i++) {
		const struct filter_prefix *a = &w->f->prefixes[i];
		if (!a->exact)
			continue;
		if (count++)
			put(w, ",");
		else
			buf_printf(w->out, "%s IN (", column);
		put_text(w, a->text);
		if (a->family != AF_INET || n->family == AF_INET)
			continue;
		/* A v6 socket that talks to an IPv4 peer has it as ::ffff:A.B.C.D. */
		put(w, ",'::ffff:'||");
		put_text(w, a->text);
	}
	if (count)
		put(w, ")");
	return count;
}

static void put_addrs(struct writer *w, const struct filter_node *n, const char *column)
{
	put(w, "(");
	size_t count = put_exact_addrs(w, n, column);
	for (uint32_t i = n->addr_first; i < n->addr_first + n->addr_count; i++) {
		const struct filter_prefix *a = &w->f->prefixes[i];
		if (a->exact)
			continue;
		buf_printf(w->out, "%saddr_in(%s,", count++ ? " OR " : "", column);
		put_text(w, a->text);
		put(w, ")");
	}
	put(w, ")");
}

/* A device: by name, or by index if it is a number. */
static void put_dev(struct writer *w, const struct filter_value *v)
{
	const struct filter_columns *c = w->f->columns;
	if (v->kind != VALUE_INT) {
		put_text_match(w, c->dev ? c->dev : "''", v);
		return;
	}
	buf_printf(w->out, "%s=", c->ifindex ? c->ifindex : "0");
	put_value(w, v);
}

static void put_unix(struct writer *w, const struct filter_node *n, const char *column)
{
	buf_printf(w->out, " AND glob_match(coalesce(%s,''),", column);
	put_text(w, n->value.text);
	put(w, ",1)");
}

static void put_host(struct writer *w, const struct filter_node *n)
{
	const struct filter_columns *c = w->f->columns;
	const char *addr = n->peer ? c->peer : c->local;
	const char *port = n->peer ? c->peer_port : c->local_port;
	if (n->family == AF_UNSPEC && !n->addr_count && n->port.kind == VALUE_NONE) {
		put(w, "1");
		return;
	}
	put_family(w, n->family);
	if (n->family == AF_UNIX) {
		put_unix(w, n, addr);
		return;
	}
	if (n->addr_count) {
		put(w, " AND ");
		put_addrs(w, n, addr);
	}
	if (n->value.kind != VALUE_NONE) {
		buf_printf(w->out,
			   n->value.kind == VALUE_INT ? " AND CAST(%s AS INTEGER)="
						      : " AND %s COLLATE NOCASE=",
			   addr);
		put_value(w, &n->value);
	}
	if (n->port.kind == VALUE_NONE)
		return;
	put(w, " AND ");
	if (n->family == AF_PACKET) {
		put_dev(w, &n->port);
		return;
	}
	buf_printf(w->out, "%s=", port);
	put_value(w, &n->port);
}

static const char *const op_sql[] = {
	[OP_EQ] = "=", [OP_NE] = "<>", [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=",
};

static void put_port(struct writer *w, const struct filter_node *n)
{
	const struct filter_columns *c = w->f->columns;
	put_family(w, n->family);
	if (n->value.kind == VALUE_NONE)
		return;
	buf_printf(w->out, " AND %s%s", n->peer ? c->peer_port : c->local_port, op_sql[n->op]);
	put_value(w, &n->value);
}

static void put_mark(struct writer *w, const struct filter_node *n)
{
	buf_printf(w->out, "%s&", w->f->columns->mark);
	put_arg(w, (struct filter_arg){.kind = VALUE_INT, .num = n->mark_mask});
	put(w, "=");
	put_value(w, &n->value);
}

/*
 * As ss decides it: an inet port from the range of automatic ones; a unix socket without a path or
 * with the five hexadecimal digits of autobind (unix(7)); a packet socket bound to nothing; a
 * netlink port id that the kernel chose, which is negative; a vsock port that is not reserved.
 */
static void put_autobound(struct writer *w)
{
	const struct filter *f = w->f;
	const char *local = f->columns->local;
	const char *port = f->columns->local_port;
	const char *family = f->columns->family ? f->columns->family : "2";
	buf_printf(w->out, "CASE %s WHEN %d THEN coalesce(%s,'')='' OR ", family, AF_UNIX, local);
	buf_printf(w->out, "%s GLOB '@[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]' ", local);
	buf_printf(w->out, "WHEN %d THEN coalesce(%s,0)=0 AND coalesce(%s,'') IN ('','[0]') ",
		   AF_PACKET, f->columns->ifindex, local);
	buf_printf(w->out, "WHEN %d THEN %s<0 OR %s>%d WHEN %d THEN %s>1023 ", AF_NETLINK, port,
		   port, INT32_MAX, AF_VSOCK, port);
	buf_printf(w->out, "WHEN %d THEN %s BETWEEN %u AND %u ", AF_INET, port, f->auto_port_lo,
		   f->auto_port_hi);
	buf_printf(w->out, "WHEN %d THEN %s BETWEEN %u AND %u ELSE 0 END", AF_INET6, port,
		   f->auto_port_lo, f->auto_port_hi);
}

/*
 * Of a value that is known between two bounds only, "more than" is said when it is certain, hence
 * of the lower one, and "less than" of the upper one; "=" when it is possible.
 */
static void put_bracket(struct writer *w, const struct filter_node *n)
{
	const struct filter_field *field = n->field;
	if (n->op == OP_EQ) {
		buf_printf(w->out, "%s<=", field->sql);
		put_value(w, &n->value);
		buf_printf(w->out, " AND %s>=", field->sql_most);
	} else {
		bool less = n->op == OP_LT || n->op == OP_LE;
		buf_printf(w->out, "%s%s", less ? field->sql_most : field->sql, op_sql[n->op]);
	}
	put_value(w, &n->value);
}

/* A word of processes: of the others that hold the socket. */
static void put_holders(struct writer *w, const struct filter_node *n)
{
	const char *op = n->value.kind == VALUE_GLOB ? "glob" : op_sql[n->op];
	buf_printf(w->out, " OR holder_is(%s,%u,'%s',", w->f->columns->holders, n->field->holder,
		   op);
	put_value(w, &n->value);
	put(w, ")");
}

static void put_field(struct writer *w, const struct filter_node *n)
{
	const struct filter_field *field = n->field;
	if (field->type == FILTER_CHOICE && !*filter_text(w->f, n->value.text)) {
		buf_printf(w->out, "coalesce(%s,'')=''", field->sql);
	} else if (field->type == FILTER_TEXT && n->value.kind == VALUE_INT) {
		buf_printf(w->out, "%s=", field->sql_number);
		put_value(w, &n->value);
	} else if (field->type == FILTER_CHOICE || field->type == FILTER_TEXT) {
		put_text_match(w, field->sql, &n->value);
	} else if (field->sql_most) {
		put_bracket(w, n);
	} else {
		buf_printf(w->out, "%s%s", field->sql, op_sql[n->op]);
		put_value(w, &n->value);
	}
	if (field->holder && w->f->columns->holders)
		put_holders(w, n);
}

static void put_condition(struct writer *w, const struct filter_node *n)
{
	switch (n->kind) {
	case NODE_HOST:
		put_host(w, n);
		break;
	case NODE_PORT:
		put_port(w, n);
		break;
	case NODE_DEV:
		put_dev(w, &n->value);
		break;
	case NODE_MARK:
		put_mark(w, n);
		break;
	case NODE_CGROUP:
		put_text_match(w, w->f->columns->cgroup, &n->value);
		break;
	case NODE_AUTOBOUND:
		put_autobound(w);
		break;
	case NODE_FIELD:
		put_field(w, n);
		break;
	case NODE_STATES:
	case NODE_AND:
	case NODE_OR:
		break;
	}
}

/* A negated condition is true where the condition is false or nothing is known. */
static void put_leaf(struct writer *w, const struct filter_node *n)
{
	if (n->kind == NODE_STATES) {
		put_states(w, n);
		return;
	}
	put(w, n->negated ? "NOT coalesce((" : "(");
	put_condition(w, n);
	put(w, n->negated ? "),0)" : ")");
}

/* --- and, or --- */

static void put_node(struct writer *w, uint32_t node);

/* `count` children from *child on, in groups of groups; moves *child behind them. */
static void put_chain(struct writer *w, const char *op, uint32_t *child, size_t count)
{
	size_t group = 1;
	while (group * CHAIN_MAX < count)
		group *= CHAIN_MAX;
	put(w, "(");
	for (size_t done = 0; done < count; done += group) {
		size_t n = count - done < group ? count - done : group;
		if (done)
			put(w, op);
		if (n > 1) {
			put_chain(w, op, child, n);
			continue;
		}
		put_node(w, *child);
		*child = w->f->nodes[*child].next;
	}
	put(w, ")");
}

static void put_node(struct writer *w, uint32_t node)
{
	const struct filter_node *n = &w->f->nodes[node];
	if (n->kind != NODE_AND && n->kind != NODE_OR) {
		put_leaf(w, n);
		return;
	}
	size_t count = 0;
	uint32_t child = n->first;
	for (uint32_t c = child; c; c = w->f->nodes[c].next)
		count++;
	put_chain(w, n->kind == NODE_AND ? " AND " : " OR ", &child, count);
}

int filter_to_sql(const struct filter *f, struct buf *where, struct filter_args *args,
		  struct err *e)
{
	struct writer w = {.f = f, .out = where, .args = args};
	if (f->root)
		put_node(&w, f->root);
	else
		put(&w, "1");
	if (w.failed || where->failed)
		return err_set(e, ERR_NOMEM, "filter: %s", err_name(ERR_NOMEM));
	return 0;
}

static int bind_arg(sqlite3_stmt *stmt, int index, const struct filter_arg *a)
{
	switch (a->kind) {
	case VALUE_INT:
		return sqlite3_bind_int64(stmt, index, a->num);
	case VALUE_REAL:
		return sqlite3_bind_double(stmt, index, a->real);
	case VALUE_TEXT:
	case VALUE_GLOB:
		return sqlite3_bind_text(stmt, index, filter_text(a->filter, a->text), -1,
					 SQLITE_STATIC);
	case VALUE_NONE:
		break;
	}
	return sqlite3_bind_null(stmt, index);
}

int filter_bind(sqlite3_stmt *stmt, int first_index, const struct filter_args *args)
{
	int rc = SQLITE_OK;
	for (size_t i = 0; rc == SQLITE_OK && i < args->count; i++)
		rc = bind_arg(stmt, first_index + (int)i, &args->args[i]);
	return rc == SQLITE_OK ? 0 : ERR_DB;
}

void filter_args_fini(struct filter_args *args)
{
	free(args->args);
	*args = (struct filter_args){0};
}
