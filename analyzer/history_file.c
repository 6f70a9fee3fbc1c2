/*
 * history_file.c - see history_file.h. Tables are read once, in the order of their ids, and looked
 * up by bisection. Nothing in them is trusted: rows, ids and bytes have limits, a NULL where the
 * format has none reads as empty.
 */
#include "history_file.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "rec_db.h"

void history_file_init(struct history_file *f, struct rec *rec)
{
	*f = (struct history_file){.rec = rec};
}

void history_file_fini(struct history_file *f)
{
	sqlite3_finalize(f->text_stmt);
	free(f->processes);
	free(f->netns);
	free(f->cgroups);
	free(f->texts);
	strpool_fini(&f->strings);
	rec_close(f->rec);
	*f = (struct history_file){0};
}

static int fail_db(const struct history_file *f, const char *table, struct err *e)
{
	sqlite3 *db = rec_db(f->rec);
	int rc = sqlite3_errcode(db);
	enum err_code code = ERR_DB;
	if (rc == SQLITE_NOMEM)
		code = ERR_NOMEM;
	else if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ERROR)
		code = ERR_CORRUPT;
	return err_set(e, code, "%s: table %s: %s", rec_path(f->rec), table, sqlite3_errmsg(db));
}

static int fail_limit(const struct history_file *f, const char *table, struct err *e)
{
	return err_set(e, ERR_LIMIT, "%s: table %s: more than this program reads", rec_path(f->rec),
		       table);
}

static int no_memory(const struct history_file *f, struct err *e)
{
	return err_set(e, ERR_NOMEM, "%s: out of memory", rec_path(f->rec));
}

static int prepare(struct history_file *f, const char *table, const char *sql, sqlite3_stmt **ret,
		   struct err *e)
{
	if (sqlite3_prepare_v2(rec_db(f->rec), sql, -1, ret, NULL) != SQLITE_OK)
		return fail_db(f, table, e);
	return 0;
}

/* A column's bytes into the pool; NULL for SQL NULL, or for `absent` instead if that is given. */
static int take_string(struct history_file *f, sqlite3_stmt *s, int column, const char *absent,
		       const char **ret, struct err *e)
{
	*ret = absent;
	if (sqlite3_column_type(s, column) == SQLITE_NULL)
		return 0;
	const void *bytes = sqlite3_column_blob(s, column);
	int len = sqlite3_column_bytes(s, column);
	if (len < 0 || (len > 0 && !bytes))
		return no_memory(f, e);
	if (f->strings.bytes + (size_t)len > HISTORY_MAX_STRINGS)
		return fail_limit(f, "strings", e);
	*ret = strpool_put(&f->strings, bytes, (size_t)len);
	return *ret ? 0 : no_memory(f, e);
}

/* As take_string() for columns first, first + 1, ... */
static int take_strings(struct history_file *f, sqlite3_stmt *s, int first, const char *absent,
			const char **const *targets, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		int rc = take_string(f, s, first + (int)i, absent, targets[i], e);
		if (rc)
			return rc;
	}
	return 0;
}

static int64_t int_or(sqlite3_stmt *s, int column, int64_t absent)
{
	return sqlite3_column_type(s, column) == SQLITE_NULL ? absent
							     : sqlite3_column_int64(s, column);
}

/* Calls take() for every row. */
static int each_row(struct history_file *f, const char *table, const char *sql,
		    int (*take)(struct history_file *, sqlite3_stmt *, void *, struct err *),
		    void *arg, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = prepare(f, table, sql, &s, e);
	while (!rc) {
		int step = sqlite3_step(s);
		if (step == SQLITE_DONE)
			break;
		rc = step == SQLITE_ROW ? take(f, s, arg, e) : fail_db(f, table, e);
	}
	sqlite3_finalize(s);
	return rc;
}

struct host_rows {
	struct history_host_row *rows;
	size_t cap, count;
};

static int take_host(struct history_file *f, sqlite3_stmt *s, void *arg, struct err *e)
{
	struct host_rows *hosts = arg;
	if (hosts->count >= HISTORY_MAX_NETNS)
		return fail_limit(f, "host", e);
	struct history_host_row *rows = array_grow(hosts->rows, &hosts->cap, hosts->count + 1,
						   sizeof(*rows));
	if (!rows)
		return no_memory(f, e);
	hosts->rows = rows;
	struct history_host_row *r = &rows[hosts->count++];
	struct history_boot *b = &r->boot;
	*r = (struct history_host_row){.row = sqlite3_column_int64(s, 0)};
	b->hz = int_or(s, 1, 0);
	b->cpus = int_or(s, 2, 0);
	const char **const must[] = {&b->boot_id, &b->hostname, &b->kernel, &b->arch, &b->tool};
	const char **const may[] = {&b->machine_id, &b->time_zone};
	int rc = take_strings(f, s, 3, "", must, sizeof(must) / sizeof(must[0]), e);
	if (!rc)
		rc = take_string(f, s, 8, "{}", &b->facts, e);
	return rc ? rc : take_strings(f, s, 9, NULL, may, sizeof(may) / sizeof(may[0]), e);
}

int history_file_hosts(struct history_file *f, struct history_host_row **ret, size_t *ret_count,
		       struct err *e)
{
	struct host_rows hosts = {0};
	int rc = each_row(f, "host",
			  "SELECT id, hz, cpus, boot_id, hostname, kernel, arch, tool, facts,"
			  " machine_id, time_zone FROM host ORDER BY id",
			  take_host, &hosts, e);
	if (rc) {
		free(hosts.rows);
		return rc;
	}
	*ret = hosts.rows;
	*ret_count = hosts.count;
	return 0;
}

static int compare_id(const void *key, const void *row)
{
	int64_t a = *(const int64_t *)key, b = *(const int64_t *)row;
	return (a > b) - (a < b);
}

/* The row with `id` of an array of structs that begin with an ascending int64_t id, or NULL. */
static const void *find_id(const void *rows, size_t count, size_t row_bytes, uint32_t id)
{
	int64_t key = id;
	return count ? bsearch(&key, rows, count, row_bytes, compare_id) : NULL;
}

static int take_process(struct history_file *f, sqlite3_stmt *s, void *arg, struct err *e)
{
	(void)arg;
	if (f->processes_count >= HISTORY_MAX_PROCESSES)
		return fail_limit(f, "process", e);
	struct history_process *all = array_grow(f->processes, &f->processes_cap,
						 f->processes_count + 1, sizeof(*all));
	if (!all)
		return no_memory(f, e);
	f->processes = all;
	struct history_process *p = &all[f->processes_count];
	*p = (struct history_process){
		.id = sqlite3_column_int64(s, 0),
		.pid = sqlite3_column_int64(s, 1),
		.start_ticks = (uint64_t)sqlite3_column_int64(s, 2),
		.ppid = int_or(s, 3, -1),
		.uid = int_or(s, 4, -1),
	};
	const char **const may[] = {&p->exe, &p->cmdline, &p->cgroup, &p->container};
	int rc = take_string(f, s, 5, "", &p->comm, e);
	if (!rc)
		rc = take_strings(f, s, 6, NULL, may, sizeof(may) / sizeof(may[0]), e);
	if (!rc)
		f->processes_count++;
	return rc;
}

int history_file_process(struct history_file *f, uint32_t id, const struct history_process **ret,
			 struct err *e)
{
	if (!f->processes_loaded) {
		f->processes_count = 0;
		int rc = each_row(f, "process",
				  "SELECT id, pid, start_ticks, ppid, uid, comm, exe, cmdline,"
				  " cgroup, container FROM process ORDER BY id",
				  take_process, NULL, e);
		if (rc)
			return rc;
		f->processes_loaded = true;
	}
	*ret = find_id(f->processes, f->processes_count, sizeof(*f->processes), id);
	return 0;
}

static int take_netns(struct history_file *f, sqlite3_stmt *s, void *arg, struct err *e)
{
	(void)arg;
	if (f->netns_count >= HISTORY_MAX_NETNS)
		return fail_limit(f, "netns", e);
	struct history_netns *all = array_grow(f->netns, &f->netns_cap, f->netns_count + 1,
					       sizeof(*all));
	if (!all)
		return no_memory(f, e);
	f->netns = all;
	struct history_netns *n = &all[f->netns_count];
	*n = (struct history_netns){
		.id = sqlite3_column_int64(s, 0),
		.inode = (uint64_t)sqlite3_column_int64(s, 1),
	};
	int rc = take_string(f, s, 2, NULL, &n->name, e);
	if (!rc)
		f->netns_count++;
	return rc;
}

int history_file_netns(struct history_file *f, uint32_t id, const struct history_netns **ret,
		       struct err *e)
{
	if (!f->netns_loaded) {
		f->netns_count = 0;
		int rc = each_row(f, "netns", "SELECT id, inode, name FROM netns ORDER BY id",
				  take_netns, NULL, e);
		if (rc)
			return rc;
		f->netns_loaded = true;
	}
	*ret = find_id(f->netns, f->netns_count, sizeof(*f->netns), id);
	return 0;
}

static int take_cgroup(struct history_file *f, sqlite3_stmt *s, void *arg, struct err *e)
{
	(void)arg;
	if (f->cgroups_count >= HISTORY_MAX_CGROUPS)
		return fail_limit(f, "cgroup", e);
	struct history_cgroup *all = array_grow(f->cgroups, &f->cgroups_cap, f->cgroups_count + 1,
						sizeof(*all));
	if (!all)
		return no_memory(f, e);
	f->cgroups = all;
	struct history_cgroup *c = &all[f->cgroups_count];
	*c = (struct history_cgroup){
		.host = sqlite3_column_int64(s, 0),
		.id = sqlite3_column_int64(s, 1),
	};
	int rc = take_string(f, s, 2, "", &c->path, e);
	if (!rc)
		rc = take_string(f, s, 3, NULL, &c->container, e);
	if (!rc)
		f->cgroups_count++;
	return rc;
}

int history_file_cgroups(struct history_file *f, struct err *e)
{
	if (f->cgroups_loaded)
		return 0;
	f->cgroups_count = 0;
	int rc = 0;
	if (rec_db_has_table(rec_db(f->rec), "cgroup"))
		rc = each_row(f, "cgroup",
			      "SELECT host, id, path, container FROM cgroup"
			      " WHERE path IS NOT NULL AND path <> '/' ORDER BY host, id",
			      take_cgroup, NULL, e);
	f->cgroups_loaded = !rc;
	return rc;
}

/* Entry of a text that was not asked for before. */
static int load_text(struct history_file *f, uint32_t id, struct err *e)
{
	sqlite3_stmt *s = f->text_stmt;
	sqlite3_bind_int64(s, 1, id);
	int step = sqlite3_step(s);
	int rc = 0;
	if (step == SQLITE_ROW) {
		rc = take_string(f, s, 0, "", &f->texts[id].bytes, e);
		f->texts[id].len = (size_t)sqlite3_column_bytes(s, 0);
	} else if (step != SQLITE_DONE) {
		rc = fail_db(f, "text", e);
	}
	sqlite3_reset(s);
	return rc;
}

int history_file_text(struct history_file *f, uint32_t id, const char **ret_bytes, size_t *ret_len,
		      struct err *e)
{
	if (id >= HISTORY_MAX_TEXTS)
		return fail_limit(f, "text", e);
	if (!f->text_stmt) {
		int rc = prepare(f, "text", "SELECT bytes FROM text WHERE id = ?1", &f->text_stmt,
				 e);
		if (rc)
			return rc;
	}
	if (id >= f->texts_count) {
		struct history_text_entry *all = array_grow(f->texts, &f->texts_cap, (size_t)id + 1,
							    sizeof(*all));
		if (!all)
			return no_memory(f, e);
		f->texts = all;
		memset(all + f->texts_count, 0, (id + 1 - f->texts_count) * sizeof(*all));
		f->texts_count = (size_t)id + 1;
	}
	if (!f->texts[id].bytes) {
		int rc = load_text(f, id, e);
		if (rc)
			return rc;
	}
	*ret_bytes = f->texts[id].bytes;
	*ret_len = f->texts[id].len;
	return 0;
}
