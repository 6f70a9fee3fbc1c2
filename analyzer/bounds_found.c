/*
 * bounds_found.c - what all rules share: reading clues, and putting down what they prove.
 */
#include "bounds_rules.h"

/* A stamp that was never set counts from here: INITIAL_JIFFIES is 300 s before 0. */
#define NEVER_MS	(300 * INT64_C(1000))
#define NEVER_FUZZ_MS	INT64_C(2000)
#define STAMP_PERIOD_MS (INT64_C(1) << 32)

/* Stamps are unambiguous within 49.7 days; half a day is kept free. */
#define STAMP_SAFE_NS ((STAMP_PERIOD_MS - 12 * 3600 * INT64_C(1000)) * NS_PER_MS)

const struct row_evidence *bounds_info(const struct bounds_clue *c)
{
	return &c->now->row->evidence;
}

bool bounds_row_sent(const struct sock_row *row, enum column_id id)
{
	const struct column *column = column_by_id(id);
	return column && column_present(column, row->state.has, row->state.info_bytes);
}

bool bounds_sent(const struct bounds_clue *c, enum column_id id)
{
	return bounds_row_sent(c->now->row, id);
}

/* What rules call with what they found. */

void bounds_at_least(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
		     enum bounds_source source)
{
	int64_t hi_ns = bounds_sub(c->now->hi_ns, dwell_ns - c->margin_ns);
	if (hi_ns >= f->entered.hi_ns)
		return;
	f->entered.hi_ns = hi_ns;
	f->entered.hi_source = (uint8_t)source;
}

void bounds_at_most(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
		    enum bounds_source source)
{
	int64_t lo_ns = bounds_sub(c->now->lo_ns, dwell_ns + c->margin_ns);
	if (lo_ns <= f->entered.lo_ns)
		return;
	f->entered.lo_ns = lo_ns;
	f->entered.lo_source = (uint8_t)source;
}

void bounds_exactly(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
		    enum bounds_source source)
{
	bounds_at_least(c, f, dwell_ns, source);
	bounds_at_most(c, f, dwell_ns, source);
}

void bounds_guess(const struct bounds_clue *c, struct bounds_found *f, int64_t least_ns,
		  int64_t most_ns, enum bounds_assumption assumption)
{
	if (f->guess.assumption)
		return;
	f->guess.lo_ns = bounds_sub(c->now->lo_ns, most_ns + c->margin_ns);
	f->guess.hi_ns = bounds_sub(c->now->hi_ns, least_ns - c->margin_ns);
	f->guess.assumption = (uint8_t)assumption;
}

/* Stamps: "so many milliseconds ago". */

static uint32_t stamp_ms(const struct sock_row *row, enum column_id id)
{
	const struct row_evidence *e = &row->evidence;
	if (id == COL_ID_last_data_sent_ms)
		return e->last_data_sent_ms;
	return id == COL_ID_last_data_recv_ms ? e->last_data_recv_ms : e->last_ack_recv_ms;
}

/* EVIDENCE section 0: a stamp that was never set reads as the time since the tick was 0. */
static bool is_never(const struct bounds_clue *c, uint32_t ms)
{
	int64_t off_ms = (c->now->hi_ns / NS_PER_MS - NEVER_MS - ms) % STAMP_PERIOD_MS;
	if (off_ms < 0)
		off_ms += STAMP_PERIOD_MS;
	return off_ms <= NEVER_FUZZ_MS || off_ms >= STAMP_PERIOD_MS - NEVER_FUZZ_MS;
}

/* The stamp, if it is there and was ever set. Wraps only make it too small: a lower bound. */
bool bounds_stamp_least(const struct bounds_clue *c, enum column_id id, int64_t *ret_ns)
{
	if (!bounds_sent(c, id))
		return false;
	uint32_t ms = stamp_ms(c->now->row, id);
	if (is_never(c, ms) || (int64_t)ms * NS_PER_MS > bounds_add(c->now->hi_ns, c->margin_ns))
		return false;
	*ret_ns = (int64_t)ms * NS_PER_MS;
	return true;
}

/* Did the stamp not wrap between the row before and this one? */
static bool is_unwrapped_since(const struct bounds_clue *c, enum column_id id)
{
	if (!c->prev || !bounds_row_sent(c->prev->row, id))
		return false;
	int64_t then_ns = (int64_t)stamp_ms(c->prev->row, id) * NS_PER_MS;
	int64_t since_ns = bounds_sub(c->now->hi_ns, c->prev->lo_ns);
	return bounds_add(then_ns, since_ns) < STAMP_SAFE_NS;
}

/*
 * The stamp, if it can also be an upper bound: it did not wrap in the life of the connection, or
 * not since the row before (before which the state was not entered anyway).
 */
bool bounds_stamp_most(const struct bounds_clue *c, enum column_id id, int64_t *ret_ns)
{
	bool young = bounds_sub(c->now->hi_ns, c->born_ns) < STAMP_SAFE_NS;
	return (young || is_unwrapped_since(c, id)) && bounds_stamp_least(c, id, ret_ns);
}

void bounds_stamp_at_least(const struct bounds_clue *c, struct bounds_found *f, enum column_id id,
			   enum bounds_source source)
{
	int64_t ns;
	if (bounds_stamp_least(c, id, &ns))
		bounds_at_least(c, f, ns, source);
}

void bounds_stamp_at_most(const struct bounds_clue *c, struct bounds_found *f, enum column_id id,
			  enum bounds_source source)
{
	int64_t ns;
	if (bounds_stamp_most(c, id, &ns))
		bounds_at_most(c, f, ns, source);
}

/* Timeouts. */

int64_t bounds_rto_ns(const struct bounds_clue *c)
{
	return (int64_t)bounds_info(c)->rto_us * 1000;
}

/* The first timeout, never too long: backoff doubled it, and RTO_MAX may have cut that. */
int64_t bounds_rto_base_ns(const struct bounds_clue *c)
{
	return bounds_info(c)->backoff < 32 ? bounds_rto_ns(c) >> bounds_info(c)->backoff : 0;
}

bool bounds_has_rto_time(const struct bounds_clue *c)
{
	return bounds_sent(c, COL_ID_total_rto_time_ms) && bounds_sent(c, COL_ID_total_rto) &&
	       bounds_sent(c, COL_ID_total_rto_recoveries);
}

int64_t bounds_rto_time_ns(const struct bounds_clue *c)
{
	return (int64_t)bounds_info(c)->total_rto_time_ms * NS_PER_MS;
}
