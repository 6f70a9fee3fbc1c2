/* out_json.c - one JSON document, or JSON lines. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "out_write.h"
#include "timeparse.h"

static void put_char(struct buf *b, uint32_t code, const char *text, size_t len)
{
	if (code == '"' || code == '\\')
		buf_put_u8(b, '\\');
	if (code < 0x20 || code == 0x7f)
		buf_printf(b, "\\u%04x", code);
	else
		buf_put(b, text, len);
}

static void put_string(struct out *o, const char *text, size_t len)
{
	struct buf b CLEANUP(buf_fini) = {0};
	buf_put_u8(&b, '"');
	for (size_t i = 0; i < len;) {
		uint32_t code;
		size_t n = out_utf8(text + i, len - i, &code);
		if (n)
			put_char(&b, code, text + i, n);
		else
			buf_put_str(&b, "\\ufffd");
		i += n ? n : 1;
	}
	buf_put_u8(&b, '"');
	o->nomem |= b.failed;
	out_raw(o, b.bytes, b.len);
}

static void put_int(struct out *o, int64_t v)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, v);
	out_puts(o, text);
}

static void put_value(struct out *o, const struct out_value *v)
{
	char text[40];
	switch (v->type) {
	case OUT_IS_NULL:
		out_puts(o, "null");
		break;
	case OUT_IS_INT:
		put_int(o, v->i);
		break;
	case OUT_IS_REAL:
		/* JSON has no name for what is not a number. */
		snprintf(text, sizeof(text), "%.15g", v->d);
		out_puts(o, isfinite(v->d) ? text : "null");
		break;
	case OUT_IS_TEXT:
		put_string(o, v->text, v->len);
		break;
	}
}

static void put_time(struct out *o, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_BYTES];
	time_format_rfc3339(wall_ns, text);
	out_puts(o, "\"");
	out_puts(o, text);
	out_puts(o, "\", \"");
	out_puts(o, name);
	out_puts(o, "_ns\": ");
	put_int(o, wall_ns);
}

/* What separates it from what is before: a row, or the rest of the row. */
static void row_begin(struct out *o, bool lines)
{
	if (lines) {
		out_puts(o, "{");
		if (o->table->flags & OUT_TAGGED) {
			out_puts(o, "\"table\": \"");
			out_puts(o, o->table->name);
			out_puts(o, "\", ");
		}
		return;
	}
	if (o->table->flags & OUT_OBJECT)
		out_puts(o, "{");
	else
		out_puts(o, o->rows ? ",\n  {" : "\n  {");
}

static void cell(struct out *o, const struct out_column *c, const struct out_value *v, bool lines)
{
	bool first = true;
	for (size_t i = 0; i < o->column; i++)
		first &= (o->table->columns[i].flags & OUT_NOT_DATA) != 0;
	if (first)
		row_begin(o, lines);
	if (!first)
		out_puts(o, ", ");
	put_string(o, c->name, strlen(c->name));
	out_puts(o, ": ");
	if (c->kind == OUT_TIME && v->type == OUT_IS_INT) {
		put_time(o, c->name, v->i);
		return;
	}
	put_value(o, v);
	if (c->kind == OUT_TIME) {
		out_puts(o, ", \"");
		out_puts(o, c->name);
		out_puts(o, "_ns\": null");
	}
}

static void json_begin(struct out *o)
{
	out_puts(o, "{");
}

static void json_table_begin(struct out *o)
{
	out_puts(o, o->tables ? ",\n\"" : "\n\"");
	out_puts(o, o->table->name);
	out_puts(o, o->table->flags & OUT_OBJECT ? "\": " : "\": [");
}

static void json_cell(struct out *o, const struct out_column *c, const struct out_value *v)
{
	cell(o, c, v, false);
}

static void json_row_end(struct out *o)
{
	out_puts(o, "}");
}

static void json_table_end(struct out *o)
{
	if (o->table->flags & OUT_OBJECT)
		out_puts(o, o->rows ? "" : "null");
	else
		out_puts(o, o->rows ? "\n]" : "]");
}

static void json_end(struct out *o)
{
	out_puts(o, o->tables ? "\n}\n" : "}\n");
}

static void nothing(struct out *o)
{
	(void)o;
}

static void ndjson_cell(struct out *o, const struct out_column *c, const struct out_value *v)
{
	cell(o, c, v, true);
}

static void ndjson_row_end(struct out *o)
{
	out_puts(o, "}\n");
}

const struct out_format_ops out_json_ops = {
	.begin = json_begin,
	.table_begin = json_table_begin,
	.cell = json_cell,
	.row_end = json_row_end,
	.table_end = json_table_end,
	.end = json_end,
};

const struct out_format_ops out_ndjson_ops = {
	.begin = nothing,
	.table_begin = nothing,
	.cell = ndjson_cell,
	.row_end = ndjson_row_end,
	.table_end = nothing,
	.end = nothing,
};
