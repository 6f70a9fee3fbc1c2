/*
 * names.h - names of addresses, asked of this machine now: each address once, all within a
 * deadline. Says today's names, not those of the recorded moment.
 */
#ifndef SOCKLAPSE_NAMES_H
#define SOCKLAPSE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* So many addresses are asked for; further ones stay numbers. */
#define NAMES_MAX 4096

struct names;

int names_new(struct names **ret, struct err *e) MUST_CHECK;
void names_free(struct names *n);

/* Remembers an address (as inet_ntop() writes it) to be asked for; what is none is ignored. */
int names_want(struct names *n, const char *address, struct err *e) MUST_CHECK;

/*
 * Asks for all of them; returns when they are answered or `timeout_ms` is over. *ret_missing is
 * how many were not answered or not asked for. ERR_NOMEM.
 */
int names_ask(struct names *n, int64_t timeout_ms, size_t *ret_missing, struct err *e) MUST_CHECK;

/* The name of an address, or NULL. Lives as long as `n`. */
const char *names_of(const struct names *n, const char *address);

#endif
