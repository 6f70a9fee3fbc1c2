/* rec_write.c - see rec_write.h. */
#include "rec_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rec_write_internal.h"

#define DEFAULT_LEVEL	  6
#define DEFAULT_BUSY_MS	  5000
#define DEFAULT_KEY_EVERY REC_MAX_CHAIN

/* ------------------------------------------------------------------------ opening, closing */

static int create_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return err_errno(e, errno, "cannot create it");
	close(fd);
	return 0;
}

static int connect_db(struct rec_writer *w, struct err *e)
{
	if (sqlite3_open_v2(w->path, &w->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return rec_db_error(w->db, "cannot open it", e);
	rec_db_harden(w->db);
	sqlite3_busy_timeout(w->db, (int)w->options.busy_ms);
	/*
	 * EXTRA also syncs the directory when the journal goes: without it a power failure could
	 * bring back the journal and with it undo a snapshot that was reported as written.
	 */
	return rec_db_exec(w->db, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;", e);
}

/*
 * A recorder that was killed, or had no space left, while it made the file leaves a journal beside
 * some pages. SQLite has taken those back now, and there is nothing in the file.
 */
static int look_if_blank(struct rec_writer *w, bool *ret_blank, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(w->db, "SELECT 1 FROM sqlite_schema LIMIT 1", &stmt, e);
	if (rc)
		return rc;
	int step = sqlite3_step(stmt);
	*ret_blank = step == SQLITE_DONE;
	if (step != SQLITE_DONE && step != SQLITE_ROW)
		rc = rec_db_error(w->db, "cannot read its tables", e);
	sqlite3_finalize(stmt);
	return rc;
}

static int make_schema(struct rec_writer *w, struct err *e)
{
	char sql[512];
	snprintf(sql, sizeof(sql),
		 "PRAGMA application_id = %d; PRAGMA user_version = %d;"
		 "INSERT INTO format (version, incompatible, compatible, tool) "
		 "VALUES (%d, %d, %d, 'socklapse %s');",
		 REC_APPLICATION_ID, REC_VERSION, REC_VERSION, REC_INCOMPATIBLE, REC_HAS_TURNS,
		 SOCKLAPSE_VERSION);
	int rc = rec_db_exec(w->db, "BEGIN IMMEDIATE", e);
	if (!rc)
		rc = rec_db_exec(w->db, sql_schema, e);
	if (!rc)
		rc = rec_db_exec(w->db, sql_schema_later, e);
	if (!rc)
		rc = rec_db_exec(w->db, sql, e);
	if (!rc)
		rc = rec_db_exec(w->db, "COMMIT", e);
	w->created = rc == 0;
	return rc;
}

static int host_row(struct rec_writer *w, const struct rec_host *h, const char *sql, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(w->db, sql, &stmt, e);
	if (rc)
		return rc;
	const char *texts[] = {h->boot_id, h->machine_id, h->hostname, h->kernel,
			       h->arch,	   h->time_zone,  h->facts,    TOOL};
	for (int i = 0; i < 8; i++)
		sqlite3_bind_text(stmt, i + 1, texts[i], -1, SQLITE_STATIC);
	if (h->hz > 0)
		sqlite3_bind_int64(stmt, 9, h->hz);
	if (h->cpus > 0)
		sqlite3_bind_int64(stmt, 10, h->cpus);
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		w->host = sqlite3_column_int64(stmt, 0);
	else if (step != SQLITE_DONE)
		rc = rec_db_error(w->db, "cannot write the host", e);
	sqlite3_finalize(stmt);
	return rc;
}

/* The row of this boot with these facts. */
static int find_host(struct rec_writer *w, const struct rec_host *host, struct err *e)
{
	w->host = 0;
	int rc = host_row(w, host,
			  "SELECT id FROM host WHERE boot_id = ?1 AND machine_id IS ?2 AND "
			  "hostname = ?3 AND kernel = ?4 AND arch = ?5 AND time_zone IS ?6 AND "
			  "facts = ?7 AND tool = ?8 AND hz IS ?9 AND cpus IS ?10",
			  e);
	if (rc || w->host)
		return rc;
	rc = host_row(w, host,
		      "INSERT INTO host (boot_id, machine_id, hostname, kernel, arch, time_zone, "
		      "facts, tool, hz, cpus) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
		      e);
	w->host = sqlite3_last_insert_rowid(w->db);
	return rc;
}

/* The last snapshot's number, and whether the host has booted since. */
static int load_last_id(struct rec_writer *w, const char *boot_id, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(w->db,
				"SELECT s.id, h.boot_id IS NOT ?1, s.flags FROM snapshot AS s "
				"LEFT JOIN host AS h ON h.id = s.host ORDER BY s.id DESC LIMIT 1",
				&stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_text(stmt, 1, boot_id, -1, SQLITE_STATIC);
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW) {
		w->last_id = sqlite3_column_int64(stmt, 0);
		w->rebooted = sqlite3_column_int(stmt, 1);
		w->last_flags = (uint32_t)sqlite3_column_int64(stmt, 2);
	} else if (step != SQLITE_DONE) {
		rc = rec_db_error(w->db, "cannot read its snapshots", e);
	}
	sqlite3_finalize(stmt);
	if (!rc && (w->last_id < 0 || w->last_id >= (INT64_C(1) << 47)))
		rc = err_set(e, ERR_CORRUPT, "its last snapshot has number %lld",
			     (long long)w->last_id);
	return rc;
}

static int open_file(struct rec_writer *w, struct err *e)
{
	bool empty = false;
	int rc = rec_db_probe(w->path, &empty, e);
	if (!rc)
		rc = rec_db_check_journal(w->path, e);
	if (rc == ERR_NOT_FOUND) {
		rc = create_file(w->path, e);
		empty = rc == 0;
	} else if (empty) {
		rc = 0; /* left by a run that was killed before it wrote anything */
	}
	if (!rc)
		rc = connect_db(w, e);
	if (!rc && !empty)
		rc = look_if_blank(w, &empty, e);
	if (rc)
		return rc;
	if (empty)
		return make_schema(w, e);
	rc = rec_db_check(w->db, e);
	return rc ? rc : rec_db_exec(w->db, sql_schema_later, e);
}

static int open_all(struct rec_writer *w, const struct rec_host *host, struct err *e)
{
	int rc = track_new(&w->track, e);
	if (!rc)
		rc = open_file(w, e);
	if (!rc)
		rc = load_last_id(w, host->boot_id, e);
	if (!rc)
		rc = find_host(w, host, e);
	if (!rc)
		rc = rec_writer_restore(w, host->boot_id, e);
	if (!rc)
		rc = rec_writer_load_rows(w, e);
	return rc;
}

int rec_writer_open(const char *path, const struct rec_host *host,
		    const struct rec_writer_options *options, struct rec_writer **ret,
		    struct err *e)
{
	struct rec_writer *w = calloc(1, sizeof(*w));
	if (w) {
		w->path = strdup(path);
		w->boot_id = strdup(host->boot_id);
	}
	if (!w || !w->path || !w->boot_id) {
		rec_writer_close(w);
		return err_set(e, ERR_NOMEM, "%s: out of memory", path);
	}
	if (options)
		w->options = *options;
	if (!w->options.level)
		w->options.level = DEFAULT_LEVEL;
	if (!w->options.busy_ms)
		w->options.busy_ms = DEFAULT_BUSY_MS;
	if (!w->options.key_every || w->options.key_every > REC_MAX_CHAIN)
		w->options.key_every = DEFAULT_KEY_EVERY;
	w->epoch = 1;
	int rc = open_all(w, host, e);
	if (rc) {
		rec_writer_close(w);
		err_context(e, "%s", path);
		return rc;
	}
	*ret = w;
	return 0;
}

void rec_writer_close(struct rec_writer *w)
{
	if (!w)
		return;
	if (w->in_snapshot)
		rec_writer_abandon(w);
	for (unsigned i = 0; i < W_COUNT; i++)
		sqlite3_finalize(w->stmt[i]);
	sqlite3_close(w->db);
	intern_fini(&w->texts);
	intern_fini(&w->processes);
	intern_fini(&w->netns);
	intern_fini(&w->cgroups);
	intern_fini(&w->netns_facts);
	intern_fini(&w->interfaces);
	intern_fini(&w->counters);
	intern_fini(&w->names);
	intern_fini(&w->values);
	intern_fini(&w->cost_names);
	buf_fini(&w->changes);
	track_free(w->track);
	free(w->path);
	free(w->boot_id);
	free(w->scope);
	free(w->new_scope);
	free(w);
}

int64_t rec_writer_last(const struct rec_writer *w, uint32_t *ret_flags)
{
	*ret_flags = w->last_flags;
	return w->last_id;
}

bool rec_writer_created(const struct rec_writer *w)
{
	return w->created;
}

/* -------------------------------------------------------------------------------- snapshots */

struct track *rec_writer_track(struct rec_writer *w)
{
	return w->track;
}

int rec_writer_txn(struct rec_writer *w, struct err *e)
{
	if (w->in_txn)
		return 0;
	int rc = rec_db_exec(w->db, "BEGIN IMMEDIATE", e);
	w->in_txn = rc == 0;
	return rc ? err_context(e, "%s", w->path) : 0;
}

int rec_writer_begin(struct rec_writer *w, struct err *e)
{
	bool key = w->chain == 0 || w->chain >= w->options.key_every ||
		   w->chain_bytes > w->key_bytes * MAX_CHAIN_WEIGHT;
	int rc = w->stale ? rec_writer_load_rows(w, e) : 0;
	w->stale = rc != 0;
	if (!rc)
		rc = track_begin(w->track, key, e);
	if (rc)
		return err_context(e, "%s", w->path);
	w->in_snapshot = true;
	w->epoch++;
	return 0;
}

void rec_writer_abandon(struct rec_writer *w)
{
	w->in_snapshot = false;
	rec_writer_clear_stats(w);
	track_abandon(w->track);
	if (!w->in_txn)
		return;
	w->in_txn = false;
	w->stale = false;
	if (!sqlite3_get_autocommit(w->db))
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	/* A COMMIT that failed may have happened: the journal was gone, its directory not synced.
	 */
	int64_t last_id = w->last_id;
	if (load_last_id(w, w->boot_id, NULL) || w->last_id != last_id) {
		track_forget(w->track);
		w->chain = 0;
	}
	/* Rows that the transaction made are gone: what is in memory may speak of them. */
	if (rec_writer_load_rows(w, NULL))
		w->stale = true;
}

static int put_snapshot(struct rec_writer *w, const struct rec_snapshot *info, const char *problems,
			struct err *e)
{
	CLEANUP(buf_fini) struct buf tally = {0}, costs = {0};
	uint32_t problems_id = 0;
	rec_writer_tally_json(w, &tally);
	rec_writer_costs_json(w, &costs);
	sqlite3_stmt *stmt;
	int rc = problems ? rec_writer_text(w, problems, strlen(problems), &problems_id, e) : 0;
	if (!rc)
		rc = rec_writer_stmt(w, W_PUT_SNAPSHOT, &stmt, e);
	if (rc)
		return rc;
	const int64_t values[] = {info->id,
				  info->host,
				  info->wall_begin_ns,
				  info->wall_end_ns,
				  info->boot_begin_ns,
				  info->boot_end_ns,
				  info->mono_begin_ns,
				  info->key,
				  info->flags,
				  info->sockets,
				  (int64_t)info->bytes};
	for (int i = 0; i < (int)(sizeof(values) / sizeof(values[0])); i++)
		sqlite3_bind_int64(stmt, i + 1, values[i]);
	sqlite3_bind_text(stmt, 12, buf_str(&tally), -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 13, buf_str(&costs), -1, SQLITE_STATIC);
	if (problems_id)
		sqlite3_bind_int64(stmt, 14, problems_id);
	if (tally.failed || costs.failed)
		return err_set(e, ERR_NOMEM, "out of memory");
	rc = rec_db_run(stmt, "cannot write a snapshot", e);
	sqlite3_clear_bindings(stmt);
	return rc;
}

static uint64_t mono_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static int write_snapshot(struct rec_writer *w, struct rec_snapshot *info, const char *problems,
			  struct err *e)
{
	struct frame_part parts[PART_COUNT];
	uint64_t begin_us = mono_us();
	int rc = track_encode(w->track, w->options.level, parts, e);
	info->encode_us = mono_us() - begin_us;
	if (!rc)
		rc = rec_writer_txn(w, e);
	sqlite3_stmt *stmt;
	if (!rc)
		rc = rec_writer_stmt(w, W_PUT_PART, &stmt, e);
	info->id = w->last_id + 1;
	info->host = w->host;
	info->key = track_is_key(w->track);
	info->sockets = track_rows(w->track);
	if (w->rebooted)
		info->flags |= SNAP_REBOOT;
	if (!rc)
		rc = rec_put_parts(stmt, info->id, parts, track_set(w->track)->born_count,
				   &info->bytes, e);
	if (!rc)
		rc = rec_writer_flush_counters(w, e);
	if (!rc)
		rc = rec_writer_put_scope(w, info->id, e);
	if (!rc)
		rc = put_snapshot(w, info, problems, e);
	if (!rc && w->rebooted)
		rc = rec_writer_end_boots(w, e);
	if (!rc && !(info->flags & REC_UNSURE))
		rc = rec_writer_end_processes(w, e);
	if (!rc)
		rc = rec_db_exec(w->db, "COMMIT", e);
	return rc;
}

int rec_writer_commit(struct rec_writer *w, struct rec_snapshot *info, const char *problems,
		      struct err *e)
{
	int rc = write_snapshot(w, info, problems, e);
	if (rc) {
		rec_writer_abandon(w);
		err_context(e, "%s", w->path);
		return rc;
	}
	track_commit(w->track);
	rec_writer_clear_stats(w);
	w->in_txn = false;
	w->in_snapshot = false;
	w->last_id = info->id;
	if (!(info->flags & REC_UNSURE))
		w->sure_id = info->id;
	w->last_flags = info->flags;
	rec_writer_scope_written(w);
	w->rebooted = false;
	w->chain = info->key ? 1 : w->chain + 1;
	w->key_bytes = info->key ? info->bytes : w->key_bytes;
	w->chain_bytes = info->key ? 0 : w->chain_bytes + info->bytes;
	return 0;
}
