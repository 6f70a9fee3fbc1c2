/*
 * filter_lex.h - the words of a filter, each with its place in the text.
 */
#ifndef SOCKLAPSE_FILTER_LEX_H
#define SOCKLAPSE_FILTER_LEX_H

#include "filter_ast.h"

enum filter_token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* also and, or, not, eq, ...: what a word means depends on where it stands */
	TOKEN_STRING, /* "..." or '...': always a value */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_NOT,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_COMPARE,
};

struct filter_token {
	enum filter_token_kind kind;
	enum filter_op op;   /* TOKEN_COMPARE */
	uint32_t begin, end; /* bytes of the text, quotes included */
	uint32_t word, len;  /* TOKEN_WORD, TOKEN_STRING: offset and length in the pool */
};

/* Grown with array_grow(), freed with free(). */
struct filter_tokens {
	struct filter_token *tokens;
	size_t count, cap;
};

/*
 * Cuts `text` of `len` bytes into tokens, the last of which is TOKEN_END. Words are copied into
 * `pool`, each with a NUL behind it. A backslash stays where it is: it means something to globs
 * only. Fails with the place of a quotation mark that is not closed.
 */
int filter_lex(const char *text, size_t len, struct buf *pool, struct filter_tokens *out,
	       struct filter_place *ret_place, struct err *e) MUST_CHECK;

#endif
