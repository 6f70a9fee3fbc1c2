/*
 * spell.h - how long connections spent in their states: one pass over a history that gives every
 * spell (the time that one connection spends in one state) with bounds of its begin and end.
 *
 *   spell_pass_new
 *     while (spell_pass_next(p, &spell, &e) > 0)
 *   spell_pass_free
 *
 * The pass keeps what lives and what has just vanished, no more; of a delta snapshot it looks only
 * at what changed.
 *
 * A connection is (boot, netns, cookie, table, addresses, ports); where the kernel has no cookies
 * that is the tuple alone. Key frames, files and days do not end a spell; a reboot does. A
 * connection that is missing from dumps and then back was there all the time (EVIDENCE section 4:
 * a dump may miss a socket); its spell goes on and counts the dumps in `missed`. A connection that
 * one complete snapshot does not have, nor the next one, has ended before the first of the two.
 *
 * Bounds come from the times of snapshots; with `evidence` also from the kernel's timers and stamps
 * (bounds.h), at the price of reading more. Where that is read around changes of state alone, a row
 * before a change may be unknown: if a dump missed the connection in between, or if a file was
 * begun anew by a recorder that did not know the snapshot before. The bound is then wider, not
 * wrong.
 *
 * Bounds are kept on CLOCK_BOOTTIME, where nobody sets the clock, and published on the wall clock
 * of the snapshots they come from; if that was set between two snapshots, the wall-clock bounds
 * are as far apart as it was set. Lengths are differences of CLOCK_BOOTTIME.
 */
#ifndef SOCKLAPSE_SPELL_H
#define SOCKLAPSE_SPELL_H

#include <string.h>

#include "history_ahead.h"
#include "owner.h"
#include "sock.h"

#define SPELL_UNKNOWN INT64_MIN /* a time or length that is not bounded */

struct spell_owner {
	uint32_t file;	  /* which recording `process` is a row of */
	uint32_t process; /* history_process(); 0: none */
	uint32_t fd;
	uint32_t more; /* row of text of the same recording: further holders; 0: none */
	enum owner_source source;
};

/* A moment between lo and hi, and what says so. */
struct spell_bound {
	int64_t lo_ns, hi_ns; /* SPELL_UNKNOWN: not bounded on this side */
	const char *lo_source, *hi_source;
};

struct spell {
	struct row_member id;  /* who; its netns is a row of recording `file` */
	uint64_t netns;	       /* inode */
	uint32_t file;	       /* recording that saw it last */
	uint32_t boot, host;   /* history_boots(), history_hosts() */
	size_t first, last;    /* first and last snapshot (index) that saw it in this state */
	uint32_t missed;       /* snapshots between them that did not */
	uint32_t inode, uid;   /* as last seen; inode 0: no process holds it */
	uint8_t state;	       /* enum tcp_state */
	uint8_t before, after; /* the connection's states around this one; 0: none seen */
	bool open;	       /* still there in the last snapshot */
	bool early;	       /* already there in the first snapshot of its boot */
	bool killed;	       /* gone before its timer could have run out */
	bool rearmed;	       /* the timer of TIME-WAIT was seen set anew */
	struct spell_owner owner;
	const struct history_cgroup *cgroup; /* if the owner's source is OWNER_CGROUP; else NULL */
	const char *path; /* of a UNIX socket, path_len bytes, of an abstract one from a NUL on */
	size_t path_len;  /* 0: it has none, or options.paths was not given */
	/* At its last sight; SPELL_UNKNOWN without evidence. */
	int64_t recvq, sendq, retrans;

	/*
	 * The socket's file was made between these, by its inode: socket(), or the begin of the
	 * accept() that made it. Wall clock; not known without evidence, or without watermarks.
	 */
	int64_t made_lo_ns, made_hi_ns;

	/* Wall clock, ns since the epoch. `left` is unknown on both sides while open. */
	struct spell_bound entered, left;

	/* How long it lasted; while open: at_most_ms unknown, at_least_ms the age so far. */
	int64_t at_least_ms, at_most_ms;
	int64_t age_most_ms;		     /* how old it was at its last sight, at most */
	int64_t seen_least_ms, seen_most_ms; /* how old it was at its first sight */
	int64_t estimate_ms;		     /* or SPELL_UNKNOWN */
	/* What the estimate takes for granted of the begin and of the end; NULL: none. */
	const char *assumption, *assumption_left;
};

/* "snapshot", or "LO/HI" where the two sides have different sources. Writes at most 64 bytes. */
void spell_source_text(const struct spell_bound *bound, char ret_text[64]);

/*
 * Was the spell there before the first snapshot, with nothing that says since when? Then it began
 * after the boot: true, but nothing to read.
 */
static inline bool spell_is_since_boot(const struct spell *s)
{
	return s->early && s->entered.lo_source && strcmp(s->entered.lo_source, "boot") == 0;
}

struct spell_options {
	size_t first, last; /* snapshots [first, last] of the history; last may be too large */
	uint32_t states;    /* bit (1 << state): give these; 0: all */
	uint32_t protos;    /* bit (1 << proto): give these; 0: all */
	bool owners;	    /* find owners (column group `owner`) */
	bool cgroups;	    /* and, where no process is known, cgroups (group `option`) */
	bool paths;	    /* tell paths of UNIX sockets (group `unix`) */
	bool evidence;	    /* narrow bounds by evidence (groups `queue`, `evidence`) */
	/* Connections of which this says false are not given: it is asked once of each. NULL: all
	 * are. */
	bool (*wants)(const void *arg, const struct row_member *id);
	const void *wants_arg;
};

/*
 * Evidence costs little where recordings tell it around changes of state (FORMAT.md section 5.7).
 * Else, as where two recordings of the same time stand side by side, it costs ten times the rest,
 * and is worth while by default only up to so many sockets, of all snapshots together. Is it cheap
 * in the snapshots [first, last]?
 */
#define SPELL_EVIDENCE_ROWS 5000000u
bool spell_evidence_is_cheap(const struct history *h, size_t first, size_t last);

struct spell_pass;

/* `h` must outlive the pass. */
int spell_pass_new(struct history *h, const struct spell_options *options, struct spell_pass **ret,
		   struct err *e) MUST_CHECK;
void spell_pass_free(struct spell_pass *p);

/*
 * The next spell that is complete, in no particular order: 1 and *ret (valid until the next call),
 * 0 after the last, or a negative code. Open spells of a host come when its snapshots are through.
 */
int spell_pass_next(struct spell_pass *p, const struct spell **ret, struct err *e) MUST_CHECK;

/* What the spells rest on; complete when spell_pass_next() has returned 0. */
struct spell_basis {
	size_t snapshots;  /* read */
	size_t unreadable; /* left out, because their frames are damaged */
	size_t incomplete; /* whose dump may lack sockets: absence in them proves nothing */
	uint32_t flags;	   /* SNAP_* of all of them together */
	int64_t first_wall_ns, last_wall_ns;
	uint64_t connections; /* different ones seen */
	uint64_t opened;      /* of those, TCP connections not there in the first snapshot */
};
void spell_pass_basis(const struct spell_pass *p, struct spell_basis *ret);

/* The stretches of snapshots that could not be read, so far. */
const struct history_gap *spell_pass_gaps(const struct spell_pass *p, size_t *ret_count);

/* The snapshot (index) that the pass has come to, for a progress line. */
size_t spell_pass_at(const struct spell_pass *p);

#endif
