/*
 * out.h - writes what a command has to say: tables of typed values as aligned text, as one JSON
 * document, as JSON lines or as CSV. A command describes its columns once and never formats.
 *
 *   out_new
 *     out_note            a line that only text has
 *     out_table           begins a table; ends the one before
 *       out_int, out_str, ...   cell by cell; the last one of a row completes it
 *   out_end               completes the document
 *
 * Text: columns as wide as their widest cell among the first OUT_TEXT_BUFFER bytes of the table.
 * What comes from outside is made harmless: control characters, bytes that are not UTF-8 and marks
 * that reorder text appear as \xHH. JSON: {"TABLE": [rows], ...}; numbers are numbers, a time is
 * RFC 3339 and, beside it as NAME_ns, nanoseconds since the epoch; what is not UTF-8 becomes
 * U+FFFD. NDJSON: a row, a line. CSV: RFC 4180, times as in JSON.
 * NULL is "-" in text, null in JSON and empty in CSV.
 */
#ifndef SOCKLAPSE_OUT_H
#define SOCKLAPSE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

#define OUT_TEXT_BUFFER (8u << 20)

enum out_format {
	OUT_TEXT,
	OUT_JSON,
	OUT_NDJSON,
	OUT_CSV
};

enum out_kind {
	OUT_ANY,      /* as the value is */
	OUT_STRING,   /* left-aligned */
	OUT_NUMBER,   /* right-aligned */
	OUT_TIME,     /* wall clock, ns since the epoch */
	OUT_DURATION, /* milliseconds; text says 5min 3s */
	OUT_BYTES,    /* bytes; text says 1.5M */
};

#define OUT_NOT_TEXT 1u /* of a column or table: left out of text */
#define OUT_NOT_DATA 2u /* of a column: only in text */
#define OUT_RIGHT    4u /* of a column: right-aligned */

struct out_column {
	const char *name;  /* in JSON and CSV: lower case with underscores */
	const char *title; /* in text; NULL: the name */
	enum out_kind kind;
	unsigned flags;
};

#define OUT_OBJECT 16u /* of a table: it has one row; in JSON an object, not an array of one */
#define OUT_TAGGED 32u /* of a table: its NDJSON rows begin with "table": NAME */

struct out_table {
	const char *name;
	const struct out_column *columns;
	size_t count;
	unsigned flags;
};

struct out_options {
	FILE *file;
	enum out_format format;
	bool header; /* names of columns in text and CSV */
	bool color;
	const char *gap; /* between columns of text; NULL: two blanks */
	/*
	 * CSV has one table: the one of this name, or without a name the first (all_tables: each,
	 * an empty line between them). Other formats: if it is named, no other is written.
	 */
	const char *table;
	bool all_tables;
};

struct out;

int out_new(const struct out_options *options, struct out **ret, struct err *e) MUST_CHECK;
void out_free(struct out *o);

/* Begins a table. The table and its columns stay the caller's and must outlive it. */
void out_table(struct out *o, const struct out_table *table);

/* Ends the present table, if any, and flushes: it and its columns need not live on. */
void out_table_end(struct out *o);

/* A line of text, only in text; ends the table before. Made harmless like a cell. */
void out_note(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Lines of text as they are, only in text: made harmless (out_harmless()) and ended by whoever
 * calls. */
void out_lines(struct out *o, const void *bytes, size_t len);

void out_null(struct out *o);
void out_int(struct out *o, int64_t v);
void out_real(struct out *o, double v);
void out_str(struct out *o, const char *text); /* NULL: as out_null() */
void out_bytes(struct out *o, const char *text, size_t len);

/* The cells of the present row so far: where the next one goes. */
size_t out_at(const struct out *o);

/* Nobody reads on (broken pipe) or writing failed: a command may stop. */
bool out_failed(const struct out *o);

/*
 * Completes the document and flushes. ERR_IO, ERR_FULL, ERR_NOMEM; ERR_USAGE: the table that was
 * asked for by name is not among those of the command. A reader that went away is no error.
 */
int out_end(struct out *o, struct err *e) MUST_CHECK;

#endif
