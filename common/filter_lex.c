/*
 * filter_lex.c - see filter_lex.h. White space separates words and is needed nowhere else: a word
 * ends where an operator or a parenthesis begins.
 */
#include "filter_lex.h"

#include <string.h>

static const struct {
	const char *spelling;
	enum filter_token_kind kind;
	enum filter_op op;
} symbols[] = {
	/* Longer ones first. */
	{"==", TOKEN_COMPARE, OP_EQ}, {"!=", TOKEN_COMPARE, OP_NE}, {"<=", TOKEN_COMPARE, OP_LE},
	{">=", TOKEN_COMPARE, OP_GE}, {"&&", TOKEN_AND, OP_EQ},	    {"||", TOKEN_OR, OP_EQ},
	{"=", TOKEN_COMPARE, OP_EQ},  {"<", TOKEN_COMPARE, OP_LT},  {">", TOKEN_COMPARE, OP_GT},
	{"!", TOKEN_NOT, OP_EQ},      {"&", TOKEN_AND, OP_EQ},	    {"|", TOKEN_OR, OP_EQ},
	{"(", TOKEN_OPEN, OP_EQ},     {")", TOKEN_CLOSE, OP_EQ},
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_word(char c)
{
	return c == 0 || is_space(c) || strchr("()!&|=<>\"'", c);
}

/* Length of a bracket expression or [v6] address at `p`, or 0 if it is not closed in this word. */
static size_t bracket_len(const char *p)
{
	for (size_t n = 1; p[n] && !is_space(p[n]) && p[n] != '"' && p[n] != '\''; n++)
		if (p[n] == ']' && n > 1 && !(n == 2 && p[1] == '!'))
			return n + 1;
	return 0;
}

static size_t word_len(const char *p)
{
	size_t n = 0;
	while (!ends_word(p[n])) {
		size_t step = p[n] == '[' ? bracket_len(p + n) : 0;
		if (p[n] == '\\' && p[n + 1])
			step = 2;
		n += step ? step : 1;
	}
	return n;
}

/* Length of a quoted string with both marks, or 0 if the second one is missing. */
static size_t string_len(const char *p)
{
	for (size_t n = 1; p[n]; n++) {
		if (p[n] == p[0])
			return n + 1;
		if (p[n] == '\\' && p[n + 1])
			n++;
	}
	return 0;
}

/*
 * Blanks, and lines that begin with '#' (as in a file for ss -F). In a text of one line a '#' is
 * no comment but a mistake: "#5" was meant for --at.
 */
static size_t skip_blank(const char *text, size_t at)
{
	for (;;) {
		while (is_space(text[at]))
			at++;
		if (text[at] != '#' || (at && text[at - 1] != '\n') || !strchr(text, '\n'))
			return at;
		while (text[at] && text[at] != '\n')
			at++;
	}
}

static int add_token(struct filter_tokens *out, struct filter_token t)
{
	struct filter_token *grown = array_grow(out->tokens, &out->cap, out->count + 1,
						sizeof(*out->tokens));
	if (!grown)
		return ERR_NOMEM;
	out->tokens = grown;
	out->tokens[out->count++] = t;
	return 0;
}

/* The words between the marks; \" is " but other backslashes are left to the glob. */
static void put_string(struct buf *pool, const char *p, size_t len)
{
	for (size_t i = 1; i + 1 < len; i++) {
		if (p[i] == '\\' && p[i + 1] == p[0])
			i++;
		else if (p[i] == '\\')
			buf_put_u8(pool, (uint8_t)p[i++]);
		buf_put_u8(pool, (uint8_t)p[i]);
	}
}

static int lex_word(const char *text, struct filter_token *t, struct buf *pool)
{
	const char *p = text + t->begin;
	size_t len = t->kind == TOKEN_STRING ? string_len(p) : word_len(p);
	if (!len)
		return ERR_USAGE;
	t->end = t->begin + (uint32_t)len;
	t->word = (uint32_t)pool->len;
	if (t->kind == TOKEN_STRING)
		put_string(pool, p, len);
	else
		buf_put(pool, p, len);
	t->len = (uint32_t)pool->len - t->word;
	buf_put_u8(pool, 0);
	return 0;
}

static bool lex_symbol(const char *text, struct filter_token *t)
{
	for (size_t i = 0; i < LENGTH(symbols); i++) {
		size_t n = strlen(symbols[i].spelling);
		if (strncmp(text + t->begin, symbols[i].spelling, n) != 0)
			continue;
		t->kind = symbols[i].kind;
		t->op = symbols[i].op;
		t->end = t->begin + (uint32_t)n;
		return true;
	}
	return false;
}

int filter_lex(const char *text, size_t len, struct buf *pool, struct filter_tokens *out,
	       struct filter_place *ret_place, struct err *e)
{
	for (size_t at = skip_blank(text, 0);; at = skip_blank(text, at)) {
		struct filter_token t = {.begin = (uint32_t)at, .end = (uint32_t)at};
		if (at < len && !lex_symbol(text, &t)) {
			bool quoted = text[at] == '"' || text[at] == '\'';
			t.kind = quoted ? TOKEN_STRING : TOKEN_WORD;
			if (lex_word(text, &t, pool)) {
				*ret_place = (struct filter_place){at, at + 1};
				return err_set(e, ERR_USAGE, "filter: this %c is not closed",
					       text[at]);
			}
		}
		if (pool->failed || add_token(out, t))
			return err_set(e, ERR_NOMEM, "filter: %s", err_name(ERR_NOMEM));
		if (t.kind == TOKEN_END)
			return 0;
		at = t.end;
	}
}
