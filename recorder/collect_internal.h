/*
 * collect_internal.h - a snapshot under way, shared by collect.c (the parts of a snapshot) and
 * collect_dump.c (the socket tables of one network namespace).
 */
#ifndef SOCKLAPSE_COLLECT_INTERNAL_H
#define SOCKLAPSE_COLLECT_INTERNAL_H

#include "collect.h"
#include "diag_inet.h"
#include "diag_table.h"
#include "nl_dump.h"
#include "owners.h"
#include "watermark.h"

/* Interfaces that sockets of one namespace are bound to; more are not named. */
#define MAX_INTERFACES 256

/* A network namespace and the sockets that are open in it. */
struct netns_link {
	uint64_t inode;
	const char *name; /* NULL: none */
	struct tick tick;
	struct nl_dump *dump;
};

struct collect {
	struct collect_options options;
	int proc_fd;
	int cpu_fd; /* /sys/devices/system/cpu; -1: there is none */
	bool sees_all;
	struct netns_link *netns;
	size_t netns_count;
	struct proc_walk walk;
	struct owners owners;
	struct watermark marks;
	struct diag_inet diag;
	uint64_t absent; /* diag_tables[] that the kernel refused: bit 1 << index */
};

/* One snapshot under way. */
struct snap {
	struct collect *c;
	struct rec_writer *w;
	struct rec_snapshot *info;
	struct collect_costs *costs;
	const struct diag_table *table;
	uint32_t own_port; /* of the socket that asks, which is not recorded */
	uint32_t no_table; /* tables that the kernel lacks, DIAG_PROTO_BIT()s */
	uint32_t by_proc;  /* tables that were read from /proc/net */
	uint32_t netns_row;
	char cong[32]; /* name and row of the last congestion control seen */
	size_t cong_len;
	uint32_t cong_row;
	uint32_t interfaces[MAX_INTERFACES];
	size_t interfaces_count;
	struct buf problems; /* JSON texts, apart by commas */
	uint32_t problems_count;
};

/* A line for the snapshot's costs: which part went wrong, and how. */
void collect_problem(struct snap *s, const char *part, const char *what);

/* The same about a set of tables, if it is not empty. */
void collect_problem_tables(struct snap *s, uint32_t protos, const char *what);

/* Microseconds after the snapshot's begin, rounded down. */
uint64_t collect_since_begin_us(const struct snap *s, uint64_t mono_ns);

/* Everything of one namespace: counters, sockets, interface names. */
int collect_netns(struct snap *s, struct netns_link *n, uint64_t deadline_ns,
		  struct err *e) MUST_CHECK;

#endif
