/*
 * filter_parse.h - what the parts of the parser share: where it stands, how it complains, and the
 * reading of what follows the name of a condition.
 */
#ifndef SOCKLAPSE_FILTER_PARSE_H
#define SOCKLAPSE_FILTER_PARSE_H

#include "filter_lex.h"

struct filter_parser {
	const struct filter_env *env;
	struct filter *filter;
	struct filter_tokens tokens;
	size_t at; /* the next token */
	unsigned depth;
	size_t conditions;
	struct filter_place place; /* of the error */
	struct err *err;
};

/* The next token; it stays the next one. */
static inline const struct filter_token *parser_peek(const struct filter_parser *p)
{
	return &p->tokens.tokens[p->at];
}

/* Takes the next token; the end is never passed. */
static inline const struct filter_token *parser_take(struct filter_parser *p)
{
	const struct filter_token *t = parser_peek(p);
	if (t->kind != TOKEN_END)
		p->at++;
	return t;
}

static inline const char *token_text(const struct filter_parser *p, const struct filter_token *t)
{
	return filter_text(p->filter, t->word);
}

/* The error is at `t`; says "filter: ...". Returns the code. */
int parser_fail(struct filter_parser *p, const struct filter_token *t, enum err_code code,
		const char *fmt, ...) PRINTF_LIKE(4, 5);

/* As parser_fail(), at `len` bytes from `offset` on of a word (all of it, if it was quoted). */
int parser_fail_part(struct filter_parser *p, const struct filter_token *t, size_t offset,
		     size_t len, const char *fmt, ...) PRINTF_LIKE(5, 6);

int parser_nomem(struct filter_parser *p);

/* What a message shows of a token: short, without control characters. */
struct token_quote {
	char text[48];
};
struct token_quote token_quote(const struct filter_parser *p, const struct filter_token *t);

/* Puts text into the pool; 0 if memory ran out. */
uint32_t filter_pool_put(struct filter *f, const char *text, size_t len);

/* A text to compare with: an exact one or, if it has * ? or [, a glob. `text` is in the pool. */
struct filter_value filter_text_value(struct filter *f, uint32_t text);

/* "[FAMILY:]ADDRESS[:PORT]" of src and dst. Fills family, value or addresses, and port. */
int parser_host(struct filter_parser *p, const struct filter_token *t, struct filter_node *n);

/* "[FAMILY:][:]PORT" of sport and dport. Fills family and value. */
int parser_port(struct filter_parser *p, const struct filter_token *t, struct filter_node *n);

/*
 * Reads one condition from its name on into *n. ERR_USAGE if there is none, with a message on what
 * could stand there.
 */
int parser_condition(struct filter_parser *p, struct filter_node *n);

#endif
