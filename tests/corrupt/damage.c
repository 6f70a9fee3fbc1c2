/*
 * damage.c - makes damaged recordings out of a good one.
 *
 *   damage --list              one line a case: what the reader should do, and the name
 *   damage GOOD BAD NAME       copies GOOD to BAD and does to it what NAME says
 *
 * What the reader should do: "refuse" the file with one line, be "fine" with it, or just "survive":
 * say something or not, skip to the next key frame or not, but neither crash nor hang.
 *
 * Most cases are SQL; afterwards the checksums of all frames are made right again (unless the case
 * is about them), so that the damage reaches the code behind the checksum.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nums.h"
#include "rec_db.h"

#define FLIPS	  48
#define PART_BITS 16

struct damage {
	const char *expect;
	const char *name;
	const char *sql;
	bool leave_crc;
};

#define MEMBER_OF_8 "id = 8 * 16 + 1"
#define SHORT_OF_8  "id = 8 * 16"

static const struct damage damages[] = {
	{"fine", "none", "SELECT 1", false},
	{"refuse", "application-id", "PRAGMA application_id = 1", false},
	{"refuse", "future-version", "PRAGMA user_version = 99; UPDATE format SET version = 99",
	 false},
	{"refuse", "future-feature", "UPDATE format SET incompatible = 1 << 20", false},
	{"fine", "unknown-compatible-feature", "UPDATE format SET compatible = 1 << 20", false},
	{"refuse", "no-format-row", "DELETE FROM format", false},
	{"refuse", "no-format-table", "DROP TABLE format", false},
	{"refuse", "no-snapshot-table",
	 "DROP VIEW tally; DROP VIEW cost; DROP VIEW problem; DROP VIEW counter_value; DROP TABLE "
	 "snapshot",
	 false},
	{"survive", "no-frame-table", "DROP TABLE frame", false},
	{"survive", "no-process-table", "DROP TABLE process", false},
	{"survive", "no-text-table", "DROP TABLE text", false},
	{"survive", "no-host-row", "DELETE FROM host", false},
	{"survive", "no-frames", "DELETE FROM frame", false},
	{"survive", "no-key-frames",
	 "DELETE FROM frame WHERE id / 16 IN (SELECT id FROM snapshot WHERE key)", false},
	{"survive", "no-member-parts", "DELETE FROM frame WHERE id % 16 = 1", false},
	{"survive", "no-clock-parts", "DELETE FROM frame WHERE id % 16 = 15", false},
	{"survive", "no-state-parts", "DELETE FROM frame WHERE id % 16 = 2", false},
	{"survive", "one-delta-lost", "DELETE FROM frame WHERE id / 16 = 8", false},
	{"survive", "part-row-lost", "DELETE FROM frame WHERE id = 8 * 16 + 2", true},
	{"survive", "sum-of-parts-wrong", "UPDATE snapshot SET bytes = bytes + 1", true},
	{"survive", "sum-of-parts-negative", "UPDATE snapshot SET bytes = -1", true},
	{"survive", "four-million-new-sockets",
	 "UPDATE frame SET codec = 0, raw_bytes = 5, bytes = x'01ffffff01' WHERE " MEMBER_OF_8,
	 false},
	{"survive", "unknown-part", "INSERT INTO frame VALUES (8 * 16 + 13, 0, 1, 0, x'00')",
	 false},
	{"survive", "wrong-crc", "UPDATE frame SET crc = crc + 1 WHERE " MEMBER_OF_8, true},
	{"survive", "all-crcs-wrong", "UPDATE frame SET crc = 0", true},
	{"survive", "unknown-codec", "UPDATE frame SET codec = 9 WHERE " MEMBER_OF_8, false},
	{"survive", "negative-codec", "UPDATE frame SET codec = -1 WHERE " MEMBER_OF_8, false},
	{"survive", "stored-that-is-packed", "UPDATE frame SET codec = 0", false},
	{"survive", "huge-raw-bytes", "UPDATE frame SET raw_bytes = 4294967295", false},
	{"survive", "huger-raw-bytes", "UPDATE frame SET raw_bytes = 9223372036854775807", false},
	{"survive", "negative-raw-bytes", "UPDATE frame SET raw_bytes = -1", false},
	{"survive", "raw-bytes-one-short", "UPDATE frame SET raw_bytes = raw_bytes - 1", false},
	{"survive", "raw-bytes-one-long", "UPDATE frame SET raw_bytes = raw_bytes + 1", false},
	{"survive", "raw-bytes-text", "UPDATE frame SET raw_bytes = 'many'", true},
	{"survive", "empty-blob", "UPDATE frame SET bytes = x'' WHERE " MEMBER_OF_8, false},
	{"survive", "blob-cut",
	 "UPDATE frame SET bytes = CAST(substr(bytes, 1, length(bytes) / 2) AS BLOB)", false},
	{"survive", "blob-is-text", "UPDATE frame SET bytes = 'text' WHERE " MEMBER_OF_8, false},
	{"survive", "blob-of-zeros",
	 "UPDATE frame SET codec = 0, raw_bytes = 4096, bytes = zeroblob(4096)", false},
	{"survive", "blob-with-tail", "UPDATE frame SET bytes = CAST(bytes || x'00' AS BLOB)",
	 false},
	{"survive", "parts-swapped",
	 "UPDATE frame SET id = -id WHERE id % 16 IN (2, 3);"
	 "UPDATE frame SET id = -id + 1 WHERE id < 0 AND -id % 16 = 2;"
	 "UPDATE frame SET id = -id - 1 WHERE id < 0 AND -id % 16 = 3",
	 false},
	{"survive", "short-lost", "DELETE FROM frame WHERE id % 16 = 0", false},
	{"survive", "short-cut",
	 "UPDATE frame SET bytes = CAST(substr(bytes, 1, length(bytes) - 3) AS BLOB),"
	 " raw_bytes = raw_bytes - 3 WHERE " SHORT_OF_8,
	 false},
	{"survive", "short-with-tail",
	 "UPDATE frame SET bytes = CAST(bytes || x'07' AS BLOB), raw_bytes = raw_bytes + 1 "
	 "WHERE " SHORT_OF_8,
	 false},
	{"survive", "short-of-itself",
	 "UPDATE frame SET bytes = x'00000000', raw_bytes = 4 WHERE " SHORT_OF_8, false},
	{"survive", "short-of-no-part",
	 "UPDATE frame SET bytes = x'ff000000', raw_bytes = 4 WHERE " SHORT_OF_8, false},
	{"survive", "short-twice",
	 "UPDATE frame SET bytes = CAST(bytes || bytes AS BLOB), raw_bytes = 2 * raw_bytes "
	 "WHERE " SHORT_OF_8,
	 false},
	{"survive", "short-that-is-packed", "UPDATE frame SET codec = 1 WHERE " SHORT_OF_8, false},
	{"survive", "short-and-long",
	 "INSERT OR REPLACE INTO frame SELECT 8 * 16 + 1, codec, raw_bytes, crc, bytes FROM frame "
	 "WHERE " SHORT_OF_8,
	 false},
	{"survive", "short-of-huge-length",
	 "UPDATE frame SET bytes = x'0100ffffffffffffffffff01ffffffffffffffffff01', "
	 "raw_bytes = 22 WHERE " SHORT_OF_8,
	 false},
	{"survive", "key-said-to-be-delta", "UPDATE snapshot SET key = 0", false},
	{"survive", "delta-said-to-be-key", "UPDATE snapshot SET key = 1", false},
	{"survive", "key-is-text", "UPDATE snapshot SET key = 'yes'", false},
	{"survive", "absurd-socket-count", "UPDATE snapshot SET sockets = 4294967295", false},
	{"survive", "negative-socket-count", "UPDATE snapshot SET sockets = -5", false},
	{"survive", "snapshot-id-huge",
	 "UPDATE snapshot SET id = 9223372036854775807 WHERE id = 24", false},
	{"survive", "snapshot-id-negative", "UPDATE snapshot SET id = -3 WHERE id = 1", false},
	{"survive", "snapshot-of-no-host", "UPDATE snapshot SET host = 77", false},
	{"survive", "times-run-backwards",
	 "UPDATE snapshot SET wall_begin_ns = -wall_begin_ns,"
	 " boot_begin_ns = -boot_begin_ns, mono_begin_ns = -mono_begin_ns",
	 false},
	{"survive", "times-overflow",
	 "UPDATE snapshot SET wall_begin_ns = 9223372036854775807,"
	 " wall_end_ns = (-9223372036854775807 - 1), mono_begin_ns = 9223372036854775807,"
	 " boot_begin_ns = (-9223372036854775807 - 1), boot_end_ns = 9223372036854775807",
	 false},
	{"survive", "times-are-text", "UPDATE snapshot SET wall_begin_ns = 'noon'", false},
	{"survive", "unknown-flags", "UPDATE snapshot SET flags = -1", false},
	{"survive", "costs-not-numbers", "UPDATE snapshot SET costs = '[{\"a\":[1]},null,1e999]'",
	 false},
	{"survive", "cost-names-lost", "DELETE FROM cost_name", false},
	{"survive", "cost-names-huge", "UPDATE cost_name SET id = id + 9000000000000000000", false},
	{"survive", "problems-not-json", "UPDATE snapshot SET problems = 1", false},
	{"survive", "problems-lost", "UPDATE snapshot SET problems = 9223372036854775807", false},
	{"survive", "tally-not-numbers",
	 "UPDATE snapshot SET tally = '{\"x\":1,\"-5\":{},\"9223372036854775807\":\"y\"}'", false},
	{"survive", "counter-changes-not-json", "UPDATE counter_change SET changes = '{'", false},
	{"survive", "counter-changes-overflow",
	 "UPDATE counter_change SET changes = '{\"1\":9223372036854775807,\"x\":[]}'", false},
	{"survive", "counter-changes-of-no-snapshot",
	 "UPDATE counter_change SET snapshot = snapshot + 1000000", false},
	{"survive", "costs-not-json", "UPDATE snapshot SET costs = '{'", false},
	{"survive", "tally-not-json", "UPDATE snapshot SET tally = '[1,'", false},
	{"survive", "facts-not-json", "UPDATE host SET facts = 'x'", false},
	{"survive", "facts-nested",
	 "UPDATE host SET facts = replace(hex(zeroblob(50000)), '0', '[')", false},
	{"survive", "hz-zero", "UPDATE host SET hz = 0", false},
	{"survive", "hz-negative", "UPDATE host SET hz = -250", false},
	{"survive", "hz-huge", "UPDATE host SET hz = 9223372036854775807", false},
	{"survive", "time-zone-path", "UPDATE host SET time_zone = '../../../../etc/passwd'",
	 false},
	{"survive", "time-zone-long", "UPDATE host SET time_zone = hex(zeroblob(50000))", false},
	{"survive", "hostname-long", "UPDATE host SET hostname = hex(zeroblob(10000))", false},
	{"survive", "hostname-with-escapes",
	 "UPDATE host SET hostname = char(27) || '[2J' || char(7) || char(10) || 'x'", false},
	{"survive", "boot-id-empty", "UPDATE host SET boot_id = ''", false},
	{"survive", "comm-with-escapes",
	 "UPDATE process SET comm = char(27) || ']0;x' || char(7) || char(13)", false},
	{"survive", "comm-not-utf8", "UPDATE process SET comm = CAST(x'fffe80c0' AS TEXT)", false},
	{"survive", "comm-is-blob", "UPDATE process SET comm = x'00ff00'", false},
	{"survive", "comm-long", "UPDATE process SET comm = hex(zeroblob(10000))", false},
	{"survive", "processes-lost", "DELETE FROM process", false},
	{"survive", "process-pid-huge", "UPDATE process SET pid = 9223372036854775807", false},
	{"survive", "process-ids-huge", "UPDATE process SET id = id + 9000000000000000000", false},
	{"survive", "texts-lost", "DELETE FROM text", false},
	{"survive", "texts-garbled",
	 "UPDATE text SET bytes = CAST(x'ffffffffffffffffffff' || id AS BLOB)", false},
	{"survive", "texts-long", "UPDATE text SET bytes = CAST(zeroblob(3000) || id AS BLOB)",
	 false},
	{"survive", "netns-lost", "DELETE FROM netns", false},
	{"survive", "counters-lost", "DELETE FROM counter", false},
	{"survive", "event-with-escapes",
	 "UPDATE event SET text = char(27) || '[31m' || char(0) || 'x'", false},
	{"survive", "event-kind-unknown", "UPDATE event SET kind = 'surprise', wall_ns = -1",
	 false},
	{"refuse", "views-shadow-tables",
	 "ALTER TABLE process RENAME TO p2; CREATE VIEW process AS SELECT * FROM p2", false},
	{"refuse", "recursive-view",
	 "ALTER TABLE event RENAME TO e2; CREATE VIEW event AS WITH RECURSIVE c(x) AS"
	 " (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS id, x AS wall_ns, 'gap' AS kind,"
	 " 'x' AS text FROM c",
	 false},
	{"survive", "trigger",
	 "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM frame; END", false},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "damage: %s: %s\n", what, why);
	exit(1);
}

static uint8_t *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	static uint8_t bytes[16 << 20];
	if (!f)
		die(path, strerror(errno));
	*ret_len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f))
		die(path, strerror(errno));
}

static void run_sql(sqlite3 *db, const char *sql)
{
	char *why = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &why))
		die(sql, why);
}

static sqlite3 *open_db(const char *path)
{
	sqlite3 *db = NULL;
	if (sqlite3_open(path, &db))
		die(path, sqlite3_errmsg(db));
	run_sql(db, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON");
	return db;
}

/* Makes all checksums right for what the frames now hold. */
static void mend_crcs(sqlite3 *db)
{
	sqlite3_stmt *get = NULL, *put = NULL;
	if (sqlite3_prepare_v2(db, "SELECT id, codec, raw_bytes, bytes FROM frame", -1, &get, NULL))
		return; /* the case dropped the table */
	if (sqlite3_prepare_v2(db, "UPDATE frame SET crc = ?2 WHERE id = ?1", -1, &put, NULL))
		die("crc", sqlite3_errmsg(db));
	while (sqlite3_step(get) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(get, 0);
		struct frame_part p = {.codec = (uint8_t)sqlite3_column_int(get, 1),
				       .raw_bytes = (uint32_t)sqlite3_column_int64(get, 2),
				       .bytes = sqlite3_column_blob(get, 3),
				       .len = (size_t)sqlite3_column_bytes(get, 3),
				       .there = true};
		uint32_t crc = frame_crc((uint64_t)id / PART_BITS, (unsigned)(id % PART_BITS), &p);
		sqlite3_bind_int64(put, 1, id);
		sqlite3_bind_int64(put, 2, crc);
		if (sqlite3_step(put) != SQLITE_DONE)
			die("crc", sqlite3_errmsg(db));
		sqlite3_reset(put);
	}
	sqlite3_finalize(get);
	sqlite3_finalize(put);
	/* And their sum, where short parts do not share a row; a case may have dropped the table.
	 */
	sqlite3_exec(db,
		     "UPDATE snapshot SET bytes = coalesce((SELECT sum(length(bytes)) FROM frame "
		     "WHERE frame.id / 16 = snapshot.id), 0) "
		     "WHERE snapshot.id NOT IN (SELECT id / 16 FROM frame WHERE id % 16 = 0)",
		     NULL, NULL, NULL);
}

/* Gives every part a row of its own, where most cases look for it. */
static void part_rows(sqlite3 *db)
{
	sqlite3_stmt *list = NULL, *get = NULL, *put = NULL;
	struct rec_parts parts = {0};
	struct err e = {0};
	if (sqlite3_prepare_v2(db, "SELECT id, bytes FROM snapshot", -1, &list, NULL) ||
	    sqlite3_prepare_v2(db, REC_SQL_GET_PARTS, -1, &get, NULL) ||
	    sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO frame VALUES (?,?,?,0,?)", -1, &put,
			       NULL))
		die("parts", sqlite3_errmsg(db));
	while (sqlite3_step(list) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(list, 0);
		uint64_t bytes = (uint64_t)sqlite3_column_int64(list, 1);
		if (rec_get_parts(get, id, UINT32_MAX, bytes, &parts, &e))
			die("parts", e.text);
		for (unsigned i = 1; i < PART_COUNT; i++) {
			const struct frame_part *p = &parts.part[i];
			if (!p->there)
				continue;
			sqlite3_bind_int64(put, 1, id * PART_BITS + i);
			sqlite3_bind_int(put, 2, p->codec);
			sqlite3_bind_int64(put, 3, p->raw_bytes);
			sqlite3_bind_blob(put, 4, p->bytes, (int)p->len, SQLITE_TRANSIENT);
			if (rec_db_run(put, "parts", &e))
				die("parts", e.text);
		}
	}
	sqlite3_finalize(list);
	sqlite3_finalize(get);
	sqlite3_finalize(put);
	rec_parts_fini(&parts);
	run_sql(db, "DELETE FROM frame WHERE id % 16 = 0");
	mend_crcs(db);
}

static void by_sql(const char *path, const struct damage *d)
{
	sqlite3 *db = open_db(path);
	if (strncmp(d->name, "short-", 6) != 0)
		part_rows(db);
	run_sql(db, d->sql);
	if (!d->leave_crc)
		mend_crcs(db);
	sqlite3_close(db);
}

/*
 * One byte of one frame is turned over, and the checksum is right: of the unpacked bytes where
 * the codec has such, else of the packed ones.
 */
static void flip_frame_byte(const char *path, unsigned n)
{
	sqlite3 *db = open_db(path);
	if (n % 4)
		part_rows(db);
	sqlite3_stmt *get = NULL, *put = NULL;
	struct nums_reader reader = {0};
	struct buf raw = {0};
	struct err e = {0};
	if (sqlite3_prepare_v2(db,
			       "SELECT id, codec, raw_bytes, bytes FROM frame ORDER BY id % 16, id"
			       " LIMIT 1 OFFSET (SELECT count(*) FROM frame) * ?1 / ?2",
			       -1, &get, NULL) ||
	    sqlite3_prepare_v2(db, "UPDATE frame SET codec = ?3, bytes = ?2 WHERE id = ?1", -1,
			       &put, NULL))
		die("flip", sqlite3_errmsg(db));
	sqlite3_bind_int(get, 1, (int)n);
	sqlite3_bind_int(get, 2, FLIPS);
	if (sqlite3_step(get) != SQLITE_ROW)
		die("flip", "no frame");
	struct frame_part p = {.codec = (uint8_t)sqlite3_column_int(get, 1),
			       .raw_bytes = (uint32_t)sqlite3_column_int64(get, 2),
			       .bytes = sqlite3_column_blob(get, 3),
			       .len = (size_t)sqlite3_column_bytes(get, 3)};
	struct buf bytes = {0};
	if (p.codec == CODEC_DEFLATE && nums_open(&reader, &p, NULL, &raw, &e))
		die("flip", e.text);
	buf_put(&bytes, p.codec == CODEC_DEFLATE ? raw.bytes : p.bytes,
		p.codec == CODEC_DEFLATE ? raw.len : p.len);
	if (bytes.len)
		bytes.bytes[n * 7 % bytes.len] ^= (uint8_t)(1u << (n % 8) | 0x80);
	sqlite3_bind_int64(put, 1, sqlite3_column_int64(get, 0));
	sqlite3_bind_blob(put, 2, bytes.bytes, (int)bytes.len, SQLITE_TRANSIENT);
	sqlite3_bind_int(put, 3, p.codec == CODEC_RANGE ? CODEC_RANGE : CODEC_STORED);
	if (sqlite3_step(put) != SQLITE_DONE)
		die("flip", sqlite3_errmsg(db));
	sqlite3_finalize(get);
	sqlite3_finalize(put);
	buf_fini(&bytes);
	buf_fini(&raw);
	mend_crcs(db);
	sqlite3_close(db);
}

/* Damage to the file as a whole, or a byte of its n-th piece. False: no such case. */
static bool to_bytes(uint8_t *bytes, size_t *len, const char *name)
{
	unsigned n;
	if (strcmp(name, "empty-file") == 0)
		*len = 0;
	else if (strcmp(name, "cut-in-half") == 0)
		*len /= 2;
	else if (strcmp(name, "cut-in-the-header") == 0)
		*len = 60;
	else if (strcmp(name, "some-text") == 0)
		*len = (size_t)sprintf((char *)bytes, "2026-11-22 up 3 days\n");
	else if (strcmp(name, "magic-garbled") == 0)
		bytes[3] ^= 0xff;
	else if (strcmp(name, "schema-garbled") == 0)
		memset(bytes + 100, 0xa5, 900);
	else if (sscanf(name, "file-byte-%u", &n) == 1)
		bytes[*len / FLIPS * n + n * 131 % (*len / FLIPS)] ^= 0x81;
	else
		return false;
	return true;
}

static const char *const byte_damages[] = {"empty-file", "cut-in-half",	  "cut-in-the-header",
					   "some-text",	 "magic-garbled", "schema-garbled"};

static void list(void)
{
	for (size_t i = 0; i < COUNT(damages); i++)
		printf("%s %s\n", damages[i].expect, damages[i].name);
	for (size_t i = 0; i < COUNT(byte_damages); i++)
		printf("refuse %s\n", byte_damages[i]);
	for (unsigned i = 0; i < FLIPS; i++)
		printf("survive file-byte-%u\nsurvive frame-byte-%u\n", i, i);
}

static void damage(const char *path, const char *name)
{
	unsigned n;
	for (size_t i = 0; i < COUNT(damages); i++) {
		if (strcmp(damages[i].name, name) == 0) {
			by_sql(path, &damages[i]);
			return;
		}
	}
	if (sscanf(name, "frame-byte-%u", &n) == 1 && n < FLIPS) {
		flip_frame_byte(path, n);
		return;
	}
	size_t len;
	uint8_t *bytes = read_file(path, &len);
	if (!to_bytes(bytes, &len, name))
		die(name, "no such case");
	write_file(path, bytes, len);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	if (argc != 4) {
		fprintf(stderr, "usage: damage --list | damage GOOD BAD NAME\n");
		return 2;
	}
	size_t len;
	uint8_t *bytes = read_file(argv[1], &len);
	unlink(argv[2]);
	write_file(argv[2], bytes, len);
	damage(argv[2], argv[3]);
	return 0;
}
