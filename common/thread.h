/*
 * thread.h - a thread that works for another one of the program.
 */
#ifndef SOCKLAPSE_THREAD_H
#define SOCKLAPSE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Begins run(arg) in a thread that gets no signals: they are for the caller's. False: it cannot. */
bool thread_begin(pthread_t *ret, void *(*run)(void *arg), void *arg);

#endif
