/*
 * filter.c - what can be asked of a filter that was read, and the mark under an error.
 */
#include "filter_ast.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CARET_WIDTH 100 /* columns of the text that are shown */

void filter_free(struct filter *f)
{
	if (!f)
		return;
	free(f->nodes);
	free(f->prefixes);
	buf_fini(&f->pool);
	buf_fini(&f->resolved);
	free(f);
}

const char *filter_resolved(const struct filter *f)
{
	/* Its writer, buf_printf(), leaves a NUL behind the text. */
	return f->resolved.len ? (const char *)f->resolved.bytes : "";
}

/* --- what can match at all --- */

static uint64_t family_bits(const struct filter_node *n)
{
	if (n->family != AF_UNSPEC)
		return UINT64_C(1) << n->family;
	return UINT64_C(1) << AF_INET | UINT64_C(1) << AF_INET6;
}

static struct filter_scope leaf_scope(const struct filter_node *n)
{
	struct filter_scope s = {.states = UINT32_MAX, .families = UINT64_MAX};
	if (n->kind == NODE_STATES)
		s.states = n->negated ? ~n->states : n->states;
	if ((n->kind == NODE_HOST || n->kind == NODE_PORT) && n->family != AF_UNSPEC) {
		s.names_families = true;
		s.families = n->negated ? UINT64_MAX : family_bits(n);
	}
	return s;
}

static struct filter_scope node_scope(const struct filter *f, uint32_t node)
{
	const struct filter_node *n = &f->nodes[node];
	if (n->kind != NODE_AND && n->kind != NODE_OR)
		return leaf_scope(n);
	bool all = n->kind == NODE_AND;
	struct filter_scope s = {
		.states = all ? UINT32_MAX : 0,
		.families = all ? UINT64_MAX : 0,
	};
	for (uint32_t c = n->first; c; c = f->nodes[c].next) {
		struct filter_scope part = node_scope(f, c);
		s.states = all ? s.states & part.states : s.states | part.states;
		s.families = all ? s.families & part.families : s.families | part.families;
		s.names_families |= part.names_families;
	}
	return s;
}

struct filter_scope filter_scope(const struct filter *f)
{
	struct filter_scope s = {.states = UINT32_MAX, .families = UINT64_MAX};
	if (f->root)
		s = node_scope(f, f->root);
	s.names_states = f->names_states;
	return s;
}

/* --- the mark under an error --- */

static bool starts_column(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* Columns of text[begin, end), a UTF-8 character being one. */
static size_t columns(const char *text, size_t begin, size_t end)
{
	size_t n = 0;
	for (size_t i = begin; i < end; i++)
		n += starts_column(text[i]);
	return n;
}

/* The part of the line around `at` that is shown. */
static struct filter_place visible(const char *text, size_t len, size_t at)
{
	struct filter_place v = {at, at};
	while (v.begin && text[v.begin - 1] != '\n' && at - v.begin < CARET_WIDTH * 2 / 3)
		v.begin--;
	while (v.end < len && text[v.end] != '\n' && v.end - v.begin < CARET_WIDTH)
		v.end++;
	while (v.begin < at && !starts_column(text[v.begin]))
		v.begin++;
	while (v.end < len && v.end > at && !starts_column(text[v.end]))
		v.end--;
	return v;
}

void filter_caret(const char *text, struct filter_place place, struct buf *out)
{
	size_t len = strlen(text);
	size_t at = place.begin < len ? place.begin : len;
	struct filter_place v = visible(text, len, at);
	size_t end = place.end < v.end ? place.end : v.end;
	for (size_t i = v.begin; i < v.end; i++) {
		unsigned char c = (unsigned char)text[i];
		buf_put_u8(out, c < ' ' || c == 127 ? ' ' : c);
	}
	buf_put_u8(out, '\n');
	for (size_t n = columns(text, v.begin, at); n; n--)
		buf_put_u8(out, ' ');
	buf_put_u8(out, '^');
	for (size_t n = end > at ? columns(text, at, end) : 0; n > 1; n--)
		buf_put_u8(out, '~');
	buf_put_u8(out, '\n');
}
