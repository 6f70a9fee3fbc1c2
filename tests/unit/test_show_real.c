/* test_show_real.c - fractions are written as printf() writes them. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "show_real.h"

static uint64_t random64(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed ^ *seed >> 33;
}

static void check(struct buf *b, const char *expect)
{
	cr_assert_str_eq(buf_str(b), expect);
	buf_clear(b);
}

static void check_ms(struct buf *b, int64_t us)
{
	char expect[40];
	snprintf(expect, sizeof(expect), "%g", (double)us / 1000);
	show_put_ms(b, us);
	check(b, expect);
}

static void check_all(struct buf *b, double v)
{
	char expect[400];
	snprintf(expect, sizeof(expect), "%.3g", v);
	show_put_3g(b, v);
	check(b, expect);
	snprintf(expect, sizeof(expect), "%.0f", v);
	show_put_whole(b, v);
	check(b, expect);
}

Test(show_real, ms_are_as_printf_has_them)
{
	struct buf b = {0};
	uint64_t seed = 1;
	for (int64_t us = 0; us < 20000; us++)
		check_ms(&b, us);
	for (unsigned i = 0; i < 200000; i++)
		check_ms(&b, (int64_t)(random64(&seed) >> (40 + i % 20)));
	check_ms(&b, -5);
	buf_fini(&b);
}

/* Rates, ties between two roundings, and what is just beside them. */
Test(show_real, rates_are_as_printf_has_them)
{
	struct buf b = {0};
	uint64_t seed = 2;
	for (unsigned i = 0; i < 200000; i++) {
		double v = (double)(random64(&seed) >> (i % 64));
		check_all(&b, v);
		check_all(&b, v / 1000);
		check_all(&b, v * 8e6 / (double)(1 + (random64(&seed) & 0xffff)));
	}
	for (int i = 0; i < 100000; i++) {
		check_all(&b, i / 200.0);
		check_all(&b, i / 20.0);
		check_all(&b, i / 2.0 + 1e-9);
		check_all(&b, i / 2.0 - 1e-9 > 0 ? i / 2.0 - 1e-9 : 0);
	}
	check_all(&b, 1e300);
	check_all(&b, 0x1p63);
	buf_fini(&b);
}
