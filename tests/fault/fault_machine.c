/* fault_machine.c - a clock that was set, a host that has booted since. */
#include <stdio.h>
#include <time.h>

#include "fault.h"
#include "hostfacts.h"

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __real_hostfacts_read(struct hostfacts *f, const char *root, struct err *e);
int __wrap_hostfacts_read(struct hostfacts *f, const char *root, struct err *e);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	int rc = __real_clock_gettime(clock, ret);
	if (clock == CLOCK_REALTIME && fault.clock_ns && fault.clock_reads-- <= 0) {
		fault.clock_reads = 0;
		ret->tv_sec += fault.clock_ns / 1000000000;
	}
	return rc;
}

int __wrap_hostfacts_read(struct hostfacts *f, const char *root, struct err *e)
{
	int rc = __real_hostfacts_read(f, root, e);
	if (!rc && fault.boot_id)
		snprintf(f->boot_id, sizeof(f->boot_id), "%s", fault.boot_id);
	return rc;
}
