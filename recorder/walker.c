/* walker.c - see walker.h. */
#include "walker.h"

#include <time.h>

#include "clocks.h"

static void *run(void *arg)
{
	struct walker *w = arg;
	uint64_t begin_ns = clocks_mono_ns();
	int rc = proc_walk_run(w->walk, w->proc_fd, w->mode, &w->stop, &w->err);
	pthread_mutex_lock(&w->mutex);
	w->rc = rc;
	w->duration_ns = clocks_mono_ns() - begin_ns;
	w->done = true;
	pthread_cond_signal(&w->done_cond);
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

void walker_start(struct walker *w, struct proc_walk *walk, int proc_fd, enum cmdline_mode mode)
{
	*w = (struct walker){.walk = walk, .proc_fd = proc_fd, .mode = mode};
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->done_cond, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&w->mutex, NULL);
	w->threaded = pthread_create(&w->thread, NULL, run, w) == 0;
}

static void wait_until_done(struct walker *w, uint64_t deadline_ns)
{
	const struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
				       .tv_nsec = (long)(deadline_ns % 1000000000u)};
	int rc = 0;
	pthread_mutex_lock(&w->mutex);
	while (!w->done && rc == 0)
		rc = deadline_ns ? pthread_cond_timedwait(&w->done_cond, &w->mutex, &until)
				 : pthread_cond_wait(&w->done_cond, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
}

int walker_finish(struct walker *w, uint64_t deadline_ns, struct err *e)
{
	if (w->threaded) {
		wait_until_done(w, deadline_ns);
		atomic_store(&w->stop, true);
		pthread_join(w->thread, NULL);
	} else {
		run(w);
	}
	pthread_cond_destroy(&w->done_cond);
	pthread_mutex_destroy(&w->mutex);
	if (w->rc && e)
		*e = w->err;
	return w->rc;
}
