/*
 * rec_write_stats.c - the numbers that every snapshot has: host counters, tally, costs. On a small
 * host they would weigh as much as its sockets; so they are JSON without names (FORMAT.md
 * section 3.1), and views name them.
 */
#include <inttypes.h>
#include <string.h>

#include "rec_write_internal.h"

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a row");
}

/* Row of a table of names. */
static int name_row(struct rec_writer *w, enum writer_stmt put, struct intern *in, const char *name,
		    uint32_t *ret_id, struct err *e)
{
	struct intern_entry *known = intern_find(in, name, strlen(name));
	if (!known) {
		sqlite3_stmt *stmt;
		int rc = rec_writer_row(w, put, &stmt, e);
		if (rc)
			return rc;
		sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
		rc = rec_writer_insert(w, stmt, in, name, strlen(name), &known, e);
		if (rc)
			return rc;
	}
	*ret_id = known->value;
	return 0;
}

void rec_writer_clear_stats(struct rec_writer *w)
{
	buf_clear(&w->changes);
	memset(w->costs, 0, sizeof(w->costs));
	w->costs_count = 0;
}

/* -------------------------------------------------------------------------------- counters */

int rec_writer_flush_counters(struct rec_writer *w, struct err *e)
{
	sqlite3_stmt *stmt;
	if (!w->changes.len && !w->changes.failed)
		return 0;
	buf_put_str(&w->changes, "}");
	int rc = rec_writer_row(w, W_PUT_CHANGES, &stmt, e);
	if (rc)
		return rc;
	if (w->changes.failed)
		return no_memory(e);
	sqlite3_bind_int64(stmt, 1, w->last_id + 1);
	sqlite3_bind_int64(stmt, 2, w->changes_netns);
	sqlite3_bind_text(stmt, 3, buf_str(&w->changes), -1, SQLITE_STATIC);
	rc = rec_db_run(stmt, "cannot write counters", e);
	sqlite3_clear_bindings(stmt);
	buf_clear(&w->changes);
	return rc;
}

int rec_writer_counter(struct rec_writer *w, uint32_t netns, const char *name, int64_t value,
		       struct err *e)
{
	uint32_t key[2] = {netns, 0};
	bool is_key = track_is_key(w->track);
	int rc = rec_writer_txn(w, e);
	if (!rc && netns != w->changes_netns)
		rc = rec_writer_flush_counters(w, e);
	if (!rc)
		rc = name_row(w, W_PUT_COUNTER, &w->counters, name, &key[1], e);
	if (rc)
		return rc;
	struct intern_entry *known = intern_find(&w->values, key, sizeof(key));
	if (known && known->data == value && !is_key)
		return 0;
	if (!known)
		known = intern_add(&w->values, key, sizeof(key), 1);
	if (!known)
		return no_memory(e);
	/* As unsigned: of a damaged file any difference may come. */
	uint64_t former = is_key ? 0 : (uint64_t)known->data;
	buf_printf(&w->changes, "%s\"%" PRIu32 "\":%" PRId64, w->changes.len ? "," : "{", key[1],
		   (int64_t)((uint64_t)value - former));
	w->changes_netns = netns;
	known->data = value; /* within the transaction: abandon reads the rows anew */
	return 0;
}

/* ---------------------------------------------------------------------------- tally, costs */

void rec_writer_tally_json(const struct rec_writer *w, struct buf *json)
{
	uint32_t counts[PROTO_COUNT][STATE_COUNT];
	track_tally(w->track, counts);
	const char *between = "{";
	for (unsigned p = 1; p < PROTO_COUNT; p++)
		for (unsigned s = 0; s < STATE_COUNT; s++)
			if (counts[p][s]) {
				buf_printf(json, "%s\"%u\":%u", between, p * 16 + s, counts[p][s]);
				between = ",";
			}
	buf_put_str(json, *between == '{' ? "{}" : "}");
}

int rec_writer_cost(struct rec_writer *w, const char *name, uint64_t value, struct err *e)
{
	uint32_t id;
	int rc = rec_writer_txn(w, e);
	if (!rc)
		rc = name_row(w, W_PUT_COST_NAME, &w->cost_names, name, &id, e);
	if (rc)
		return rc;
	if (id < 1 || id > REC_MAX_COSTS)
		return err_set(e, ERR_LIMIT, "more than %u kinds of costs", REC_MAX_COSTS);
	w->costs[id - 1] = value;
	w->costs_count = w->costs_count < id ? id : w->costs_count;
	return 0;
}

void rec_writer_costs_json(const struct rec_writer *w, struct buf *json)
{
	for (unsigned i = 0; i < w->costs_count; i++)
		buf_printf(json, "%s%" PRIu64, i ? "," : "[", w->costs[i]);
	buf_put_str(json, w->costs_count ? "]" : "[]");
}
