/* collect_costs.c - what a snapshot cost, by name. See collect.h. */
#include "collect.h"

int collect_costs_each(const struct collect_costs *costs,
		       int (*take)(void *ctx, const char *name, uint64_t value, struct err *e),
		       void *ctx, struct err *e)
{
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"dump_us", costs->dump_us},
		{"walk_us", costs->walk_us},
		{"wait_us", costs->wait_us},
		{"owners_us", costs->owners_us},
		{"datagrams", costs->datagrams},
		{"dump_bytes", costs->dump_bytes},
		{"processes", costs->processes},
		{"holders", costs->holders},
		{"denied", costs->denied},
		{"fds", costs->fds},
		{"fds_trusted", costs->fds_trusted},
		{"find_us", costs->find_us},
		{"netns", costs->netns},
		{"netns_no_inet", costs->netns_no_inet},
		{"duplicates", costs->duplicates},
		{"malformed", costs->malformed},
		{"tables", costs->tables},
		{"tick_base_us", costs->tick_base_us},
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && !rc; i++)
		rc = take(ctx, members[i].name, members[i].value, e);
	return rc;
}
