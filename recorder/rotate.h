/*
 * rotate.h - which file a snapshot goes to: DIR/HOST-YYYYMMDD.socklapse by UTC day.
 */
#ifndef SOCKLAPSE_ROTATE_H
#define SOCKLAPSE_ROTATE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define ROTATE_SUFFIX ".socklapse"

/*
 * DIR/HOST: what all recordings of a host begin with. In the host's name everything but letters,
 * digits, '.', '-' and '_' becomes '_', as does a '.' at its begin. ERR_LIMIT: too long.
 */
int rotate_base(const char *dir, const char *host, char *ret, size_t size,
		struct err *e) MUST_CHECK;

/* BASE-YYYYMMDD.socklapse for a moment of CLOCK_REALTIME. */
int rotate_path(const char *base, int64_t wall_ns, char *ret, size_t size,
		struct err *e) MUST_CHECK;

/* Makes the directory (mode 0750) if it is not there; its parent must be. */
int rotate_make_dir(const char *dir, struct err *e) MUST_CHECK;

#endif
