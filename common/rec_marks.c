/* rec_marks.c - see rec_marks.h. */
#include "rec_marks.h"

#include <stdlib.h>

#include "buf.h"
#include "bytes.h"
#include "rec_db.h"

static int take_row(struct rec_marks *m, struct err *e)
{
	int64_t begin_us = sqlite3_column_int64(m->stmt, 0);
	int64_t end_us = sqlite3_column_int64(m->stmt, 1);
	const uint8_t *bytes = sqlite3_column_blob(m->stmt, 2);
	int len = sqlite3_column_bytes(m->stmt, 2);
	if (!bytes || len % 4 != 0 || len > 4 * REC_MAX_CPUS || begin_us < 0 || end_us < begin_us)
		return 0;
	size_t cpus = (size_t)len / 4;
	if (ARRAY_NEED(m->inodes, m->inodes_cap, cpus))
		return err_set(e, ERR_NOMEM, "out of memory for a watermark");
	m->begin_us = (uint64_t)begin_us;
	m->end_us = (uint64_t)end_us;
	m->whole = true;
	for (size_t i = 0; i < cpus; i++) {
		uint32_t inode = get_u32(bytes + 4 * i);
		m->whole = m->whole && inode != REC_MARK_MISSED;
		m->inodes[i] = inode == REC_MARK_MISSED ? 0 : inode;
	}
	m->cpus = cpus;
	return 0;
}

int rec_marks_read(struct rec_marks *m, struct rec *r, int64_t snapshot, struct err *e)
{
	m->cpus = 0;
	m->whole = false;
	m->begin_us = m->end_us = 0;
	if (!m->stmt && !rec_db_has_table(rec_db(r), "watermark"))
		return 0;
	int rc = m->stmt ? 0
			 : rec_db_prepare(rec_db(r),
					  "SELECT begin_us, end_us, inodes FROM watermark "
					  "WHERE snapshot = ?",
					  &m->stmt, e);
	if (rc) {
		err_context(e, "%s", rec_path(r));
		return rc;
	}
	sqlite3_bind_int64(m->stmt, 1, snapshot);
	int step = sqlite3_step(m->stmt);
	if (step == SQLITE_ROW)
		rc = take_row(m, e);
	else if (step != SQLITE_DONE)
		rc = rec_db_error(rec_db(r), "cannot read a watermark", e);
	sqlite3_reset(m->stmt);
	if (rc)
		err_context(e, "%s", rec_path(r));
	return rc;
}

void rec_marks_fini(struct rec_marks *m)
{
	sqlite3_finalize(m->stmt);
	free(m->inodes);
	*m = (struct rec_marks){0};
}
