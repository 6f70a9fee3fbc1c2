/*
 * hostfacts.h - what is to be known about the host and this boot of it: table host.
 *
 * The facts are those that rules about dwell times and port use need (EVIDENCE section 1). They
 * are the same for every run of a boot unless an administrator changes them, so that a recording
 * has few rows of them.
 */
#ifndef SOCKLAPSE_HOSTFACTS_H
#define SOCKLAPSE_HOSTFACTS_H

#include <sys/utsname.h>

#include "buf.h"
#include "rec.h"

/* The texts that rec_host points to. Zero-initialise it; it must not move after hostfacts_read().
 */
struct hostfacts {
	struct rec_host host;
	struct utsname name;
	char boot_id[64];
	char machine_id[64];
	char time_zone[256];
	struct buf facts;
};

/*
 * Reads all of it. `root` is "" for the running system (a test gives a directory that holds proc/
 * and etc/). What cannot be read is left out or unknown; without a boot id it is ERR_IO.
 */
int hostfacts_read(struct hostfacts *f, const char *root, struct err *e) MUST_CHECK NONNULL(1, 2);
void hostfacts_fini(struct hostfacts *f);

/* A sysctl's value as JSON: a number, an array of numbers, or a text. */
void hostfacts_put_value(struct buf *json, const char *value);

/* Ticks a second of a kernel whose coarse clock advances by so many nanoseconds; 0: unknown. */
int64_t hostfacts_hz(long coarse_ns);

#endif
