/* owner.h - how it is known to whom a socket belongs. */
#ifndef SOCKLAPSE_OWNER_H
#define SOCKLAPSE_OWNER_H

enum owner_source {
	OWNER_NONE,	/* nobody is known */
	OWNER_FD,	/* a process held it */
	OWNER_HISTORY,	/* the last one that held the same connection before */
	OWNER_LISTENER, /* not accepted yet: whoever holds the listening socket */
	OWNER_CGROUP,	/* no process is known, but the cgroup is */
};

/* "fd", "history", "listener", "cgroup"; NULL for none. */
const char *owner_source_name(enum owner_source source);

#endif
