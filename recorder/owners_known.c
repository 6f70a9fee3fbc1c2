/*
 * owners_known.c - what the last snapshot says about holders: recalled for the walk of /proc, and
 * put in doubt where sockets went. See owners.h and proc_walk.h.
 */
#include <stdlib.h>

#include "bytes.h"
#include "owners.h"

static const struct row_owner nobody;

int owners_each(struct owners *o, const struct row_owner *owner, struct rec_writer *writer,
		int (*take)(void *ctx, uint32_t row, uint32_t fd, struct err *e), void *ctx,
		struct err *e)
{
	if (!owner->owner_process)
		return 0;
	int rc = take(ctx, owner->owner_process, owner->owner_fd, e);
	if (rc || !owner->owner_more)
		return rc;
	rc = rec_writer_get_text(writer, owner->owner_more, &o->former_more, e);
	struct span s = span_of(o->former_more.bytes, o->former_more.len);
	while (!rc && span_left(&s)) {
		uint32_t row = (uint32_t)span_varint_max(&s, UINT32_MAX);
		uint32_t fd = (uint32_t)span_varint_max(&s, UINT32_MAX);
		rc = s.bad ? 0 : take(ctx, row, fd, e);
	}
	return rc;
}

static int take_process(void *ctx, uint32_t row, int64_t pid, uint64_t start_ticks, struct err *e)
{
	return known_add(ctx, row, pid, start_ticks, e);
}

struct recalling {
	struct proc_known *known;
	bool shared;
};

static int take_hold(void *ctx, uint32_t row, uint32_t fd, struct err *e)
{
	const struct recalling *r = ctx;
	(void)e;
	known_hold(r->known, row, fd, r->shared);
	return 0;
}

static const struct row_owner *owner_in(const struct sockset *set, uint32_t slot)
{
	return SLOT_GROUP(set, slot, owner);
}

static int recall_holders(struct owners *o, struct proc_known *k, struct rec_writer *writer,
			  struct err *e)
{
	const struct sockset *set = track_set(rec_writer_track(writer));
	int rc = 0;
	for (uint32_t i = 0; i < set->rows && !rc; i++) {
		const struct row_owner *owner = owner_in(set, set->order[i]);
		struct recalling r = {k, owner->owner_more != 0};
		rc = owners_each(o, owner, writer, take_hold, &r, e);
	}
	return rc;
}

int owners_recall(struct owners *o, struct proc_walk *walk, struct rec_writer *writer,
		  struct err *e)
{
	struct proc_known *k = &walk->known;
	uint32_t flags;
	int64_t last = rec_writer_last(writer, &flags);
	known_clear(k);
	/* Who is not seen to hold a socket is only looked for again if the last walk saw all. */
	if (!track_set(rec_writer_track(writer))->rows || flags & (SNAP_NO_OWNERS | SNAP_CUT))
		return 0;
	k->turn = (uint32_t)last;
	int rc = rec_writer_each_process(writer, take_process, k, e);
	if (!rc)
		rc = recall_holders(o, k, writer, e);
	if (!rc)
		rc = known_ready(k, e);
	return rc ? rc : recall_holders(o, k, writer, e);
}

const struct row_owner *owners_former(const struct track *t, uint32_t position)
{
	if (track_old_inode(t, position) != track_state(t, position)->inode)
		return &nobody;
	return track_old_owner(t, position);
}

const struct known_process *owners_trusted(const struct proc_known *k, uint32_t row, uint32_t fd)
{
	const struct known_process *p = known_by_row(k, row);
	return p && p->found != KNOWN_NOT_FOUND && known_has(k, p, fd) ? p : NULL;
}

/* ------------------------------------------------------------------------------- in doubt */

struct doubting {
	struct owners *o;
	const struct proc_known *k;
};

static int take_doubt(void *ctx, uint32_t row, uint32_t fd, struct err *e)
{
	struct doubting *d = ctx;
	struct owners *o = d->o;
	if (!owners_trusted(d->k, row, fd))
		return 0;
	if (ARRAY_NEED(o->doubts, o->doubts_cap, o->doubts_count + 1))
		return err_set(e, ERR_NOMEM, "owners: out of memory");
	o->doubts[o->doubts_count++] = (struct proc_doubt){known_by_row(d->k, row), fd};
	return 0;
}

/*
 * Descriptors that held a socket which is gone, or has another inode, may hold another; those of
 * which the socket was found at a further place may have given it away.
 */
static int find_doubts(struct owners *o, const struct proc_walk *walk, struct rec_writer *writer,
		       struct err *e)
{
	struct track *t = rec_writer_track(writer);
	const struct sockset *set = track_set(t);
	struct doubting d = {o, &walk->known};
	int rc = 0;
	o->doubts_count = 0;
	for (uint32_t i = 0; i < set->died_count && !rc; i++)
		rc = owners_each(o, owner_in(set, set->died[i]), writer, take_doubt, &d, e);
	for (uint32_t i = 0; i < track_rows(t) && !rc; i++) {
		uint32_t inode = track_state(t, i)->inode;
		if (track_old_inode(t, i) != inode || proc_walk_find(walk, inode) != PROC_NO_HOLDER)
			rc = owners_each(o, track_old_owner(t, i), writer, take_doubt, &d, e);
	}
	return rc;
}

static int by_process(const void *a, const void *b)
{
	const struct proc_doubt *x = a, *y = b;
	if (x->known != y->known)
		return x->known < y->known ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

static int take_trusted(void *ctx, uint32_t row, uint32_t fd, struct err *e)
{
	struct doubting *d = ctx;
	(void)e;
	return owners_trusted(d->k, row, fd) ? 1 : 0;
}

/* Has the socket lost its holder, or is it a new one without? */
static bool is_missing(struct owners *o, const struct proc_walk *walk, uint32_t position,
		       struct rec_writer *writer)
{
	const struct track *t = rec_writer_track(writer);
	uint32_t inode = track_state(t, position)->inode;
	struct doubting d = {o, &walk->known};
	if (!inode || proc_walk_find(walk, inode) != PROC_NO_HOLDER)
		return false;
	if (track_old_inode(t, position) != inode)
		return true;
	const struct row_owner *former = track_old_owner(t, position);
	return former->owner_process && owners_each(o, former, writer, take_trusted, &d, NULL) == 0;
}

static int recheck(struct owners *o, struct proc_walk *walk, struct rec_writer *writer, int proc_fd,
		   struct err *e)
{
	int rc = find_doubts(o, walk, writer, e);
	if (rc || !o->doubts_count)
		return rc;
	qsort(o->doubts, o->doubts_count, sizeof(*o->doubts), by_process);
	return proc_walk_recheck(walk, proc_fd, o->doubts, o->doubts_count, e);
}

int owners_refresh(struct owners *o, struct proc_walk *walk, struct rec_writer *writer, int proc_fd,
		   enum cmdline_mode mode, struct err *e)
{
	uint32_t rows = track_rows(rec_writer_track(writer));
	if (!walk->known.on || walk->cut)
		return 0;
	int rc = recheck(o, walk, writer, proc_fd, e);
	uint32_t at = 0;
	while (!rc && walk->skipped_count && at < rows && !is_missing(o, walk, at, writer))
		at++;
	if (rc || !walk->skipped_count || at == rows)
		return rc;
	rc = proc_walk_rest(walk, proc_fd, mode, e);
	return rc ? rc : recheck(o, walk, writer, proc_fd, e);
}
