/*
 * history_walk.c - see history_walk.h. Each recording has a walk of its own; recordings that
 * overlap in time are walked side by side, and one that lies wholly before or behind the snapshot
 * shown is given back, so that memory does not grow with the number of files.
 */
#include "history_walk.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "buf.h"

struct file_walk {
	struct rec_walk *walk; /* NULL: not begun, or given back */
	size_t first, last;    /* the file's snapshots lie within these indexes of the history */
	uint32_t shown;	       /* index in the recording; UINT32_MAX: none */
};

struct history_walk {
	struct history *h;
	const struct history_snapshot *snapshots;
	uint32_t groups;
	bool clock, apart;
	size_t next, end;
	size_t shown; /* HISTORY_NONE: nothing */
	bool step;
	struct file_walk *files;
	size_t files_count;
	struct history_gap *gaps;
	size_t gaps_cap, gaps_count;
	size_t missed;
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "history: out of memory");
}

static void find_files(struct history_walk *w, size_t count)
{
	for (size_t f = 0; f < w->files_count; f++)
		w->files[f] = (struct file_walk){.first = HISTORY_NONE, .shown = UINT32_MAX};
	for (size_t i = 0; i < count; i++) {
		struct file_walk *f = &w->files[w->snapshots[i].file];
		if (f->first == HISTORY_NONE)
			f->first = i;
		f->last = i;
	}
}

int history_walk_new(struct history *h, uint32_t groups, bool clock, size_t first, size_t last,
		     struct history_walk **ret, struct err *e)
{
	struct history_walk *w = calloc(1, sizeof(*w));
	if (!w)
		return no_memory(e);
	size_t count;
	*w = (struct history_walk){
		.h = h,
		.snapshots = history_snapshots(h, &count),
		.groups = groups,
		.clock = clock,
		.next = first,
		.shown = HISTORY_NONE,
		.files_count = history_files(h),
	};
	w->end = last < count ? last + 1 : count;
	w->files = calloc(w->files_count + 1, sizeof(*w->files));
	if (!w->files) {
		history_walk_free(w);
		return no_memory(e);
	}
	find_files(w, count);
	*ret = w;
	return 0;
}

bool history_walk_can_part(const struct history *h)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 && sqlite3_threadsafe() && history_files(h) &&
	       sqlite3_db_mutex(rec_db(history_rec(h, 0)));
}

void history_walk_apart(struct history_walk *w)
{
	w->apart = true;
}

static void close_file(struct file_walk *f)
{
	rec_walk_free(f->walk);
	f->walk = NULL;
	f->shown = UINT32_MAX;
}

void history_walk_free(struct history_walk *w)
{
	if (!w)
		return;
	for (size_t f = 0; w->files && f < w->files_count; f++)
		close_file(&w->files[f]);
	free(w->files);
	free(w->gaps);
	free(w);
}

/* Gives back the walks of recordings that have nothing at `index`. */
static void close_others(struct history_walk *w, size_t index)
{
	for (size_t f = 0; f < w->files_count; f++)
		if (w->files[f].walk && (index < w->files[f].first || index > w->files[f].last))
			close_file(&w->files[f]);
}

int history_walk_to(struct history_walk *w, size_t index, struct err *e)
{
	const struct history_snapshot *s = &w->snapshots[index];
	struct file_walk *f = &w->files[s->file];
	struct rec *rec = history_rec(w->h, s->file);
	size_t before = w->shown;
	w->shown = HISTORY_NONE;
	w->step = false;
	int rc = 0;
	if (!f->walk) {
		close_others(w, index);
		rc = w->apart ? rec_walk_new_apart(rec, w->groups, w->clock, &f->walk, e)
			      : rec_walk_new(rec, w->groups, w->clock, &f->walk, e);
		if (rc)
			return rc;
	}
	uint32_t shown = f->shown;
	f->shown = UINT32_MAX;
	rc = rec_walk_to(f->walk, s->index, e);
	if (rc)
		return rc;
	f->shown = s->index;
	w->shown = index;
	w->step = before != HISTORY_NONE && before + 1 == index &&
		  w->snapshots[before].file == s->file && shown != UINT32_MAX &&
		  shown + 1 == s->index && !rec_walk_set(f->walk)->is_key;
	return 0;
}

/* The next index that does not depend on the damaged snapshot at `index`. */
static size_t next_sound(const struct history_walk *w, size_t index)
{
	const struct history_snapshot *s = w->snapshots;
	uint32_t file = s[index++].file;
	while (index < w->end && s[index].file == file && !s[index].rec->key)
		index++;
	return index;
}

static int add_gap(struct history_walk *w, size_t first, size_t last, const struct err *why,
		   struct err *e)
{
	w->missed += last - first + 1;
	if (w->gaps_count >= HISTORY_WALK_MAX_GAPS)
		return 0;
	struct history_gap *all = array_grow(w->gaps, &w->gaps_cap, w->gaps_count + 1,
					     sizeof(*all));
	if (!all)
		return no_memory(e);
	w->gaps = all;
	all[w->gaps_count++] = (struct history_gap){.first = first, .last = last, .why = *why};
	return 0;
}

/* Damage concerns some frames; other failures would repeat with every frame. */
static bool can_go_on(int code)
{
	return code == ERR_CORRUPT || code == ERR_LIMIT || code == ERR_FUTURE;
}

int history_walk_next(struct history_walk *w, struct err *e)
{
	while (w->next < w->end) {
		struct err why = {0};
		size_t index = w->next;
		int rc = history_walk_to(w, index, &why);
		if (!rc) {
			w->next = index + 1;
			return 1;
		}
		if (!can_go_on(rc)) {
			if (e)
				*e = why;
			return rc;
		}
		w->next = next_sound(w, index);
		rc = add_gap(w, index, w->next - 1, &why, e);
		if (rc)
			return rc;
	}
	return 0;
}

void history_walk_extend(struct history_walk *w, size_t last)
{
	size_t count;
	history_snapshots(w->h, &count);
	w->next = w->shown + 1;
	w->end = last < count ? last + 1 : count;
}

size_t history_walk_index(const struct history_walk *w)
{
	return w->shown;
}

const struct sockset *history_walk_set(const struct history_walk *w)
{
	return rec_walk_set(w->files[w->snapshots[w->shown].file].walk);
}

bool history_walk_step(const struct history_walk *w)
{
	return w->step;
}

const struct history_gap *history_walk_gaps(const struct history_walk *w, size_t *ret_count,
					    size_t *ret_snapshots)
{
	*ret_count = w->gaps_count;
	*ret_snapshots = w->missed;
	return w->gaps;
}
