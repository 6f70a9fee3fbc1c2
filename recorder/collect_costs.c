/* collect_costs.c - what a snapshot cost, as JSON. See collect.h. */
#include "collect.h"

#include <inttypes.h>

void collect_costs_json(const struct collect_costs *costs, struct buf *json)
{
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"dump_us", costs->dump_us},	   {"walk_us", costs->walk_us},
		{"wait_us", costs->wait_us},	   {"owners_us", costs->owners_us},
		{"datagrams", costs->datagrams},   {"dump_bytes", costs->dump_bytes},
		{"processes", costs->processes},   {"holders", costs->holders},
		{"denied", costs->denied},	   {"fds", costs->fds},
		{"duplicates", costs->duplicates}, {"malformed", costs->malformed},
	};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		buf_printf(json, "%s\"%s\":%llu", i ? "," : "", members[i].name,
			   (unsigned long long)members[i].value);
}
