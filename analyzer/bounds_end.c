/*
 * bounds_end.c - brackets of the end of a spell.
 */
#include <stddef.h>
#include <string.h>

#include "bounds_rules.h"

/*
 * States that follow each other with none between (RFC 9293 figure 5; net/ipv4/tcp_input.c): one
 * was left when the other was entered. Others may have passed through a state that nobody saw.
 */
static const struct {
	uint8_t from, to;
	uint8_t assumption; /* ASSUME_NONE: always so */
} direct[] = {
	{STATE_SYN_SENT, STATE_ESTAB, ASSUME_ONE_SIDED},
	{STATE_SYN_RECV, STATE_ESTAB, ASSUME_NONE},
	{STATE_NEW_SYN_RECV, STATE_ESTAB, ASSUME_NONE},
	{STATE_ESTAB, STATE_CLOSE_WAIT, ASSUME_NONE},
	{STATE_ESTAB, STATE_FIN_WAIT_1, ASSUME_NONE},
	{STATE_CLOSE_WAIT, STATE_LAST_ACK, ASSUME_NONE},
	{STATE_FIN_WAIT_1, STATE_FIN_WAIT_2, ASSUME_NONE},
	{STATE_FIN_WAIT_1, STATE_CLOSING, ASSUME_NONE},
	{STATE_FIN_WAIT_2, STATE_TIME_WAIT, ASSUME_NONE},
	{STATE_CLOSING, STATE_TIME_WAIT, ASSUME_NONE},
};

static int find_direct(unsigned from, unsigned to)
{
	for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
		if (direct[i].from == from && direct[i].to == to)
			return (int)i;
	return -1;
}

static struct bounds_span since_row(const struct bounds_row *last, int64_t hi_ns,
				    unsigned hi_source)
{
	return (struct bounds_span){
		.lo_ns = last->lo_ns < hi_ns ? last->lo_ns : hi_ns,
		.hi_ns = hi_ns,
		.lo_source = BY_SNAPSHOT,
		.hi_source = (uint8_t)hi_source,
	};
}

/* A guess is kept within the bracket, and only if it says more than that. */
static void set_guess(struct bounds_end *end, int64_t lo_ns, int64_t hi_ns, unsigned assumption)
{
	const struct bounds_span *left = &end->left;
	lo_ns = lo_ns > left->lo_ns ? lo_ns : left->lo_ns;
	hi_ns = hi_ns < left->hi_ns ? hi_ns : left->hi_ns;
	if (lo_ns > hi_ns || (lo_ns == left->lo_ns && hi_ns == left->hi_ns))
		return;
	end->guess.lo_ns = lo_ns;
	end->guess.hi_ns = hi_ns;
	end->guess.assumption = (uint8_t)assumption;
}

void bounds_turn(const struct bounds_row *last, unsigned next_state,
		 const struct bounds_spell *next, struct bounds_end *ret)
{
	const struct bounds_span *entered = &next->entered;
	/* A closed socket beside its remnant: the remnant may be the older of the two. */
	if (entered->hi_ns < last->lo_ns)
		entered = &next->snapshot;
	struct bounds_end end = {.left = since_row(last, entered->hi_ns, entered->hi_source)};
	int i = find_direct(last->row->state.state, next_state);
	if (i >= 0 && direct[i].assumption == ASSUME_NONE) {
		if (entered->lo_ns > end.left.lo_ns) {
			end.left.lo_ns = entered->lo_ns;
			end.left.lo_source = entered->lo_source;
		}
		if (next->guess.assumption)
			set_guess(&end, next->guess.lo_ns, next->guess.hi_ns,
				  next->guess.assumption);
	} else if (i >= 0) {
		set_guess(&end, entered->lo_ns, entered->hi_ns, direct[i].assumption);
	}
	end.flags = next->flags & BOUNDS_CONTRADICTION;
	*ret = end;
}

/*
 * EVIDENCE section 1, "two snapshots". The timer of a remnant is never early, so that one which is
 * gone before was ended by something else: a reset, or a new connection that reused the ports.
 */
static void gone_by_timer(const struct bounds_host *host, const struct bounds_row *last,
			  int64_t gone_ns, struct bounds_end *end)
{
	int64_t lo_ns, hi_ns;
	if (!bounds_expiry(host, last, &lo_ns, &hi_ns))
		return;
	if (gone_ns < lo_ns) {
		end->flags |= BOUNDS_KILLED;
		return;
	}
	set_guess(end, lo_ns, bounds_add(hi_ns, bounds_late_ns(host, TIMEWAIT_NS)),
		  ASSUME_FULL_TIME);
}

void bounds_gone(const struct bounds_host *host, const struct bounds_row *last, int64_t gone_ns,
		 struct bounds_end *ret)
{
	struct bounds_end end = {.left = since_row(last, gone_ns, BY_SNAPSHOT)};
	if (last->row->member.proto == PROTO_TCP && bounds_is_mini(last->row))
		gone_by_timer(host, last, gone_ns, &end);
	*ret = end;
}
