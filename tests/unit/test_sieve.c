/* test_sieve.c - what is recorded if not everything, and how the recording says so. */
#include <sys/socket.h>

#include "rec_read.h"
#include "recorder.h"
#include "sieve.h"
#include "tmpdir.h"

static int open_sieve(struct sieve *s, uint32_t protos, const char *filter, struct buf *caret,
		      struct err *e)
{
	static char text[256];
	static char *words[1] = {text};
	struct options o = {.protos = protos, .filter = words, .filter_count = filter != NULL};
	snprintf(text, sizeof(text), "%s", filter ? filter : "");
	return sieve_open(s, &o, caret, e);
}

Test(sieve, its_text)
{
	static const struct {
		uint32_t protos;
		const char *filter, *text;
	} cases[] = {
		{0, NULL, ""},
		{0, "  ", ""},
		{0, "state listening", "state listening"},
		{DIAG_PROTO_BIT(PROTO_UNIX) | DIAG_PROTO_BIT(PROTO_TCP), NULL, "-A tcp,unix"},
		{DIAG_PROTO_BIT(PROTO_UDP), "sport = :53", "-A udp sport = :53"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sieve s;
		struct buf caret = {0};
		cr_assert_eq(open_sieve(&s, cases[i].protos, cases[i].filter, &caret, NULL), 0);
		cr_assert_str_eq(buf_str(&s.text), cases[i].text);
		sieve_close(&s);
		buf_fini(&caret);
	}
}

Test(sieve, what_is_wrong_is_marked)
{
	struct sieve s;
	struct buf caret = {0};
	struct err e = {0};
	cr_assert_eq(open_sieve(&s, 0, "sport = :22 or pid = 7", &caret, &e), ERR_USAGE);
	cr_assert_not_null(strstr(e.text, "filter: pid is not known"), "%s", e.text);
	cr_assert_str_eq(buf_str(&caret), "sport = :22 or pid = 7\n"
					  "               ^~~\n");
	sieve_close(&s);
	buf_fini(&caret);
}

Test(sieve, tables_that_cannot_match_are_not_asked)
{
	static const struct {
		const char *filter;
		bool tcp, udp6, unix_domain, netlink;
	} cases[] = {
		{NULL, true, true, true, true},
		{"state listening", true, true, true, true},
		{"src inet6:*", true, true, false, false},
		{"src unix:*", false, false, true, false},
		{"not src unix:*", true, true, true, true},
		{"src inet:* or src netlink:*", true, false, false, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sieve s;
		struct buf caret = {0};
		cr_assert_eq(open_sieve(&s, 0, cases[i].filter, &caret, NULL), 0);
		for (size_t t = 0; t < diag_tables_count; t++) {
			const struct diag_table *table = &diag_tables[t];
			bool wants = sieve_wants_table(&s, table);
			const char *name = cases[i].filter ? cases[i].filter : "";
			if (table->proto == PROTO_TCP)
				cr_assert_eq(wants, cases[i].tcp, "%s", name);
			if (table->proto == PROTO_UDP && table->family == AF_INET6)
				cr_assert_eq(wants, cases[i].udp6, "%s", name);
			if (table->proto == PROTO_UNIX)
				cr_assert_eq(wants, cases[i].unix_domain, "%s", name);
			if (table->proto == PROTO_NETLINK)
				cr_assert_eq(wants, cases[i].netlink, "%s", name);
		}
		sieve_close(&s);
		buf_fini(&caret);
	}
}

/* Takes a snapshot with the filter into the one file. */
static struct rec_snapshot take(struct recorder *r, struct sieve *s, const char *filter)
{
	struct recorder_snapshot snap;
	struct buf caret = {0};
	struct err e = {0};
	cr_assert_eq(open_sieve(s, 0, filter, &caret, &e), 0, "%s", e.text);
	r->sieve = s;
	collect_free(r->collect);
	r->collect = NULL;
	cr_assert_eq(recorder_take(r, &snap, &e), 0, "%s", e.text);
	collect_free(r->collect);
	r->collect = NULL;
	sieve_close(s);
	buf_fini(&caret);
	return snap.info;
}

Test(sieve, a_change_is_a_key_frame_and_is_told)
{
	static const struct {
		const char *filter;
		bool key;
	} steps[] = {
		{NULL, true},
		{NULL, false},
		{"state listening", true},
		{"state listening", false},
		{"sport = :1", true},
		{NULL, true},
	};
	struct tmpdir dir = tmpdir_make();
	char path[128];
	struct recorder r;
	struct sieve s;
	struct err e = {0};
	snprintf(path, sizeof(path), "%s/file", dir.path);
	const struct options o = {.output = path, .deadline_ns = DEFAULT_DEADLINE_NS};
	cr_assert_eq(recorder_open(&r, &o, &e), 0, "%s", e.text);
	for (size_t i = 0; i < 6; i++) {
		struct rec_snapshot info = take(&r, &s, steps[i].filter);
		cr_assert_eq(info.key, steps[i].key, "%zu", i);
		cr_assert_eq((info.flags & SNAP_FILTERED) != 0, steps[i].filter != NULL, "%zu", i);
	}
	recorder_close(&r);
	struct rec *rec;
	size_t count;
	cr_assert_eq(rec_open(path, &rec, &e), 0, "%s", e.text);
	const struct rec_snapshot *all = rec_snapshots(rec, &count);
	cr_assert_eq(count, 6);
	cr_assert(all[0].scope == 0 && all[1].scope == 0 && all[5].scope == 0);
	cr_assert(all[2].scope != 0 && all[2].scope == all[3].scope);
	cr_assert(all[4].scope != 0 && all[4].scope != all[3].scope);
	rec_close(rec);
	tmpdir_remove(&dir);
}
