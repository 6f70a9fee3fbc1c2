/*
 * history_ahead.c - see history_ahead.h.
 *
 * HOW IT WORKS: the thread walks, and copies what each frame changed (sockset_step.h) into one of a
 * few leaves; the caller puts the leaves into a sockset of its own, in order. A leaf belongs to the
 * thread while it is free, to the caller while it is full; `full` says how many are, under the
 * lock. The walk is the thread's until it is joined. Damaged stretches are told in an array that
 * does not move: those that a full leaf counts are the caller's to read.
 */
#include "history_ahead.h"

#include <stdlib.h>

#include "sockset_step.h"
#include "thread.h"

/* So many snapshots the thread may be ahead. */
#define LEAVES 3u

/* Less than this is walked sooner than a thread is made: snapshots, and bytes of their frames. */
#define WORTH_SNAPSHOTS 16u
#define WORTH_BYTES	(512u * 1024u)

/* What the walk said of a snapshot. */
struct view {
	int rc; /* of history_walk_next() */
	struct err e;
	size_t index;
	bool step;
	size_t gaps, missed; /* so far */
};

struct leaf {
	struct view view;
	struct sockset_step changes;
};

struct history_ahead {
	struct history_walk *walk;
	bool threaded;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, freed;
	unsigned full; /* leaves [at, at + full) mod LEAVES hold something to be read */
	unsigned at;
	bool stop;
	struct leaf leaves[LEAVES];
	size_t gaps_told; /* the thread's: so many stand in gaps[] */
	struct history_gap gaps[HISTORY_WALK_MAX_GAPS];
	struct sockset set; /* the caller's: what it has come to */
	struct view now;
	bool over; /* there is no leaf to wait for */
};

/* ------------------------------------------------------------------------------ the thread */

static void note_gaps(struct history_ahead *a, struct view *v)
{
	const struct history_gap *gaps = history_walk_gaps(a->walk, &v->gaps, &v->missed);
	for (; a->gaps_told < v->gaps; a->gaps_told++)
		a->gaps[a->gaps_told] = gaps[a->gaps_told];
}

static void fill(struct history_ahead *a, struct leaf *leaf)
{
	struct view *v = &leaf->view;
	v->rc = history_walk_next(a->walk, &v->e);
	note_gaps(a, v);
	if (v->rc <= 0)
		return;
	v->index = history_walk_index(a->walk);
	v->step = history_walk_step(a->walk);
	/* The caller's set may have another snapshot than the one that the frame changed. */
	const struct sockset *set = history_walk_set(a->walk);
	int rc = sockset_step_take(&leaf->changes, set, !v->step && !set->is_key, &v->e);
	if (rc)
		v->rc = rc;
}

/* A free leaf, or NULL if the caller has gone. */
static struct leaf *await_room(struct history_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	while (a->full == LEAVES && !a->stop)
		pthread_cond_wait(&a->freed, &a->lock);
	struct leaf *leaf = a->stop ? NULL : &a->leaves[(a->at + a->full) % LEAVES];
	pthread_mutex_unlock(&a->lock);
	return leaf;
}

static void *run(void *arg)
{
	struct history_ahead *a = arg;
	struct leaf *leaf;
	int rc = 1;
	while (rc > 0 && (leaf = await_room(a))) {
		fill(a, leaf);
		rc = leaf->view.rc;
		pthread_mutex_lock(&a->lock);
		a->full++;
		pthread_cond_signal(&a->filled);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

/* ------------------------------------------------------------------------------ the caller */

static bool is_worth_it(struct history *h, size_t first, size_t last)
{
	size_t count, bytes = 0;
	const struct history_snapshot *all = history_snapshots(h, &count);
	if (last >= count)
		last = count - 1;
	if (!count || first > last || last - first < WORTH_SNAPSHOTS || !history_walk_can_part(h))
		return false;
	for (size_t i = first; i <= last && bytes < WORTH_BYTES; i++)
		bytes += all[i].rec->bytes;
	return bytes >= WORTH_BYTES;
}

/* Without a thread the walk is the caller's. */
static void start(struct history_ahead *a)
{
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->filled, NULL);
	pthread_cond_init(&a->freed, NULL);
	history_walk_apart(a->walk);
	a->threaded = thread_begin(&a->thread, run, a);
}

int history_ahead_new(struct history *h, uint32_t groups, bool clock, size_t first, size_t last,
		      bool always, struct history_ahead **ret, struct err *e)
{
	struct history_ahead *a = calloc(1, sizeof(*a));
	if (!a)
		return err_set(e, ERR_NOMEM, "history: out of memory");
	int rc = history_walk_new(h, groups, clock, first, last, &a->walk, e);
	if (rc) {
		free(a);
		return rc;
	}
	if (always || is_worth_it(h, first, last))
		start(a);
	*ret = a;
	return 0;
}

static void stop(struct history_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->freed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->filled);
	pthread_cond_destroy(&a->freed);
	pthread_mutex_destroy(&a->lock);
}

void history_ahead_free(struct history_ahead *a)
{
	if (!a)
		return;
	if (a->threaded)
		stop(a);
	for (unsigned i = 0; i < LEAVES; i++)
		sockset_step_fini(&a->leaves[i].changes);
	sockset_fini(&a->set);
	history_walk_free(a->walk);
	free(a);
}

static struct leaf *await_leaf(struct history_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	while (!a->full)
		pthread_cond_wait(&a->filled, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return &a->leaves[a->at];
}

static void give_back(struct history_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->at = (a->at + 1) % LEAVES;
	a->full--;
	pthread_cond_signal(&a->freed);
	pthread_mutex_unlock(&a->lock);
}

int history_ahead_next(struct history_ahead *a, struct err *e)
{
	if (!a->threaded)
		return history_walk_next(a->walk, e);
	if (a->over)
		return a->now.rc;
	struct leaf *leaf = await_leaf(a);
	a->now = leaf->view;
	if (a->now.rc > 0) {
		int rc = sockset_step_put(&leaf->changes, &a->set, &a->now.e);
		a->now.rc = rc ? rc : 1;
	}
	if (a->now.rc < 0 && e)
		*e = a->now.e;
	a->over = a->now.rc <= 0;
	give_back(a);
	return a->now.rc;
}

size_t history_ahead_index(const struct history_ahead *a)
{
	return a->threaded ? a->now.index : history_walk_index(a->walk);
}

const struct sockset *history_ahead_set(const struct history_ahead *a)
{
	return a->threaded ? &a->set : history_walk_set(a->walk);
}

bool history_ahead_step(const struct history_ahead *a)
{
	return a->threaded ? a->now.step : history_walk_step(a->walk);
}

const struct history_gap *history_ahead_gaps(const struct history_ahead *a, size_t *ret_count,
					     size_t *ret_snapshots)
{
	if (!a->threaded)
		return history_walk_gaps(a->walk, ret_count, ret_snapshots);
	*ret_count = a->now.gaps;
	*ret_snapshots = a->now.missed;
	return a->gaps;
}
