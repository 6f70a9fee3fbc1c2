/* test_bounds.c - every rule of the bounds engine, its negation, and its limits: cases/bounds.txt.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"

#define CASES TEST_DATA "/../cases/bounds.txt"

static const char *const assumption_words[BOUNDS_ASSUMPTIONS] = {
	[ASSUME_NONE] = "none",
	[ASSUME_NO_LOCAL_DROP] = "no-local-drop",
	[ASSUME_NO_DEFER] = "no-defer",
	[ASSUME_KEEPALIVE] = "keepalive",
	[ASSUME_NO_LATER_ACK] = "no-later-ack",
	[ASSUME_FIN_TIMEOUT] = "fin-timeout",
	[ASSUME_NOT_REARMED] = "not-rearmed",
	[ASSUME_FIN_AT_ONCE] = "fin-at-once",
	[ASSUME_ONE_SIDED] = "one-sided",
	[ASSUME_FULL_TIME] = "full-time",
};

static const struct {
	const char *word;
	uint32_t flag;
} flag_words[] = {
	{"contradiction", BOUNDS_CONTRADICTION},
	{"rearmed", BOUNDS_REARMED},
	{"killed", BOUNDS_KILLED},
};

/* A row together with its times. */
struct timed_row {
	struct sock_row row;
	struct bounds_row at;
	bool given;
};

/* One case while it is read, and what came out so far. */
struct scene {
	char name[80];
	unsigned line;
	struct bounds_host host;
	struct bounds_before before;
	struct timed_row prev, now, last;
	struct bounds_spell spell;
	struct bounds_end end;
	bool ended;
	/* What was expected. */
	bool want_guess;
	uint32_t want_flags;
	unsigned checks;
};

static int64_t parse_ms(const char *text)
{
	return llround(strtod(text, NULL) * 1e6);
}

static void parse_span(const char *text, int64_t *ret_lo_ns, int64_t *ret_hi_ns)
{
	const char *dots = strstr(text, "..");
	cr_assert_not_null(dots, "no range: %s", text);
	*ret_lo_ns = parse_ms(text);
	*ret_hi_ns = parse_ms(dots + 2);
}

static void set_column(struct sock_row *row, const char *name, const char *value)
{
	if (strcmp(name, "state") == 0) {
		row->state.state = (uint8_t)sock_state_by_name(value);
		cr_assert(row->state.state, "no such state: %s", value);
		return;
	}
	if (strcmp(name, "info") == 0) {
		row->state.has |= HAS_INFO;
		row->state.info_bytes = (uint16_t)atoi(value);
		row->evidence.info_state = row->state.state;
		return;
	}
	const struct column *c = column_by_name(name);
	cr_assert_not_null(c, "no such column: %s", name);
	column_store(c, (char *)row + column_groups[c->group].row_offset,
		     strtoull(value, NULL, 10));
}

static void parse_row(char *rest, struct timed_row *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->row.member.proto = PROTO_TCP;
	char *word = strtok(rest, " \n");
	parse_span(word, &ret->at.lo_ns, &ret->at.hi_ns);
	while ((word = strtok(NULL, " \n"))) {
		char *equals = strchr(word, '=');
		cr_assert_not_null(equals, "no value: %s", word);
		*equals = 0;
		if (strcmp(word, "tick") == 0)
			ret->at.tick_ns = parse_ms(equals + 1);
		else
			set_column(&ret->row, word, equals + 1);
	}
	ret->at.row = &ret->row;
	ret->given = true;
}

/* Rows point into the scene: it is not copied after this. */
static void take_now(struct scene *s, char *rest)
{
	parse_row(rest, &s->now);
	s->last = s->now;
	s->last.at.row = &s->last.row;
	s->before.row = s->prev.given ? &s->prev.at : NULL;
	bounds_enter(&s->host, &s->now.at, &s->before, &s->spell);
}

static void take_more(struct scene *s, char *rest)
{
	parse_row(rest, &s->last);
	bounds_more(&s->host, &s->last.at, &s->spell);
}

static void take_next(struct scene *s, char *rest)
{
	struct timed_row next;
	parse_row(rest, &next);
	struct bounds_before before = {.row = &s->last.at};
	struct bounds_spell spell;
	bounds_enter(&s->host, &next.at, &before, &spell);
	bounds_turn(&s->last.at, next.row.state.state, &spell, &s->end);
	s->ended = true;
}

static void take_gone(struct scene *s, char *rest)
{
	bounds_gone(&s->host, &s->last.at, parse_ms(rest), &s->end);
	s->ended = true;
}

static void take_host(struct scene *s, char *rest)
{
	memset(&s->host, 0, sizeof(s->host));
	for (char *word = strtok(rest, " \n"); word; word = strtok(NULL, " \n")) {
		unsigned value = (unsigned)atoi(strchr(word, '=') + 1);
		if (strncmp(word, "hz=", 3) == 0)
			s->host.hz = value;
		else if (strncmp(word, "fin_timeout_s=", 14) == 0)
			s->host.fin_timeout_s = value;
		else if (strncmp(word, "keepalive_time_s=", 17) == 0)
			s->host.keepalive_time_s = value;
		else
			cr_assert_fail("%s: no such fact: %s", s->name, word);
	}
}

static void take_absent(struct scene *s, char *rest)
{
	s->before.absent_ns = parse_ms(rest);
}

static void take_born(struct scene *s, char *rest)
{
	s->before.born_ns = parse_ms(rest);
}

static void take_prev(struct scene *s, char *rest)
{
	parse_row(rest, &s->prev);
}

static void check_is(struct scene *s, char *rest)
{
	const struct bounds_span *span = s->ended ? &s->end.left : &s->spell.entered;
	int64_t lo_ns, hi_ns;
	parse_span(strtok(rest, " \n"), &lo_ns, &hi_ns);
	cr_expect(span->lo_ns == lo_ns && span->hi_ns == hi_ns, "%s: %.3f..%.3f, want %.3f..%.3f",
		  s->name, (double)span->lo_ns / 1e6, (double)span->hi_ns / 1e6,
		  (double)lo_ns / 1e6, (double)hi_ns / 1e6);
	cr_expect_str_eq(bounds_source_name(span->lo_source), strtok(NULL, " \n"), "%s", s->name);
	cr_expect_str_eq(bounds_source_name(span->hi_source), strtok(NULL, " \n"), "%s", s->name);
	s->checks++;
}

static void check_guess(struct scene *s, char *rest)
{
	const struct bounds_guess *guess = s->ended ? &s->end.guess : &s->spell.guess;
	int64_t lo_ns, hi_ns;
	parse_span(strtok(rest, " \n"), &lo_ns, &hi_ns);
	cr_expect(guess->lo_ns == lo_ns && guess->hi_ns == hi_ns,
		  "%s: guess %.3f..%.3f, want %.3f..%.3f", s->name, (double)guess->lo_ns / 1e6,
		  (double)guess->hi_ns / 1e6, (double)lo_ns / 1e6, (double)hi_ns / 1e6);
	cr_expect_str_eq(assumption_words[guess->assumption], strtok(NULL, " \n"), "%s", s->name);
	s->want_guess = true;
}

static void check_flags(struct scene *s, char *rest)
{
	for (char *word = strtok(rest, " \n"); word; word = strtok(NULL, " \n")) {
		uint32_t flag = 0;
		for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
			if (strcmp(flag_words[i].word, word) == 0)
				flag = flag_words[i].flag;
		cr_assert(flag, "%s: no such flag: %s", s->name, word);
		s->want_flags |= flag;
	}
}

static const struct {
	const char *word;
	void (*take)(struct scene *s, char *rest);
} verbs[] = {
	{"host", take_host}, {"absent", take_absent}, {"born", take_born},    {"prev", take_prev},
	{"now", take_now},   {"more", take_more},     {"next", take_next},    {"gone", take_gone},
	{"is", check_is},    {"guess", check_guess},  {"flags", check_flags},
};

static void begin_scene(struct scene *s, const char *name)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->host.hz = 250;
	s->before.absent_ns = BOUNDS_EARLY;
}

static void end_scene(struct scene *s)
{
	if (!s->name[0])
		return;
	const struct bounds_guess *guess = s->ended ? &s->end.guess : &s->spell.guess;
	uint32_t flags = s->ended ? s->end.flags : s->spell.flags;
	cr_expect(s->checks > 0, "%s: expects nothing", s->name);
	cr_expect(s->want_guess || !guess->assumption, "%s: guess %s not wanted", s->name,
		  assumption_words[guess->assumption]);
	cr_expect_eq(flags, s->want_flags, "%s: flags %u, want %u", s->name, flags, s->want_flags);
}

static void take_line(struct scene *s, char *line)
{
	char *rest = line + strcspn(line, " \n");
	if (*rest)
		*rest++ = 0;
	if (strcmp(line, "case") == 0) {
		end_scene(s);
		begin_scene(s, strtok(rest, " \n"));
		return;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].word, line) == 0) {
			verbs[i].take(s, rest);
			return;
		}
	}
	cr_assert_fail("%s: no such verb: %s", s->name, line);
}

Test(bounds, cases)
{
	static struct scene scene;
	FILE *file = fopen(CASES, "r");
	cr_assert_not_null(file, "cannot open %s", CASES);
	char line[1024];
	unsigned cases = 0;
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		cases += strncmp(line, "case", 4) == 0;
		take_line(&scene, line);
	}
	end_scene(&scene);
	fclose(file);
	cr_assert(cases >= 80, "only %u cases", cases);
}

Test(bounds, every_name_is_there_and_none_beyond)
{
	for (unsigned i = 0; i < BOUNDS_SOURCES; i++)
		cr_assert(bounds_source_name(i) && bounds_source_name(i)[0], "source %u", i);
	for (unsigned i = 1; i < BOUNDS_ASSUMPTIONS; i++)
		cr_assert(bounds_assumption_text(i) && bounds_assumption_text(i)[0], "text %u", i);
	cr_assert_str_empty(bounds_source_name(BOUNDS_SOURCES));
	cr_assert_str_empty(bounds_assumption_text(ASSUME_NONE));
	cr_assert_str_empty(bounds_assumption_text(BOUNDS_ASSUMPTIONS));
}

Test(bounds, without_anything_known_before)
{
	struct bounds_host host = {.hz = 250};
	struct sock_row row = {.member.proto = PROTO_TCP, .state.state = STATE_LISTEN};
	struct bounds_row at = {.row = &row, .lo_ns = 1000, .hi_ns = 2000};
	struct bounds_spell spell;
	bounds_enter(&host, &at, NULL, &spell);
	cr_assert_eq(spell.entered.lo_ns, 0);
	cr_assert_eq(spell.entered.hi_ns, 2000);
}

/* Where a tick began, of which the recorder says how far the coarse clock was ahead. */
Test(bounds, tick_begins)
{
	const int64_t ms = 1000000, turn_ms = INT64_C(1) << 32;
	static const struct {
		uint32_t hz;
		uint64_t base_us, tick_ms;
		int64_t near_ms, want_ms; /* want 0: not known */
	} cases[] = {
		{250, 300320000, 5000000, 5300325, 5300316},
		{100, 300320000, 5000000, 5300325, 5300310},
		{1000, 300320000, 5000000, 5300321, 5300319},
		{250, 300320000, 5000000 + (UINT64_C(3) << 32), 5300325, 5300316},
		/* 300 s below 0, which is where ticks begin */
		{250, 300320000, (UINT64_C(1) << 33) - 100000, 200325, 200316},
		{250, 300320000, 5000000, 5300325 + (INT64_C(1) << 32),
		 5300316 + (INT64_C(1) << 32)},
		{250, 300320000, 5000000, 5300320 - 9000, 5300316},
		{250, 300320000, 5000000, 5300320 + 11000, 0},
		{250, 300320000, 5000000, 5300320 - 11000, 0},
		{250, 0, 5000000, 5000001, 0},
		{250, 300320000, 0, 300321, 0},
		{300, 300320000, 5000000, 5300325, 0}, /* 3.33 ms */
		{0, 300320000, 5000000, 5300325, 0},
		{250, UINT64_MAX, 5000000, -1, 0},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bounds_host host = {.hz = cases[i].hz};
		int64_t ns = bounds_tick_ns(&host, cases[i].base_us, cases[i].tick_ms,
					    cases[i].near_ms * ms);
		cr_expect_eq(ns, cases[i].want_ms * ms, "case %u: %.3f", i, (double)ns / 1e6);
	}
	/* What was put down modulo 2^32 ms. */
	struct bounds_host host = {.hz = 250};
	for (int64_t now_ms = 1000; now_ms < 4 * turn_ms; now_ms += 86399999) {
		uint64_t reading = (uint64_t)(now_ms - 300000) % (uint64_t)turn_ms;
		uint64_t base_us = (300000 - 2) * UINT64_C(1000);
		int64_t ns = bounds_tick_ns(&host, base_us, reading + (uint64_t)turn_ms,
					    now_ms * ms);
		cr_expect_eq(ns, (now_ms - 6) * ms, "%lld: %lld", (long long)now_ms, (long long)ns);
	}
}

/* Times and values at the ends of their ranges, as a damaged recording may have them. */
Test(bounds, extremes_do_not_overflow)
{
	static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
	struct bounds_host host = {
		.hz = 1, .fin_timeout_s = UINT32_MAX, .keepalive_time_s = UINT32_MAX};
	unsigned n = sizeof(times) / sizeof(times[0]);
	for (unsigned i = 0; i < n * n * n * STATE_COUNT * 5; i++) {
		struct sock_row row, old;
		memset(&row, i % 3 ? 0xff : 0x7f, sizeof(row));
		row.member.proto = PROTO_TCP;
		row.state.state = row.evidence.info_state = (uint8_t)(i / (n * n * n) %
								      STATE_COUNT);
		row.queue.timer = (uint8_t)(i / (n * n * n * STATE_COUNT));
		row.state.has = i % 2 ? HAS_INFO : 0;
		row.queue.timer_ms = i % 5 ? UINT32_MAX : UINT64_MAX;
		memcpy(&old, &row, sizeof(old));
		struct bounds_row now = {.row = &row,
					 .lo_ns = times[i % n],
					 .hi_ns = times[i / n % n],
					 .tick_ns = times[i / 3 % n]};
		struct bounds_row prev = {
			.row = &old, .lo_ns = times[i / n / n % n], .hi_ns = times[i % n]};
		struct bounds_before before = {.row = i % 7 ? &prev : NULL,
					       .absent_ns = times[i / n % n],
					       .born_ns = times[i / n / n % n]};
		struct bounds_spell spell;
		struct bounds_end end;
		bounds_enter(&host, &now, &before, &spell);
		bounds_more(&host, &prev, &spell);
		cr_assert(spell.entered.lo_ns <= spell.entered.hi_ns);
		bounds_turn(&prev, row.state.state, &spell, &end);
		cr_assert(end.left.lo_ns <= end.left.hi_ns);
		bounds_gone(&host, &now, times[i / n / n % n], &end);
		cr_assert(end.left.lo_ns <= end.left.hi_ns);
	}
}

struct fact {
	const char *text; /* a row */
	int active, eof_unread, unaccepted, orphan;
};

static const struct fact facts[] = {
	{"0..1 state=ESTAB info=280 bytes_acked=1 inode=5", 1, -1, 0, -1},
	{"0..1 state=ESTAB info=280 bytes_acked=0 inode=0", 0, -1, 1, -1},
	{"0..1 state=ESTAB info=104 bytes_acked=0 inode=5", -1, -1, 0, -1},
	{"0..1 state=ESTAB info=280 data_segs_out=2 bytes_sent=300 bytes_acked=301 inode=5", 1, -1,
	 0, -1},
	{"0..1 state=ESTAB info=280 data_segs_out=2 bytes_sent=300 bytes_acked=300 inode=5", 0, -1,
	 0, -1},
	{"0..1 state=ESTAB info=280 data_segs_out=3 bytes_sent=400 bytes_retrans=100 "
	 "bytes_acked=201 "
	 "sendq=150 notsent_bytes=50 inode=5",
	 1, -1, 0, -1},
	{"0..1 state=ESTAB info=192 data_segs_out=2 bytes_sent=300 bytes_acked=301 inode=5", -1, -1,
	 0, -1},
	{"0..1 state=CLOSE-WAIT info=280 bytes_acked=7 recvq=1 inode=5", -1, 1, 0, -1},
	{"0..1 state=CLOSE-WAIT info=280 bytes_acked=1 recvq=0 inode=0", 1, 0, 1, -1},
	{"0..1 state=SYN-SENT info=280 inode=5", 1, -1, -1, -1},
	{"0..1 state=SYN-RECV", 0, -1, -1, -1},
	{"0..1 state=SYN-RECV info=280", -1, -1, -1, -1},
	{"0..1 state=FIN-WAIT-1 info=280 inode=0", -1, -1, -1, 1},
	{"0..1 state=LAST-ACK info=280 inode=9", -1, -1, -1, 0},
	{"0..1 state=LISTEN info=280 inode=9 recvq=3", -1, -1, -1, -1},
	{"0..1 proto=2 state=ESTAB inode=0", -1, -1, -1, -1},
};

Test(bounds, facts_of_a_row)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		char text[256];
		struct timed_row r;
		snprintf(text, sizeof(text), "%s", facts[i].text);
		parse_row(text, &r);
		cr_expect_eq(bounds_is_active_opener(&r.row), facts[i].active, "%s", facts[i].text);
		cr_expect_eq(bounds_is_eof_unread(&r.row), facts[i].eof_unread, "%s",
			     facts[i].text);
		cr_expect_eq(bounds_is_unaccepted(&r.row), facts[i].unaccepted, "%s",
			     facts[i].text);
		cr_expect_eq(bounds_is_orphan(&r.row), facts[i].orphan, "%s", facts[i].text);
	}
}
