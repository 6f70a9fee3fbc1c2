/* show_real.c - see show_real.h. What is near to a tie, or out of the usual range, libc writes. */
#include "show_real.h"

#include "show_address.h"

/* %g has six digits: so many us have no more. */
#define MS_EXACT_US 1000000

/* Above this a double has no room for the fraction that decides. */
#define WHOLE_MAX 1e15

/* n / 10^decimals, without zeros at the end. */
static void put_decimal(struct buf *b, uint64_t n, unsigned decimals)
{
	static const unsigned powers[] = {1, 10, 100, 1000};
	uint64_t rest = n % powers[decimals];
	char digits[4] = {'.'};
	size_t len = 0;
	show_put_uint(b, n / powers[decimals]);
	for (unsigned i = 1; i <= decimals; i++) {
		digits[i] = (char)('0' + rest / powers[decimals - i] % 10);
		if (digits[i] != '0')
			len = i + 1;
	}
	if (len)
		buf_put(b, digits, len);
}

void show_put_ms(struct buf *b, int64_t us)
{
	if (us >= 0 && us < MS_EXACT_US)
		put_decimal(b, (uint64_t)us, 3);
	else
		buf_printf(b, "%g", (double)us / 1000);
}

/* The nearest whole number; false: which one that is takes a closer look. */
static bool round_to(double v, uint64_t *ret)
{
	uint64_t below = (uint64_t)v;
	double rest = v - (double)below;
	*ret = below + (rest > 0.5);
	return rest < 0.499999 || rest > 0.500001;
}

void show_put_3g(struct buf *b, double v)
{
	unsigned decimals = v < 10 ? 2 : v < 100 ? 1 : 0;
	static const double powers[] = {1, 10, 100};
	uint64_t n;
	if (v >= 1 && v < 999 && round_to(v * powers[decimals], &n) && n < 1000)
		put_decimal(b, n, decimals);
	else
		buf_printf(b, "%.3g", v);
}

void show_put_whole(struct buf *b, double v)
{
	uint64_t n;
	if (v >= 0 && v < WHOLE_MAX && round_to(v, &n))
		show_put_uint(b, n);
	else
		buf_printf(b, "%.0f", v);
}
