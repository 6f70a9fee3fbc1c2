/* world_priv.h - what the two halves of the made-up host share. */
#ifndef BENCH_WORLD_PRIV_H
#define BENCH_WORLD_PRIV_H

#include "world.h"

/* Chance: any 64 bits; a number below n; true once in n; a length of life with the mean given. */
uint64_t world_chance(struct world *w);
uint32_t world_below(struct world *w, uint32_t n);
bool world_one_in(struct world *w, uint32_t n);
uint32_t world_life(struct world *w, uint32_t mean);

/* A tick some time within the last minute. */
uint64_t world_lately(struct world *w);

/* Requests and answers go over the connection; it enters TIME-WAIT; a minute passes. */
void conn_exchange(struct world *w, struct conn *c);
void conn_to_time_wait(struct world *w, struct conn *c);
void conn_live(struct world *w, struct conn *c);

#endif
