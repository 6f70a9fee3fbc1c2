/*
 * filter_parse.c - the grammar, by recursive descent:
 *
 *	filter    = [ either ]
 *	either    = both { ( "or" | "|" | "||" ) both }
 *	both      = unary { [ "and" | "&" | "&&" ] unary }
 *	unary     = { "not" | "!" } ( "(" either ")" | condition )
 *
 * which is the precedence that ss(8) documents; ss's own grammar gives `and` and `or` the same.
 * Conditions are read by filter_cond.c. `not` goes down to the conditions as soon as it is read.
 */
#include "filter_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int parse_either(struct filter_parser *p, uint32_t *ret);

static int set_error(struct filter_parser *p, struct filter_place place, enum err_code code,
		     const char *text)
{
	p->place = place;
	return err_set(p->err, code, "filter: %s", text);
}

int parser_fail(struct filter_parser *p, const struct filter_token *t, enum err_code code,
		const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return set_error(p, (struct filter_place){t->begin, t->end}, code, text);
}

int parser_fail_part(struct filter_parser *p, const struct filter_token *t, size_t offset,
		     size_t len, const char *fmt, ...)
{
	char text[400];
	struct filter_place place = {t->begin, t->end};
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (t->kind == TOKEN_WORD && len && offset + len <= t->len)
		place = (struct filter_place){t->begin + offset, t->begin + offset + len};
	return set_error(p, place, ERR_USAGE, text);
}

int parser_nomem(struct filter_parser *p)
{
	return parser_fail(p, parser_peek(p), ERR_NOMEM, "%s", err_name(ERR_NOMEM));
}

struct token_quote token_quote(const struct filter_parser *p, const struct filter_token *t)
{
	static const char *const names[] = {
		[TOKEN_END] = "the end", [TOKEN_OPEN] = "'('", [TOKEN_CLOSE] = "')'",
		[TOKEN_NOT] = "'!'",	 [TOKEN_AND] = "'&'",  [TOKEN_OR] = "'|'",
	};
	static const char *const compare[] = {"'='", "'!='", "'<'", "'<='", "'>'", "'>='"};
	struct token_quote q;
	if (t->kind == TOKEN_COMPARE)
		snprintf(q.text, sizeof(q.text), "%s", compare[t->op]);
	else if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING)
		snprintf(q.text, sizeof(q.text), "%s", names[t->kind]);
	else
		snprintf(q.text, sizeof(q.text), "'%.40s%s'", token_text(p, t),
			 t->len > 40 ? "..." : "");
	for (char *c = q.text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	return q;
}

uint32_t filter_pool_put(struct filter *f, const char *text, size_t len)
{
	uint32_t at = (uint32_t)f->pool.len;
	buf_put(&f->pool, text, len);
	buf_put_u8(&f->pool, 0);
	return f->pool.failed ? 0 : at;
}

/* --- the tree --- */

/* A new node that is a copy of *n; 0 if memory ran out. */
static uint32_t add_node(struct filter *f, const struct filter_node *n)
{
	struct filter_node *grown = array_grow(f->nodes, &f->node_cap, f->node_count + 1,
					       sizeof(*f->nodes));
	if (!grown)
		return 0;
	f->nodes = grown;
	f->nodes[f->node_count] = *n;
	return (uint32_t)f->node_count++;
}

static bool is_branch(const struct filter_node *n)
{
	return n->kind == NODE_AND || n->kind == NODE_OR;
}

/* Adds `child` to the children of `parent`; if both are of one kind, the child's children. */
static void adopt(struct filter *f, uint32_t parent, uint32_t child)
{
	struct filter_node *p = &f->nodes[parent];
	const struct filter_node *c = &f->nodes[child];
	bool same = c->kind == p->kind;
	uint32_t first = same ? c->first : child;
	unsigned height = same ? c->height : c->height + 1u;
	if (p->last)
		f->nodes[p->last].next = first;
	else
		p->first = first;
	p->last = same ? c->last : child;
	if (height > p->height)
		p->height = (uint8_t)height;
}

/* Turns the subtree into its opposite: not (a and b) is not a or not b. At most 16 levels deep. */
static void negate(struct filter *f, uint32_t node)
{
	struct filter_node *n = &f->nodes[node];
	if (!is_branch(n)) {
		n->negated = !n->negated;
		return;
	}
	n->kind = n->kind == NODE_AND ? NODE_OR : NODE_AND;
	for (uint32_t c = n->first; c; c = f->nodes[c].next)
		negate(f, c);
}

/* --- the grammar --- */

static bool is_word(const struct filter_parser *p, const struct filter_token *t, const char *word)
{
	return t->kind == TOKEN_WORD && strcasecmp(token_text(p, t), word) == 0;
}

static bool take_if(struct filter_parser *p, enum filter_token_kind symbol, const char *word)
{
	const struct filter_token *t = parser_peek(p);
	if (t->kind != symbol && !is_word(p, t, word))
		return false;
	parser_take(p);
	return true;
}

static bool starts_unary(const struct filter_parser *p)
{
	const struct filter_token *t = parser_peek(p);
	return t->kind == TOKEN_OPEN || t->kind == TOKEN_NOT ||
	       (t->kind == TOKEN_WORD && !is_word(p, t, "or"));
}

static int parse_group(struct filter_parser *p, uint32_t *ret)
{
	const struct filter_token *open = parser_take(p);
	if (++p->depth > FILTER_DEPTH_MAX)
		return parser_fail(p, open, ERR_LIMIT, "more than %d parentheses in one another",
				   FILTER_DEPTH_MAX);
	int rc = parse_either(p, ret);
	if (rc)
		return rc;
	p->depth--;
	const struct filter_token *t = parser_peek(p);
	if (t->kind == TOKEN_END)
		return parser_fail(p, open, ERR_USAGE, "this '(' is not closed");
	if (t->kind != TOKEN_CLOSE)
		return parser_fail(p, t, ERR_USAGE, "expected 'and', 'or' or ')', not %s",
				   token_quote(p, t).text);
	parser_take(p);
	return 0;
}

static int parse_leaf(struct filter_parser *p, uint32_t *ret)
{
	struct filter_node n = {0};
	const struct filter_token *t = parser_peek(p);
	if (++p->conditions > FILTER_CONDITION_MAX)
		return parser_fail(p, t, ERR_LIMIT, "more than %d conditions",
				   FILTER_CONDITION_MAX);
	int rc = parser_condition(p, &n);
	if (rc)
		return rc;
	*ret = add_node(p->filter, &n);
	return *ret && !p->filter->pool.failed ? 0 : parser_nomem(p);
}

static int parse_unary(struct filter_parser *p, uint32_t *ret)
{
	bool negated = false;
	while (take_if(p, TOKEN_NOT, "not"))
		negated = !negated;
	int rc = parser_peek(p)->kind == TOKEN_OPEN ? parse_group(p, ret) : parse_leaf(p, ret);
	if (!rc && negated)
		negate(p->filter, *ret);
	return rc;
}

/* Makes *node the first child of a new `kind` and adds `child` to it; or just adds it. */
static int join(struct filter_parser *p, enum filter_node_kind kind, uint32_t *node, bool *joined,
		uint32_t child)
{
	if (!*joined) {
		struct filter_node n = {.kind = kind};
		uint32_t parent = add_node(p->filter, &n);
		if (!parent)
			return parser_nomem(p);
		adopt(p->filter, parent, *node);
		*node = parent;
		*joined = true;
	}
	adopt(p->filter, *node, child);
	return 0;
}

/* The tree that starts at `start` has become too high. */
static int check_height(struct filter_parser *p, uint32_t node, const struct filter_token *start)
{
	if (p->filter->nodes[node].height <= FILTER_HEIGHT_MAX)
		return 0;
	return parser_fail(p, start, ERR_LIMIT,
			   "more than %d turns of 'and' and 'or' in one another",
			   FILTER_HEIGHT_MAX);
}

static int parse_both(struct filter_parser *p, uint32_t *ret)
{
	const struct filter_token *start = parser_peek(p);
	bool joined = false;
	int rc = parse_unary(p, ret);
	while (!rc && (take_if(p, TOKEN_AND, "and") || starts_unary(p))) {
		uint32_t child = 0;
		rc = parse_unary(p, &child);
		if (!rc)
			rc = join(p, NODE_AND, ret, &joined, child);
	}
	return rc ? rc : check_height(p, *ret, start);
}

static int parse_either(struct filter_parser *p, uint32_t *ret)
{
	const struct filter_token *start = parser_peek(p);
	bool joined = false;
	int rc = parse_both(p, ret);
	while (!rc && take_if(p, TOKEN_OR, "or")) {
		uint32_t child = 0;
		rc = parse_both(p, &child);
		if (!rc)
			rc = join(p, NODE_OR, ret, &joined, child);
	}
	return rc ? rc : check_height(p, *ret, start);
}

static int parse_all(struct filter_parser *p)
{
	if (parser_peek(p)->kind == TOKEN_END)
		return 0;
	int rc = parse_either(p, &p->filter->root);
	const struct filter_token *t = parser_peek(p);
	if (rc || t->kind == TOKEN_END)
		return rc;
	if (t->kind == TOKEN_CLOSE)
		return parser_fail(p, t, ERR_USAGE, "this ')' closes nothing");
	return parser_fail(p, t, ERR_USAGE, "expected 'and', 'or' or the end, not %s",
			   token_quote(p, t).text);
}

static int parse_text(struct filter_parser *p, const char *text)
{
	size_t len = strnlen(text, FILTER_TEXT_MAX + 1);
	if (len > FILTER_TEXT_MAX) {
		p->place = (struct filter_place){FILTER_TEXT_MAX, FILTER_TEXT_MAX + 1};
		return err_set(p->err, ERR_LIMIT, "filter: longer than %d bytes", FILTER_TEXT_MAX);
	}
	struct filter *f = p->filter;
	struct filter_node none = {0};
	buf_put_u8(&f->pool, 0);
	(void)add_node(f, &none);
	if (f->pool.failed || !f->node_count)
		return err_set(p->err, ERR_NOMEM, "filter: %s", err_name(ERR_NOMEM));
	int rc = filter_lex(text, len, &f->pool, &p->tokens, &p->place, p->err);
	return rc ? rc : parse_all(p);
}

int filter_parse(const char *text, const struct filter_env *env, struct filter **ret,
		 struct filter_place *ret_place, struct err *e)
{
	struct filter *f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(e, ERR_NOMEM, "filter: %s", err_name(ERR_NOMEM));
	f->columns = env->columns;
	f->auto_port_lo = env->auto_port_hi ? env->auto_port_lo : 32768;
	f->auto_port_hi = env->auto_port_hi ? env->auto_port_hi : 60999;
	struct filter_parser p = {.env = env, .filter = f, .err = e};
	int rc = parse_text(&p, text);
	free(p.tokens.tokens);
	if (rc) {
		filter_free(f);
		if (ret_place)
			*ret_place = p.place;
		return rc;
	}
	*ret = f;
	return 0;
}
