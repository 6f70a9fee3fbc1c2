/*
 * rec_write_chain.c - the last snapshot of a recording, got back from its chain of frames, so that
 * the next one can be a delta.
 */
#include "rec_write_internal.h"

/*
 * The frames from the last key frame on, if they are of this boot and of this version: another one
 * may know columns that this one would leave as they were.
 */
struct chain {
	int64_t key_id;
	int64_t last_id;
	uint64_t frames;
	uint64_t key_bytes;
	uint64_t delta_bytes;
};

static int find_chain(struct rec_writer *w, const char *boot_id, struct chain *ret, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(w->db,
				"SELECT MIN(s.id), MAX(s.id), COUNT(*), "
				"SUM(CASE WHEN s.key THEN s.bytes END), "
				"SUM(CASE WHEN s.key THEN 0 ELSE s.bytes END), "
				"MIN(h.boot_id IS ?1 AND h.tool IS ?2) "
				"FROM snapshot AS s LEFT JOIN host AS h ON h.id = s.host "
				"WHERE s.id >= (SELECT MAX(id) FROM snapshot WHERE key)",
				&stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_text(stmt, 1, boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, TOOL, -1, SQLITE_STATIC);
	*ret = (struct chain){0};
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW && sqlite3_column_int64(stmt, 5) == 1)
		*ret = (struct chain){.key_id = sqlite3_column_int64(stmt, 0),
				      .last_id = sqlite3_column_int64(stmt, 1),
				      .frames = (uint64_t)sqlite3_column_int64(stmt, 2),
				      .key_bytes = (uint64_t)sqlite3_column_int64(stmt, 3),
				      .delta_bytes = (uint64_t)sqlite3_column_int64(stmt, 4)};
	else if (step != SQLITE_ROW && step != SQLITE_DONE)
		rc = rec_db_error(w->db, "cannot read its snapshots", e);
	sqlite3_finalize(stmt);
	return rc;
}

/* What the present row of a chain says is what its frame must be. */
struct replay {
	sqlite3_stmt *snapshots;
	sqlite3_stmt *parts_stmt;
	struct rec_parts parts;
	struct frame_scratch scratch;
};

static int replay_one(struct replay *r, struct sockset *set, int64_t id, struct err *e)
{
	uint64_t bytes = (uint64_t)sqlite3_column_int64(r->snapshots, 3);
	r->scratch.frame_bytes = bytes ? bytes : 1;
	int rc = rec_get_parts(r->parts_stmt, id, set->groups, bytes, &r->parts, e);
	if (!rc)
		rc = frame_apply(set, r->parts.part, &r->scratch, e);
	if (!rc && (sqlite3_column_int64(r->snapshots, 0) != id ||
		    set->is_key != (sqlite3_column_int(r->snapshots, 1) != 0) ||
		    set->rows != sqlite3_column_int64(r->snapshots, 2)))
		rc = err_set(e, ERR_CORRUPT, "snapshot %lld is not what its row says",
			     (long long)id);
	return rc;
}

static int replay(struct rec_writer *w, const struct chain *chain, struct err *e)
{
	struct replay r = {0};
	int64_t id = chain->key_id;
	int step = SQLITE_DONE;
	int rc = rec_db_prepare(w->db, REC_SQL_GET_PARTS, &r.parts_stmt, e);
	if (!rc)
		rc = rec_db_prepare(w->db,
				    "SELECT id, key, sockets, bytes FROM snapshot WHERE id >= ? "
				    "ORDER BY id",
				    &r.snapshots, e);
	if (!rc)
		sqlite3_bind_int64(r.snapshots, 1, id);
	while (!rc && (step = sqlite3_step(r.snapshots)) == SQLITE_ROW)
		rc = replay_one(&r, track_set(w->track), id++, e);
	if (!rc && step != SQLITE_DONE)
		rc = rec_db_error(w->db, "cannot read its snapshots", e);
	sqlite3_finalize(r.snapshots);
	sqlite3_finalize(r.parts_stmt);
	rec_parts_fini(&r.parts);
	frame_scratch_fini(&r.scratch);
	return rc ? rc : track_adopt(w->track, e);
}

/* The last snapshot, so that the next one can be a delta. If anything is wrong: a key frame. */
int rec_writer_restore(struct rec_writer *w, const char *boot_id, struct err *e)
{
	struct chain chain;
	int rc = find_chain(w, boot_id, &chain, e);
	if (rc)
		return rc;
	if (!chain.frames || chain.last_id != w->last_id || chain.frames >= w->options.key_every ||
	    chain.delta_bytes > chain.key_bytes * MAX_CHAIN_WEIGHT)
		return 0;
	rc = replay(w, &chain, NULL);
	if (rc) {
		track_forget(w->track);
		return rc == ERR_NOMEM ? err_set(e, rc, "out of memory") : 0;
	}
	w->chain = chain.frames;
	w->key_bytes = chain.key_bytes;
	w->chain_bytes = chain.delta_bytes;
	return 0;
}
