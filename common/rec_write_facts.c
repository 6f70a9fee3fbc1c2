/*
 * rec_write_facts.c - rows about the host and its kernel at the time of a snapshot: the inode
 * watermark. See rec_write.h.
 */
#include "bytes.h"
#include "rec_write_internal.h"

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
