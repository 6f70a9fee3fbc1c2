/*
 * collect.h - one snapshot: the sockets of the kernel's dumps and, found meanwhile in /proc, the
 * processes that hold them, given to a recording's writer.
 */
#ifndef SOCKLAPSE_COLLECT_H
#define SOCKLAPSE_COLLECT_H

#include "proc_walk.h"
#include "rec_write.h"

struct collect;
struct sieve;

struct collect_options {
	enum cmdline_mode cmdline;
	uint64_t deadline_ns; /* longest time for each part (dumps, walk); 0: none */
	const char *netns;    /* as --netns has it (stays the caller's); NULL: all */
	bool once;	      /* there will be one snapshot only */
	struct sieve *sieve;  /* NULL: every socket; else lives as long */
	uint32_t protos;      /* socket tables, DIAG_PROTO_BIT()s; 0: all */
};

/* What a snapshot cost. Durations in microseconds of CLOCK_MONOTONIC. */
struct collect_costs {
	uint64_t dump_us;   /* all netlink dumps, decoding included */
	uint64_t walk_us;   /* /proc, in a thread beside the dumps */
	uint64_t wait_us;   /* from the last dump's end to the walk's end */
	uint64_t owners_us; /* putting processes to sockets */
	uint64_t encode_us; /* making the frame */
	uint64_t commit_us; /* writing it, and syncing */
	uint64_t total_us;
	uint64_t cpu_us;  /* user and system time of all threads */
	uint64_t find_us; /* finding network namespaces; part of dump_us */
	uint64_t dump_bytes;
	uint64_t fds;
	uint64_t fds_trusted; /* of those, not read: as in the snapshot before */
	uint32_t datagrams;
	uint32_t processes;	/* looked at */
	uint32_t holders;	/* processes that hold a socket */
	uint32_t denied;	/* processes that could not be looked into */
	uint32_t netns;		/* network namespaces looked at */
	uint32_t netns_no_inet; /* of them, those whose inet tables were not asked for: empty */
	uint32_t duplicates;
	uint32_t malformed;
	uint32_t tables;       /* no cost: the socket tables looked at, a bit (1 << PROTO_*) each */
	uint64_t tick_base_us; /* no cost: where the kernel's tick stands on its clock, tick.h */
};

/* Opens what every snapshot needs. Call caps_drop() before. */
int collect_new(const struct collect_options *options, struct collect **ret,
		struct err *e) MUST_CHECK;
void collect_free(struct collect *c);

/*
 * Takes a snapshot into `w` and commits it. A dump that is not whole, processes that cannot be
 * looked into and the like are flags and costs of the snapshot, not errors. On an error nothing
 * was written.
 */
int collect_snapshot(struct collect *c, struct rec_writer *w, struct rec_snapshot *ret_info,
		     struct collect_costs *ret_costs, struct err *e) MUST_CHECK;

/* Gives each of the costs with its name to `take`, until that fails; its error then. */
int collect_costs_each(const struct collect_costs *costs,
		       int (*take)(void *ctx, const char *name, uint64_t value, struct err *e),
		       void *ctx, struct err *e);

#endif
