/* late.c - see late.h. The threads are detached: nobody waits for one that hangs in a system call.
 */
#include "late.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STACK_BYTES (256u << 10)

/* Freed by whoever leaves last: the caller or a thread. */
struct late {
	pthread_mutex_t lock;
	pthread_cond_t all_done;
	size_t users;
	size_t count, item_bytes;
	size_t next, done;
	bool over; /* nobody waits any more */
	void (*work)(void *item);
	bool *is_done;
	unsigned char *items;
};

static void leave(struct late *l)
{
	bool last = --l->users == 0;
	pthread_mutex_unlock(&l->lock);
	if (!last)
		return;
	pthread_cond_destroy(&l->all_done);
	pthread_mutex_destroy(&l->lock);
	free(l->items);
	free(l->is_done);
	free(l);
}

static void *run(void *arg)
{
	struct late *l = arg;
	pthread_mutex_lock(&l->lock);
	while (!l->over && l->next < l->count) {
		size_t i = l->next++;
		pthread_mutex_unlock(&l->lock);
		l->work(l->items + i * l->item_bytes);
		pthread_mutex_lock(&l->lock);
		l->is_done[i] = true;
		if (++l->done == l->count)
			pthread_cond_signal(&l->all_done);
	}
	leave(l);
	return NULL;
}

static struct late *make(void (*work)(void *item), const void *items, size_t count,
			 size_t item_bytes)
{
	pthread_condattr_t attr;
	struct late *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	*l = (struct late){.users = 1, .count = count, .item_bytes = item_bytes, .work = work};
	l->is_done = calloc(count, sizeof(*l->is_done));
	l->items = calloc(count, item_bytes);
	if (!l->is_done || !l->items) {
		free(l->is_done);
		free(l->items);
		free(l);
		return NULL;
	}
	memcpy(l->items, items, count * item_bytes);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->all_done, &attr);
	pthread_condattr_destroy(&attr);
	return l;
}

/* Under the lock. Fewer threads than wanted, even none, are no error: what is not done is missing.
 */
static void start(struct late *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (size_t n = 0; n < l->count && n < LATE_THREADS; n++) {
		if (pthread_create(&thread, &attr, run, l))
			break;
		l->users++;
	}
	pthread_attr_destroy(&attr);
}

static void await(struct late *l, int64_t timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout_ms / 1000);
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (l->done < l->count && l->users > 1)
		if (pthread_cond_timedwait(&l->all_done, &l->lock, &until))
			break;
}

int late_run(void (*work)(void *item), void *items, size_t count, size_t item_bytes,
	     int64_t timeout_ms, size_t *ret_missing)
{
	struct late *l = count ? make(work, items, count, item_bytes) : NULL;
	size_t missing = 0;
	if (count && !l)
		return ERR_NOMEM;
	if (l) {
		pthread_mutex_lock(&l->lock);
		start(l);
		await(l, timeout_ms);
		l->over = true;
		missing = count - l->done;
		for (size_t i = 0; i < count; i++)
			if (l->is_done[i])
				memcpy((unsigned char *)items + i * item_bytes,
				       l->items + i * item_bytes, item_bytes);
		leave(l);
	}
	if (ret_missing)
		*ret_missing = missing;
	return 0;
}
