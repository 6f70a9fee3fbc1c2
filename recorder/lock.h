/*
 * lock.h - one run at a time: BASE.lock, held by flock(2) as long as the process lives, and gone
 * with it however it ends. The file is removed by the run that made use of it.
 */
#ifndef SOCKLAPSE_LOCK_H
#define SOCKLAPSE_LOCK_H

#include <stdbool.h>

#include "err.h"

/*
 * Opens (mode 0640) and locks `path`; with `wait` for as long as it takes. *ret_fd is the lock. The
 * file that stands at `path` is locked when this returns. ERR_BUSY: somebody else has it.
 */
int lock_take(const char *path, bool wait, int *ret_fd, struct err *e) MUST_CHECK;

/* Removes the file and gives up the lock. fd < 0: nothing. */
void lock_release(const char *path, int fd);

#endif
