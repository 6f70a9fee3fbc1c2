/*
 * truth_bounds.c - spells of a recording by the bounds engine alone, every row looked at: the
 * plainest caller there can be, to hold against the truth and against the table `spell`.
 *
 *   truth_bounds FILE ADDRESS
 *
 * Prints for each spell of a TCP connection with that local IPv4 address, times in ns of
 * CLOCK_REALTIME:
 *
 *   PORT,PEER_PORT,STATE,ENTERED_LO,ENTERED_HI,LEFT_LO,LEFT_HI,AT_LEAST_MS,AT_MOST_MS,GUESS_LO,
 *   GUESS_HI,"ASSUMPTION",SOURCES,INODE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bounds.h"
#include "history_walk.h"

#define NS_PER_MS INT64_C(1000000)

/* A connection and its present spell. */
struct conn {
	uint64_t cookie;
	uint16_t port, peer_port;
	int64_t born_ns;
	bool known, there;
	struct sock_row rows[2]; /* the last row, and the one being looked at */
	unsigned turn;
	struct bounds_row last;
	struct bounds_spell spell;
	/* The spell before, told when this one is over. */
	bool has_former;
	struct bounds_row former_last;
	struct sock_row former_row;
	struct bounds_spell former;
};

static struct conn conns[20000];
static unsigned conns_count;
static struct bounds_host host = {.fin_timeout_s = 60, .keepalive_time_s = 7200};
static int64_t real_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */

static void tell(const struct conn *c, const struct bounds_spell *s, unsigned state,
		 const struct bounds_end *end, const struct bounds_row *last)
{
	int64_t left_lo_ns = end ? end->left.lo_ns : last->lo_ns;
	int64_t left_hi_ns = end ? end->left.hi_ns : INT64_MAX / 2;
	printf("%u,%u,%s,%lld,%lld,", c->port, c->peer_port, sock_state_name(state),
	       (long long)(s->entered.lo_ns + real_ns), (long long)(s->entered.hi_ns + real_ns));
	if (end)
		printf("%lld,%lld,", (long long)(left_lo_ns + real_ns),
		       (long long)(left_hi_ns + real_ns));
	else
		printf(",,");
	printf("%.3f,%.3f,", (double)(left_lo_ns - s->entered.hi_ns) / 1e6,
	       (double)(left_hi_ns - s->entered.lo_ns) / 1e6);
	if (s->guess.assumption)
		printf("%lld,%lld,", (long long)(s->guess.lo_ns + real_ns),
		       (long long)(s->guess.hi_ns + real_ns));
	else
		printf(",,");
	printf("\"%s\",%s/%s%s%s,%u\n", bounds_assumption_text(s->guess.assumption),
	       bounds_source_name(s->entered.lo_source), bounds_source_name(s->entered.hi_source),
	       s->flags & BOUNDS_CONTRADICTION ? " CONTRADICTION" : "",
	       end && (end->flags & BOUNDS_KILLED) ? " killed" : "", last->row->state.inode);
}

static void tell_former(struct conn *c)
{
	struct bounds_end end;
	if (!c->has_former)
		return;
	bounds_turn(&c->former_last, c->last.row->state.state, &c->spell, &end);
	tell(c, &c->former, c->former_row.state.state, &end, &c->former_last);
	c->has_former = false;
}

static struct conn *find(const struct row_member *m)
{
	for (unsigned i = 0; i < conns_count; i++)
		if (conns[i].cookie == m->cookie && conns[i].port == m->local_port &&
		    conns[i].peer_port == m->peer_port)
			return &conns[i];
	if (conns_count == sizeof(conns) / sizeof(conns[0]))
		exit(3);
	struct conn *c = &conns[conns_count++];
	c->cookie = m->cookie;
	c->port = m->local_port;
	c->peer_port = m->peer_port;
	return c;
}

static void see(struct conn *c, const struct bounds_row *at, int64_t absent_ns)
{
	struct sock_row *mine = &c->rows[c->turn ^= 1];
	struct bounds_row now = *at;
	*mine = *at->row;
	now.row = mine;
	c->there = true;
	if (c->known && mine->state.state == c->last.row->state.state) {
		bounds_more(&host, &now, &c->spell);
		c->last = now;
		return;
	}
	tell_former(c);
	if (!c->known)
		c->born_ns = absent_ns == BOUNDS_EARLY ? 0 : absent_ns;
	struct bounds_before before = {
		.row = c->known ? &c->last : NULL, .absent_ns = absent_ns, .born_ns = c->born_ns};
	struct bounds_spell spell;
	bounds_enter(&host, &now, &before, &spell);
	if (c->known) {
		c->has_former = true;
		c->former = c->spell;
		c->former_row = *c->last.row;
		c->former_last = c->last;
		c->former_last.row = &c->former_row;
	}
	c->spell = spell;
	c->last = now;
	c->known = true;
}

static void end_absent(int64_t gone_ns)
{
	for (unsigned i = 0; i < conns_count; i++) {
		struct conn *c = &conns[i];
		struct bounds_end end;
		if (c->known && !c->there) {
			tell_former(c);
			bounds_gone(&host, &c->last, gone_ns, &end);
			tell(c, &c->spell, c->last.row->state.state, &end, &c->last);
			c->known = false;
		}
		c->there = false;
	}
}

static void look(const struct sockset *set, const struct rec_snapshot *s,
		 const union addr_bytes *local, int64_t absent_ns)
{
	for (uint32_t i = 0; i < set->rows; i++) {
		struct sock_row row;
		sockset_row(set, i, &row);
		if (row.member.proto != PROTO_TCP || row.member.family != AF_INET ||
		    row.member.local.w[0] != local->w[0] || !row.member.peer_port)
			continue;
		const struct fill_batch *batch = sockset_batch(set, i);
		struct bounds_row at = {
			.row = &row,
			.lo_ns = s->mono_begin_ns + (batch ? (int64_t)batch->lo_us * 1000 : 0),
			.hi_ns = batch ? s->mono_begin_ns + (int64_t)batch->hi_us * 1000
				       : s->mono_begin_ns + s->boot_end_ns - s->boot_begin_ns,
		};
		at.tick_ns = bounds_tick_ns(&host, s->tick_base_us, sockset_tick(set, i), at.lo_ns);
		see(find(&row.member), &at, absent_ns);
	}
	end_absent(s->mono_begin_ns + s->boot_end_ns - s->boot_begin_ns);
}

static int walk(struct history *h, const union addr_bytes *local, struct err *e)
{
	size_t count;
	struct history_walk *w;
	const struct history_snapshot *snapshots = history_snapshots(h, &count);
	int64_t absent_ns = BOUNDS_EARLY;
	host.hz = (uint32_t)history_boots(h, &count)[0].hz;
	int rc = history_walk_new(h, BOUNDS_GROUPS, true, 0, SIZE_MAX, &w, e);
	while (!rc && (rc = history_walk_next(w, e)) > 0) {
		const struct rec_snapshot *s = snapshots[history_walk_index(w)].rec;
		real_ns = s->wall_begin_ns - s->mono_begin_ns;
		look(history_walk_set(w), s, local, absent_ns);
		absent_ns = s->mono_begin_ns;
		rc = 0;
	}
	history_walk_free(w);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	struct history *h;
	union addr_bytes local;
	if (argc != 3 || sock_addr_parse(argv[2], &local) != AF_INET)
		return 2;
	const char *path = argv[1];
	if (history_open(&path, 1, &h, &e) || walk(h, &local, &e)) {
		fprintf(stderr, "truth_bounds: %s\n", e.text);
		return 1;
	}
	for (unsigned i = 0; i < conns_count; i++) {
		if (!conns[i].known)
			continue;
		tell_former(&conns[i]);
		tell(&conns[i], &conns[i].spell, conns[i].last.row->state.state, NULL,
		     &conns[i].last);
	}
	history_close(h);
	return 0;
}
