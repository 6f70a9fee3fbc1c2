/*
 * rec_write_facts.c - rows about the host and its kernel: inode watermarks, paths of cgroups, open
 * files of processes. See rec_write.h.
 */
#include "bytes.h"
#include "rec_write_internal.h"

int rec_writer_files(struct rec_writer *w, uint32_t process, uint32_t files, uint64_t limit,
		     struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_writer_row(w, W_PUT_FILES, &stmt, e);
	if (rc)
		return rc;
	sqlite3_clear_bindings(stmt);
	sqlite3_bind_int64(stmt, 1, process);
	sqlite3_bind_int64(stmt, 2, w->last_id + 1);
	sqlite3_bind_int64(stmt, 3, files);
	if (limit && limit <= INT64_MAX)
		sqlite3_bind_int64(stmt, 4, (sqlite3_int64)limit);
	return rec_db_run(stmt, "cannot write open files", e);
}

bool rec_writer_knows_cgroup(struct rec_writer *w, uint64_t id)
{
	return intern_find(&w->cgroups, &id, sizeof(id)) != NULL;
}

int rec_writer_cgroup(struct rec_writer *w, uint64_t id, const char *path, const char *container,
		      struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_writer_row(w, W_PUT_CGROUP, &stmt, e);
	if (rc)
		return rc;
	if (!intern_find(&w->cgroups, &id, sizeof(id)) &&
	    !intern_add(&w->cgroups, &id, sizeof(id), 1))
		return err_set(e, ERR_NOMEM, "out of memory for a cgroup");
	sqlite3_bind_int64(stmt, 1, w->host);
	sqlite3_bind_int64(stmt, 2, (int64_t)id);
	sqlite3_bind_text(stmt, 3, path, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, container, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 5, w->last_id + 1);
	rc = rec_db_run(stmt, "cannot write a cgroup", e);
	sqlite3_clear_bindings(stmt);
	return rc;
}

int rec_writer_watermark(struct rec_writer *w, uint64_t begin_us, uint64_t end_us,
			 const uint32_t *inodes, size_t cpus, struct err *e)
{
	uint8_t bytes[4 * REC_MAX_CPUS];
	sqlite3_stmt *stmt;
	if (cpus > REC_MAX_CPUS)
		return err_set(e, ERR_LIMIT, "a watermark of %zu CPUs", cpus);
	int rc = rec_writer_row(w, W_PUT_MARKS, &stmt, e);
	if (rc)
		return rc;
	for (size_t i = 0; i < cpus; i++)
		put_u32(bytes + 4 * i, inodes[i]);
	sqlite3_bind_int64(stmt, 1, w->last_id + 1);
	sqlite3_bind_int64(stmt, 2, (int64_t)begin_us);
	sqlite3_bind_int64(stmt, 3, (int64_t)end_us);
	sqlite3_bind_blob64(stmt, 4, bytes, 4 * cpus, SQLITE_STATIC);
	rc = rec_db_run(stmt, "cannot write a watermark", e);
	sqlite3_clear_bindings(stmt);
	return rc;
}
