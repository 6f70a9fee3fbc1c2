/*
 * collect_internal.h - a snapshot under way, shared by collect.c (the parts of a snapshot),
 * collect_netns.c (the network namespaces) and collect_dump.c (the socket tables of one of them).
 */
#ifndef SOCKLAPSE_COLLECT_INTERNAL_H
#define SOCKLAPSE_COLLECT_INTERNAL_H

#include "cgroups.h"
#include "collect.h"
#include "diag_inet.h"
#include "diag_table.h"
#include "netns_enter.h"
#include "netns_facts.h"
#include "netns_use.h"
#include "nl_dump.h"
#include "owners.h"
#include "sieve.h"
#include "watermark.h"

/* Interfaces that sockets of one namespace are bound to; more are not named. */
#define MAX_INTERFACES 256

/* A network namespace and the socket that is open in it. */
struct netns_link {
	uint64_t inode;
	uint64_t cookie;   /* 0: unknown */
	const char *name;  /* NULL: none */
	struct tick *tick; /* the kernel's, whatever the namespace */
	struct nl_dump *dump;
};

struct collect {
	struct collect_options options;
	int proc_fd;
	int cpu_fd; /* /sys/devices/system/cpu; -1: there is none */
	bool sees_all;
	bool counts_mptcp; /* netns_use.h */
	struct netns_home home;
	struct netns_link own; /* stays open */
	struct tick tick;
	struct netns_list list;
	struct netns_facts facts;	       /* of our own namespace when it began */
	uint64_t facts_due_ns;		       /* when to look at those of all again */
	uint32_t facts_row;		       /* the last row of table netns that was looked at */
	const struct rec_writer *facts_writer; /* only compared: another one knows nothing yet */
	struct proc_walk walk;
	struct owners owners;
	struct watermark marks;
	struct cgroups cgroups;
	struct diag_inet diag;
	bool no_narrowing; /* the kernel refused a request that the sieve had narrowed down */
	uint64_t absent;   /* diag_tables[] that the kernel refused: bit 1 << index */
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
	struct netns_use use; /* of this namespace */
	bool facts_due;
	struct filter_about about; /* what belongs to the row that the sieve looks at */
	const struct netns_link *link;
	char dev[16];  /* name of the interface last asked for */
	char cong[32]; /* name and row of the last congestion control seen */
	size_t cong_len;
	uint32_t cong_row;
	uint64_t cgroup;       /* the last one seen */
	struct intern cgroups; /* those that the recording does not know yet: id -> 1 */
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

/* Remembers the cgroup of a row; collect_cgroups() finds the paths of those that are new. */
int collect_note_cgroup(struct snap *s, uint64_t id, struct err *e) MUST_CHECK;
int collect_cgroups(struct snap *s, struct err *e) MUST_CHECK;

/* Every network namespace that is asked for. */
int collect_namespaces(struct snap *s, uint64_t deadline_ns, struct err *e) MUST_CHECK;

/*
 * Everything of the namespace that the thread is in, s->netns_row: counters, the sockets that
 * s->use leaves possible, interface names.
 */
int collect_netns(struct snap *s, struct netns_link *n, uint64_t deadline_ns,
		  struct err *e) MUST_CHECK;

#endif
