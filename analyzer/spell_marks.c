/*
 * spell_marks.c - see spell_marks.h.
 *
 * A CPU that is off line keeps the rest of its batch, and goes on with it when it comes back: until
 * then its last mark stands for it. A CPU that comes for the first time may have a batch of old
 * age: the snapshots before it then prove nothing by batches that no mark is in.
 */
#include "spell_marks.h"

#include <stdlib.h>
#include <string.h>

#include "bounds_inode.h"
#include "buf.h"
#include "history.h"
#include "rec_marks.h"

/* A socket is compared with so many snapshots: mostly the last one or two tell. */
#define LOOK_MAX 512u

/* So many marks are kept (32 MiB); of older snapshots none are. */
#define MARKS_MAX (1u << 23)

struct mark_set {
	size_t index; /* snapshot */
	size_t first; /* in inodes[] */
	uint32_t cpus;
	bool whole;
	int64_t lo_ns, hi_ns; /* CLOCK_BOOTTIME, around all of them */
	int64_t offset_ns;    /* CLOCK_REALTIME - CLOCK_BOOTTIME */
};

/* The last mark of a CPU; inode 0: it may be anywhere by now. */
struct cpu_mark {
	uint32_t inode;
	bool seen; /* ever, in this boot */
};

struct spell_marks {
	struct history *h;
	const struct history_snapshot *snapshots;
	struct rec_marks now; /* of recording `file` */
	uint32_t file, boot;
	bool begun;
	size_t next; /* first snapshot that was not read */
	struct mark_set *sets;
	size_t sets_cap, sets_count;
	uint32_t *inodes;
	size_t inodes_cap, inodes_count;
	struct cpu_mark *last;
	size_t last_cap, last_count;
};

int spell_marks_new(struct history *h, struct spell_marks **ret, struct err *e)
{
	size_t count;
	struct spell_marks *m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(e, ERR_NOMEM, "spells: out of memory");
	m->h = h;
	m->snapshots = history_snapshots(h, &count);
	*ret = m;
	return 0;
}

void spell_marks_free(struct spell_marks *m)
{
	if (!m)
		return;
	rec_marks_fini(&m->now);
	free(m->sets);
	free(m->inodes);
	free(m->last);
	free(m);
}

static void forget(struct spell_marks *m)
{
	m->sets_count = m->inodes_count = 0;
}

/* A CPU that was not there before: what stands before this set proves less. */
static void doubt_former(struct spell_marks *m)
{
	for (size_t i = 0; i < m->sets_count; i++)
		m->sets[i].whole = false;
}

/*
 * The marks just read, and for CPUs off line their last ones. A CPU that was at work and could not
 * be marked may be anywhere from then on, until it is marked again. False: one is unknown.
 */
static bool copy_marks(struct spell_marks *m, uint32_t *to)
{
	bool whole = m->now.whole;
	for (size_t cpu = 0; cpu < m->now.cpus; cpu++) {
		struct cpu_mark *last = &m->last[cpu];
		to[cpu] = m->now.inodes[cpu];
		if (to[cpu]) {
			if (!last->seen && m->sets_count)
				doubt_former(m);
			*last = (struct cpu_mark){.inode = to[cpu], .seen = true};
		} else if (!m->now.whole) { /* perhaps it is this one that was missed */
			last->inode = 0;
		} else {
			to[cpu] = last->inode;
			whole &= !last->seen || last->inode;
		}
	}
	return whole;
}

/* Keeps the marks just read of a snapshot. */
static int keep(struct spell_marks *m, size_t index, struct err *e)
{
	struct moment at = moment_of(m->snapshots[index].rec);
	if (m->inodes_count + m->now.cpus > MARKS_MAX)
		forget(m);
	if (ARRAY_NEED(m->sets, m->sets_cap, m->sets_count + 1) ||
	    ARRAY_NEED(m->inodes, m->inodes_cap, m->inodes_count + m->now.cpus))
		return err_set(e, ERR_NOMEM, "spells: out of memory");
	size_t had = m->last_count;
	if (ARRAY_NEED(m->last, m->last_cap, m->now.cpus))
		return err_set(e, ERR_NOMEM, "spells: out of memory");
	if (m->now.cpus > had) {
		memset(m->last + had, 0, (m->now.cpus - had) * sizeof(*m->last));
		m->last_count = m->now.cpus;
	}
	bool whole = copy_marks(m, m->inodes + m->inodes_count);
	const uint64_t most_us = UINT32_MAX; /* a dump does not take an hour */
	m->sets[m->sets_count++] = (struct mark_set){
		.index = index,
		.first = m->inodes_count,
		.cpus = (uint32_t)m->now.cpus,
		.whole = whole,
		.lo_ns = at.begin_ns +
			 (m->now.begin_us < most_us ? (int64_t)m->now.begin_us * 1000 : 0),
		.hi_ns = m->now.end_us < most_us ? at.begin_ns + (int64_t)m->now.end_us * 1000
						 : at.end_ns,
		.offset_ns = at.offset_ns,
	};
	m->inodes_count += m->now.cpus;
	return 0;
}

static int read_one(struct spell_marks *m, size_t index, struct err *e)
{
	const struct history_snapshot *s = &m->snapshots[index];
	struct err why = {0};
	if (m->begun && m->boot != s->boot) {
		forget(m);
		m->last_count = 0;
	}
	if (!m->begun || m->file != s->file)
		rec_marks_fini(&m->now);
	m->begun = true;
	m->boot = s->boot;
	m->file = s->file;
	int rc = rec_marks_read(&m->now, history_rec(m->h, s->file), s->rec->id, &why);
	if (rc == ERR_NOMEM)
		return err_set(e, rc, "%s", why.text);
	return !rc && m->now.cpus ? keep(m, index, e) : 0;
}

int spell_marks_read(struct spell_marks *m, size_t index, struct err *e)
{
	int rc = 0;
	if (!m->begun)
		m->next = index;
	for (; !rc && m->next <= index; m->next++)
		rc = read_one(m, m->next, e);
	return rc;
}

static enum bounds_side side(const struct spell_marks *m, const struct mark_set *s, uint32_t inode)
{
	return bounds_inode_side(inode, m->inodes + s->first, s->cpus, s->whole);
}

/* From the last one backwards: nearly every socket is younger than the snapshot before. */
void spell_marks_find(const struct spell_marks *m, uint32_t inode, struct spell_mark *ret_lo,
		      struct spell_mark *ret_hi)
{
	*ret_lo = *ret_hi = (struct spell_mark){.index = HISTORY_NONE};
	size_t least = m->sets_count > LOOK_MAX ? m->sets_count - LOOK_MAX : 0;
	for (size_t i = m->sets_count; i-- > least;) {
		const struct mark_set *s = &m->sets[i];
		enum bounds_side which = side(m, s, inode);
		if (which == SIDE_BEFORE)
			*ret_hi = (struct spell_mark){s->index, s->hi_ns, s->hi_ns + s->offset_ns};
		if (which == SIDE_AFTER) {
			*ret_lo = (struct spell_mark){s->index, s->lo_ns, s->lo_ns + s->offset_ns};
			return;
		}
	}
}
