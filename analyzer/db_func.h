/* db_func.h - SQL functions of our own besides those of filters. */
#ifndef SOCKLAPSE_DB_FUNC_H
#define SOCKLAPSE_DB_FUNC_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/* Names of the SNAP_* bits in `flags`, separated by commas; bits without a name as 0xN. */
void flags_text(uint32_t flags, char *ret_text, size_t size);

/*
 *   snapshot_flags(FLAGS)   names of the SNAP_* bits, separated by commas
 *   time_text(NS)           wall clock in the zone of the output
 *   duration_text(MS)       "5min 3s"
 * All give NULL for NULL. Returns an SQLite code.
 */
int db_func_register(sqlite3 *db);

#endif
