/*
 * trace.h - the lives of a few connections: what happened to each, in the order of time.
 */
#ifndef SOCKLAPSE_TRACE_H
#define SOCKLAPSE_TRACE_H

#include "spell_ask.h"
#include "strpool.h"

#define TRACE_MAX_CONNECTIONS 1000u

enum trace_kind {
	TRACE_STATE,  /* a state was entered */
	TRACE_MADE,   /* its socket was made, or accepted */
	TRACE_OWNER,  /* another process holds it, or none any more */
	TRACE_VALUES, /* queues, retransmits or round trip time changed much */
	TRACE_NAME,   /* what a watched name of the peer resolves to */
	TRACE_BEFORE, /* of one that was not answered: the last established one to that port */
	TRACE_GONE,
	TRACE_STILL, /* there in the last snapshot that was read */
};

/* "state", "owner", ... */
const char *trace_kind_name(enum trace_kind kind);

struct trace_event {
	unsigned connection; /* in trace.connections */
	enum trace_kind kind;
	int64_t lo_ns, hi_ns; /* wall clock: between these */
	size_t snapshot;      /* index of the one that shows it */
	uint32_t order;	      /* of events at the same time */
	const char *text;
};

struct trace_connection {
	struct row_member id; /* netns: 0 */
	uint64_t netns;
	uint32_t boot, host;
	size_t first, last;		     /* snapshots that have it */
	struct spell_owner owner;	     /* the last one known */
	const struct history_cgroup *cgroup; /* if that is one (OWNER_CGROUP), or was */
	const char *path; /* of a UNIX socket, as ss writes it; NULL: it has none */
	int role;	  /* 1: this host opened it, 0: the peer did, -1: not known */

	/* The last spell in ESTAB of another connection of the host to the same port. */
	struct spell before;
	bool has_before;
	bool tried;    /* was in SYN-SENT */
	bool has_made; /* it is told when its socket was made */

	/* While the walk goes on. */
	uint32_t slot;	     /* UINT32_MAX: not there */
	uint32_t shell;	     /* slot of its closed socket beside it; UINT32_MAX: none */
	const char *holders; /* as last told; NULL: not yet */
	uint64_t values[6];  /* trace_values.c: as last told */
	bool has_values;     /* there are such */
	bool has_told;	     /* there will be an event of values */
	bool has_key;	     /* a key frame was noted */
};

/* Zero-initialised it is empty. */
struct trace {
	struct trace_connection *connections;
	size_t connections_cap, count;
	struct trace_event *events; /* by connection and time */
	size_t events_cap, events_count;
	uint64_t matching; /* spells that matched, all told */
	struct strpool strings;
};

struct trace_options {
	int64_t from_ns, to_ns; /* matching spells were seen between these */
	size_t top;		/* so many connections: those with the longest matching spells */
	const struct vt_context *context; /* whom to tell of snapshots that cannot be read */
	sqlite3 *db;			  /* has table `name`; NULL: names are not told */
};

int trace_run(struct history *h, const struct trace_options *options, struct spell_ask *ask,
	      struct trace *ret, struct err *e) MUST_CHECK;
void trace_fini(struct trace *t);

/* For trace_*.c: adds an event; `text` is copied. */
int trace_put(struct trace *t, const struct trace_event *event, const char *text,
	      struct err *e) MUST_CHECK;

/* For trace.c: puts what watched names of the connections' peers resolved to, and when. */
int trace_names(sqlite3 *db, struct history *h, struct trace *t, struct err *e) MUST_CHECK;

/*
 * For trace_walk.c: puts an event if other processes hold a connection than was told last; the
 * socket is in `slot` of the set that snapshot `index` shows.
 */
int trace_look_at_owner(struct history *h, struct trace *t, unsigned number,
			const struct sockset *set, size_t index, struct err *e) MUST_CHECK;

/* For trace.c: goes through the frames and puts events of owners and values. */
int trace_walk(struct history *h, struct trace *t, struct err *e) MUST_CHECK;

#endif
