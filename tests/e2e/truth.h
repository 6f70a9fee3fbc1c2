/*
 * truth.h - what truth.c and truth_trace.c share: the ends of connections and their true states.
 */
#ifndef SOCKLAPSE_TRUTH_H
#define SOCKLAPSE_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

/* A state was entered in [lo_ns, hi_ns] on CLOCK_REALTIME. */
struct moment {
	uint8_t state; /* TCP_*; TCP_CLOSE: gone */
	int64_t lo_ns;
	int64_t hi_ns;
};

#define MOMENTS_MAX 16

struct end {
	int fd; /* -1: not yet there, or closed */
	uint16_t port, peer_port;
	unsigned count;
	struct moment moments[MOMENTS_MAX];
	int64_t polled_ns;	/* begin of the last look at it */
	int64_t closed_ns;	/* the application closed it not before; 0: it did not */
	int64_t closed_mono_ns; /* the same on CLOCK_MONOTONIC, as the tracepoint's */
};

struct play {
	const char *step; /* what comes next */
	int64_t due_ns;
	struct end end[2]; /* client, server */
};

/* The address of all connections of this run, and of no others. */
extern const char *truth_address;

int64_t truth_now_ns(void);
void truth_note(struct end *end, unsigned state, int64_t lo_ns, int64_t hi_ns);

/*
 * The kernel's own account by the tracepoint sock:inet_sock_set_state. `tracing` is where tracefs
 * is mounted. Begin: false if it cannot be had. End: replaces the moments of all plays by what the
 * kernel says; false if that could not be read whole.
 */
bool truth_trace_begin(const char *tracing);
bool truth_trace_end(const char *tracing, struct play *plays, unsigned count);

#endif
