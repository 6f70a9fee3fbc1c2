/*
 * bounds.c - brackets of the beginning and the end of a spell.
 */
#include "bounds.h"

#include <string.h>

#include "bounds_rules.h"

static const char *const source_names[BOUNDS_SOURCES] = {
	[BY_NOTHING] = "none",
	[BY_SNAPSHOT] = "snapshot",
	[BY_RTO_TIME] = "rto-time",
	[BY_RTO_TIMER] = "rto-timer",
	[BY_RETRANSMITS] = "retransmits",
	[BY_SYNACK_TIMER] = "synack-timer",
	[BY_LAST_SENT] = "last-sent",
	[BY_LAST_RECEIVED] = "last-received",
	[BY_LAST_ACK] = "last-ack",
	[BY_ONE_SEGMENT] = "one-segment",
	[BY_TIMEWAIT_TIMER] = "timewait-timer",
};

static const char *const assumption_texts[BOUNDS_ASSUMPTIONS] = {
	[ASSUME_NONE] = "",
	[ASSUME_NO_LOCAL_DROP] = "no SYN dropped on this host, no ICMP error, no TCP_USER_TIMEOUT",
	[ASSUME_NO_DEFER] = "the listener does not use TCP_DEFER_ACCEPT",
	[ASSUME_KEEPALIVE] = "keepalive since the beginning, with the host's default time",
	[ASSUME_NO_LATER_ACK] = "no ACK came after the one that began the state",
	[ASSUME_FIN_TIMEOUT] = "tcp_fin_timeout applies, not TCP_LINGER2",
	[ASSUME_NOT_REARMED] = "TIME-WAIT did not begin anew (the last ACK was not lost)",
	[ASSUME_FIN_AT_ONCE] = "the FIN was sent as soon as the application closed",
	[ASSUME_ONE_SIDED] = "no simultaneous open",
	[ASSUME_FULL_TIME] = "its timer ran out, neither cut short nor set anew",
};

const char *bounds_source_name(unsigned source)
{
	return source < BOUNDS_SOURCES ? source_names[source] : "";
}

const char *bounds_assumption_text(unsigned assumption)
{
	return assumption < BOUNDS_ASSUMPTIONS ? assumption_texts[assumption] : "";
}

int64_t bounds_guess_ns(const struct bounds_guess *guess)
{
	return guess->lo_ns + bounds_sub(guess->hi_ns, guess->lo_ns) / 2;
}

bool bounds_tightens(unsigned state)
{
	static const uint32_t states = 1u << STATE_SYN_SENT | 1u << STATE_SYN_RECV |
				       1u << STATE_NEW_SYN_RECV | 1u << STATE_FIN_WAIT_1 |
				       1u << STATE_LAST_ACK | 1u << STATE_TIME_WAIT;
	return state < STATE_COUNT && (states & (1u << state));
}

/* Holds the guess within the bracket; drops it if it is outside, or says no more than that. */
static void fit_guess(const struct bounds_span *span, struct bounds_guess *guess)
{
	if (guess->lo_ns < span->lo_ns)
		guess->lo_ns = span->lo_ns;
	if (guess->hi_ns > span->hi_ns)
		guess->hi_ns = span->hi_ns;
	bool narrower = guess->lo_ns > span->lo_ns || guess->hi_ns < span->hi_ns;
	if (!guess->assumption || guess->lo_ns > guess->hi_ns || !narrower)
		memset(guess, 0, sizeof(*guess));
}

/* The first guess is the best: later rows may only confirm it. */
static void take_guess(struct bounds_spell *spell, const struct bounds_guess *found)
{
	struct bounds_guess *guess = &spell->guess;
	if (!guess->assumption) {
		*guess = *found;
	} else if (guess->assumption == found->assumption && found->lo_ns <= guess->hi_ns &&
		   found->hi_ns >= guess->lo_ns) {
		guess->lo_ns = found->lo_ns > guess->lo_ns ? found->lo_ns : guess->lo_ns;
		guess->hi_ns = found->hi_ns < guess->hi_ns ? found->hi_ns : guess->hi_ns;
	}
	fit_guess(&spell->entered, guess);
}

/* Evidence that leaves no room is not believed, none of it. */
static void combine(const struct bounds_clue *clue, struct bounds_spell *spell)
{
	if (spell->flags & BOUNDS_CONTRADICTION)
		return;
	struct bounds_found found = {.entered = spell->entered};
	bounds_apply(clue, &found);
	if (found.entered.lo_ns > found.entered.hi_ns) {
		spell->flags |= BOUNDS_CONTRADICTION;
		spell->entered = spell->snapshot;
		memset(&spell->guess, 0, sizeof(spell->guess));
		return;
	}
	spell->entered = found.entered;
	take_guess(spell, &found.guess);
}

static void note_expiry(const struct bounds_host *host, const struct bounds_row *now,
			struct bounds_spell *spell)
{
	int64_t lo_ns, hi_ns;
	bool runs = bounds_is_mini(now->row) && bounds_expiry(host, now, &lo_ns, &hi_ns);
	if (runs && spell->expiry_lo_ns <= spell->expiry_hi_ns && lo_ns > spell->expiry_hi_ns)
		spell->flags |= BOUNDS_REARMED;
	spell->expiry_lo_ns = runs ? lo_ns : INT64_MAX;
	spell->expiry_hi_ns = runs ? hi_ns : INT64_MIN;
}

bool bounds_hides_remnant(unsigned before, unsigned now)
{
	return now == STATE_TIME_WAIT && (before == STATE_UNCONN || before == STATE_BOUND_INACTIVE);
}

bool bounds_is_remnant_over(unsigned before, unsigned now)
{
	return before == STATE_TIME_WAIT && (now == STATE_UNCONN || now == STATE_BOUND_INACTIVE);
}

/* Entered between the last snapshot without the state and the first one with it. */
static struct bounds_span by_snapshots(const struct bounds_row *now,
				       const struct bounds_before *before)
{
	struct bounds_span span = {.hi_ns = now->hi_ns, .hi_source = BY_SNAPSHOT};
	unsigned from = before && before->row ? before->row->row->state.state : 0;
	if (bounds_hides_remnant(from, now->row->state.state))
		span.lo_ns = before->born_ns;
	else if (before && before->row)
		span.lo_ns = before->row->lo_ns;
	else if (before && before->absent_ns != BOUNDS_EARLY)
		span.lo_ns = before->absent_ns;
	else
		return span; /* since the boot */
	span.lo_source = BY_SNAPSHOT;
	return span;
}

void bounds_enter(const struct bounds_host *host, const struct bounds_row *now,
		  const struct bounds_before *before, struct bounds_spell *ret)
{
	struct bounds_spell spell = {
		.snapshot = by_snapshots(now, before),
		.expiry_lo_ns = INT64_MAX,
		.expiry_hi_ns = INT64_MIN,
	};
	if (spell.snapshot.lo_ns > spell.snapshot.hi_ns) { /* times of a damaged recording */
		spell.snapshot.lo_ns = spell.snapshot.hi_ns;
		spell.flags |= BOUNDS_CONTRADICTION;
	}
	spell.entered = spell.snapshot;
	bounds_remember(before, &spell);
	struct bounds_clue clue = {
		.host = host,
		.now = now,
		.prev = before ? before->row : NULL,
		.spell = &spell,
		.margin_ns = bounds_margin_ns(host),
	};
	combine(&clue, &spell);
	note_expiry(host, now, &spell);
	*ret = spell;
}

void bounds_more(const struct bounds_host *host, const struct bounds_row *now,
		 struct bounds_spell *spell)
{
	struct bounds_clue clue = {
		.host = host,
		.now = now,
		.spell = spell,
		.margin_ns = bounds_margin_ns(host),
	};
	combine(&clue, spell);
	note_expiry(host, now, spell);
}
