/* duration.c - see duration.h. */
#include "duration.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", NS_PER_MS},
	{"s", NS_PER_S},
	{"sec", NS_PER_S},
	{"secs", NS_PER_S},
	{"second", NS_PER_S},
	{"seconds", NS_PER_S},
	{"m", NS_PER_MIN},
	{"min", NS_PER_MIN},
	{"mins", NS_PER_MIN},
	{"minute", NS_PER_MIN},
	{"minutes", NS_PER_MIN},
	{"h", NS_PER_H},
	{"hr", NS_PER_H},
	{"hour", NS_PER_H},
	{"hours", NS_PER_H},
	{"d", NS_PER_DAY},
	{"day", NS_PER_DAY},
	{"days", NS_PER_DAY},
	{"w", 7 * NS_PER_DAY},
	{"week", 7 * NS_PER_DAY},
	{"weeks", 7 * NS_PER_DAY},
};

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

int64_t duration_scan_fraction(const char **at, int64_t unit_ns)
{
	int64_t sum = 0;
	if (**at != '.' || !isdigit((unsigned char)(*at)[1]))
		return 0;
	int64_t part = NS_PER_S;
	for (++*at; isdigit((unsigned char)**at); ++*at) {
		part /= 10;
		sum += part * (**at - '0');
	}
	/* Units are whole seconds or fractions of one: neither product passes 64 bits. */
	if (unit_ns >= NS_PER_S)
		return sum * (unit_ns / NS_PER_S);
	return sum * unit_ns / NS_PER_S;
}

bool duration_scan_number(const char **at, int64_t *ret)
{
	const char *c = *at;
	int64_t v = 0;
	if (!isdigit((unsigned char)*c))
		return false;
	for (; isdigit((unsigned char)*c); c++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *c - '0', &v))
			return false;
	*at = c;
	*ret = v;
	return true;
}

/* What one of the unit at *at is; 0 if none stands there. */
static int64_t scan_unit(const char **at)
{
	size_t len = 0;
	while (isalpha((unsigned char)(*at)[len]))
		len++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == len && strncasecmp(*at, units[i].name, len) == 0) {
			*at += len;
			return units[i].ns;
		}
	return 0;
}

/* NUMBER[.FRACTION] UNIT; adds it to *sum. */
static bool scan_part(const char **at, int64_t *sum)
{
	const char *c = *at;
	int64_t whole, ns;
	if (!duration_scan_number(&c, &whole))
		return false;
	const char *fraction = c;
	duration_scan_fraction(&c, 1);
	c = skip_blanks(c);
	int64_t unit = scan_unit(&c);
	if (!unit || __builtin_mul_overflow(whole, unit, &ns) ||
	    __builtin_add_overflow(ns, duration_scan_fraction(&fraction, unit), &ns) ||
	    __builtin_add_overflow(*sum, ns, sum))
		return false;
	*at = c;
	return true;
}

bool duration_scan(const char **at, int64_t *ret_ns)
{
	const char *c = *at;
	int64_t sum = 0;
	for (;;) {
		if (!scan_part(&c, &sum))
			return false;
		const char *next = skip_blanks(c);
		if (!isdigit((unsigned char)*next))
			break;
		c = next;
	}
	*at = c;
	*ret_ns = sum;
	return true;
}

int duration_parse(const char *text, int64_t *ret_ns, struct err *e)
{
	const char *at = skip_blanks(text);
	int64_t ns;
	if (duration_scan(&at, &ns) && !*skip_blanks(at)) {
		*ret_ns = ns;
		return 0;
	}
	return err_set(e, ERR_USAGE, "%s: not a duration: such as 500ms, 90s, 15min, 1h30min",
		       text);
}
