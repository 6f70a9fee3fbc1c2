/*
 * frame_aside.c - see frame_aside.h. The thread waits for work, one group at a time; who may touch
 * the fields of the work is decided by `state`, under the lock.
 */
#include "frame_aside.h"

#include <stdlib.h>
#include <unistd.h>

#include "frame_internal.h"
#include "thread.h"

struct frame_aside {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum {
		IDLE,  /* the work is the caller's */
		BEGUN, /* the thread's */
		DONE,  /* the caller's again, with a result */
		OVER
	} state;
	struct sockset *set;
	unsigned group;
	const struct frame_part *part;
	struct frame_scratch scratch; /* the thread's own */
	int rc;
	struct err e;
};

static void set_state(struct frame_aside *a, int state)
{
	pthread_mutex_lock(&a->lock);
	a->state = state;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* Waits until the state is none of the two. */
static int await(struct frame_aside *a, int not_this, int nor_that)
{
	pthread_mutex_lock(&a->lock);
	while ((int)a->state == not_this || (int)a->state == nor_that)
		pthread_cond_wait(&a->changed, &a->lock);
	int state = (int)a->state;
	pthread_mutex_unlock(&a->lock);
	return state;
}

static void *run(void *arg)
{
	struct frame_aside *a = arg;
	while (await(a, IDLE, DONE) != OVER) {
		a->rc = frame_read_group(a->set, a->group, a->part, &a->scratch, &a->e);
		set_state(a, DONE);
	}
	return NULL;
}

struct frame_aside *frame_aside_new(bool always)
{
	bool pays = always || sysconf(_SC_NPROCESSORS_ONLN) > 1;
	struct frame_aside *a = pays ? calloc(1, sizeof(*a)) : NULL;
	if (!a)
		return NULL;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	if (thread_begin(&a->thread, run, a))
		return a;
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
	return NULL;
}

void frame_aside_free(struct frame_aside *a)
{
	if (!a)
		return;
	set_state(a, OVER);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	frame_scratch_fini(&a->scratch);
	free(a);
}

bool frame_aside_begin(struct frame_aside *a, struct sockset *set, unsigned group,
		       const struct frame_part *part, const struct frame_scratch *scratch)
{
	struct frame_scratch *x = &a->scratch;
	if (ARRAY_NEED(x->slots, x->slots_cap, (size_t)set->born_count + 1))
		return false;
	if (set->born_count)
		memcpy(x->slots, scratch->slots, set->born_count * sizeof(*x->slots));
	a->set = set;
	a->group = group;
	a->part = part;
	a->e = (struct err){0};
	set_state(a, BEGUN);
	return true;
}

int frame_aside_end(struct frame_aside *a, struct err *e)
{
	await(a, BEGUN, BEGUN);
	set_state(a, IDLE);
	if (a->rc && e)
		*e = a->e;
	return a->rc;
}
