/*
 * vt_socket_columns.h - which columns the tables `socket` and `differing` have, and what each needs
 * of the frames. Only for vt_socket.c.
 */
#ifndef SOCKLAPSE_VT_SOCKET_COLUMNS_H
#define SOCKLAPSE_VT_SOCKET_COLUMNS_H

#include "vt_frame.h"

#define SOCKET_COLUMNS_MAX 256

enum socket_kind {
	SOCKET_FRAME,	/* of vt_frame.h; `n` says which */
	SOCKET_VALUE,	/* a recorded number */
	SOCKET_TIMER,	/* its name */
	SOCKET_TEXT,	/* a row of table text, as text */
	SOCKET_BLOB,	/* the same, as bytes */
	SOCKET_PROCESS, /* of the owner; `n` is a frame_process_column */
	SOCKET_FD,
	SOCKET_SOURCE,
	SOCKET_USERS,	   /* every holder, as ss writes them */
	SOCKET_HOLDERS,	   /* all but the first, for a filter (filter.h) */
	SOCKET_DEV,	   /* name of the interface of ifindex */
	SOCKET_PORT_OWNER, /* as SOCKET_PROCESS, but only of netlink sockets with a port id */
	SOCKET_PAIR,	   /* an argument of table `differing`: `n` is a frame_pair_column */
};

struct socket_column {
	const char *name;
	const char *type;
	enum socket_kind kind;
	int n;
	const struct column *recorded;
};

struct socket_columns {
	struct socket_column all[SOCKET_COLUMNS_MAX];
	int count;
	int pair; /* of table `differing`: where its arguments stand; else -1 */
};

/* Fills `cols`, and declares the table; SQLite code. `pair`: with the arguments of `differing`. */
int socket_columns_declare(sqlite3 *db, bool pair, struct socket_columns *cols);

/* What a query that looks at this column needs of the frames (idxNum of vt_frame.h). */
int socket_column_needs(const struct socket_column *c);

#endif
