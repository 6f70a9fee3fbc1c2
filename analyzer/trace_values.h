/*
 * trace_values.h - when a traced connection's queues or retransmits changed much, and what else was
 * so then. Only for trace_*.c.
 */
#ifndef SOCKLAPSE_TRACE_VALUES_H
#define SOCKLAPSE_TRACE_VALUES_H

#include "trace.h"

#define TRACE_QUEUES 3u
#define TRACE_INFOS  3u

/* A connection in a snapshot of which more is to be read. */
struct trace_note {
	size_t index; /* of the snapshot */
	uint32_t position;
	unsigned connection;
	uint64_t queue[TRACE_QUEUES];
	uint64_t info[TRACE_INFOS]; /* what else is told, when it has been read */
	int opener;		    /* who opened it, as trace_connection.role */
	bool first;		    /* its first sight */
	bool tell;		    /* there is something to tell */
	bool key;  /* it is in a key frame, which tells who opened it, and is read fast */
	bool role; /* tcp_info may tell who opened it */
	bool eof;  /* the application has not read to the end */
};

struct trace_notes {
	struct trace_note *all; /* by snapshot */
	size_t cap, count;
};
void trace_notes_fini(struct trace_notes *n);

/* Looks at connection `number`, in its slot of the set that snapshot `index` shows. */
int trace_note(struct trace_notes *n, struct trace *t, unsigned number, const struct sockset *set,
	       size_t index, struct err *e) MUST_CHECK;

/* Reads the snapshots noted and puts the events. */
int trace_tell(struct history *h, const struct trace_notes *n, struct trace *t,
	       struct err *e) MUST_CHECK;

#endif
