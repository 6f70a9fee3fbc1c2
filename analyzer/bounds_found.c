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
	int64_t off_ns = c->margin_ns + bounds_drift_ns(c->host, dwell_ns);
	int64_t hi_ns = bounds_sub(c->now->hi_ns, dwell_ns - off_ns);
	if (hi_ns >= f->entered.hi_ns)
		return;
	f->entered.hi_ns = hi_ns;
	f->entered.hi_source = (uint8_t)source;
}

static void not_before(struct bounds_found *f, int64_t lo_ns, enum bounds_source source)
{
	if (lo_ns <= f->entered.lo_ns)
		return;
	f->entered.lo_ns = lo_ns;
	f->entered.lo_source = (uint8_t)source;
}

void bounds_at_most(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
		    enum bounds_source source)
{
	int64_t off_ns = c->margin_ns + bounds_drift_ns(c->host, dwell_ns);
	not_before(f, bounds_sub(c->now->lo_ns, dwell_ns + off_ns), source);
}

static void at_most_stamp(const struct bounds_clue *c, struct bounds_found *f, int64_t ago_ns,
			  enum bounds_source source)
{
	int64_t off_ns = bounds_drift_ns(c->host, ago_ns);
	not_before(f, bounds_sub(bounds_since_ns(c->host, c->now), ago_ns + off_ns), source);
}

void bounds_at_most_clock(const struct bounds_clue *c, struct bounds_found *f, int64_t dwell_ns,
			  enum bounds_source source)
{
	not_before(f, bounds_sub(c->now->lo_ns, dwell_ns), source);
}

void bounds_stamped(const struct bounds_clue *c, struct bounds_found *f, int64_t ago_ns,
		    enum bounds_source source)
{
	bounds_at_least(c, f, ago_ns, source);
	at_most_stamp(c, f, ago_ns, source);
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

static const uint8_t stamp_columns[BOUNDS_STAMPS] = {
	[STAMP_SENT] = COL_ID_last_data_sent_ms,
	[STAMP_RECEIVED] = COL_ID_last_data_recv_ms,
	[STAMP_ACK] = COL_ID_last_ack_recv_ms,
};

static uint32_t stamp_ms(const struct sock_row *row, enum bounds_stamp stamp)
{
	const struct row_evidence *e = &row->evidence;
	if (stamp == STAMP_SENT)
		return e->last_data_sent_ms;
	return stamp == STAMP_RECEIVED ? e->last_data_recv_ms : e->last_ack_recv_ms;
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
bool bounds_stamp_least(const struct bounds_clue *c, enum bounds_stamp stamp, int64_t *ret_ns)
{
	if (!bounds_sent(c, stamp_columns[stamp]))
		return false;
	uint32_t ms = stamp_ms(c->now->row, stamp);
	if (is_never(c, ms) || (int64_t)ms * NS_PER_MS > bounds_add(c->now->hi_ns, c->margin_ns))
		return false;
	*ret_ns = (int64_t)ms * NS_PER_MS;
	return true;
}

/* The stamp, if it can also be an upper bound: it was set too late to have wrapped. */
bool bounds_stamp_most(const struct bounds_clue *c, enum bounds_stamp stamp, int64_t *ret_ns)
{
	return bounds_sub(c->now->hi_ns, c->spell->stamp_ns[stamp]) < STAMP_SAFE_NS &&
	       bounds_stamp_least(c, stamp, ret_ns);
}

/*
 * No stamp is older than the connection. One that had not wrapped at the row before was set then
 * or is set later; if it had, then at a time when the state was not yet entered, so that taking it
 * for younger does no harm.
 */
static int64_t stamp_not_before_ns(const struct bounds_before *before, enum bounds_stamp stamp)
{
	int64_t ns = before->born_ns;
	if (!before->row || !bounds_row_sent(before->row->row, stamp_columns[stamp]))
		return ns;
	int64_t ago_ns = (int64_t)stamp_ms(before->row->row, stamp) * NS_PER_MS;
	int64_t set_ns = bounds_sub(before->row->lo_ns, ago_ns);
	return set_ns > ns ? set_ns : ns;
}

void bounds_remember(const struct bounds_before *before, struct bounds_spell *spell)
{
	static const struct bounds_before nothing = {.absent_ns = BOUNDS_EARLY};
	before = before ? before : &nothing;
	for (unsigned i = 0; i < BOUNDS_STAMPS; i++)
		spell->stamp_ns[i] = stamp_not_before_ns(before, (enum bounds_stamp)i);
	if (!before->row || !bounds_is_full(before->row->row) ||
	    !bounds_row_sent(before->row->row, COL_ID_segs_in))
		return;
	spell->from = before->row->row->state.state;
	spell->from_segs_in = before->row->row->evidence.segs_in;
}

void bounds_stamp_at_least(const struct bounds_clue *c, struct bounds_found *f,
			   enum bounds_stamp stamp, enum bounds_source source)
{
	int64_t ns;
	if (bounds_stamp_least(c, stamp, &ns))
		bounds_at_least(c, f, ns, source);
}

void bounds_stamp_at_most(const struct bounds_clue *c, struct bounds_found *f,
			  enum bounds_stamp stamp, enum bounds_source source)
{
	int64_t ns;
	if (bounds_stamp_most(c, stamp, &ns))
		at_most_stamp(c, f, ns, source);
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
