/* rec_write_load.c - what the plain tables of a recording say already. See rec_write_internal.h. */
#include "rec_write_internal.h"

static const char *column_text(sqlite3_stmt *stmt, int i)
{
	return (const char *)sqlite3_column_text(stmt, i);
}

static int64_t column_id(sqlite3_stmt *stmt, int i)
{
	return sqlite3_column_type(stmt, i) == SQLITE_NULL ? -1 : sqlite3_column_int64(stmt, i);
}

static bool load_process(struct rec_writer *w, sqlite3_stmt *stmt)
{
	CLEANUP(buf_fini) struct buf key = {0};
	const char *comm = column_text(stmt, 5);
	struct rec_process p = {.pid = sqlite3_column_int64(stmt, 1),
				.start_ticks = (uint64_t)sqlite3_column_int64(stmt, 2),
				.ppid = column_id(stmt, 3),
				.uid = column_id(stmt, 4),
				.comm = comm ? comm : "",
				.exe = column_text(stmt, 6),
				.cmdline = column_text(stmt, 7),
				.cgroup = column_text(stmt, 8),
				.container = column_text(stmt, 9)};
	rec_writer_process_key(&key, &p);
	return !key.failed && (intern_find(&w->processes, key.bytes, key.len) ||
			       intern_add(&w->processes, key.bytes, key.len,
					  (uint32_t)sqlite3_column_int64(stmt, 0)));
}

static bool load_netns(struct rec_writer *w, sqlite3_stmt *stmt)
{
	const struct rec_netns_key key = {(uint64_t)sqlite3_column_int64(stmt, 1),
					  (uint64_t)sqlite3_column_int64(stmt, 3)};
	if (intern_find(&w->netns, &key, sizeof(key)))
		return true;
	struct intern_entry *x = intern_add(&w->netns, &key, sizeof(key),
					    (uint32_t)sqlite3_column_int64(stmt, 0));
	if (x)
		x->data = rec_writer_mark(column_text(stmt, 2));
	return x != NULL;
}

static bool load_cgroup(struct rec_writer *w, sqlite3_stmt *stmt)
{
	const uint64_t id = (uint64_t)sqlite3_column_int64(stmt, 0);
	return rec_writer_knows_cgroup(w, id) ||
	       intern_add(&w->cgroups, &id, sizeof(id), 1) != NULL;
}

/* The last facts of a namespace come last. */
static bool load_netns_fact(struct rec_writer *w, sqlite3_stmt *stmt)
{
	const uint32_t key = (uint32_t)sqlite3_column_int64(stmt, 0);
	struct intern_entry *x = intern_find(&w->netns_facts, &key, sizeof(key));
	if (!x)
		x = intern_add(&w->netns_facts, &key, sizeof(key), 1);
	if (x)
		x->data = rec_writer_mark(column_text(stmt, 1));
	return x != NULL;
}

static bool load_interface(struct rec_writer *w, sqlite3_stmt *stmt)
{
	const uint32_t key[2] = {(uint32_t)sqlite3_column_int64(stmt, 0),
				 (uint32_t)sqlite3_column_int64(stmt, 1)};
	struct intern_entry *x = intern_find(&w->interfaces, key, sizeof(key));
	if (!x)
		x = intern_add(&w->interfaces, key, sizeof(key), 1);
	if (x)
		x->data = rec_writer_mark(column_text(stmt, 2));
	return x != NULL;
}

static bool load_counter(struct rec_writer *w, sqlite3_stmt *stmt)
{
	const char *name = column_text(stmt, 1);
	return !name || intern_find(&w->counters, name, strlen(name)) ||
	       intern_add(&w->counters, name, strlen(name),
			  (uint32_t)sqlite3_column_int64(stmt, 0));
}

static bool load_cost_name(struct rec_writer *w, sqlite3_stmt *stmt)
{
	const char *name = column_text(stmt, 1);
	return !name || intern_find(&w->cost_names, name, strlen(name)) ||
	       intern_add(&w->cost_names, name, strlen(name),
			  (uint32_t)sqlite3_column_int64(stmt, 0));
}

static bool load_value(struct rec_writer *w, sqlite3_stmt *stmt)
{
	uint32_t key[2] = {(uint32_t)sqlite3_column_int64(stmt, 0),
			   (uint32_t)sqlite3_column_int64(stmt, 1)};
	struct intern_entry *x = intern_find(&w->values, key, sizeof(key));
	if (!x)
		x = intern_add(&w->values, key, sizeof(key), 1);
	if (x)
		x->data = sqlite3_column_int64(stmt, 2);
	return x != NULL;
}

static bool load_sure(struct rec_writer *w, sqlite3_stmt *stmt)
{
	w->sure_id = sqlite3_column_int64(stmt, 0);
	return true;
}

static int load_table(struct rec_writer *w, const char *sql,
		      bool (*row)(struct rec_writer *w, sqlite3_stmt *stmt), struct err *e)
{
	sqlite3_stmt *stmt;
	int rc = rec_db_prepare(w->db, sql, &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, w->host);
	if (sqlite3_bind_parameter_count(stmt) > 1)
		sqlite3_bind_int64(stmt, 2, REC_UNSURE);
	int step;
	while (!rc && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		if (!row(w, stmt))
			rc = rec_writer_no_memory(e);
	if (!rc && step != SQLITE_DONE)
		rc = rec_db_error(w->db, "cannot read its tables", e);
	sqlite3_finalize(stmt);
	return rc;
}

int rec_writer_load_rows(struct rec_writer *w, struct err *e)
{
	static const struct {
		const char *sql;
		bool (*row)(struct rec_writer *w, sqlite3_stmt *stmt);
	} tables[] = {
		{"SELECT id, pid, start_ticks, ppid, uid, comm, exe, cmdline, cgroup, container "
		 "FROM process WHERE last_snapshot IS NULL AND " SAME_BOOT,
		 load_process},
		{"SELECT id, inode, name, cookie FROM netns WHERE " SAME_BOOT " ORDER BY id DESC",
		 load_netns},
		{"SELECT id FROM cgroup WHERE " SAME_BOOT, load_cgroup},
		{"SELECT netns, facts FROM netns_fact ORDER BY netns, first_snapshot",
		 load_netns_fact},
		/* The last name of an interface is the one that counts. */
		{"SELECT netns, ifindex, name, MAX(first_snapshot) FROM interface "
		 "GROUP BY netns, ifindex",
		 load_interface},
		{"SELECT id FROM snapshot WHERE ?1 AND flags & ?2 = 0 ORDER BY id DESC LIMIT 1",
		 load_sure},
		{"SELECT id, name FROM counter", load_counter},
		{"SELECT id, name FROM cost_name", load_cost_name},
		/* Not sum(): what a damaged file adds up to must not be an error. */
		{"SELECT c.netns, CAST(j.key AS INTEGER), CAST(total(j.value) AS INTEGER) "
		 "FROM counter_change AS c, json_each(c.changes) AS j WHERE json_valid(c.changes) "
		 "AND c.snapshot >= (SELECT MAX(id) FROM snapshot WHERE key) GROUP BY 1, 2",
		 load_value},
	};
	intern_clear(&w->texts);
	intern_clear(&w->processes);
	intern_clear(&w->netns);
	intern_clear(&w->cgroups);
	intern_clear(&w->netns_facts);
	intern_clear(&w->interfaces);
	intern_clear(&w->counters);
	intern_clear(&w->values);
	intern_clear(&w->cost_names);
	w->sure_id = 0;
	int rc = 0;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !rc; i++)
		rc = load_table(w, tables[i].sql, tables[i].row, e);
	return rc ? rc : rec_writer_load_names(w, e);
}
