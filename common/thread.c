/* thread.c - see thread.h. */
#include "thread.h"

#include <signal.h>

bool thread_begin(pthread_t *ret, void *(*run)(void *arg), void *arg)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	bool begun = pthread_create(ret, NULL, run, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return begun;
}
