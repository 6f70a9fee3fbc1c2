/*
 * trace_fetch.h - what noted snapshots say of traced connections. Only for trace_*.c.
 */
#ifndef SOCKLAPSE_TRACE_FETCH_H
#define SOCKLAPSE_TRACE_FETCH_H

#include "trace_values.h"

/*
 * Reads notes [from, count) that `wants` wants, with `groups` of the frames, and calls look() for
 * each that can be read, in no particular order: in two threads, each with key-frame runs of its
 * own, where that pays. Neither function may change anything but the note. ERR_NOMEM, or the file
 * cannot be read at all.
 */
struct trace_fetch {
	struct history *h;
	const struct trace_notes *notes;
	const struct trace *t;
	uint32_t groups;
	bool (*wants)(const struct trace_note *note, const struct trace_connection *c);
	void (*look)(struct trace_note *note, const struct trace_connection *c,
		     const struct sockset *set);
};
int trace_fetch(const struct trace_fetch *f, size_t from, struct err *e) MUST_CHECK;

#endif
