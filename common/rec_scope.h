/* rec_scope.h - which scope (FORMAT.md 3.3) each snapshot of a recording has. For rec_read.c. */
#ifndef SOCKLAPSE_REC_SCOPE_H
#define SOCKLAPSE_REC_SCOPE_H

#include <sqlite3.h>
#include <stddef.h>

#include "rec.h"

/* Sets `scope` of the snapshots, which ascend by id. */
int rec_scope_load(sqlite3 *db, struct rec_snapshot *snapshots, size_t count,
		   struct err *e) MUST_CHECK;

#endif
