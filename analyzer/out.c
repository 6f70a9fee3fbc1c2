/* out.c - see out.h. Rows and cells; the formats are in out_text.c, out_json.c, out_csv.c. */
#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "out_write.h"

int out_new(const struct out_options *options, struct out **ret, struct err *e)
{
	static const struct out_format_ops *const ops[] = {
		[OUT_TEXT] = &out_text_ops,
		[OUT_JSON] = &out_json_ops,
		[OUT_NDJSON] = &out_ndjson_ops,
		[OUT_CSV] = &out_csv_ops,
	};
	struct out *o = calloc(1, sizeof(*o));
	if (!o)
		return err_set(e, ERR_NOMEM, "output: memory ran out");
	o->options = *options;
	o->ops = ops[options->format];
	*ret = o;
	return 0;
}

void out_free(struct out *o)
{
	if (!o)
		return;
	buf_fini(&o->cells);
	buf_fini(&o->names);
	free(o->widths);
	free(o);
}

void out_raw(struct out *o, const void *bytes, size_t len)
{
	if (o->errnum || !len)
		return;
	if (fwrite(bytes, 1, len, o->options.file) != len)
		o->errnum = errno ? errno : EIO;
}

void out_puts(struct out *o, const char *text)
{
	out_raw(o, text, strlen(text));
}

static bool skipped(const struct out *o, unsigned flags)
{
	return flags & (o->options.format == OUT_TEXT ? OUT_NOT_TEXT : OUT_NOT_DATA);
}

static bool table_skipped(const struct out *o)
{
	return o->unwanted || skipped(o, o->table->flags);
}

static void table_end(struct out *o)
{
	if (!o->table)
		return;
	if (!table_skipped(o))
		o->ops->table_end(o);
	o->table = NULL;
}

/* Nothing is written before there is something to say: an error may come first. */
static void begin(struct out *o)
{
	if (!o->begun)
		o->ops->begin(o);
	o->begun = true;
}

/* Text has all tables, unless one is named. Tables of the same name are one. */
static bool wanted(struct out *o, const struct out_table *table)
{
	const struct out_options *w = &o->options;
	if (w->table)
		return strcmp(w->table, table->name) == 0;
	if (w->format != OUT_CSV || w->all_tables || (table->flags & OUT_NOT_DATA))
		return true;
	if (!o->first)
		o->first = table->name;
	return strcmp(o->first, table->name) == 0;
}

/* For an error: which tables there are, each once. */
static void remember(struct out *o, const char *name)
{
	const char *all = buf_str(&o->names);
	size_t len = strlen(name);
	for (const char *p = strstr(all, name); p; p = strstr(p + 1, name))
		if (p > all && p[-1] == ' ' && (!p[len] || p[len] == ' '))
			return;
	buf_printf(&o->names, " %s", name);
	o->nomem |= o->names.failed;
}

void out_table(struct out *o, const struct out_table *table)
{
	begin(o);
	table_end(o);
	o->table = table;
	o->column = 0;
	o->rows = 0;
	o->unwanted = !wanted(o, table);
	if (o->unwanted)
		remember(o, table->name);
	if (table_skipped(o))
		return;
	o->ops->table_begin(o);
	o->tables++;
}

void out_table_end(struct out *o)
{
	table_end(o);
	if (!o->errnum && fflush(o->options.file) != 0)
		o->errnum = errno ? errno : EIO;
}

void out_note(struct out *o, const char *fmt, ...)
{
	if (o->options.format != OUT_TEXT)
		return;
	table_end(o);
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct buf line CLEANUP(buf_fini) = {0};
	out_harmless(&line, text, strlen(text));
	buf_put_u8(&line, '\n');
	out_raw(o, line.bytes, line.len);
}

void out_lines(struct out *o, const void *bytes, size_t len)
{
	if (o->options.format != OUT_TEXT)
		return;
	table_end(o);
	out_raw(o, bytes, len);
}

static void put_cell(struct out *o, const struct out_value *v)
{
	const struct out_column *c = &o->table->columns[o->column];
	if (!table_skipped(o)) {
		if (!skipped(o, c->flags))
			o->ops->cell(o, c, v);
		if (o->column + 1 == o->table->count)
			o->ops->row_end(o);
	}
	if (++o->column == o->table->count) {
		o->column = 0;
		o->rows++;
	}
}

void out_null(struct out *o)
{
	put_cell(o, &(struct out_value){.type = OUT_IS_NULL});
}

void out_int(struct out *o, int64_t v)
{
	put_cell(o, &(struct out_value){.type = OUT_IS_INT, .i = v});
}

void out_real(struct out *o, double v)
{
	put_cell(o, &(struct out_value){.type = OUT_IS_REAL, .d = v});
}

void out_str(struct out *o, const char *text)
{
	if (text)
		out_bytes(o, text, strlen(text));
	else
		out_null(o);
}

void out_bytes(struct out *o, const char *text, size_t len)
{
	put_cell(o, &(struct out_value){.type = OUT_IS_TEXT, .text = text, .len = len});
}

size_t out_at(const struct out *o)
{
	return o->column;
}

bool out_failed(const struct out *o)
{
	return o->errnum || o->nomem;
}

int out_end(struct out *o, struct err *e)
{
	begin(o);
	table_end(o);
	o->ops->end(o);
	if (!o->errnum && fflush(o->options.file) != 0)
		o->errnum = errno ? errno : EIO;
	if (o->nomem)
		return err_set(e, ERR_NOMEM, "output: memory ran out");
	if (o->options.table && !o->tables)
		return err_set(e, ERR_USAGE, "--table: %.64s: no such table; there are:%s",
			       o->options.table, buf_str(&o->names));
	if (o->errnum && o->errnum != EPIPE)
		return err_errno(e, o->errnum, "output: write");
	return 0;
}

size_t out_utf8(const char *text, size_t len, uint32_t *ret_code)
{
	const unsigned char *p = (const unsigned char *)text;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (!len)
		return 0;
	if (p[0] < 0x80) {
		*ret_code = p[0];
		return 1;
	}
	size_t n = p[0] >= 0xf0 && p[0] < 0xf8 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] >= 0xf8 || n > len)
		return 0;
	uint32_t code = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret_code = code;
	return n;
}

/* Controls of ASCII and Latin-1, and marks that change the direction of text. */
static bool is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfeff;
}

void out_harmless(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t code;
		size_t plain = i;
		while (plain < len && text[plain] >= 0x20 && text[plain] < 0x7f)
			plain++;
		buf_put(b, text + i, plain - i);
		i = plain;
		size_t n = out_utf8(text + i, len - i, &code);
		if (!n && i == len)
			break;
		if (n && !is_harmful(code)) {
			buf_put(b, text + i, n);
			i += n;
			continue;
		}
		for (size_t end = i + (n ? n : 1); i < end; i++)
			buf_printf(b, "\\x%02x", (unsigned char)text[i]);
	}
}
