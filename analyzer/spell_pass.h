/* spell_pass.h - the inside of a spell pass. Only for spell_*.c. */
#ifndef SOCKLAPSE_SPELL_PASS_H
#define SOCKLAPSE_SPELL_PASS_H

#include "history_walk.h"
#include "spell_conn.h"
#include "spell_marks.h"
#include "spell_time.h"

/* Absence from a snapshot with one of these proves nothing: its dump may lack sockets. */
#define SPELL_HOLES (SNAP_INTERRUPTED | SNAP_PARTIAL | SNAP_CUT | SNAP_NETNS_LOST)

/*
 * Nor from one with one of these, unless all snapshots of the host have it; of tables that were not
 * looked at only if it is not told which (rec_snapshot.tables).
 */
#define SPELL_COVERAGE                                                                             \
	(SNAP_FILTERED | SNAP_UNPRIVILEGED | SNAP_NETNS_PART | SNAP_SOME_NETNS |                   \
	 SPELL_COVERAGE_TABLES)
#define SPELL_COVERAGE_TABLES (SNAP_NO_TABLE | SNAP_SOME_TABLES)

/* Is it in a set of states or tables? Numbers come from the file and may be any. */
static inline bool spell_has_bit(uint32_t set, unsigned number)
{
	return number < 32 && set >> number & 1;
}

/* The place of a table in arrays by table; 0 stands for those that are not known. */
static inline unsigned spell_table(unsigned proto)
{
	return proto < PROTO_COUNT ? proto : 0;
}

struct spell_pass {
	struct history *h;
	const struct history_snapshot *snapshots;
	struct spell_options options;
	struct history_ahead *walk;
	const struct sockset *set;
	struct conn_table table;
	struct spell_evidence *evidence; /* NULL: not asked for */
	struct spell_marks *marks;	 /* the same */
	bool turns;	  /* it is read around changes of state alone (FORMAT.md section 5.7) */
	bool shell_alone; /* a connection with a hidden shell is missing from this snapshot */

	size_t index; /* the snapshot being worked on */
	struct moment now;
	uint32_t batch_at; /* of its rows; sockset_batch_near() */
	bool complete;	   /* is it? */
	size_t before;	   /* the snapshot before it; HISTORY_NONE: first of its boot */
	/* The last complete one before it that looked at a table, or HISTORY_NONE. */
	size_t complete_before[PROTO_COUNT];
	uint32_t coverage; /* flags that all snapshots of this host have */

	uint32_t netns_file, netns_row; /* the last one looked up */
	uint64_t netns;

	struct spell *ready; /* complete, not yet handed out */
	size_t ready_cap, ready_count, ready_at;
	bool ended;
	struct spell_basis basis;
};

/* Takes the snapshot p->index; `step`: what is born, died and touched tells all of it. */
int spell_follow(struct spell_pass *p, bool step, struct err *e) MUST_CHECK;

/* The inode of a network namespace of recording `file`, by which it is known across files. */
int spell_netns(struct spell_pass *p, uint32_t file, uint32_t row, uint64_t *ret,
		struct err *e) MUST_CHECK;

/* What lies in the queues of all connections of the snapshot p->before, if that is not known. */
int spell_learn_queues(struct spell_pass *p, struct err *e) MUST_CHECK;

/* All that are there count as missing. */
int spell_depart_all(struct spell_pass *p, struct err *e) MUST_CHECK;

/* Counts the snapshot p->index into the basis. */
void spell_note_basis(struct spell_pass *p, const struct rec_snapshot *s);

/* How a spell ends; bounds on CLOCK_BOOTTIME. */
struct spell_end {
	struct spell_bound left;
	int64_t offset_lo_ns, offset_hi_ns; /* wall - boottime around it */
	int64_t guess_ns;		    /* or SPELL_UNKNOWN */
	const char *assumption;
	size_t last;
	uint8_t after;
	bool open; /* it does not: `left` is void */
	bool killed;
	const struct row_queue *queue; /* at its last sight; NULL: not read */
};

/* Do the options want the present spell of a connection? */
bool spell_is_asked_for(const struct spell_pass *p, const struct conn *c);

/* Hands it out, unless they do not. */
int spell_emit(struct spell_pass *p, const struct conn *c, const struct spell_end *end,
	       struct err *e) MUST_CHECK;

/* The end between two snapshots: after the begin of `last`, at most at hi_ns. */
struct spell_end spell_end_between(const struct spell_pass *p, size_t last, size_t next,
				   int64_t hi_ns);
/* It was not there in snapshot c->gone. */
int spell_emit_gone(struct spell_pass *p, const struct conn *c, struct err *e) MUST_CHECK;
/* It is still there in the last snapshot, or nothing proves that it is not. */
int spell_emit_open(struct spell_pass *p, const struct conn *c, struct err *e) MUST_CHECK;
/* The host went down; `next` is the first snapshot of the next boot. */
int spell_emit_reboot(struct spell_pass *p, const struct conn *c, size_t next,
		      struct err *e) MUST_CHECK;

#endif
