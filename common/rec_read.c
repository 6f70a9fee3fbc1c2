/* rec_read.c - see rec_read.h. */
#include "rec_read.h"
#include "rec_scope.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rec_db.h"

/* Snapshot ids beyond this cannot have been written by us (part ids are 16 times as large). */
#define MAX_SNAPSHOT_ID (INT64_C(1) << 48)

struct rec {
	char *path;
	sqlite3 *db;
	struct stat file; /* by which it is known again; st_ino 0: it is not */
	struct rec_snapshot *snapshots;
	size_t snapshots_cap;
	size_t count;
	bool has_turns;
};

struct rec_walk {
	struct rec *rec;
	sqlite3 *db; /* its own connection; NULL: rec's */
	struct sockset set;
	struct frame_scratch scratch;
	struct rec_parts parts;
	sqlite3_stmt *get_part;
	size_t at;
	bool shows; /* set is that of snapshot `at` */
	bool stale; /* groups were left out since the last key frame */
};

static int check_snapshot(const struct rec *r, const struct rec_snapshot *s, struct err *e)
{
	const struct rec_snapshot *last = r->count ? &r->snapshots[r->count - 1] : NULL;
	if (s->id < 1 || s->id > MAX_SNAPSHOT_ID || (last && s->id <= last->id))
		return err_set(e, ERR_CORRUPT, "snapshot %lld is out of order", (long long)s->id);
	if (s->wall_begin_ns < 0 || s->wall_end_ns < 0 || s->boot_begin_ns < 0 ||
	    s->boot_end_ns < s->boot_begin_ns || s->mono_begin_ns < 0)
		return err_set(e, ERR_CORRUPT, "snapshot %lld has impossible times",
			       (long long)s->id);
	if (s->sockets > SOCKSET_MAX_ROWS)
		return err_set(e, ERR_LIMIT, "snapshot %lld has %u sockets", (long long)s->id,
			       s->sockets);
	return 0;
}

static int add_snapshot(struct rec *r, sqlite3_stmt *stmt, struct err *e)
{
	int64_t sockets = sqlite3_column_int64(stmt, 9);
	struct rec_snapshot s = {
		.id = sqlite3_column_int64(stmt, 0),
		.host = sqlite3_column_int64(stmt, 1),
		.wall_begin_ns = sqlite3_column_int64(stmt, 2),
		.wall_end_ns = sqlite3_column_int64(stmt, 3),
		.boot_begin_ns = sqlite3_column_int64(stmt, 4),
		.boot_end_ns = sqlite3_column_int64(stmt, 5),
		.mono_begin_ns = sqlite3_column_int64(stmt, 6),
		.key = sqlite3_column_int64(stmt, 7) != 0,
		.flags = (uint32_t)sqlite3_column_int64(stmt, 8),
		.sockets = sockets < 0 || sockets > UINT32_MAX ? UINT32_MAX : (uint32_t)sockets,
		.bytes = (uint64_t)sqlite3_column_int64(stmt, 10),
		.tables = (uint32_t)sqlite3_column_int64(stmt, 11),
		.tick_base_us = (uint64_t)sqlite3_column_int64(stmt, 12),
	};
	int rc = check_snapshot(r, &s, e);
	if (rc)
		return rc;
	void *p = array_grow(r->snapshots, &r->snapshots_cap, r->count + 1, sizeof(s));
	if (!p)
		return err_set(e, ERR_NOMEM, "out of memory for its index");
	r->snapshots = p;
	r->snapshots[r->count++] = s;
	return 0;
}

/* One of the numbers that every snapshot has, by name; NULL if it is not told. */
#define SQL_COST(name)                                                                             \
	"CASE WHEN json_valid(costs) THEN json_extract(costs, "                                    \
	"(SELECT '$[' || (id - 1) || ']' FROM cost_name WHERE name = '" name "')) END"

static int load_index(struct rec *r, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(
		r->db,
		"SELECT id, host, wall_begin_ns, wall_end_ns, boot_begin_ns, "
		"boot_end_ns, mono_begin_ns, key, flags, sockets, bytes, " SQL_COST(
			"tables") ", " SQL_COST("tick_base_us") " FROM snapshot ORDER BY id",
		&stmt, e);
	if (rc)
		return rc;
	int step;
	while (!rc && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = add_snapshot(r, stmt, e);
	if (!rc && step != SQLITE_DONE)
		rc = rec_db_error(r->db, "cannot read its snapshots", e);
	sqlite3_finalize(stmt);
	return rc ? rc : rec_scope_load(r->db, r->snapshots, r->count, e);
}

static int load_features(struct rec *r, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(r->db, "SELECT compatible FROM format", &stmt, e);
	if (rc)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		r->has_turns = sqlite3_column_int64(stmt, 0) & REC_HAS_TURNS;
	sqlite3_finalize(stmt);
	return 0;
}

/* *db is a connection even if that fails, or NULL. */
static int connect_to(const char *path, int flags, sqlite3 **db, struct err *e)
{
	if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK)
		return rec_db_error(*db, "cannot open it", e);
	rec_db_harden(*db);
	sqlite3_busy_timeout(*db, 5000);
	return rec_db_exec(*db, "PRAGMA query_only = 1", e);
}

static int open_db(struct rec *r, int flags, struct err *e)
{
	sqlite3_close(r->db);
	r->db = NULL;
	return connect_to(r->path, flags, &r->db, e);
}

/*
 * A recorder that was killed while writing leaves a journal. SQLite rolls it back, for which it
 * must write: so try that once, as whoever opens the file next would.
 */
static int check_or_recover(struct rec *r, struct err *e)
{
	int rc = rec_db_check(r->db, e);
	int sqlite = sqlite3_extended_errcode(r->db);
	if (!rc || (sqlite != SQLITE_READONLY_ROLLBACK && (sqlite & 0xff) != SQLITE_CANTOPEN))
		return rc;
	rc = rec_db_check_journal(r->path, e);
	if (rc)
		return rc;
	bool empty = false;
	rc = open_db(r, SQLITE_OPEN_READWRITE, NULL);
	if (!rc)
		rc = rec_db_check(r->db, NULL);
	if (rc && rec_db_probe(r->path, &empty, NULL) && empty)
		return err_set(e, ERR_NOT_OURS, "the file is empty: it was never finished");
	if (!rc)
		return 0;
	return err_set(e, ERR_PERM,
		       "its last snapshot was not finished; open it once where it can be written "
		       "(with its -journal beside it)");
}

static int open_checked(struct rec *r, struct err *e)
{
	bool empty;
	/* Before it is opened: if another file takes its place meanwhile, the two differ. */
	if (stat(r->path, &r->file) < 0)
		r->file = (struct stat){0};
	int rc = rec_db_probe(r->path, &empty, e);
	if (!rc)
		rc = open_db(r, SQLITE_OPEN_READONLY, e);
	if (!rc)
		rc = check_or_recover(r, e);
	if (!rc)
		rc = load_features(r, e);
	if (!rc)
		rc = load_index(r, e);
	return rc;
}

int rec_open(const char *path, struct rec **ret, struct err *e)
{
	struct rec *r = calloc(1, sizeof(*r));
	if (r)
		r->path = strdup(path);
	if (!r || !r->path) {
		free(r);
		return err_set(e, ERR_NOMEM, "%s: out of memory", path);
	}
	int rc = open_checked(r, e);
	if (rc) {
		rec_close(r);
		err_context(e, "%s", path);
		return rc;
	}
	*ret = r;
	return 0;
}

void rec_close(struct rec *r)
{
	if (!r)
		return;
	sqlite3_close(r->db);
	free(r->snapshots);
	free(r->path);
	free(r);
}

const char *rec_path(const struct rec *r)
{
	return r->path;
}

struct sqlite3 *rec_db(struct rec *r)
{
	return r->db;
}

const struct rec_snapshot *rec_snapshots(const struct rec *r, size_t *ret_count)
{
	*ret_count = r->count;
	return r->snapshots;
}

bool rec_has_turns(const struct rec *r)
{
	return r->has_turns;
}

size_t rec_next_key(const struct rec *r, size_t index)
{
	while (index < r->count && !r->snapshots[index].key)
		index++;
	return index;
}

/* ------------------------------------------------------------------------------------ walk */

/* Is what now has the recording's name still that file? */
static bool is_same_file(const struct rec *r)
{
	struct stat now;
	return r->file.st_ino && stat(r->path, &now) == 0 && now.st_ino == r->file.st_ino &&
	       now.st_dev == r->file.st_dev;
}

/* Whoever puts another file in its place may do so before or behind the opening. */
static sqlite3 *connect_apart(const struct rec *r)
{
	sqlite3 *db = NULL;
	if (is_same_file(r) && connect_to(r->path, SQLITE_OPEN_READONLY, &db, NULL) == 0 &&
	    is_same_file(r))
		return db;
	sqlite3_close(db);
	return NULL;
}

static int walk_new(struct rec *r, uint32_t groups, bool clock, bool apart, struct rec_walk **ret,
		    struct err *e)
{
	struct rec_walk *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ERR_NOMEM, "out of memory");
	w->rec = r;
	if (!r->has_turns)
		groups &= ~REC_TURNS;
	sockset_init(&w->set, (groups & (GRP_ALL | REC_TURNS)) | (clock ? 1u << PART_CLOCK : 0));
	/* One that is apart is in a thread of its own. */
	w->scratch.share = apart ? FRAME_SHARE_NEVER : FRAME_SHARE_AUTO;
	w->db = apart ? connect_apart(r) : NULL;
	int rc = rec_db_prepare(w->db ? w->db : r->db, REC_SQL_GET_PARTS, &w->get_part, e);
	if (rc) {
		rec_walk_free(w);
		return err_context(e, "%s", r->path);
	}
	*ret = w;
	return 0;
}

int rec_walk_new(struct rec *r, uint32_t groups, bool clock, struct rec_walk **ret, struct err *e)
{
	return walk_new(r, groups, clock, false, ret, e);
}

int rec_walk_new_apart(struct rec *r, uint32_t groups, bool clock, struct rec_walk **ret,
		       struct err *e)
{
	return walk_new(r, groups, clock, true, ret, e);
}

void rec_walk_free(struct rec_walk *w)
{
	if (!w)
		return;
	sqlite3_finalize(w->get_part);
	sqlite3_close(w->db);
	sockset_fini(&w->set);
	frame_scratch_fini(&w->scratch);
	rec_parts_fini(&w->parts);
	free(w);
}

/* `step`: the walk shows the frame before; only then can groups be left out. */
static int apply(struct rec_walk *w, size_t index, bool step, struct err *e)
{
	const struct rec_snapshot *s = &w->rec->snapshots[index];
	bool turns = w->set.groups & REC_TURNS;
	w->shows = false;
	w->set.left_out = turns && step && !s->key ? GRP_BIT(queue) | GRP_BIT(evidence) : 0;
	w->stale = (w->stale && !s->key) || w->set.left_out;
	if (!s->key && (!index || s[-1].id != s->id - 1))
		return err_set(e, ERR_CORRUPT, "%s: snapshot %lld: the one before it is missing",
			       w->rec->path, (long long)s->id);
	w->scratch.frame_bytes = s->bytes ? s->bytes : 1;
	int rc = rec_get_parts(w->get_part, s->id, w->set.groups & ~w->set.left_out, s->bytes,
			       &w->parts, e);
	if (!rc)
		rc = frame_apply(&w->set, w->parts.part, &w->scratch, e);
	if (!rc && w->set.is_key != s->key)
		rc = err_set(e, ERR_CORRUPT, "it should be a %s frame", s->key ? "key" : "delta");
	if (!rc && w->set.rows != s->sockets)
		rc = err_set(e, ERR_CORRUPT, "it has %u sockets, not %u", w->set.rows, s->sockets);
	if (rc) {
		err_context(e, "%s: snapshot %lld", w->rec->path, (long long)s->id);
		return rc;
	}
	w->at = index;
	w->shows = true;
	return 0;
}

/* The last key frame at or before `index`; SIZE_MAX if there is none. */
static size_t key_before(const struct rec *r, size_t index)
{
	for (size_t i = index + 1; i-- > 0;)
		if (r->snapshots[i].key)
			return i;
	return SIZE_MAX;
}

int rec_walk_to(struct rec_walk *w, size_t index, struct err *e)
{
	const struct rec *r = w->rec;
	if (index >= r->count)
		return err_set(e, ERR_NOT_FOUND, "%s: has no snapshot number %zu", r->path, index);
	if (w->shows && w->at == index)
		return 0;
	if (w->shows && index == w->at + 1)
		return apply(w, index, true, e);
	size_t from = key_before(r, index);
	if (from == SIZE_MAX)
		return err_set(e, ERR_CORRUPT, "%s: snapshot %lld: no key frame before it", r->path,
			       (long long)r->snapshots[index].id);
	if (w->shows && w->at < index && from <= w->at && !w->stale)
		from = w->at + 1;
	else
		sockset_clear(&w->set);
	int rc = 0;
	for (size_t i = from; i <= index && !rc; i++)
		rc = apply(w, i, false, e);
	return rc;
}

const struct sockset *rec_walk_set(const struct rec_walk *w)
{
	return &w->set;
}
