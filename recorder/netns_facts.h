/*
 * netns_facts.h - kernel settings that each network namespace has of its own: what of them differs
 * from the host's (table netns_fact; the host's stand in host.facts).
 */
#ifndef SOCKLAPSE_NETNS_FACTS_H
#define SOCKLAPSE_NETNS_FACTS_H

#include "buf.h"

/* Settings of one namespace, and room for a value; one that is longer is not compared. */
#define NETNS_FACTS	 18
#define NETNS_FACT_BYTES 120

/* "" where the kernel has no such setting, or hides it in this namespace. */
struct netns_facts {
	char value[NETNS_FACTS][NETNS_FACT_BYTES];
};

/*
 * Reads those of the calling thread's namespace: /proc/sys/net is that of whoever looks. `proc_fd`
 * is a directory like /proc.
 */
void netns_facts_read(struct netns_facts *f, int proc_fd);

/* A JSON object of the settings that differ; "{}": none. Names as in host.facts. */
void netns_facts_json(const struct netns_facts *f, const struct netns_facts *host,
		      struct buf *json);

#endif
