/* cmd_linger_rest.c - what an answer of `socklapse linger` rests on. See cmd_linger.h. */
#include "cmd_linger.h"
#include "queries.h"

#include <inttypes.h>

static const struct out_column basis_columns[] = {
	{"snapshots", NULL, OUT_NUMBER, 0},
	{"first", NULL, OUT_TIME, 0},
	{"last", NULL, OUT_TIME, 0},
	{"cadence_ms", NULL, OUT_NUMBER, 0},
	{"widest_ms", NULL, OUT_NUMBER, 0},
	{"gaps", NULL, OUT_NUMBER, 0},
	{"reboots", NULL, OUT_NUMBER, 0},
	{"incomplete", NULL, OUT_NUMBER, 0},
	{"unreadable", NULL, OUT_NUMBER, 0},
	{"flags", NULL, OUT_STRING, 0},
	{"evidence", NULL, OUT_NUMBER, 0},
	{"spells", NULL, OUT_NUMBER, 0},
	{"connections_unseen", NULL, OUT_NUMBER, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct out_table basis_table = {.name = "basis",
					     .columns = basis_columns,
					     .count = COUNT(basis_columns),
					     .flags = OUT_NOT_TEXT | OUT_OBJECT | OUT_TAGGED};

/* Connections that the kernel opened and no snapshot has; SPELL_UNKNOWN if nobody counted. */
static int count_unseen(struct session *s, const struct linger_result *l, int64_t *ret,
			struct err *e)
{
	sqlite3_stmt *stmt;
	*ret = SPELL_UNKNOWN;
	int rc = db_prepare(s->db, sql_q_unseen, &stmt, e);
	if (rc)
		return rc;
	db_bind_int(stmt, ":from_ns", INT64_MIN);
	db_bind_int(stmt, ":to_ns", l->basis.last_ns);
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
		int64_t opened = sqlite3_column_int64(stmt, 0);
		*ret = opened > (int64_t)l->opened ? opened - (int64_t)l->opened : 0;
	} else if (step != SQLITE_ROW) {
		rc = db_error(s->db, "counters", e);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* Of a single snapshot there is none. */
static void put_distance(struct out *o, int64_t ns, int64_t ms)
{
	if (ns)
		out_int(o, ms);
	else
		out_null(o);
}

void linger_rest_data(struct out *o, const struct linger_result *l, const struct linger_rest *rest)
{
	const struct basis *b = &l->basis;
	char flags[256];
	basis_flags_text(b->flags, flags);
	out_table(o, &basis_table);
	out_int(o, (int64_t)b->snapshots);
	out_int(o, b->first_ns);
	out_int(o, b->last_ns);
	put_distance(o, b->cadence_ns, basis_cadence_ms(b));
	put_distance(o, b->widest_ns, b->widest_ns / NS_PER_MS);
	out_int(o, (int64_t)b->gaps);
	out_int(o, (int64_t)b->reboots);
	out_int(o, (int64_t)b->incomplete);
	out_int(o, (int64_t)l->unreadable);
	out_str(o, flags);
	out_int(o, l->evidence);
	out_int(o, (int64_t)l->spells);
	if (rest->unseen == SPELL_UNKNOWN)
		out_null(o);
	else
		out_int(o, rest->unseen);
}

void linger_rest_text(struct out *o, const struct linger_result *l, const struct linger_rest *rest)
{
	const struct basis *b = &l->basis;
	char first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES], cadence[TIME_TEXT_BYTES],
		widest[TIME_TEXT_BYTES], flags[256];
	time_format(b->first_ns, first);
	time_format(b->last_ns, last);
	duration_format(basis_cadence_ms(b) * NS_PER_MS, cadence);
	duration_format(b->widest_ns, widest);
	basis_flags_text(b->flags & ~SNAP_NO_TABLE, flags); /* as show's heading */
	if (b->cadence_ns)
		out_note(o, "Rests on %zu snapshots, %s to %s, every %s, at worst %s apart.",
			 b->snapshots, first, last, cadence, widest);
	else
		out_note(o, "Rests on %zu snapshot%s, %s.", b->snapshots,
			 b->snapshots == 1 ? "" : "s, no two of one host", first);
	out_note(o, "%s",
		 l->evidence ? "Bounds are from snapshot times and the kernel's timers and stamps."
			     : "Bounds are from snapshot times alone (--evidence always: narrower, "
			       "slower).");
	if (b->gaps || b->reboots || b->incomplete || l->unreadable)
		out_note(o, "Gaps: %zu; reboots: %zu; incomplete snapshots: %zu; unreadable: %zu.",
			 b->gaps, b->reboots, b->incomplete, l->unreadable);
	if (flags[0])
		out_note(o, "Flags of snapshots: %s (socklapse info tells more).", flags);
	if (rest->unseen > 0)
		out_note(o,
			 "About %" PRId64 " TCP connection%s came and went between snapshots, "
			 "unseen.",
			 rest->unseen, rest->unseen == 1 ? "" : "s");
	if (l->resting)
		out_note(o, "Not among the longest: %" PRIu64 " spell%s in LISTEN and UNCONN.",
			 l->resting, l->resting == 1 ? "" : "s");
}

int linger_rest_find(struct session *s, const struct linger_result *l, struct linger_rest *ret,
		     struct err *e)
{
	return count_unseen(s, l, &ret->unseen, e);
}
