/*
 * names.h - what watched names (--watch-name) resolve to. Each question is asked in a thread of its
 * own, so that a name server that is dead delays nothing: an answer counts for the snapshot by
 * which it is there. A name that is still being asked for is not asked for again, so that there
 * is never more than one thread for a name; threads that nobody waits for any more free
 * what they hold when they end, or end with the process.
 */
#ifndef SOCKLAPSE_NAMES_H
#define SOCKLAPSE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define NAMES_MAX      32  /* watched names */
#define NAMES_HOST_MAX 254 /* RFC 1035 2.3.4, and a NUL */

/* Addresses that are kept of one answer, the lowest ones. */
#define NAMES_ADDRESSES_MAX 256

/* A service asks no more often than this, however short its interval is. */
#define NAMES_EVERY_NS (UINT64_C(10) * 1000000000u)

/*
 * "NAME" or "NAME:PORT": letters, digits, '.', '-' and '_'; a port from 1 to 65535, which is not
 * looked up. Puts NAME into ret_host. False: neither.
 */
bool names_parse(const char *text, char ret_host[NAMES_HOST_MAX]) MUST_CHECK;

/*
 * Asks for a host's addresses and blocks meanwhile: into `answer`, sorted and each once, with a
 * space between, or why there are none into `error`. Is called in threads.
 */
typedef void (*names_lookup)(void *ctx, const char *host, struct buf *answer, struct buf *error);

/* getaddrinfo(3): what programs on this machine get, its hosts file included. IPv4 first. */
void names_system(void *ctx, const char *host, struct buf *answer, struct buf *error);

struct names;

/*
 * `texts`: `count` names as names_parse() takes them, which must live on. After `patience_ns`
 * without an answer that is what is told.
 */
int names_new(const char *const *texts, size_t count, uint64_t patience_ns, names_lookup lookup,
	      void *ctx, struct names **ret, struct err *e) MUST_CHECK;
void names_free(struct names *n);

/* Begins to ask for the names for which it is time, at `now_ns` of CLOCK_MONOTONIC. */
void names_ask(struct names *n, uint64_t now_ns);

/* Is any answer still to come that is not late yet? */
bool names_wait_for(const struct names *n, uint64_t now_ns) MUST_CHECK;

/* `error` NULL: it did resolve. Texts are valid during the call. */
typedef int (*names_fn)(void *ctx, const char *name, const char *answer, const char *error,
			struct err *e);

/*
 * Gives `fn` what has become known since the last call; with `again`, also what was known before.
 * Ends with the first error of `fn`; what it was given then is given again.
 */
int names_take(struct names *n, uint64_t now_ns, bool again, names_fn fn, void *ctx,
	       struct err *e) MUST_CHECK;

#endif
