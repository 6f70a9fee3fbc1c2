/* rec.c - names of snapshot flags. */
#include "rec.h"

#include <stddef.h>

const char *rec_flag_name(uint32_t bit)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{SNAP_INTERRUPTED, "interrupted"}, {SNAP_PARTIAL, "partial"},
		{SNAP_DUPLICATES, "duplicates"},   {SNAP_NO_OWNERS, "no-owners"},
		{SNAP_OWNERS_PART, "owners-part"}, {SNAP_CUT, "cut"},
		{SNAP_NETNS_LOST, "netns-lost"},   {SNAP_FILTERED, "filtered"},
		{SNAP_NO_TABLE, "no-table"},	   {SNAP_UNPRIVILEGED, "unprivileged"},
		{SNAP_REBOOT, "reboot"},	   {SNAP_NETNS_PART, "netns-part"},
		{SNAP_SOME_TABLES, "some-tables"}, {SNAP_SOME_NETNS, "some-netns"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].bit == bit)
			return names[i].name;
	return NULL;
}
