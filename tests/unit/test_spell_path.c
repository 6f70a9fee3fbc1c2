/* test_spell_path.c - spells of UNIX sockets tell their path, by which they are found and summed.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "db.h"
#include "lives.h"
#include "spell_ask.h"
#include "spell_key.h"

#define S INT64_C(1000000000)

static const struct {
	const char *bytes;
	size_t len;
	const char *want; /* as ss writes it */
} paths[] = {
	{"/run/x.sock", 11, "/run/x.sock"},
	{"\0of\0nobody", 10, "@of@nobody"},
	{NULL, 0, NULL},
};
#define COUNT (sizeof(paths) / sizeof(paths[0]))

static void put_sockets(struct rec_writer *w)
{
	struct err e = {0};
	struct track *t = rec_writer_track(w);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct sock_row r = {.member = {.cookie = i + 1,
						.netns = 1,
						.proto = PROTO_UNIX,
						.family = AF_UNIX}};
		r.state.state = STATE_LISTEN;
		r.state.inode = 900 + i;
		if (paths[i].bytes) {
			r.state.has |= HAS_PATH;
			cr_assert_eq(
				rec_writer_text(w, paths[i].bytes, paths[i].len, &r.unix.path, &e),
				0);
		}
		cr_assert_eq(track_add(t, &r, 1000, 1000, &e), 0, "%s", e.text);
	}
	cr_assert_eq(track_batch(t, 0, 1000, &e), 0);
	cr_assert_eq(track_members(t, &e), 0);
}

/* A file each, so that the number of the path is another one's in the next. */
static void record(const char *dir, unsigned number)
{
	const struct rec_host host = {
		.boot_id = "b", .hostname = "h", .kernel = "6", .arch = "x", .facts = "{}"};
	int64_t at_ns = (10 + number * 10) * S;
	const struct rec_snapshot info = {.wall_begin_ns = 1000 * S + at_ns,
					  .wall_end_ns = 1001 * S + at_ns,
					  .boot_begin_ns = at_ns,
					  .boot_end_ns = at_ns + S,
					  .mono_begin_ns = at_ns};
	struct err e = {0};
	struct rec_snapshot s = info;
	struct rec_writer *w;
	uint32_t id;
	char path[96];
	snprintf(path, sizeof(path), "%s/h-%u.socklapse", dir, number);
	cr_assert_eq(rec_writer_open(path, &host, NULL, &w, &e), 0, "%s", e.text);
	cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
	cr_assert_eq(rec_writer_netns(w, 99, NULL, &id, &e), 0, "%s", e.text);
	if (number)
		cr_assert_eq(rec_writer_text(w, "another", 7, &id, &e), 0);
	put_sockets(w);
	cr_assert_eq(rec_writer_commit(w, &s, NULL, &e), 0, "%s", e.text);
	rec_writer_close(w);
}

struct fixture {
	char dir[64];
	struct history *h;
	sqlite3 *db;
	struct vt_context context;
};

static void setup(struct fixture *f)
{
	struct err e = {0};
	const char *dir = f->dir;
	lives_dir(f->dir);
	record(f->dir, 0);
	record(f->dir, 1);
	cr_assert_eq(history_open(&dir, 1, &f->h, &e), 0, "%s", e.text);
	f->context = (struct vt_context){.history = f->h};
	cr_assert_eq(db_open(&f->context, &f->db, &e), 0, "%s", e.text);
}

static void teardown(struct fixture *f)
{
	sqlite3_close(f->db);
	history_close(f->h);
	lives_remove(f->dir);
}

static void check_path(struct spell_look *look)
{
	const char *want = paths[look->spell->id.cookie - 1].want, *path = spell_path(look);
	cr_assert(want ? path && strcmp(path, want) == 0 : !path, "%s", path ? path : "none");
	cr_assert_eq(look->spell->last, 1, "in both files");
}

/* How many spells match a filter; each has its path, and is its own group by `local`. */
static unsigned matching(struct fixture *f, const char *filter)
{
	struct err e = {0};
	struct spell_ask ask;
	struct spell_pass *p;
	struct spell_keys keys;
	const struct spell *s;
	struct spell_look look = {.history = f->h};
	struct buf key = {0};
	unsigned n = 0;
	int rc;
	cr_assert_eq(spell_ask_open(f->db, &f->context, &filter, 1, &ask, &e), 0, "%s", e.text);
	const struct spell_options options = {
		.last = SIZE_MAX, .paths = true, .wants = spell_ask_wants, .wants_arg = &ask};
	cr_assert_eq(spell_keys_parse("local", &keys, &e), 0);
	cr_assert_eq(spell_pass_new(f->h, &options, &p, &e), 0, "%s", e.text);
	while ((rc = spell_pass_next(p, &s, &e)) > 0) {
		spell_look_at(&look, s);
		check_path(&look);
		cr_assert_eq(spell_keys_pack(&keys, &look, &key, &e), 0);
		struct span packed = span_of(key.bytes, key.len);
		struct spell_value v = spell_key_unpack(&packed);
		const char *want = paths[s->id.cookie - 1].want;
		cr_assert_eq(v.kind, want ? SPELL_TEXT : SPELL_NULL);
		cr_assert(!want || (v.len == strlen(want) && !memcmp(v.text, want, v.len)));
		rc = spell_ask_matches(&ask, s, &e);
		cr_assert_geq(rc, 0, "%s", e.text);
		n += (unsigned)rc;
	}
	cr_assert_eq(rc, 0, "%s", e.text);
	spell_pass_free(p);
	spell_ask_close(&ask);
	buf_fini(&key);
	return n;
}

Test(spell_path, told_found_and_summed_by)
{
	struct fixture f;
	setup(&f);
	cr_assert_eq(matching(&f, "src unix:/run/*"), 1);
	cr_assert_eq(matching(&f, "src unix:@of*"), 1);
	cr_assert_eq(matching(&f, "src unix:*"), 3);
	cr_assert_eq(matching(&f, "src unix:/run/y*"), 0);
	teardown(&f);
}

Test(spell_path, in_the_table)
{
	struct fixture f;
	struct err e = {0};
	sqlite3_stmt *stmt;
	setup(&f);
	cr_assert_eq(db_prepare(f.db,
				"SELECT group_concat(cookie || ' ' || coalesce(local, '-'), ', ') "
				"FROM (SELECT cookie, local FROM spell ORDER BY cookie)",
				&stmt, &e),
		     0, "%s", e.text);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	cr_assert_str_eq((const char *)sqlite3_column_text(stmt, 0),
			 "1 /run/x.sock, 2 @of@nobody, 3 -");
	sqlite3_finalize(stmt);
	teardown(&f);
}
