/*
 * filter_value.c - see filter_value.h. Integers as far as they go: a double stands only for what
 * is not a whole number of the column's unit, which SQLite compares with integers exactly.
 */
#include "filter_value.h"

#include <string.h>
#include <strings.h>

#include "duration.h"

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit byte_units[] = {
	{"", 1},
	{"b", 1},
	{"k", INT64_C(1) << 10},
	{"kb", INT64_C(1) << 10},
	{"kib", INT64_C(1) << 10},
	{"m", INT64_C(1) << 20},
	{"mb", INT64_C(1) << 20},
	{"mib", INT64_C(1) << 20},
	{"g", INT64_C(1) << 30},
	{"gb", INT64_C(1) << 30},
	{"gib", INT64_C(1) << 30},
	{"t", INT64_C(1) << 40},
	{"tb", INT64_C(1) << 40},
	{"tib", INT64_C(1) << 40},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

bool filter_read_number(const char *text, uint64_t max, uint64_t *ret)
{
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	const char *p = base == 16 ? text + 2 : text;
	uint64_t v = 0;
	if (!*p)
		return false;
	for (; *p; p++) {
		int d = digit_value(*p);
		if (d >= base || v > (max - (uint64_t)d) / (uint64_t)base || (uint64_t)d > max)
			return false;
		v = v * (uint64_t)base + (uint64_t)d;
	}
	*ret = v;
	return true;
}

/* A decimal number: mantissa / 10^decimals. */
struct decimal {
	int64_t mantissa;
	int64_t power; /* 10^decimals */
};

/* Reads one from *p on and moves *p behind it. */
static enum filter_value_error read_decimal(const char **p, struct decimal *ret)
{
	struct decimal d = {0, 1};
	bool point = false;
	if (!is_digit(**p))
		return VALUE_NOT_A_NUMBER;
	for (; is_digit(**p) || (**p == '.' && !point); ++*p) {
		if (**p == '.') {
			point = true;
			continue;
		}
		if (d.mantissa > (INT64_MAX - 9) / 10 || d.power > INT64_C(1000000000))
			return VALUE_TOO_LARGE;
		d.mantissa = d.mantissa * 10 + (**p - '0');
		d.power *= point ? 10 : 1;
	}
	*ret = d;
	return VALUE_OK;
}

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < LENGTH(byte_units); i++)
		if (strcasecmp(name, byte_units[i].name) == 0)
			return &byte_units[i];
	return NULL;
}

enum filter_value_error filter_read_bytes(const char *text, struct filter_value *ret)
{
	struct decimal d;
	int64_t product;
	const char *p = text;
	enum filter_value_error rc = read_decimal(&p, &d);
	if (rc)
		return rc;
	const struct unit *u = find_unit(p);
	if (!u)
		return VALUE_WRONG_UNIT;
	if (__builtin_mul_overflow(d.mantissa, u->factor, &product))
		return VALUE_TOO_LARGE;
	*ret = (struct filter_value){.kind = VALUE_INT, .num = product / d.power};
	if (product % d.power)
		*ret = (struct filter_value){.kind = VALUE_REAL,
					     .real = (double)product / (double)d.power};
	return VALUE_OK;
}

enum filter_value_error filter_read_duration(const char *text, int64_t unit_ns,
					     struct filter_value *ret)
{
	int64_t ns = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits && !text[digits] && strspn(text, "0") != digits)
		return VALUE_NO_UNIT;
	if (!digits || (text[digits] && duration_parse(text, &ns, NULL)))
		return VALUE_NOT_A_NUMBER;
	*ret = (struct filter_value){.kind = VALUE_INT, .num = ns / unit_ns};
	if (ns % unit_ns)
		*ret = (struct filter_value){.kind = VALUE_REAL,
					     .real = (double)ns / (double)unit_ns};
	return VALUE_OK;
}
