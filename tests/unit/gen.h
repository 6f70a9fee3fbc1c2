/*
 * gen.h - random hosts for tests: sockets are born, change, lose attributes and die between
 * snapshots. The same seed gives the same history.
 */
#ifndef TESTS_GEN_H
#define TESTS_GEN_H

#include <stdint.h>

#include "sock.h"

struct gen {
	uint64_t seed;
	struct sock_row *rows;
	struct row_owner *owners;
	uint32_t count;
	uint32_t cap;
	uint64_t next_cookie;
	uint64_t tick_ms;
};

uint64_t gen_random(struct gen *g);

/* `rows` new sockets. */
void gen_init(struct gen *g, uint64_t seed, uint32_t rows);
void gen_fini(struct gen *g);

/* Time passes: per mille of sockets that die, are born, change, move to another place. */
void gen_step(struct gen *g, unsigned die, unsigned born, unsigned change, unsigned move);

#endif
