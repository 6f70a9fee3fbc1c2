/*
 * rec_write_rows.c - the rows of the plain tables, each written once: what is known already is
 * looked up in memory.
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "rec_write_internal.h"

static const char *const table_sql[W_COUNT] = {
	[W_PUT_PART] = REC_SQL_PUT_PART,
	[W_PUT_SNAPSHOT] = "INSERT INTO snapshot (id, host, wall_begin_ns, wall_end_ns, "
			   "boot_begin_ns, boot_end_ns, mono_begin_ns, key, flags, sockets, bytes, "
			   "tally, costs, problems) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[W_PUT_TEXT] = "INSERT INTO text (bytes) VALUES (?)",
	[W_GET_TEXT] = "SELECT id FROM text WHERE bytes = ?",
	[W_TEXT_OF] = "SELECT bytes FROM text WHERE id = ?",
	[W_PUT_PROCESS] = "INSERT INTO process (host, pid, start_ticks, ppid, uid, comm, exe, "
			  "cmdline, cgroup, container, first_snapshot) "
			  "VALUES (?,?,?,?,?,?,?,?,?,?,?)",
	[W_END_PROCESS] = "UPDATE process SET last_snapshot = max(?, first_snapshot) WHERE id = ?",
	[W_END_BOOTS] = "UPDATE process SET last_snapshot = max(?2, first_snapshot) "
			"WHERE last_snapshot IS NULL AND NOT " SAME_BOOT,
	[W_PUT_NETNS] = "INSERT INTO netns (inode, host, name, cookie) VALUES (?,?,?,?)",
	[W_NAME_NETNS] = "UPDATE netns SET name = ?2 WHERE id = ?1 AND name IS NOT ?2",
	[W_PUT_NETNS_FACT] = "INSERT OR REPLACE INTO netns_fact (netns, first_snapshot, facts) "
			     "VALUES (?,?,?)",
	[W_PUT_INTERFACE] = "INSERT OR REPLACE INTO interface (netns, ifindex, name, "
			    "first_snapshot) VALUES (?,?,?,?)",
	[W_PUT_COUNTER] = "INSERT INTO counter (name) VALUES (?)",
	[W_PUT_CHANGES] = "INSERT INTO counter_change (snapshot, netns, changes) VALUES (?,?,?) "
			  "ON CONFLICT DO UPDATE SET changes = json_patch(changes, "
			  "excluded.changes)",
	[W_PUT_COST_NAME] = "INSERT INTO cost_name (name) VALUES (?)",
	[W_PUT_NAME] = "INSERT OR REPLACE INTO name (snapshot, name, answer, error) "
		       "VALUES (?,?,?,?)",
	[W_PUT_SCOPE] = "INSERT OR REPLACE INTO scope (snapshot, text) VALUES (?,?)",
	[W_PUT_EVENT] = "INSERT INTO event (wall_ns, kind, text) VALUES (?,?,?)",
	[W_PUT_GAP] = "INSERT INTO event (wall_ns, kind, text, end_ns, count) "
		      "VALUES (?1,'gap',?2,?3,?4)",
	/* The last one for the same reason, if it is among the last few events. */
	[W_PROLONG_GAP] = "UPDATE event SET wall_ns = min(wall_ns, ?1), end_ns = max(end_ns, ?3), "
			  "count = count + ?4 WHERE id = (SELECT max(id) FROM event "
			  "WHERE kind = 'gap' AND text = ?2 "
			  "AND id > (SELECT max(id) FROM event) - 8) "
			  "AND abs(?1 - end_ns) <= ?5",
	/* Unless hardly anything changed since the last row of the process. */
	[W_PUT_FILES] = "INSERT OR REPLACE INTO process_files (process, snapshot, files, "
			"files_limit) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM "
			"(SELECT files, files_limit FROM process_files WHERE process = ?1 "
			"ORDER BY snapshot DESC LIMIT 1) "
			"WHERE abs(files - ?3) * 16 < files AND files_limit IS ?4)",
	[W_PUT_CGROUP] =
		"INSERT OR REPLACE INTO cgroup (host, id, path, container, first_snapshot) "
		"VALUES (?,?,?,?,?)",
	[W_PUT_MARKS] = "INSERT OR REPLACE INTO watermark (snapshot, begin_us, end_us, inodes) "
			"VALUES (?,?,?,?)",
};

int rec_writer_stmt(struct rec_writer *w, enum writer_stmt which, sqlite3_stmt **ret, struct err *e)
{
	int rc = 0;
	if (!w->stmt[which])
		rc = rec_db_prepare(w->db, table_sql[which], &w->stmt[which], e);
	*ret = w->stmt[which];
	return rc;
}

int rec_writer_row(struct rec_writer *w, enum writer_stmt which, sqlite3_stmt **ret, struct err *e)
{
	int rc = rec_writer_txn(w, e);
	return rc ? rc : rec_writer_stmt(w, which, ret, e);
}

int rec_writer_no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a row");
}

int rec_writer_insert(struct rec_writer *w, sqlite3_stmt *stmt, struct intern *in, const void *key,
		      size_t key_len, struct intern_entry **ret, struct err *e)
{
	int rc = rec_db_run(stmt, "cannot write a row", e);
	sqlite3_clear_bindings(stmt);
	if (rc)
		return rc;
	int64_t id = sqlite3_last_insert_rowid(w->db);
	if (id < 1 || id > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "a table is full");
	*ret = intern_add(in, key, key_len, (uint32_t)id);
	return *ret ? 0 : rec_writer_no_memory(e);
}

int rec_writer_text(struct rec_writer *w, const void *bytes, size_t len, uint32_t *ret_id,
		    struct err *e)
{
	struct intern_entry *known = intern_find(&w->texts, bytes, len);
	if (known) {
		*ret_id = known->value;
		return 0;
	}
	sqlite3_stmt *get;
	int rc = rec_writer_row(w, W_GET_TEXT, &get, e);
	if (rc)
		return rc;
	sqlite3_bind_blob64(get, 1, len ? bytes : "", len, SQLITE_STATIC);
	int step = sqlite3_step(get);
	int64_t id = step == SQLITE_ROW ? sqlite3_column_int64(get, 0) : 0;
	sqlite3_reset(get);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return rec_db_error(w->db, "cannot read its texts", e);
	if (step == SQLITE_ROW && id > 0 && id <= UINT32_MAX) {
		known = intern_add(&w->texts, bytes, len, (uint32_t)id);
		rc = known ? 0 : rec_writer_no_memory(e);
	} else {
		sqlite3_stmt *put;
		rc = rec_writer_stmt(w, W_PUT_TEXT, &put, e);
		if (!rc)
			sqlite3_bind_blob64(put, 1, len ? bytes : "", len, SQLITE_STATIC);
		if (!rc)
			rc = rec_writer_insert(w, put, &w->texts, bytes, len, &known, e);
	}
	if (!rc)
		*ret_id = known->value;
	return rc;
}

int rec_writer_get_text(struct rec_writer *w, uint32_t id, struct buf *ret, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_writer_stmt(w, W_TEXT_OF, &stmt, e);
	if (rc)
		return rc;
	buf_clear(ret);
	sqlite3_bind_int64(stmt, 1, id);
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW) {
		const void *bytes = sqlite3_column_blob(stmt, 0);
		buf_put(ret, bytes, (size_t)sqlite3_column_bytes(stmt, 0));
	} else if (step != SQLITE_DONE) {
		rc = rec_db_error(w->db, "cannot read its texts", e);
	}
	sqlite3_reset(stmt);
	return rc || !ret->failed ? rc : rec_writer_no_memory(e);
}

static void bind_text_or_null(sqlite3_stmt *stmt, int index, const char *text)
{
	if (text)
		sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, index);
}

static void bind_id_or_null(sqlite3_stmt *stmt, int index, int64_t id)
{
	if (id >= 0)
		sqlite3_bind_int64(stmt, index, id);
	else
		sqlite3_bind_null(stmt, index);
}

int64_t rec_writer_mark(const char *name)
{
	return name ? (int64_t)crc32_z(0, (const Bytef *)name, strlen(name)) + 1 : 0;
}

int rec_writer_netns_row(struct rec_writer *w, const struct rec_netns *n, uint32_t *ret_id,
			 struct err *e)
{
	const struct rec_netns_key key = {n->inode, n->cookie};
	struct intern_entry *known = intern_find(&w->netns, &key, sizeof(key));
	sqlite3_stmt *stmt;
	int rc = 0;
	if (!known) {
		rc = rec_writer_row(w, W_PUT_NETNS, &stmt, e);
		if (rc)
			return rc;
		sqlite3_bind_int64(stmt, 1, (int64_t)n->inode);
		sqlite3_bind_int64(stmt, 2, w->host);
		bind_text_or_null(stmt, 3, n->name);
		bind_id_or_null(stmt, 4, n->cookie ? (int64_t)n->cookie : -1);
		rc = rec_writer_insert(w, stmt, &w->netns, &key, sizeof(key), &known, e);
		if (!rc)
			known->data = rec_writer_mark(n->name);
	} else if (n->name && known->data != rec_writer_mark(n->name)) {
		rc = rec_writer_row(w, W_NAME_NETNS, &stmt, e);
		if (rc)
			return rc;
		known->data = rec_writer_mark(n->name); /* after an abandon rows are read anew */
		sqlite3_bind_int64(stmt, 1, known->value);
		bind_text_or_null(stmt, 2, n->name);
		rc = rec_db_run(stmt, "cannot write a row", e);
	}
	if (!rc)
		*ret_id = known->value;
	return rc;
}

int rec_writer_netns(struct rec_writer *w, uint64_t inode, const char *name, uint32_t *ret_id,
		     struct err *e)
{
	const struct rec_netns n = {.inode = inode, .name = name};
	return rec_writer_netns_row(w, &n, ret_id, e);
}

int rec_writer_netns_facts(struct rec_writer *w, uint32_t netns, const char *facts, struct err *e)
{
	struct intern_entry *known = intern_find(&w->netns_facts, &netns, sizeof(netns));
	/* Nothing was ever said of a namespace that is set as the host's own is. */
	if (known ? known->data == rec_writer_mark(facts) : strcmp(facts, "{}") == 0)
		return 0;
	sqlite3_stmt *stmt;
	int rc = rec_writer_row(w, W_PUT_NETNS_FACT, &stmt, e);
	if (rc)
		return rc;
	if (!known)
		known = intern_add(&w->netns_facts, &netns, sizeof(netns), 1);
	if (!known)
		return rec_writer_no_memory(e);
	known->data = rec_writer_mark(facts);
	sqlite3_bind_int64(stmt, 1, netns);
	sqlite3_bind_int64(stmt, 2, w->last_id + 1);
	sqlite3_bind_text(stmt, 3, facts, -1, SQLITE_STATIC);
	return rec_db_run(stmt, "cannot write a row", e);
}

static void key_put_text(struct buf *key, const char *text)
{
	buf_put_u8(key, text != NULL);
	if (text)
		buf_put(key, text, strlen(text) + 1);
}

void rec_writer_process_key(struct buf *key, const struct rec_process *p)
{
	buf_put(key, &p->pid, sizeof(p->pid));
	buf_put(key, &p->start_ticks, sizeof(p->start_ticks));
	buf_put(key, &p->ppid, sizeof(p->ppid));
	buf_put(key, &p->uid, sizeof(p->uid));
	key_put_text(key, p->comm);
	key_put_text(key, p->exe);
	key_put_text(key, p->cmdline);
	key_put_text(key, p->cgroup);
	key_put_text(key, p->container);
}

int rec_writer_each_process(const struct rec_writer *w,
			    int (*take)(void *ctx, uint32_t row, int64_t pid, uint64_t start_ticks,
					struct err *e),
			    void *ctx, struct err *e)
{
	int rc = 0;
	for (uint32_t i = 0; i < w->processes.count && !rc; i++) {
		const struct intern_entry *x = &w->processes.entries[i];
		struct rec_process p; /* as process_key() begins */
		const uint8_t *key = w->processes.keys.bytes + x->at;
		memcpy(&p.pid, key, sizeof(p.pid));
		memcpy(&p.start_ticks, key + sizeof(p.pid), sizeof(p.start_ticks));
		rc = take(ctx, x->value, p.pid, p.start_ticks, e);
	}
	return rc;
}

static int insert_process(struct rec_writer *w, const struct rec_process *p, struct buf *key,
			  struct intern_entry **ret, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_writer_row(w, W_PUT_PROCESS, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, w->host);
	sqlite3_bind_int64(stmt, 2, p->pid);
	sqlite3_bind_int64(stmt, 3, (int64_t)p->start_ticks);
	bind_id_or_null(stmt, 4, p->ppid);
	bind_id_or_null(stmt, 5, p->uid);
	bind_text_or_null(stmt, 6, p->comm);
	bind_text_or_null(stmt, 7, p->exe);
	bind_text_or_null(stmt, 8, p->cmdline);
	bind_text_or_null(stmt, 9, p->cgroup);
	bind_text_or_null(stmt, 10, p->container);
	sqlite3_bind_int64(stmt, 11, w->last_id + 1);
	return rec_writer_insert(w, stmt, &w->processes, key->bytes, key->len, ret, e);
}

int rec_writer_process(struct rec_writer *w, const struct rec_process *process, uint32_t *ret_id,
		       struct err *e)
{
	CLEANUP(buf_fini) struct buf key = {0};
	rec_writer_process_key(&key, process);
	if (key.failed)
		return rec_writer_no_memory(e);
	struct intern_entry *known = intern_find(&w->processes, key.bytes, key.len);
	int rc = known ? 0 : insert_process(w, process, &key, &known, e);
	if (rc)
		return rc;
	known->data = w->epoch;
	*ret_id = known->value;
	return 0;
}

int rec_writer_end_processes(struct rec_writer *w, struct err *e)
{
	uint32_t ended = 0;
	for (uint32_t i = 0; i < w->processes.count; i++) {
		const struct intern_entry *x = &w->processes.entries[i];
		if (x->data == w->epoch)
			continue;
		sqlite3_stmt *stmt;
		int rc = rec_writer_row(w, W_END_PROCESS, &stmt, e);
		if (rc)
			return rc;
		sqlite3_bind_int64(stmt, 1, w->sure_id);
		sqlite3_bind_int64(stmt, 2, x->value);
		rc = rec_db_run(stmt, "cannot write a row", e);
		if (rc)
			return rc;
		ended++;
	}
	if (ended && intern_keep(&w->processes, w->epoch))
		return rec_writer_no_memory(e);
	return 0;
}

int rec_writer_end_boots(struct rec_writer *w, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_writer_row(w, W_END_BOOTS, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, w->host);
	sqlite3_bind_int64(stmt, 2, w->sure_id);
	return rec_db_run(stmt, "cannot write a row", e);
}

int rec_writer_interface(struct rec_writer *w, uint32_t netns, uint32_t ifindex, const char *name,
			 struct err *e)
{
	const uint32_t key[2] = {netns, ifindex};
	struct intern_entry *known = intern_find(&w->interfaces, key, sizeof(key));
	if (known && known->data == rec_writer_mark(name))
		return 0;
	sqlite3_stmt *stmt;
	int rc = rec_writer_row(w, W_PUT_INTERFACE, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, netns);
	sqlite3_bind_int64(stmt, 2, ifindex);
	sqlite3_bind_text(stmt, 3, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, w->last_id + 1);
	rc = rec_db_run(stmt, "cannot write a row", e);
	if (rc)
		return rc;
	if (!known)
		known = intern_add(&w->interfaces, key, sizeof(key), 1);
	if (!known)
		return rec_writer_no_memory(e);
	known->data = rec_writer_mark(name);
	return 0;
}
