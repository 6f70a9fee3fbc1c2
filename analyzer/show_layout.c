/* show_layout.c - see show_layout.h. */
#include "show_layout.h"

#include <stdlib.h>
#include <string.h>

#include "out_write.h"

/* Lines are handed on in pieces of about this size. */
#define WRITE_BYTES 65536

#define RANKS_MAX 64

struct layout_row {
	size_t begin; /* of the first cell */
	unsigned rank;
};

static const struct {
	const char *title, *gap; /* the gap stands before the column */
	bool right;
} columns[LAYOUT_COLUMNS] = {
	[LAYOUT_NET_ID] = {"Netid", "", false},		[LAYOUT_STATE] = {"State", " ", false},
	[LAYOUT_RECVQ] = {"Recv-Q", " ", false},	[LAYOUT_SENDQ] = {"Send-Q", " ", false},
	[LAYOUT_LOCAL] = {"Local Address:", " ", true}, [LAYOUT_LOCAL_PORT] = {"Port", "", false},
	[LAYOUT_PEER] = {"Peer Address:", " ", true},	[LAYOUT_PEER_PORT] = {"Port", "", false},
	[LAYOUT_DETAILS] = {"Process", " ", false},
};

/* Characters, not bytes. */
static uint32_t width_of(const char *text, size_t len)
{
	uint32_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

void layout_begin(struct layout *l, struct out *out, uint32_t hidden, bool header, bool color)
{
	l->out = out;
	l->hidden = hidden;
	l->header = header;
	l->color = color;
	l->begun = false;
	l->column = 0;
	l->rows_count = 0;
	buf_clear(&l->cells);
	for (unsigned c = 0; c < LAYOUT_COLUMNS; c++)
		l->widths[c] = header ? (uint32_t)strlen(columns[c].title) : 0;
}

void layout_fini(struct layout *l)
{
	buf_fini(&l->cells);
	free(l->rows);
	*l = (struct layout){0};
}

struct buf *layout_cell(struct layout *l)
{
	l->cell_begin = l->cells.len;
	return &l->cells;
}

void layout_cell_end(struct layout *l)
{
	size_t len = l->cells.len - l->cell_begin;
	buf_put_u8(&l->cells, 0);
	if (l->cells.failed) {
		l->nomem = true;
		return;
	}
	if (!l->begun && l->column < LAYOUT_DETAILS) {
		uint32_t width = width_of((const char *)l->cells.bytes + l->cell_begin, len);
		if (width > l->widths[l->column])
			l->widths[l->column] = width;
	}
	l->column++;
}

void layout_text(struct layout *l, const char *text)
{
	buf_put_str(layout_cell(l), text);
	layout_cell_end(l);
}

static void put_blanks(struct buf *line, size_t n)
{
	uint8_t *p = buf_reserve(line, n);
	if (!p)
		return;
	memset(p, ' ', n);
	line->len += n;
}

static void drop_blanks(struct buf *line)
{
	while (line->len && line->bytes[line->len - 1] == ' ')
		line->len--;
}

/* One line (or more, by its details) from cells that follow one another. */
static void put_line(const struct layout *l, struct buf *line, const char *const *cells)
{
	bool first = true;
	for (unsigned c = 0; c < LAYOUT_COLUMNS; c++) {
		size_t len = strlen(cells[c]);
		uint32_t width = width_of(cells[c], len);
		size_t pad = width < l->widths[c] ? l->widths[c] - width : 0;
		if (l->hidden >> c & 1)
			continue;
		if (cells[c][0] == '\n')
			drop_blanks(line);
		else if (!first)
			buf_put_str(line, columns[c].gap);
		first = false;
		if (columns[c].right)
			put_blanks(line, pad);
		buf_put(line, cells[c], len);
		if (!columns[c].right && c < LAYOUT_DETAILS)
			put_blanks(line, pad);
	}
	drop_blanks(line);
}

static void hand_on(struct layout *l, struct buf *line)
{
	l->nomem |= line->failed;
	out_lines(l->out, line->bytes, line->len);
	buf_clear(line);
}

static void put_header(struct layout *l, struct buf *line)
{
	const char *titles[LAYOUT_COLUMNS];
	if (l->begun || !l->header)
		return;
	for (unsigned c = 0; c < LAYOUT_COLUMNS; c++)
		titles[c] = columns[c].title;
	buf_put_str(line, l->color ? "\033[1m" : "");
	put_line(l, line, titles);
	buf_put_str(line, l->color ? "\033[0m\n" : "\n");
}

static void put_row(const struct layout *l, struct buf *line, const struct layout_row *row)
{
	const char *cells[LAYOUT_COLUMNS];
	const char *p = (const char *)l->cells.bytes + row->begin;
	for (unsigned c = 0; c < LAYOUT_COLUMNS; c++) {
		cells[c] = p;
		p += strlen(p) + 1;
	}
	put_line(l, line, cells);
	buf_put_u8(line, '\n');
}

static void flush(struct layout *l)
{
	struct buf line CLEANUP(buf_fini) = {0};
	if (l->nomem)
		return;
	put_header(l, &line);
	l->begun = true;
	uint64_t present = 0;
	for (size_t i = 0; i < l->rows_count; i++)
		present |= UINT64_C(1) << l->rows[i].rank;
	for (unsigned rank = 0; rank < RANKS_MAX; rank++) {
		if (!(present >> rank & 1))
			continue;
		for (size_t i = 0; i < l->rows_count; i++) {
			if (l->rows[i].rank != rank)
				continue;
			put_row(l, &line, &l->rows[i]);
			if (line.len >= WRITE_BYTES)
				hand_on(l, &line);
		}
	}
	hand_on(l, &line);
	l->rows_count = 0;
	buf_clear(&l->cells);
}

void layout_row(struct layout *l, unsigned rank)
{
	if (l->cells.len > LAYOUT_BYTES)
		flush(l);
	if (ARRAY_NEED(l->rows, l->rows_cap, l->rows_count + 1)) {
		l->nomem = true;
		return;
	}
	l->rows[l->rows_count++] = (struct layout_row){
		.begin = l->cells.len, .rank = rank < RANKS_MAX ? rank : RANKS_MAX - 1};
	l->column = 0;
}

int layout_end(struct layout *l, struct err *e)
{
	flush(l);
	return l->nomem ? err_set(e, ERR_NOMEM, "show: memory ran out") : 0;
}
