/*
 * spell_conn.h - the connections that a spell pass keeps: those that the snapshot shown has, also
 * by slot, and those that it lacks but the next one may have again. All can be found by identity.
 * Only for spell_*.c.
 */
#ifndef SOCKLAPSE_SPELL_CONN_H
#define SOCKLAPSE_SPELL_CONN_H

#include "spell.h"

#define CONN_NONE UINT32_MAX

struct conn {
	/* What is looked at when it goes missing stands together (conn_soon()). */
	size_t last; /* snapshot that saw it; only while missing */
	size_t gone; /* first complete snapshot without it; HISTORY_NONE */
	uint32_t missed;
	uint32_t missing;	/* snapshots without it since it was last seen */
	uint32_t slot;		/* where it is, while not missing */
	uint32_t next_listener; /* in the chain of listeners */
	uint8_t state, before;
	bool early, rearmed;
	bool is_missing;
	bool unwanted;	/* its spells are not given, its evidence not looked at */
	bool has_shell; /* beside it there is, or was, a shell */
	bool listed;	/* in the listeners */

	struct row_member id; /* netns is 0 here: it is a row of one file only */
	uint64_t netns;	      /* inode */
	uint32_t netns_row;   /* in recording `file` */
	uint32_t file;

	/* The present spell; bounds on CLOCK_BOOTTIME, ns. */
	struct spell_bound entered;
	int64_t guess_ns;	/* when it was entered, if `assumption` holds; or SPELL_UNKNOWN */
	const char *assumption; /* NULL: no guess */
	size_t since;		/* the spell began after this snapshot; HISTORY_NONE: unknown */
	size_t born_since;	/* and the connection after this one */
	int64_t seen_lo_ns, seen_hi_ns;	    /* when it was first seen in this state */
	int64_t offset_lo_ns, offset_hi_ns; /* wall - boottime around `entered` */
	size_t first;			    /* snapshot that saw it in this state */
	uint32_t inode, uid, ifindex;
	int64_t made_lo_ns, made_hi_ns; /* wall clock; SPELL_UNKNOWN: not known */
	struct spell_owner owner;
	uint32_t path;	 /* of a UNIX socket: row of text of recording `file`; 0: none */
	uint64_t cgroup; /* as last told while nobody was known to hold it; 0: never */
};

/* What is looked at of a connection to find another one: apart, so that it stays in the cache. */
struct conn_link {
	uint32_t hash; /* of its identity */
	uint32_t next; /* in the chain of its bucket */
};

struct conn_table {
	struct conn *all;
	size_t cap, used;
	struct conn_link *links; /* by number, as `all` */
	size_t links_cap;
	uint32_t *free; /* numbers that were given back; room for all */
	size_t free_cap, free_count;

	uint32_t *by_slot;
	size_t by_slot_cap, by_slot_count;

	uint32_t *buckets; /* all of them, by identity */
	size_t buckets_cap, count;
	uint32_t *missing; /* their numbers; some may no longer be missing */
	size_t missing_cap, missing_used;
	size_t missing_sifted; /* so many of them were there when they were last sifted */

	uint32_t *listeners; /* chains by port, CONN_LISTEN_CHAINS of them */
};

#define CONN_LISTEN_CHAINS 1024u

int conn_table_init(struct conn_table *t, struct err *e) MUST_CHECK;
void conn_table_fini(struct conn_table *t);

/* A new connection; its number, or CONN_NONE if memory ran out. Moves `all`. */
uint32_t conn_new(struct conn_table *t, const struct row_member *id, uint64_t netns);
void conn_free(struct conn_table *t, uint32_t number);

/* The connection with this identity, missing or not; or CONN_NONE. */
uint32_t conn_find(const struct conn_table *t, const struct row_member *id, uint64_t netns);

/*
 * Connections lie anywhere in more memory than a cache holds, and waiting for it was half of a
 * pass. Loops ask for what they will look at so many turns ahead.
 */
#define CONN_AHEAD 8u

static inline void conn_fetch(const void *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 64)
		__builtin_prefetch((const char *)at + i, 1);
}

/* It will go missing soon, or its evidence change. */
static inline void conn_soon(const struct conn_table *t, uint32_t number)
{
	conn_fetch(&t->all[number], offsetof(struct conn, netns));
}

/* It will be looked for soon. */
void conn_find_soon(const struct conn_table *t, const struct row_member *id, uint64_t netns);

/*
 * If so many that are new come first, what conn_new() will return then: asks for its memory.
 * CONN_NONE: not known.
 */
uint32_t conn_new_soon(const struct conn_table *t);

/* Makes slots below `count` known (CONN_NONE). */
int conn_need_slots(struct conn_table *t, size_t count, struct err *e) MUST_CHECK;

/* Puts a connection among the missing ones; is_missing = false takes it out of them again. */
int conn_put_missing(struct conn_table *t, uint32_t number, struct err *e) MUST_CHECK;

/*
 * Calls fn for each missing one. It returns 1 to have the connection dropped and freed, 0 to keep
 * it, or a negative code, which is returned. Those that were there the last time are first told to
 * `soon`, ahead of their turn.
 */
typedef void conn_soon_fn(void *arg, uint32_t number);
typedef int conn_sift_fn(void *arg, uint32_t number, struct err *e);
int conn_sift_missing(struct conn_table *t, conn_sift_fn *fn, conn_soon_fn *soon, void *arg,
		      struct err *e) MUST_CHECK;

/* A connection in LISTEN (TCP, MPTCP, SCTP, DCCP) can be found as the listener of others. */
void conn_list(struct conn_table *t, uint32_t number);
void conn_unlist(struct conn_table *t, uint32_t number);

/*
 * The listening socket that a connection not yet accepted belongs to, or CONN_NONE: there is none,
 * or there are several that fit equally well and that different processes hold.
 */
uint32_t conn_listener(const struct conn_table *t, const struct conn *c);

#endif
