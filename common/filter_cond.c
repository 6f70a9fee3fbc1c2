/*
 * filter_cond.c - one condition: its name, an operator (= if there is none) and what to compare
 * with. The words of ss are in `predicates`; all others come from the caller's table of fields.
 */
#include "filter_parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "filter_value.h"
#include "sock.h"

#define ALL_STATES  ((UINT32_C(1) << STATE_COUNT) - 2)
#define BIT(state)  (UINT32_C(1) << (state))
#define NOT_LIVE    (BIT(STATE_UNCONN) | BIT(STATE_LISTEN) | BIT(STATE_BOUND_INACTIVE))
#define BUCKET	    (BIT(STATE_SYN_RECV) | BIT(STATE_NEW_SYN_RECV) | BIT(STATE_TIME_WAIT))
#define EQUAL_ONLY  (1u << OP_EQ | 1u << OP_NE)
#define ANY_COMPARE 0x3fu

/* STATE-FILTER of ss(8). */
static const struct {
	const char *name;
	uint32_t states;
} state_groups[] = {
	{"all", ALL_STATES},
	{"connected", ALL_STATES & ~NOT_LIVE},
	{"synchronized", ALL_STATES & ~NOT_LIVE & ~BIT(STATE_SYN_SENT)},
	{"bucket", BUCKET},
	{"big", ALL_STATES & ~BUCKET},
};

static const struct {
	const char *word;
	enum filter_op op;
} op_words[] = {
	{"eq", OP_EQ},	{"ne", OP_NE}, {"neq", OP_NE}, {"lt", OP_LT},  {"le", OP_LE},
	{"leq", OP_LE}, {"gt", OP_GT}, {"ge", OP_GE},  {"geq", OP_GE},
};

struct predicate {
	const char *name;
	int (*read)(struct filter_parser *p, const struct predicate *self, struct filter_node *n);
	enum filter_node_kind kind;
	bool peer;
	unsigned ops; /* bits 1 << OP_*; 0: reads no operator */
	const char *expected;
};

/* Operator, if there is one, then the token to compare with. */
static int read_comparison(struct filter_parser *p, const char *name, unsigned ops,
			   const char *expected, struct filter_node *n,
			   const struct filter_token **ret)
{
	const struct filter_token *t = parser_peek(p);
	bool found = t->kind == TOKEN_COMPARE;
	enum filter_op op = found ? t->op : OP_EQ;
	for (size_t i = 0; t->kind == TOKEN_WORD && i < LENGTH(op_words); i++) {
		if (strcasecmp(token_text(p, t), op_words[i].word) != 0)
			continue;
		op = op_words[i].op;
		found = true;
	}
	if (!(ops & 1u << op))
		return parser_fail(p, t, ERR_USAGE, "%s can only be compared by = and !=", name);
	if (found)
		parser_take(p);
	t = parser_take(p);
	if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING)
		return parser_fail(p, t, ERR_USAGE, "expected %s after %s, not %s", expected, name,
				   token_quote(p, t).text);
	n->negated = op == OP_NE;
	n->op = op == OP_NE ? OP_EQ : op;
	*ret = t;
	return 0;
}

static int no_column(struct filter_parser *p, const char *name)
{
	const struct filter_token *t = &p->tokens.tokens[p->at ? p->at - 1 : 0];
	if (p->env->told)
		return parser_fail(p, t, ERR_USAGE, "%s cannot be asked of %s, only %s", name,
				   p->env->told, p->env->elsewhere);
	return parser_fail(p, t, ERR_USAGE, "%s cannot be asked of this table", name);
}

/* --- texts --- */

struct filter_value filter_text_value(struct filter *f, uint32_t text)
{
	struct filter_value v = {.kind = VALUE_TEXT, .text = text};
	const char *s = filter_text(f, text);
	bool escaped = false;
	size_t len = 0;
	for (const char *c = s; *c; c++) {
		if (strchr("*?[", *c)) {
			v.kind = VALUE_GLOB;
			return v;
		}
		if (*c == '\\' && c[1]) {
			escaped = true;
			c++;
		}
	}
	if (!escaped)
		return v;
	/* The copy is never longer, but the pool may move while it grows. */
	v.text = filter_pool_put(f, s, 0);
	uint8_t *copy = v.text ? buf_reserve(&f->pool, strlen(filter_text(f, text)) + 1) : NULL;
	if (!copy)
		return v;
	copy--; /* over the NUL that filter_pool_put() wrote */
	for (const char *c = filter_text(f, text); *c; c++) {
		if (*c == '\\' && c[1])
			c++;
		copy[len++] = (uint8_t)*c;
	}
	copy[len] = 0;
	f->pool.len += len;
	return v;
}

/* --- the words of ss --- */

static int read_side(struct filter_parser *p, const struct predicate *self, struct filter_node *n)
{
	const struct filter_token *t;
	const struct filter_columns *c = p->env->columns;
	if (!(self->peer ? c->peer : c->local))
		return no_column(p, self->name);
	int rc = read_comparison(p, self->name, self->ops, self->expected, n, &t);
	if (rc)
		return rc;
	return self->kind == NODE_HOST ? parser_host(p, t, n) : parser_port(p, t, n);
}

static int read_dev(struct filter_parser *p, const struct predicate *self, struct filter_node *n)
{
	const struct filter_token *t;
	uint64_t v;
	if (!p->env->columns->dev || !p->env->columns->ifindex)
		return no_column(p, self->name);
	int rc = read_comparison(p, self->name, self->ops, self->expected, n, &t);
	if (rc)
		return rc;
	if (filter_read_number(token_text(p, t), INT32_MAX, &v))
		n->value = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)v};
	else
		n->value = filter_text_value(p->filter, t->word);
	return 0;
}

/* MARK or MARK/MASK. */
static int read_mark(struct filter_parser *p, const struct predicate *self, struct filter_node *n)
{
	const struct filter_token *t;
	char mark_text[32] = "";
	uint64_t mark = 0;
	uint64_t mask = UINT32_MAX;
	if (!p->env->columns->mark)
		return no_column(p, self->name);
	int rc = read_comparison(p, self->name, self->ops, self->expected, n, &t);
	if (rc)
		return rc;
	const char *s = token_text(p, t);
	size_t len = strcspn(s, "/");
	if (len < sizeof(mark_text))
		memcpy(mark_text, s, len);
	if (!filter_read_number(mark_text, UINT32_MAX, &mark) ||
	    (s[len] && !filter_read_number(s + len + 1, UINT32_MAX, &mask)))
		return parser_fail(p, t, ERR_USAGE,
				   "expected a mark such as 1, 0x1f or 0x01/0x03, not %s",
				   token_quote(p, t).text);
	n->value = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)mark};
	n->mark_mask = (uint32_t)mask;
	return 0;
}

/* A path as ss --cgroup prints it, or as the hierarchy is mounted. */
static int read_cgroup(struct filter_parser *p, const struct predicate *self, struct filter_node *n)
{
	static const char *const mounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
	const struct filter_token *t;
	if (!p->env->columns->cgroup)
		return no_column(p, self->name);
	int rc = read_comparison(p, self->name, self->ops, self->expected, n, &t);
	if (rc)
		return rc;
	const char *s = token_text(p, t);
	size_t skip = 0;
	size_t len = t->len;
	if (s[0] != '/' && s[0] != '*')
		return parser_fail(p, t, ERR_USAGE, "expected a path that begins with '/', not %s",
				   token_quote(p, t).text);
	for (size_t i = 0; !skip && i < LENGTH(mounts); i++) {
		size_t m = strlen(mounts[i]);
		if (strncmp(s, mounts[i], m) == 0 && (s[m] == '/' || !s[m]))
			skip = m;
	}
	while (len > skip + 1 && s[len - 1] == '/')
		len--;
	char *path = (char *)p->filter->pool.bytes + t->word;
	path[len] = 0;
	n->value = filter_text_value(p->filter, (uint32_t)(t->word + skip));
	if (len == skip)
		n->value.text = filter_pool_put(p->filter, "/", 1);
	if (p->env->for_rows && n->value.kind == VALUE_GLOB)
		return parser_fail(p, t, ERR_USAGE,
				   "cgroups are not known by a glob while sockets are recorded");
	return 0;
}

static int read_autobound(struct filter_parser *p, const struct predicate *self,
			  struct filter_node *n)
{
	const struct filter_columns *c = p->env->columns;
	(void)n;
	return c->local && c->local_port && c->ifindex ? 0 : no_column(p, self->name);
}

/* --- states --- */

static int read_state_name(struct filter_parser *p, const char *name, const struct filter_token *t,
			   uint32_t *ret)
{
	const char *text = token_text(p, t);
	for (size_t i = 0; i < LENGTH(state_groups); i++)
		if (strcasecmp(text, state_groups[i].name) == 0) {
			*ret = state_groups[i].states;
			return 0;
		}
	unsigned state = sock_state_by_name(text);
	if (!state)
		return parser_fail(
			p, t, ERR_USAGE,
			"expected a state after %s (established, syn-sent, syn-recv, "
			"fin-wait-1, fin-wait-2, time-wait, closed, close-wait, last-ack, "
			"listening, closing, all, connected, synchronized, bucket, big), "
			"not %s",
			name, token_quote(p, t).text);
	*ret = BIT(state);
	return 0;
}

static bool is_state_word(const struct filter_parser *p, const struct filter_token *t, bool *add)
{
	const char *s = t->kind == TOKEN_WORD ? token_text(p, t) : "";
	*add = strcasecmp(s, "state") == 0;
	return *add || strcasecmp(s, "exclude") == 0 || strcasecmp(s, "excl") == 0;
}

/*
 * `state A state B exclude C`: words in a row make one set, as in ss: what was added, without what
 * was excluded since; from all states if the first word is `exclude`.
 */
static int read_states(struct filter_parser *p, const struct predicate *self, struct filter_node *n)
{
	bool add = strcasecmp(self->name, "state") == 0;
	uint32_t set = 0;
	bool begun = false;
	if (!p->env->columns->state)
		return no_column(p, self->name);
	do {
		const struct filter_token *t;
		struct filter_node part = {0};
		const char *name = add ? "state" : "exclude";
		uint32_t states = 0;
		int rc = read_comparison(p, name, self->ops, self->expected, &part, &t);
		if (!rc)
			rc = read_state_name(p, name, t, &states);
		if (rc)
			return rc;
		if (part.negated)
			add = !add;
		if (!begun && !add)
			set = ALL_STATES;
		set = add ? set | states : set & ~states;
		begun = true;
	} while (is_state_word(p, parser_peek(p), &add) && parser_take(p));
	n->states = set;
	p->filter->names_states = true;
	return 0;
}

static const struct predicate predicates[] = {
	{"state", read_states, NODE_STATES, false, EQUAL_ONLY, "a state"},
	{"exclude", read_states, NODE_STATES, false, 1u << OP_EQ, "a state"},
	{"excl", read_states, NODE_STATES, false, 1u << OP_EQ, "a state"},
	{"src", read_side, NODE_HOST, false, EQUAL_ONLY, "an address"},
	{"dst", read_side, NODE_HOST, true, EQUAL_ONLY, "an address"},
	{"sport", read_side, NODE_PORT, false, ANY_COMPARE, "a port"},
	{"dport", read_side, NODE_PORT, true, ANY_COMPARE, "a port"},
	{"dev", read_dev, NODE_DEV, false, EQUAL_ONLY, "a device"},
	{"fwmark", read_mark, NODE_MARK, false, EQUAL_ONLY, "a mark"},
	{"cgroup", read_cgroup, NODE_CGROUP, false, EQUAL_ONLY, "a path"},
	{"autobound", read_autobound, NODE_AUTOBOUND, false, 0, ""},
};

/* --- fields --- */

static const struct {
	unsigned ops;
	const char *expected;
} field_types[] = {
	[FILTER_NUMBER] = {ANY_COMPARE, "a number"},	 [FILTER_BYTES] = {ANY_COMPARE, "a size"},
	[FILTER_DURATION] = {ANY_COMPARE, "a duration"}, [FILTER_TEXT] = {EQUAL_ONLY, "a name"},
	[FILTER_CHOICE] = {EQUAL_ONLY, "a word"},	 [FILTER_USER] = {EQUAL_ONLY, "a user"},
};

static int read_choice(struct filter_parser *p, const struct filter_token *t, struct filter_node *n)
{
	char words[200] = "";
	size_t len = 0;
	for (const struct filter_choice *c = n->field->choices; c->word; c++) {
		if (strcasecmp(token_text(p, t), c->word) == 0) {
			n->value = (struct filter_value){
				.kind = VALUE_TEXT,
				.text = filter_pool_put(p->filter, c->value, strlen(c->value))};
			return 0;
		}
		int add = snprintf(words + len, sizeof(words) - len, "%s%s", len ? ", " : "",
				   c->word);
		len += add > 0 && (size_t)add < sizeof(words) - len ? (size_t)add : 0;
	}
	return parser_fail(p, t, ERR_USAGE, "expected one of %s after %s, not %s", words,
			   n->field->name, token_quote(p, t).text);
}

static int read_user(struct filter_parser *p, const struct filter_token *t, struct filter_node *n)
{
	const struct filter_resolver *r = p->env->resolver;
	const char *name = token_text(p, t);
	struct filter *f = p->filter;
	uint64_t uid;
	uint32_t found = 0;
	if (!filter_read_number(name, UINT32_MAX, &uid)) {
		if (!r || !r->user || r->user(r->ctx, name, &found))
			return parser_fail(p, t, ERR_USAGE,
					   "there is no user %s here; use its number",
					   token_quote(p, t).text);
		uid = found;
		buf_printf(&f->resolved, "%s%s", f->resolved.len ? " " : "", name);
	}
	n->value = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)uid};
	return f->resolved.failed ? parser_nomem(p) : 0;
}

static int read_quantity(struct filter_parser *p, const struct filter_token *t,
			 struct filter_node *n)
{
	static const char *const unit_names[] = {
		[FILTER_BYTES] = "k, M, G or T",
		[FILTER_DURATION] = "ns, us, ms, s, min, h, d or w",
	};
	const struct filter_field *field = n->field;
	enum filter_value_error rc = field->type == FILTER_BYTES
					     ? filter_read_bytes(token_text(p, t), &n->value)
					     : filter_read_duration(token_text(p, t),
								    field->unit_ns, &n->value);
	switch (rc) {
	case VALUE_OK:
		return 0;
	case VALUE_NO_UNIT:
		return parser_fail(p, t, ERR_USAGE, "%s lacks a unit: %s", token_quote(p, t).text,
				   unit_names[field->type]);
	case VALUE_WRONG_UNIT:
		return parser_fail(p, t, ERR_USAGE, "expected the unit of %s to be %s",
				   token_quote(p, t).text, unit_names[field->type]);
	case VALUE_TOO_LARGE:
		return parser_fail(p, t, ERR_USAGE, "%s is too large", token_quote(p, t).text);
	case VALUE_NOT_A_NUMBER:
		break;
	}
	return parser_fail(p, t, ERR_USAGE, "expected %s after %s, not %s",
			   field_types[field->type].expected, field->name, token_quote(p, t).text);
}

static int read_field(struct filter_parser *p, const struct filter_field *field,
		      struct filter_node *n)
{
	const struct filter_token *t;
	uint64_t v;
	n->kind = NODE_FIELD;
	n->field = field;
	int rc = read_comparison(p, field->name, field_types[field->type].ops,
				 field_types[field->type].expected, n, &t);
	if (rc)
		return rc;
	switch (field->type) {
	case FILTER_TEXT:
		n->value = filter_text_value(p->filter, t->word);
		if (field->sql_number && filter_read_number(token_text(p, t), INT64_MAX, &v))
			n->value = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)v};
		return 0;
	case FILTER_CHOICE:
		return read_choice(p, t, n);
	case FILTER_USER:
		return read_user(p, t, n);
	case FILTER_BYTES:
	case FILTER_DURATION:
		return read_quantity(p, t, n);
	case FILTER_NUMBER:
		break;
	}
	if (!filter_read_number(token_text(p, t), UINT64_MAX, &v))
		return parser_fail(p, t, ERR_USAGE, "expected a number after %s, not %s",
				   field->name, token_quote(p, t).text);
	n->value = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)v};
	return 0;
}

/* --- which condition --- */

/* One character is wrong, missing, added, or changed places with its neighbour. */
static bool nearly_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (!*a && !*b)
		return false;
	return (*a && strcasecmp(a + 1, b) == 0) || (*b && strcasecmp(a, b + 1) == 0) ||
	       (*a && *b && strcasecmp(a + 1, b + 1) == 0) ||
	       (*a && *b && a[0] == b[1] && a[1] == b[0] && strcasecmp(a + 2, b + 2) == 0);
}

static int unknown_condition(struct filter_parser *p, const struct filter_token *t)
{
	const char *text = token_text(p, t);
	const char *guess = NULL;
	if (t->kind != TOKEN_WORD)
		return parser_fail(p, t, ERR_USAGE,
				   "expected a condition such as dport = :80, not %s",
				   token_quote(p, t).text);
	for (const struct filter_refusal *r = p->env->refusals; r && r->word; r++)
		if (strcasecmp(text, r->word) == 0)
			return parser_fail(p, t, ERR_USAGE, "%s %s", r->word, r->why);
	if (filter_is_our_word(text))
		return no_column(p, text);
	for (size_t i = 0; !guess && i < LENGTH(predicates); i++)
		if (nearly_same(text, predicates[i].name))
			guess = predicates[i].name;
	for (unsigned i = 0; !guess && i < p->env->field_count; i++)
		if (nearly_same(text, p->env->fields[i].name))
			guess = p->env->fields[i].name;
	if (guess)
		return parser_fail(p, t, ERR_USAGE, "%s is no condition; did you mean %s?",
				   token_quote(p, t).text, guess);
	return parser_fail(p, t, ERR_USAGE, "%s is no condition such as dport = :80",
			   token_quote(p, t).text);
}

int parser_condition(struct filter_parser *p, struct filter_node *n)
{
	const struct filter_token *t = parser_take(p);
	const char *text = t->kind == TOKEN_WORD ? token_text(p, t) : "";
	for (size_t i = 0; i < LENGTH(predicates); i++) {
		if (strcasecmp(text, predicates[i].name) != 0)
			continue;
		n->kind = predicates[i].kind;
		n->peer = predicates[i].peer;
		return predicates[i].read(p, &predicates[i], n);
	}
	for (unsigned i = 0; i < p->env->field_count; i++)
		if (strcasecmp(text, p->env->fields[i].name) == 0)
			return read_field(p, &p->env->fields[i], n);
	return unknown_condition(p, t);
}
