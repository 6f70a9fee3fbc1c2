/* out_write.h - between out.c and the formats. Only for out*.c. */
#ifndef SOCKLAPSE_OUT_WRITE_H
#define SOCKLAPSE_OUT_WRITE_H

#include "buf.h"
#include "out.h"

enum out_type {
	OUT_IS_NULL,
	OUT_IS_INT,
	OUT_IS_REAL,
	OUT_IS_TEXT
};

struct out_value {
	enum out_type type;
	int64_t i;
	double d;
	const char *text;
	size_t len;
};

struct out {
	struct out_options options;
	const struct out_format_ops *ops;
	const struct out_table *table; /* NULL: none begun */
	size_t column;		       /* of the next cell */
	uint64_t rows;		       /* of this table */
	uint64_t tables;	       /* begun so far */
	bool begun;
	const char *first; /* CSV: the table that is written */
	bool unwanted;	   /* the present table is not written */
	struct buf names;  /* of the tables that were not */

	/* Text only: cells of the rows not written yet, each ended by a NUL, and their widths. */
	struct buf cells;
	size_t *widths;
	bool widths_fixed;
	bool nomem;
	int errnum; /* of the first write that failed */
};

struct out_format_ops {
	void (*begin)(struct out *o);
	void (*table_begin)(struct out *o);
	void (*cell)(struct out *o, const struct out_column *c, const struct out_value *v);
	void (*row_end)(struct out *o);
	void (*table_end)(struct out *o);
	void (*end)(struct out *o);
};

extern const struct out_format_ops out_text_ops, out_json_ops, out_ndjson_ops, out_csv_ops;

/* Writes bytes to the file; remembers the first failure. */
void out_raw(struct out *o, const void *bytes, size_t len);
void out_puts(struct out *o, const char *text);

/* Length of the UTF-8 character at `p` (1..4), or 0 if there is none. Sets its code point. */
size_t out_utf8(const char *p, size_t len, uint32_t *ret_code);

/* Appends text as a terminal may have it. */
void out_harmless(struct buf *b, const char *text, size_t len);

#endif
