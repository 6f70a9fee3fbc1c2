/* services.h - names of ports as /etc/services has them, read once. */
#ifndef SOCKLAPSE_SERVICES_H
#define SOCKLAPSE_SERVICES_H

#include "err.h"

struct services;

/* Reads the names; a machine without them is no error. */
int services_load(struct services **ret, struct err *e) MUST_CHECK;
void services_free(struct services *s);

/* The name of a port of "tcp", "udp", ..., of a protocol (`proto` "raw"); NULL if it has none, or
 * `s` is NULL. */
const char *services_name(const struct services *s, const char *proto, unsigned port);

#endif
