/* pager.h - standard output through a pager, as far as there is one. */
#ifndef SOCKLAPSE_PAGER_H
#define SOCKLAPSE_PAGER_H

#include <sys/types.h>

struct pager {
	pid_t pid;  /* 0: none */
	int out_fd; /* standard output as it was */
};

/*
 * Starts `command` (a shell command; NULL: less, "" or "cat": none) and sends standard output to
 * it. What cannot be started is left out: output then goes where it went before.
 */
void pager_begin(struct pager *p, const char *command);

/* Waits until the pager has been left. */
void pager_end(struct pager *p);

#endif
