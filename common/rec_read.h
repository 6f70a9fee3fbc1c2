/*
 * rec_read.h - reads one recording, read-only, trusting nothing in it.
 */
#ifndef SOCKLAPSE_REC_READ_H
#define SOCKLAPSE_REC_READ_H

#include <stddef.h>

#include "frame.h"
#include "rec.h"

struct sqlite3;
struct rec;

/*
 * Opens a recording for reading. ERR_NOT_FOUND, ERR_PERM, ERR_NOT_OURS (also an empty file),
 * ERR_FUTURE, ERR_CORRUPT. The message names the file.
 */
int rec_open(const char *path, struct rec **ret, struct err *e) MUST_CHECK;
void rec_close(struct rec *r);

const char *rec_path(const struct rec *r);

/* The connection, for reading the plain tables; it is read-only and stays r's. */
struct sqlite3 *rec_db(struct rec *r);

/* All snapshots, ascending by id; r's. The index is loaded by rec_open(). */
const struct rec_snapshot *rec_snapshots(const struct rec *r, size_t *ret_count);

/*
 * Walks frames. A walk keeps a sockset of the groups asked for; rec_walk_to() makes it show the
 * snapshot with index `index` in rec_snapshots(), by applying the frames after the present one, or
 * from the nearest key frame at or before it.
 */
struct rec_walk;

/*
 * In `groups`, beside those of state, queue and evidence: of these last two only what changes of
 * state need is wanted (FORMAT.md section 5.7; the sockset's `left_out` then says so). It costs a
 * small part of reading them. Asking for it is in vain where rec_has_turns() says no.
 */
#define REC_TURNS (1u << PART_TURN)
bool rec_has_turns(const struct rec *r);

int rec_walk_new(struct rec *r, uint32_t groups, bool clock, struct rec_walk **ret,
		 struct err *e) MUST_CHECK;
void rec_walk_free(struct rec_walk *w);

/*
 * The same for another thread than the one that uses `r`: it reads through a connection of its own.
 * If the file has meanwhile been removed, or replaced by another one, it is r's connection, which
 * SQLite lets two threads use in turn.
 */
int rec_walk_new_apart(struct rec *r, uint32_t groups, bool clock, struct rec_walk **ret,
		       struct err *e) MUST_CHECK;

/*
 * After an error the walk shows nothing; it can be called again for an index at or behind the next
 * key frame, which rec_next_key() finds.
 */
int rec_walk_to(struct rec_walk *w, size_t index, struct err *e) MUST_CHECK;

/* The sockets of the snapshot shown. Valid until the next rec_walk_to(). */
const struct sockset *rec_walk_set(const struct rec_walk *w);

/* The first index >= `index` that is a key frame, or the number of snapshots. */
size_t rec_next_key(const struct rec *r, size_t index);

#endif
