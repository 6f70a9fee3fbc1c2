/*
 * show_layout.h - lines of sockets in the columns of ss(8): Netid State Recv-Q Send-Q, addresses
 * aligned at the colon before the port, and details that go on in lines of their own.
 *
 * Rows are kept until their columns' widths are known, in one block of memory, and written table
 * by table as ss does. Beyond LAYOUT_BYTES what is there is written and widths stay as they are.
 */
#ifndef SOCKLAPSE_SHOW_LAYOUT_H
#define SOCKLAPSE_SHOW_LAYOUT_H

#include "buf.h"
#include "out.h"

#define LAYOUT_BYTES (32u << 20)

enum layout_column {
	LAYOUT_NET_ID,
	LAYOUT_STATE,
	LAYOUT_RECVQ,
	LAYOUT_SENDQ,
	LAYOUT_LOCAL, /* with the colon (or blank) that stands before the port */
	LAYOUT_LOCAL_PORT,
	LAYOUT_PEER,
	LAYOUT_PEER_PORT,
	LAYOUT_DETAILS, /* never padded */
	LAYOUT_COLUMNS
};

struct layout {
	struct out *out;
	uint32_t hidden; /* bit 1 << LAYOUT_*: not written */
	bool header, color;
	struct buf cells; /* of the rows kept: for each cell its bytes and a NUL */
	struct layout_row *rows;
	size_t rows_count, rows_cap;
	uint32_t widths[LAYOUT_COLUMNS]; /* characters */
	size_t cell_begin;		 /* of the cell that is being written, in cells */
	unsigned column;		 /* of it */
	bool begun;			 /* the header is written, widths are final */
	bool nomem;
};

/* A new table; frees nothing that the one before kept. Zero-initialised the struct is empty. */
void layout_begin(struct layout *l, struct out *out, uint32_t hidden, bool header, bool color);
void layout_fini(struct layout *l);

/* A row that stands with those of the same `rank`, behind those of lower ones. */
void layout_row(struct layout *l, unsigned rank);

/*
 * The next cell: append its text to what layout_cell() returns, then say layout_cell_end(). Text
 * from outside must be harmless and hold no NUL. Every row has all LAYOUT_COLUMNS cells.
 */
struct buf *layout_cell(struct layout *l);
void layout_cell_end(struct layout *l);
void layout_text(struct layout *l, const char *text);

/* Writes what is kept, or the header alone. ERR_NOMEM. */
int layout_end(struct layout *l, struct err *e) MUST_CHECK;

#endif
