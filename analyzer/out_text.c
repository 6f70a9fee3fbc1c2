/* out_text.c - tables as aligned columns. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "out_write.h"
#include "timeparse.h"

#define BOLD   "\033[1m"
#define NORMAL "\033[0m"

/* Lines are handed on in pieces of about this size. */
#define WRITE_BYTES 16384

static void text_begin(struct out *o)
{
	(void)o;
}

static const char *title_of(const struct out_column *c)
{
	return c->title ? c->title : c->name;
}

/* Characters, not bytes: cells are valid UTF-8 by now. */
static size_t width_of(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void text_table_begin(struct out *o)
{
	const struct out_table *t = o->table;
	size_t *widths = calloc(t->count + 1, sizeof(*widths));
	free(o->widths);
	o->widths = widths;
	o->nomem |= !widths;
	o->widths_fixed = false;
	buf_clear(&o->cells);
	if (!widths || !o->options.header)
		return;
	for (size_t i = 0; i < t->count; i++)
		widths[i] = width_of(title_of(&t->columns[i]));
}

static void put_bytes(struct buf *b, double v)
{
	static const char prefixes[] = " kMGTPE";
	size_t i = 0;
	while ((v >= 1024 || v <= -1024) && i + 2 < sizeof(prefixes)) {
		v /= 1024;
		i++;
	}
	if (i == 0)
		buf_printf(b, "%.0f", v);
	else
		buf_printf(b, v < 10 && v > -10 ? "%.1f%c" : "%.0f%c", v, prefixes[i]);
}

static void put_number(struct buf *b, enum out_kind kind, const struct out_value *v)
{
	char text[TIME_TEXT_BYTES];
	double d = v->type == OUT_IS_INT ? (double)v->i : v->d;
	int64_t ns;
	switch (kind) {
	case OUT_TIME:
		time_format(v->i, text);
		buf_put_str(b, text);
		break;
	case OUT_DURATION:
		if (v->type != OUT_IS_INT || __builtin_mul_overflow(v->i, NS_PER_MS, &ns))
			ns = d * 1e6 < 9.2e18 && d * 1e6 > -9.2e18 ? (int64_t)(d * 1e6) : INT64_MAX;
		duration_format(ns, text);
		buf_put_str(b, text);
		break;
	case OUT_BYTES:
		put_bytes(b, d);
		break;
	default:
		if (v->type == OUT_IS_INT)
			buf_printf(b, "%" PRId64, v->i);
		else
			buf_printf(b, "%.6g", v->d);
	}
}

/* First byte of a kept cell: how it is aligned. */
#define CELL_LEFT  '<'
#define CELL_RIGHT '>'

static bool is_right(const struct out_column *c)
{
	return (c->flags & OUT_RIGHT) || c->kind == OUT_NUMBER || c->kind == OUT_DURATION ||
	       c->kind == OUT_BYTES;
}

static void text_cell(struct out *o, const struct out_column *c, const struct out_value *v)
{
	if (o->nomem)
		return;
	bool is_number = v->type == OUT_IS_INT || v->type == OUT_IS_REAL;
	bool right = is_right(c) || (c->kind == OUT_ANY && is_number);
	buf_put_u8(&o->cells, right ? CELL_RIGHT : CELL_LEFT);
	size_t at = o->cells.len;
	if (v->type == OUT_IS_NULL)
		buf_put_u8(&o->cells, '-');
	else if (v->type == OUT_IS_TEXT)
		out_harmless(&o->cells, v->text, v->len);
	else
		put_number(&o->cells, c->kind, v);
	buf_put_u8(&o->cells, 0);
	if (o->cells.failed) {
		o->nomem = true;
		return;
	}
	size_t width = width_of((const char *)o->cells.bytes + at);
	if (!o->widths_fixed && width > o->widths[o->column])
		o->widths[o->column] = width;
}

static void put_blanks(struct buf *line, size_t n)
{
	uint8_t *p = buf_reserve(line, n);
	if (!p)
		return;
	memset(p, ' ', n);
	line->len += n;
}

/* One cell with its padding; the last of a row gets none behind it. */
static void put_aligned(const struct out *o, struct buf *line, size_t column, const char *text,
			bool right, bool last)
{
	size_t width = width_of(text);
	size_t pad = width < o->widths[column] ? o->widths[column] - width : 0;
	if (right)
		put_blanks(line, pad);
	buf_put_str(line, text);
	if (last)
		return;
	if (!right)
		put_blanks(line, pad);
	buf_put_str(line, o->options.gap ? o->options.gap : "  ");
}

/* The last column that text has. */
static size_t last_column(const struct out_table *t)
{
	size_t last = 0;
	for (size_t i = 0; i < t->count; i++)
		if (!(t->columns[i].flags & OUT_NOT_TEXT))
			last = i;
	return last;
}

static void put_header(const struct out *o, struct buf *line)
{
	const struct out_table *t = o->table;
	if (!o->options.header)
		return;
	if (o->options.color)
		buf_put_str(line, BOLD);
	struct buf title CLEANUP(buf_fini) = {0};
	for (size_t i = 0; i < t->count; i++) {
		if (t->columns[i].flags & OUT_NOT_TEXT)
			continue;
		buf_clear(&title);
		out_harmless(&title, title_of(&t->columns[i]), strlen(title_of(&t->columns[i])));
		put_aligned(o, line, i, buf_str(&title), is_right(&t->columns[i]),
			    i == last_column(t));
	}
	while (!line->failed && line->len && line->bytes[line->len - 1] == ' ')
		line->len--; /* a last column may have no title */
	buf_put_str(line, o->options.color ? NORMAL "\n" : "\n");
}

static void write_out(struct out *o, struct buf *line)
{
	o->nomem |= line->failed;
	out_raw(o, line->bytes, line->len);
	buf_clear(line);
}

/* Writes the rows kept so far; from now on widths stay as they are. */
static void text_flush(struct out *o)
{
	const struct out_table *t = o->table;
	if (o->nomem)
		return;
	struct buf line CLEANUP(buf_fini) = {0};
	if (!o->widths_fixed)
		put_header(o, &line);
	o->widths_fixed = true;
	const char *p = buf_str(&o->cells);
	const char *end = p + o->cells.len;
	size_t last = last_column(t);
	while (p < end) {
		for (size_t i = 0; i < t->count; i++) {
			if (t->columns[i].flags & OUT_NOT_TEXT)
				continue;
			put_aligned(o, &line, i, p + 1, *p == CELL_RIGHT, i == last);
			p += strlen(p) + 1;
		}
		buf_put_u8(&line, '\n');
		if (line.len >= WRITE_BYTES)
			write_out(o, &line);
	}
	write_out(o, &line);
	buf_clear(&o->cells);
}

static void text_row_end(struct out *o)
{
	if (o->cells.len > OUT_TEXT_BUFFER)
		text_flush(o);
}

static void text_end(struct out *o)
{
	(void)o;
}

const struct out_format_ops out_text_ops = {
	.begin = text_begin,
	.table_begin = text_table_begin,
	.cell = text_cell,
	.row_end = text_row_end,
	.table_end = text_flush,
	.end = text_end,
};
