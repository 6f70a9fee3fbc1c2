/* rec_db.c - see rec_db.h. */
#include "rec_db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The header of an SQLite file: https://sqlite.org/fileformat2.html section 1.3. */
#define SQLITE_HEADER_BYTES 100
#define SQLITE_VERSION_AT   60
#define SQLITE_APP_ID_AT    68

static uint32_t big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int check_version(int64_t version, int64_t unknown_features, struct err *e)
{
	if (version <= REC_VERSION && !unknown_features)
		return 0;
	return err_set(e, ERR_FUTURE,
		       "written by a newer Socklapse (format %lld, features %llx); this one reads "
		       "up to format %d",
		       (long long)version, (unsigned long long)unknown_features, REC_VERSION);
}

static int probe_header(int fd, bool *ret_empty, struct err *e)
{
	uint8_t head[SQLITE_HEADER_BYTES];
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_errno(e, errno, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_NOT_OURS, "not a regular file");
	*ret_empty = st.st_size == 0;
	if (*ret_empty)
		return err_set(e, ERR_NOT_OURS, "the file is empty");
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return err_errno(e, errno, "cannot read it");
	if (n < (ssize_t)sizeof(head) || memcmp(head, "SQLite format 3", 16) != 0 ||
	    big_endian(head + SQLITE_APP_ID_AT) != REC_APPLICATION_ID)
		return err_set(e, ERR_NOT_OURS, "not a Socklapse recording");
	return check_version(big_endian(head + SQLITE_VERSION_AT), 0, e);
}

int rec_db_probe(const char *path, bool *ret_empty, struct err *e)
{
	*ret_empty = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, errno, "cannot open it");
	int rc = probe_header(fd, ret_empty, e);
	close(fd);
	return rc;
}

/*
 * SQLite deletes the file that a journal names as its super-journal. We never write one (there is
 * no second database in a transaction): such a journal was made to hurt.
 */
static bool names_super_journal(const char *path)
{
	static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	char name[PATH_MAX];
	uint8_t tail[8] = {0};
	if (snprintf(name, sizeof(name), "%s-journal", path) >= (int)sizeof(name))
		return true;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return errno != ENOENT;
	off_t end = lseek(fd, 0, SEEK_END);
	bool bad = end >= 8 && pread(fd, tail, sizeof(tail), end - 8) != (ssize_t)sizeof(tail);
	close(fd);
	return bad || memcmp(tail, magic, sizeof(magic)) == 0;
}

int rec_db_check_journal(const char *path, struct err *e)
{
	if (names_super_journal(path))
		return err_set(e, ERR_CORRUPT, "the journal beside it is not one of a recording");
	return 0;
}

int rec_db_error(sqlite3 *db, const char *what, struct err *e)
{
	static const struct {
		int sqlite;
		enum err_code code;
		const char *text;
	} map[] = {
		{SQLITE_NOMEM, ERR_NOMEM, "out of memory"},
		{SQLITE_BUSY, ERR_BUSY, "somebody else has it locked"},
		{SQLITE_LOCKED, ERR_BUSY, "somebody else has it locked"},
		{SQLITE_FULL, ERR_FULL, "no space left"},
		{SQLITE_READONLY, ERR_PERM, "it is read-only"},
		{SQLITE_PERM, ERR_PERM, "not permitted"},
		{SQLITE_CORRUPT, ERR_CORRUPT, "the file is damaged"},
		{SQLITE_NOTADB, ERR_CORRUPT, "the file is damaged"},
		{SQLITE_CANTOPEN, ERR_IO, "cannot open it"},
		{SQLITE_IOERR, ERR_IO, "reading or writing failed"},
	};
	int rc = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
	int sys = db ? sqlite3_system_errno(db) : 0;
	if (rc == SQLITE_IOERR && (sys == ENOSPC || sys == EDQUOT))
		rc = SQLITE_FULL;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].sqlite == rc)
			return err_set(e, map[i].code, "%s: %s (SQLite: %s)", what, map[i].text,
				       db ? sqlite3_errmsg(db) : "no connection");
	return err_set(e, ERR_DB, "%s: %s", what, db ? sqlite3_errmsg(db) : "no connection");
}

void rec_db_harden(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	/* A view in place of a table could run for ever. */
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
}

int rec_db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *e)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
		return rec_db_error(db, "cannot read its tables", e);
	return 0;
}

int rec_db_exec(sqlite3 *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return rec_db_error(db, "cannot write", e);
	return 0;
}

int rec_db_run(sqlite3_stmt *stmt, const char *what, struct err *e)
{
	int rc = sqlite3_step(stmt);
	int ret = rc == SQLITE_DONE || rc == SQLITE_ROW
			  ? 0
			  : rec_db_error(sqlite3_db_handle(stmt), what, e);
	sqlite3_reset(stmt);
	return ret;
}

bool rec_db_has_table(sqlite3 *db, const char *name)
{
	sqlite3_stmt *stmt;
	if (rec_db_prepare(db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
			   &stmt, NULL))
		return false;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	bool has = sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_finalize(stmt);
	return has;
}

static int read_format(sqlite3 *db, int64_t ret_values[3], struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(db, "SELECT version, incompatible, compatible FROM format", &stmt,
				e);
	if (rc)
		return rc;
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		for (int i = 0; i < 3; i++)
			ret_values[i] = sqlite3_column_int64(stmt, i);
	else
		rc = step == SQLITE_DONE ? err_set(e, ERR_CORRUPT, "its format table is empty")
					 : rec_db_error(db, "cannot read its format", e);
	sqlite3_finalize(stmt);
	return rc;
}

/* A view in a table's place could be without end: nothing is read from one. */
static int check_tables(sqlite3 *db, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(db,
				"SELECT name FROM sqlite_schema WHERE name COLLATE NOCASE IN "
				"('format','host','snapshot','frame','text','process','netns',"
				"'interface','counter','counter_change','cost_name','event','name',"
				"'watermark','netns_fact','cgroup') "
				"AND (type <> 'table' OR sql LIKE 'CREATE VIRTUAL%')",
				&stmt, e);
	if (rc)
		return rc;
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		rc = err_set(e, ERR_CORRUPT, "its %s is not a table",
			     (const char *)sqlite3_column_text(stmt, 0));
	else if (step != SQLITE_DONE)
		rc = rec_db_error(db, "cannot read its tables", e);
	sqlite3_finalize(stmt);
	return rc;
}

int rec_db_check(sqlite3 *db, struct err *e)
{
	int64_t v[3];
	int rc = check_tables(db, e);
	if (!rc)
		rc = read_format(db, v, e);
	if (rc)
		return rc;
	rc = check_version(v[0], v[1] & ~(int64_t)REC_INCOMPATIBLE, e);
	if (rc)
		return rc;
	if (v[0] < 1)
		return err_set(e, ERR_CORRUPT, "its format number is %lld", (long long)v[0]);
	return 0;
}
