/* timeparse.c - see timeparse.h. Reads; timetext.c writes. */
#include "timeparse.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Years are 1970 .. 2261: all of them fit 64 bits of nanoseconds. */
#define YEAR_MIN 1970
#define YEAR_MAX 2261

struct scan {
	const char *at;
	const struct time_ref *ref;
};

static void skip_blanks(struct scan *s)
{
	while (*s->at == ' ' || *s->at == '\t')
		s->at++;
}

/* Exactly `digits` digits, not followed by another one. */
static bool take_digits(struct scan *s, int digits, int *ret)
{
	int v = 0;
	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)s->at[i]))
			return false;
		v = v * 10 + (s->at[i] - '0');
	}
	if (isdigit((unsigned char)s->at[digits]))
		return false;
	s->at += digits;
	*ret = v;
	return true;
}

static bool take_char(struct scan *s, char c)
{
	if (*s->at != c)
		return false;
	s->at++;
	return true;
}

/* A word of letters, any case, that ends where letters end. */
static bool take_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);
	if (strncasecmp(s->at, word, len) != 0 || isalpha((unsigned char)s->at[len]))
		return false;
	s->at += len;
	return true;
}

static int64_t take_fraction(struct scan *s, int64_t unit_ns)
{
	return duration_scan_fraction(&s->at, unit_ns);
}

static bool take_number(struct scan *s, int64_t *ret)
{
	return duration_scan_number(&s->at, ret);
}

static bool take_duration(struct scan *s, int64_t *ret_ns)
{
	return duration_scan(&s->at, ret_ns);
}

static void local_day(int64_t wall_ns, struct tm *ret)
{
	time_t t = (time_t)(wall_ns / NS_PER_S);
	localtime_r(&t, ret);
	ret->tm_hour = ret->tm_min = ret->tm_sec = 0;
}

static int64_t from_local(const struct tm *day, int64_t of_day_ns)
{
	struct tm tm = *day;
	tm.tm_hour = (int)(of_day_ns / NS_PER_H);
	tm.tm_min = (int)(of_day_ns / NS_PER_MIN % 60);
	tm.tm_sec = (int)(of_day_ns / NS_PER_S % 60);
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * NS_PER_S + of_day_ns % NS_PER_S;
}

/* HH:MM[:SS[.fraction]] as ns since midnight; 24:00 and leap seconds are not taken. */
static bool take_time_of_day(struct scan *s, int64_t *ret_ns)
{
	struct scan look = *s;
	int h, m, sec = 0;
	if (!(take_digits(&look, 2, &h) || take_digits(&look, 1, &h)) || !take_char(&look, ':') ||
	    !take_digits(&look, 2, &m))
		return false;
	int64_t fraction = 0;
	if (take_char(&look, ':')) {
		if (!take_digits(&look, 2, &sec))
			return false;
		fraction = take_fraction(&look, NS_PER_S);
	}
	if (h > 23 || m > 59 || sec > 59)
		return false;
	*s = look;
	*ret_ns = h * NS_PER_H + m * NS_PER_MIN + sec * NS_PER_S + fraction;
	return true;
}

static bool take_date(struct scan *s, struct tm *ret)
{
	struct scan look = *s;
	int y, m, d;
	if (!take_digits(&look, 4, &y) || !take_char(&look, '-') || !take_digits(&look, 2, &m) ||
	    !take_char(&look, '-') || !take_digits(&look, 2, &d))
		return false;
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
	if (y < YEAR_MIN || y > YEAR_MAX || m < 1 || m > 12 || d < 1 ||
	    d > days[m - 1] + (m == 2 && leap))
		return false;
	*s = look;
	*ret = (struct tm){.tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d};
	return true;
}

/* Z, +01:00, +0100: minutes east of Greenwich. */
static bool take_offset(struct scan *s, int *ret_min)
{
	struct scan look = *s;
	if ((take_char(&look, 'Z') || take_char(&look, 'z')) && !isalpha((unsigned char)*look.at)) {
		*s = look;
		*ret_min = 0;
		return true;
	}
	int sign = *look.at == '-' ? -1 : 1;
	int h, m, hm;
	if (!take_char(&look, '+') && !take_char(&look, '-'))
		return false;
	if (take_digits(&look, 4, &hm)) {
		h = hm / 100;
		m = hm % 100;
	} else if (!take_digits(&look, 2, &h) || !take_char(&look, ':') ||
		   !take_digits(&look, 2, &m)) {
		return false;
	}
	if (h > 23 || m > 59 || isalpha((unsigned char)*look.at))
		return false;
	*s = look;
	*ret_min = sign * (h * 60 + m);
	return true;
}

/* DATE [TIME [OFFSET]] */
static bool take_stamp(struct scan *s, int64_t *ret_ns)
{
	struct tm day;
	int64_t of_day = 0;
	int offset_min;
	if (!take_date(s, &day))
		return false;
	struct scan look = *s;
	if (!take_char(&look, 'T') && !take_char(&look, 't'))
		skip_blanks(&look);
	if (!take_time_of_day(&look, &of_day)) {
		*ret_ns = from_local(&day, 0);
		return true;
	}
	*s = look;
	if (!take_offset(s, &offset_min)) {
		*ret_ns = from_local(&day, of_day);
		return true;
	}
	*ret_ns = ((int64_t)timegm(&day) - offset_min * 60) * NS_PER_S + of_day;
	return true;
}

/* today, yesterday [TIME] */
static bool take_named_day(struct scan *s, int64_t *ret_ns)
{
	struct tm day;
	int64_t of_day = 0;
	int back = take_word(s, "yesterday") ? 1 : 0;
	if (!back && !take_word(s, "today"))
		return false;
	struct scan look = *s;
	skip_blanks(&look);
	if (take_time_of_day(&look, &of_day))
		*s = look;
	local_day(s->ref->now_ns, &day);
	day.tm_mday -= back;
	*ret_ns = from_local(&day, of_day);
	return true;
}

/* A time of day without a date: the last one that the history can know. */
static int64_t last_time_of_day(const struct time_ref *ref, int64_t of_day)
{
	struct tm day;
	local_day(ref->end_ns, &day);
	int64_t on_last_day = from_local(&day, of_day);
	if (on_last_day <= ref->end_ns)
		return on_last_day;
	day.tm_mday--;
	int64_t before = from_local(&day, of_day);
	return before >= ref->start_ns ? before : on_last_day;
}

static bool take_epoch(struct scan *s, int64_t *ret_ns)
{
	int64_t seconds, ns;
	if (!take_char(s, '@') || !take_number(s, &seconds) ||
	    __builtin_mul_overflow(seconds, NS_PER_S, &ns))
		return false;
	return !__builtin_add_overflow(ns, take_fraction(s, NS_PER_S), ret_ns);
}

static bool take_ago(struct scan *s, int64_t *ret_ns)
{
	struct scan look = *s;
	int64_t back;
	if (!take_duration(&look, &back))
		return false;
	skip_blanks(&look);
	if (!take_word(&look, "ago"))
		return false;
	*s = look;
	return !__builtin_sub_overflow(s->ref->now_ns, back, ret_ns);
}

/* Times that need a history: start, end, -15min, 14:05, #N. */
static bool take_in_history(struct scan *s, struct time_point *ret, bool *no_snapshot)
{
	int64_t of_day;
	if (take_word(s, "start")) {
		ret->wall_ns = s->ref->start_ns;
	} else if (take_word(s, "end") || *s->at == '-') {
		ret->wall_ns = s->ref->end_ns;
	} else if (take_char(s, '#')) {
		if (!take_number(s, &ret->snapshot))
			return false;
		*no_snapshot = s->ref->snapshot_time(s->ref->history, ret->snapshot,
						     &ret->wall_ns) != 0;
	} else if (take_time_of_day(s, &of_day)) {
		ret->wall_ns = last_time_of_day(s->ref, of_day);
	} else {
		return false;
	}
	return true;
}

/* Any number of +DUR and -DUR. */
static bool take_distances(struct scan *s, struct time_point *p)
{
	for (;;) {
		int64_t ns;
		skip_blanks(s);
		bool back = *s->at == '-';
		if (!back && *s->at != '+')
			return true;
		s->at++;
		skip_blanks(s);
		if (!take_duration(s, &ns) ||
		    __builtin_add_overflow(p->wall_ns, back ? -ns : ns, &p->wall_ns))
			return false;
		p->snapshot = 0;
	}
}

int time_parse(const char *text, const struct time_ref *ref, struct time_point *ret, struct err *e)
{
	struct scan s = {.at = text, .ref = ref};
	struct time_point p = {0};
	bool no_snapshot = false;
	skip_blanks(&s);
	bool ok;
	if (take_word(&s, "now")) {
		p.wall_ns = ref->now_ns;
		ok = true;
	} else {
		struct scan from = s;
		ok = take_epoch(&s, &p.wall_ns) || (s = from, take_stamp(&s, &p.wall_ns)) ||
		     (s = from, take_named_day(&s, &p.wall_ns)) ||
		     (s = from, take_ago(&s, &p.wall_ns)) ||
		     (s = from, ref->has_history && take_in_history(&s, &p, &no_snapshot));
	}
	if (no_snapshot)
		return err_set(e, ERR_NOT_FOUND, "%s: there is no such snapshot", text);
	if (ok && take_distances(&s, &p) && !*s.at) {
		*ret = p;
		return 0;
	}
	return err_set(e, ERR_USAGE,
		       "%s: not a time: such as 14:05, yesterday 14:05, 2026-11-22 14:05, "
		       "-15min, 2h ago, end-10min, #12",
		       text);
}
