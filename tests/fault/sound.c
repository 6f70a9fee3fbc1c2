/* sound.c - see sound.h. */
#include "sound.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "rec_read.h"

static bool checked(struct rec *r, char why[512])
{
	sqlite3_stmt *stmt = NULL;
	bool good = sqlite3_prepare_v2(rec_db(r), "PRAGMA integrity_check", -1, &stmt, NULL) ==
			    SQLITE_OK &&
		    sqlite3_step(stmt) == SQLITE_ROW &&
		    strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
	if (!good)
		snprintf(why, 512, "integrity_check: %s", sqlite3_errmsg(rec_db(r)));
	sqlite3_finalize(stmt);
	return good;
}

static bool decoded(struct rec *r, int64_t since, char why[512])
{
	struct rec_walk *walk;
	struct err e = {0};
	size_t count;
	const struct rec_snapshot *all = rec_snapshots(r, &count);
	int rc = rec_walk_new(r, GRP_ALL, true, &walk, &e);
	for (size_t i = 0; i < count && !rc; i++)
		if (all[i].id >= since || i + 1 == count)
			rc = rec_walk_to(walk, i, &e);
	if (rc)
		snprintf(why, 512, "%s", e.text);
	rec_walk_free(walk);
	return rc == 0;
}

bool sound(const char *path, int64_t since, int64_t *ret_last, char why[512])
{
	struct rec *r;
	struct err e = {0};
	size_t count;
	if (rec_open(path, &r, &e)) {
		snprintf(why, 512, "%s", e.text);
		return false;
	}
	const struct rec_snapshot *all = rec_snapshots(r, &count);
	*ret_last = count ? all[count - 1].id : 0;
	bool good = checked(r, why) && decoded(r, since, why);
	rec_close(r);
	return good;
}
