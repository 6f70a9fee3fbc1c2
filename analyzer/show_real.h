/*
 * show_real.h - the fractions that ss writes, as printf() writes them (%g, %.3g, %.0f), but without
 * it where that is easy: a line with -i has a dozen, and they were a quarter of its time.
 */
#ifndef SOCKLAPSE_SHOW_REAL_H
#define SOCKLAPSE_SHOW_REAL_H

#include <stdint.h>

#include "buf.h"

/* Microseconds as milliseconds: "%g" of us / 1000. */
void show_put_ms(struct buf *b, int64_t us);

/* "%.3g" and "%.0f"; v is not negative. */
void show_put_3g(struct buf *b, double v);
void show_put_whole(struct buf *b, double v);

#endif
