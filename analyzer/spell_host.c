/* spell_host.c - see spell_host.h. The settings of one recording's namespaces are read at once. */
#include "spell_host.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "rec_db.h"

/* From a snapshot on, in a namespace. A fact is 0 where it is the host's. */
struct setting {
	uint32_t netns;
	int64_t first_snapshot;
	uint32_t fin_timeout_s, keepalive_time_s;
};

struct file_settings {
	struct setting *all; /* by namespace, then snapshot */
	size_t cap, count;
	bool loaded, bad; /* bad: they cannot be read */
};

struct spell_hosts {
	struct history *h;
	struct file_settings *files;
	uint32_t boot; /* whose facts `host` has; UINT32_MAX: none yet */
	struct bounds_host host, told;
};

/* More rows are not looked at; FORMAT.md: one for each change of a namespace. */
#define SETTINGS_MAX (1u << 20)

struct spell_hosts *spell_hosts_new(struct history *h)
{
	struct spell_hosts *hosts = calloc(1, sizeof(*hosts));
	if (!hosts)
		return NULL;
	hosts->h = h;
	hosts->boot = UINT32_MAX;
	hosts->files = calloc(history_files(h) + 1, sizeof(*hosts->files));
	if (hosts->files)
		return hosts;
	free(hosts);
	return NULL;
}

void spell_hosts_free(struct spell_hosts *hosts)
{
	if (!hosts)
		return;
	for (size_t i = 0; i < history_files(hosts->h); i++)
		free(hosts->files[i].all);
	free(hosts->files);
	free(hosts);
}

/* The number behind "NAME": in the facts, or 0. Only guesses rest on it. */
static uint32_t fact(const char *facts, const char *quoted_name)
{
	const char *at = strstr(facts, quoted_name);
	if (!at)
		return 0;
	at += strlen(quoted_name);
	at += strspn(at, " :");
	unsigned long v = strtoul(at, NULL, 10);
	return *at >= '0' && *at <= '9' && v < UINT32_MAX ? (uint32_t)v : 0;
}

static uint32_t fin_timeout(const char *facts)
{
	return fact(facts, "\"tcp_fin_timeout\"");
}

static uint32_t keepalive_time(const char *facts)
{
	return fact(facts, "\"tcp_keepalive_time\"");
}

static void read_host(struct spell_hosts *hosts, uint32_t boot)
{
	size_t count;
	if (hosts->boot == boot)
		return;
	const struct history_boot *b = &history_boots(hosts->h, &count)[boot];
	hosts->boot = boot;
	hosts->host = (struct bounds_host){
		.hz = b->hz > 0 && b->hz <= UINT32_MAX ? (uint32_t)b->hz : 0,
		.fin_timeout_s = fin_timeout(b->facts),
		.keepalive_time_s = keepalive_time(b->facts),
	};
}

/* One row: netns, first_snapshot, facts. */
static bool take(struct file_settings *f, sqlite3_stmt *row)
{
	const char *facts = (const char *)sqlite3_column_text(row, 2);
	int64_t netns = sqlite3_column_int64(row, 0);
	if (!facts || netns < 0 || netns > UINT32_MAX)
		return true;
	struct setting *all = f->count < SETTINGS_MAX
				      ? array_grow(f->all, &f->cap, f->count + 1, sizeof(*all))
				      : NULL;
	if (!all)
		return false;
	f->all = all;
	all[f->count++] = (struct setting){
		.netns = (uint32_t)netns,
		.first_snapshot = sqlite3_column_int64(row, 1),
		.fin_timeout_s = fin_timeout(facts),
		.keepalive_time_s = keepalive_time(facts),
	};
	return true;
}

static void load(struct file_settings *f, sqlite3 *db)
{
	static const char sql[] = "SELECT netns, first_snapshot, facts FROM netns_fact "
				  "ORDER BY netns, first_snapshot";
	struct err e = {0};
	sqlite3_stmt *stmt;
	int step = SQLITE_DONE;
	f->loaded = true;
	if (!rec_db_has_table(db, "netns_fact"))
		return;
	f->bad = rec_db_prepare(db, sql, &stmt, &e) != 0;
	if (f->bad)
		return;
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW && !f->bad)
		f->bad = !take(f, stmt);
	f->bad |= step != SQLITE_DONE;
	sqlite3_finalize(stmt);
}

/* The last one of the namespace that is not later than the snapshot, or NULL. */
static const struct setting *find(const struct file_settings *f, uint32_t netns, int64_t snapshot)
{
	size_t lo = 0, hi = f->count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct setting *s = &f->all[mid];
		if (s->netns < netns || (s->netns == netns && s->first_snapshot <= snapshot))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && f->all[lo - 1].netns == netns ? &f->all[lo - 1] : NULL;
}

const struct bounds_host *spell_host(struct spell_hosts *hosts, size_t index, uint32_t netns)
{
	size_t count;
	const struct history_snapshot *s = &history_snapshots(hosts->h, &count)[index];
	struct file_settings *f = &hosts->files[s->file];
	read_host(hosts, s->boot);
	if (!f->loaded)
		load(f, rec_db(history_rec(hosts->h, s->file)));
	const struct setting *own = find(f, netns, s->rec->id);
	if (!own && !f->bad)
		return &hosts->host;
	hosts->told = hosts->host;
	if (f->bad || own->fin_timeout_s)
		hosts->told.fin_timeout_s = f->bad ? 0 : own->fin_timeout_s;
	if (f->bad || own->keepalive_time_s)
		hosts->told.keepalive_time_s = f->bad ? 0 : own->keepalive_time_s;
	return &hosts->told;
}
