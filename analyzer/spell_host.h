/*
 * spell_host.h - what the rules of bounds.h must know of the recorded host: its facts, and in a
 * network namespace that is set otherwise (table netns_fact) those of the namespace. Only for
 * spell_*.c.
 */
#ifndef SOCKLAPSE_SPELL_HOST_H
#define SOCKLAPSE_SPELL_HOST_H

#include "bounds.h"
#include "history.h"

struct spell_hosts;

/* `h` must outlive it. NULL: out of memory. */
struct spell_hosts *spell_hosts_new(struct history *h);
void spell_hosts_free(struct spell_hosts *hosts);

/*
 * What counted in snapshot `index` of the history for the sockets of the namespace that is row
 * `netns` of its recording. Valid until the next call. What cannot be read is unknown.
 */
const struct bounds_host *spell_host(struct spell_hosts *hosts, size_t index, uint32_t netns);

#endif
