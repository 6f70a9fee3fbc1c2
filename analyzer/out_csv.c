/* out_csv.c - comma-separated values, RFC 4180 (but lines end as the system's do). */
#include <inttypes.h>
#include <string.h>

#include "out_write.h"
#include "timeparse.h"

static void put_field(struct out *o, const char *text, size_t len)
{
	bool quote = false;
	for (size_t i = 0; i < len && !quote; i++)
		quote = memchr(",\"\r\n", text[i], 4) != NULL;
	/* An empty string is not NULL. */
	if (!quote && len) {
		out_raw(o, text, len);
		return;
	}
	out_puts(o, "\"");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			out_puts(o, "\"");
		out_raw(o, text + i, 1);
	}
	out_puts(o, "\"");
}

static void put_comma(struct out *o)
{
	for (size_t i = 0; i < o->column; i++)
		if (!(o->table->columns[i].flags & OUT_NOT_DATA)) {
			out_puts(o, ",");
			return;
		}
}

static void csv_cell(struct out *o, const struct out_column *c, const struct out_value *v)
{
	char text[TIME_TEXT_BYTES] = "";
	put_comma(o);
	if (v->type == OUT_IS_TEXT) {
		put_field(o, v->text, v->len);
	} else if (v->type == OUT_IS_REAL) {
		snprintf(text, sizeof(text), "%.15g", v->d);
		out_puts(o, text);
	} else if (v->type == OUT_IS_INT) {
		if (c->kind == OUT_TIME) {
			time_format_rfc3339(v->i, text);
			out_puts(o, text);
			out_puts(o, ",");
		}
		snprintf(text, sizeof(text), "%" PRId64, v->i);
		out_puts(o, text);
	} else if (c->kind == OUT_TIME) {
		out_puts(o, ",");
	}
}

static void csv_row_end(struct out *o)
{
	out_puts(o, "\n");
}

static void csv_table_begin(struct out *o)
{
	if (o->tables)
		out_puts(o, "\n");
	if (!o->options.header)
		return;
	for (size_t i = 0; i < o->table->count; i++) {
		const struct out_column *c = &o->table->columns[i];
		if (c->flags & OUT_NOT_DATA)
			continue;
		o->column = i;
		put_comma(o);
		put_field(o, c->name, strlen(c->name));
		if (c->kind == OUT_TIME) {
			out_puts(o, ",");
			out_puts(o, c->name);
			out_puts(o, "_ns");
		}
	}
	o->column = 0;
	out_puts(o, "\n");
}

static void nothing(struct out *o)
{
	(void)o;
}

const struct out_format_ops out_csv_ops = {
	.begin = nothing,
	.table_begin = csv_table_begin,
	.cell = csv_cell,
	.row_end = csv_row_end,
	.table_end = nothing,
	.end = nothing,
};
