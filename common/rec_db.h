/*
 * rec_db.h - the recording as an SQLite file: opening with the checks of FORMAT.md section 2,
 * small helpers for statements, and the parts of a frame in and out. Shared by writer and reader.
 */
#ifndef SOCKLAPSE_REC_DB_H
#define SOCKLAPSE_REC_DB_H

#include <sqlite3.h>

#include "frame.h"
#include "rec.h"

/* sql/schema.sql, and sql/schema_later.sql: the tables that an older recording may lack. */
extern const char sql_schema[];
extern const char sql_schema_later[];

/* Has the recording such a table? Errors count as no. */
bool rec_db_has_table(sqlite3 *db, const char *name) MUST_CHECK;

/*
 * Looks at the file's first bytes without SQLite. ERR_NOT_FOUND, ERR_PERM, ERR_NOT_OURS (also an
 * empty file: then *ret_empty), ERR_FUTURE.
 */
int rec_db_probe(const char *path, bool *ret_empty, struct err *e) MUST_CHECK;

/*
 * To be called before the file is opened for writing: refuses (ERR_CORRUPT) a journal beside it
 * that names a super-journal, for SQLite deletes the file so named. Ours never do.
 */
int rec_db_check_journal(const char *path, struct err *e) MUST_CHECK;

/* Checks version and feature bits of an open recording. ERR_FUTURE, ERR_CORRUPT, ERR_NOT_OURS. */
int rec_db_check(sqlite3 *db, struct err *e) MUST_CHECK;

/* Turns off what a hostile file could use: triggers, extensions, untrusted schema. */
void rec_db_harden(sqlite3 *db);

/* SQLite's last error as ours, with its text. `what` says what was tried. */
int rec_db_error(sqlite3 *db, const char *what, struct err *e);

/* Prepares a statement that is kept for long. */
int rec_db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *e) MUST_CHECK;

/* Runs SQL without results. */
int rec_db_exec(sqlite3 *db, const char *sql, struct err *e) MUST_CHECK;

/* Steps a statement that returns no row and resets it. */
int rec_db_run(sqlite3_stmt *stmt, const char *what, struct err *e) MUST_CHECK;

/*
 * Writes the parts of a snapshot; short ones share a row (FORMAT.md section 4.1). `stmt` is of
 * REC_SQL_PUT_PART. `born`: new sockets in it. *ret_bytes: the sum of the parts.
 */
#define REC_SQL_PUT_PART "INSERT INTO frame (id, codec, raw_bytes, crc, bytes) VALUES (?,?,?,?,?)"
int rec_put_parts(sqlite3_stmt *stmt, int64_t snapshot, const struct frame_part parts[PART_COUNT],
		  uint32_t born, uint64_t *ret_bytes, struct err *e) MUST_CHECK;

/* The parts of a snapshot, with the memory that holds them; zero-initialised it is empty. */
struct rec_parts {
	struct frame_part part[PART_COUNT];
	struct buf bytes[PART_COUNT];
};
void rec_parts_fini(struct rec_parts *parts);

/*
 * Reads those parts of a snapshot whose bit is in `wanted` (1 << part) and checks their CRC, and
 * that all parts together, wanted or not, have `bytes` bytes: a row that was lost is noticed.
 * `stmt` is of REC_SQL_GET_PARTS; it does not load what is not wanted.
 */
#define REC_SQL_GET_PARTS                                                                          \
	"SELECT id & 15, codec, raw_bytes, crc, CASE WHEN ?2 >> (id & 15) & 1 THEN bytes END, "    \
	"length(bytes) FROM frame WHERE id BETWEEN ?1 * 16 AND ?1 * 16 + 15 ORDER BY id"
int rec_get_parts(sqlite3_stmt *stmt, int64_t snapshot, uint32_t wanted, uint64_t bytes,
		  struct rec_parts *parts, struct err *e) MUST_CHECK;

#endif
