/*
 * vt_plain_table.h - what the plain tables of a recording are as tables of the whole history: a
 * query and what its result columns mean. See vt_plain.c.
 */
#ifndef SOCKLAPSE_VT_PLAIN_TABLE_H
#define SOCKLAPSE_VT_PLAIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* What a column of a table is. */
enum plain_kind {
	PLAIN_SNAPSHOT, /* number in the history of the id in result column 0 */
	PLAIN_TIME,	/* that snapshot's begin, ns since the epoch */
	PLAIN_HOST,	/* that snapshot's host name */
	PLAIN_BOOT,	/* and boot id */
	PLAIN_FILE,	/* path of the recording */
	PLAIN_COPY,	/* as it is, from the result column `from` */
	PLAIN_NUMBER,	/* number in the history of the id there; NULL if it has none */
};

struct plain_column {
	enum plain_kind kind;
	int from;
};

#define PLAIN_MAX_COLUMNS 20

struct plain_table {
	const char *name;
	const char *schema;
	/* ?1 and ?2 of those `by_snapshot`: least and greatest snapshot id. */
	const char *sql;
	bool by_snapshot;
	const char *needs; /* a table that a recording may lack: then it has no rows; or NULL */
	struct plain_column columns[PLAIN_MAX_COLUMNS];
};

extern const struct plain_table plain_tables[];
extern const size_t plain_tables_count;

#endif
