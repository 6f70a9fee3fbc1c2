/* owner.c - see owner.h. */
#include "owner.h"

#include <stddef.h>

const char *owner_source_name(enum owner_source source)
{
	static const char *const names[] = {NULL, "fd", "history", "listener", "cgroup"};
	return (unsigned)source < sizeof(names) / sizeof(names[0]) ? names[source] : NULL;
}
