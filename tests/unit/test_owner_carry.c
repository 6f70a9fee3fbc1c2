/* test_owner_carry.c - whose a socket is when nobody holds it. */
#include <criterion/criterion.h>
#include <string.h>

#include "owner_carry.h"
#include "track.h"

#define MAX_ROWS 16

/* A socket of a snapshot. */
struct life {
	uint64_t cookie;
	unsigned state, port, peer_port;
	uint32_t inode, process;
	const char *local; /* NULL: 10.0.0.1 */
};

/* Snapshots go through the codec, as in a recording. */
struct world {
	struct track *track;
	struct sockset set;
	struct frame_scratch scratch;
	struct owner_carry *carry;
	uint64_t number;
	uint32_t boot, file;
};

static void begin(struct world *w)
{
	*w = (struct world){.boot = 1, .file = 3};
	cr_assert_eq(track_new(&w->track, NULL), 0);
	cr_assert_eq(owner_carry_new(&w->carry, NULL), 0);
	sockset_init(&w->set, OWNER_GROUPS);
}

static void end(struct world *w)
{
	track_free(w->track);
	owner_carry_free(w->carry);
	sockset_fini(&w->set);
	frame_scratch_fini(&w->scratch);
}

static uint64_t netns_inode(void *ctx, uint32_t netns)
{
	(void)ctx;
	return 4026531840u + netns;
}

static struct sock_row row_of(const struct life *l)
{
	struct sock_row r;
	memset(&r, 0, sizeof(r));
	r.member.cookie = l->cookie;
	r.member.netns = 1;
	r.member.proto = PROTO_TCP;
	r.member.family = (uint8_t)sock_addr_parse(l->local ? l->local : "10.0.0.1",
						   &r.member.local);
	r.member.peer.w[0] = 0x0200000a;
	r.member.local_port = (uint16_t)l->port;
	r.member.peer_port = (uint16_t)l->peer_port;
	r.state.has = HAS_TUPLE;
	r.state.state = (uint8_t)l->state;
	r.state.inode = l->inode;
	return r;
}

/* Applies what the tracker encodes to the set, as a reader does. */
static void transfer(struct world *w)
{
	struct frame_part parts[PART_COUNT];
	struct err e = {0};
	cr_assert_eq(track_encode(w->track, 1, parts, &e), 0, "%s", e.text);
	cr_assert_eq(frame_apply(&w->set, parts, &w->scratch, &e), 0, "%s", e.text);
	track_commit(w->track);
}

static void step(struct world *w, const struct life *lives, uint32_t count, bool key)
{
	cr_assert_eq(track_begin(w->track, key, NULL), 0);
	for (uint32_t i = 0; i < count; i++) {
		struct sock_row r = row_of(&lives[i]);
		cr_assert_eq(track_add(w->track, &r, 1000, 1000, NULL), 0);
	}
	cr_assert_eq(track_batch(w->track, 0, 1, NULL), 0);
	cr_assert_eq(track_members(w->track, NULL), 0);
	for (uint32_t i = 0; i < track_rows(w->track); i++) {
		const struct row_member *m = track_member(w->track, i);
		for (uint32_t n = 0; n < count; n++) {
			struct row_owner o;
			memset(&o, 0, sizeof(o));
			o.owner_process = lives[n].process;
			o.owner_fd = 100 + lives[n].process;
			if (m->cookie == lives[n].cookie && m->local_port == lives[n].port &&
			    lives[n].process)
				cr_assert_eq(track_owner(w->track, i, &o, NULL), 0);
		}
	}
	transfer(w);
	w->number++;
	const struct owner_step at = {
		.file = w->file,
		.boot = w->boot,
		.number = w->number,
		.time_ns = (int64_t)w->number * 60 * INT64_C(1000000000),
		.delta = !w->set.is_key && w->number > 1,
		.netns_inode = netns_inode,
	};
	cr_assert_eq(owner_carry_step(w->carry, &w->set, &at, NULL), 0);
}

/* The owner of the socket with this cookie and port. */
static struct owner whose(struct world *w, uint64_t cookie, unsigned port)
{
	struct owner o = {.process = 99999};
	for (uint32_t i = 0; i < w->set.rows; i++) {
		const struct row_member *m = SLOT_GROUP(&w->set, w->set.order[i], member);
		if (m->cookie == cookie && m->local_port == port)
			cr_assert_eq(owner_carry_get(w->carry, &w->set, i, &o, NULL), 0);
	}
	return o;
}

#define STEP(w, key, ...)                                                                          \
	do {                                                                                       \
		const struct life lives[] = {__VA_ARGS__};                                         \
		step(w, lives, sizeof(lives) / sizeof(lives[0]), key);                             \
	} while (0)

#define IS(w, cookie, port, from, who)                                                             \
	do {                                                                                       \
		struct owner found = whose(w, cookie, port);                                       \
		cr_assert_eq(found.source, from, "source %d", found.source);                       \
		cr_assert_eq(found.process, who, "process %u", found.process);                     \
	} while (0)

Test(owner_carry, time_wait_belongs_to_who_held_it)
{
	for (int key = 0; key < 2; key++) {
		struct world w;
		begin(&w);
		STEP(&w, true, {7, STATE_ESTAB, 40000, 443, 11, 5, NULL},
		     {8, STATE_ESTAB, 40001, 443, 12, 6, NULL});
		IS(&w, 7, 40000, OWNER_FD, 5);
		STEP(&w, key, {7, STATE_TIME_WAIT, 40000, 443, 0, 0, NULL},
		     {8, STATE_ESTAB, 40001, 443, 12, 6, NULL});
		IS(&w, 7, 40000, OWNER_HISTORY, 5);
		cr_assert_eq(whose(&w, 7, 40000).fd, 105);
		cr_assert_eq(whose(&w, 7, 40000).file, 3);
		IS(&w, 8, 40001, OWNER_FD, 6);
		STEP(&w, key, {7, STATE_TIME_WAIT, 40000, 443, 0, 0, NULL},
		     {8, STATE_ESTAB, 40001, 443, 12, 9, NULL});
		IS(&w, 7, 40000, OWNER_HISTORY, 5);
		IS(&w, 8, 40001, OWNER_FD, 9);
		end(&w);
	}
}

Test(owner_carry, a_socket_that_one_dump_missed)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {7, STATE_ESTAB, 40000, 443, 11, 5, NULL},
	     {8, STATE_ESTAB, 40001, 443, 12, 6, NULL});
	STEP(&w, false, {8, STATE_ESTAB, 40001, 443, 12, 6, NULL});
	STEP(&w, false, {7, STATE_TIME_WAIT, 40000, 443, 0, 0, NULL},
	     {8, STATE_ESTAB, 40001, 443, 12, 6, NULL});
	IS(&w, 7, 40000, OWNER_HISTORY, 5);
	end(&w);
}

Test(owner_carry, nobody_is_nobody)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {7, STATE_TIME_WAIT, 40000, 443, 0, 0, NULL});
	IS(&w, 7, 40000, OWNER_NONE, 0);
	cr_assert(owner_carry_wants_more(w.carry, &w.set));
	STEP(&w, false, {9, STATE_TIME_WAIT, 40002, 443, 0, 0, NULL});
	IS(&w, 9, 40002, OWNER_NONE, 0);
	cr_assert_not(owner_carry_wants_more(w.carry, &w.set));
	end(&w);
}

Test(owner_carry, another_boot_is_another_world)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {7, STATE_ESTAB, 40000, 443, 11, 5, NULL});
	w.boot = 2;
	STEP(&w, true, {7, STATE_TIME_WAIT, 40000, 443, 0, 0, NULL});
	IS(&w, 7, 40000, OWNER_NONE, 0);
	end(&w);
}

Test(owner_carry, what_was_lost_long_ago_is_not_told)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {7, STATE_ESTAB, 40000, 443, 11, 5, NULL});
	for (int i = 0; i < OWNER_KEEP_SNAPSHOTS; i++)
		STEP(&w, i % 50 == 49, {7, STATE_FIN_WAIT_1, 40000, 443, 0, 0, NULL});
	IS(&w, 7, 40000, OWNER_HISTORY, 5);
	STEP(&w, false, {7, STATE_FIN_WAIT_1, 40000, 443, 0, 0, NULL});
	IS(&w, 7, 40000, OWNER_NONE, 0);
	end(&w);
}

Test(owner_carry, without_cookies_the_addresses_tell)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {0, STATE_ESTAB, 40000, 443, 11, 5, NULL},
	     {0, STATE_ESTAB, 40001, 443, 12, 6, NULL});
	STEP(&w, true, {0, STATE_TIME_WAIT, 40000, 443, 0, 0, NULL},
	     {0, STATE_TIME_WAIT, 40001, 443, 0, 0, NULL});
	IS(&w, 0, 40000, OWNER_HISTORY, 5);
	IS(&w, 0, 40001, OWNER_HISTORY, 6);
	end(&w);
}

/* Who gets a connection to a port: the very address, the wildcard, the one for both families. */
Test(owner_carry, not_accepted_yet)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {1, STATE_LISTEN, 80, 0, 21, 5, "::"},
	     {2, STATE_LISTEN, 80, 0, 22, 6, "10.0.0.1"},
	     {3, STATE_LISTEN, 81, 0, 23, 7, "0.0.0.0"},
	     {4, STATE_LISTEN, 82, 0, 24, 8, "10.0.0.9"}, {11, STATE_ESTAB, 80, 1000, 0, 0, NULL},
	     {12, STATE_CLOSE_WAIT, 80, 1001, 0, 0, "::ffff:10.0.0.2"},
	     {13, STATE_SYN_RECV, 81, 1002, 0, 0, NULL},
	     {14, STATE_ESTAB, 81, 1003, 0, 0, "2001:db8::1"},
	     {15, STATE_ESTAB, 82, 1004, 0, 0, NULL}, {16, STATE_FIN_WAIT_1, 80, 1005, 0, 0, NULL},
	     {17, STATE_ESTAB, 80, 1006, 99, 0, NULL});
	IS(&w, 11, 80, OWNER_LISTENER, 6);
	IS(&w, 12, 80, OWNER_LISTENER, 5);
	IS(&w, 13, 81, OWNER_LISTENER, 7);
	IS(&w, 14, 81, OWNER_NONE, 0);
	IS(&w, 15, 82, OWNER_NONE, 0);
	IS(&w, 16, 80, OWNER_NONE, 0);
	IS(&w, 17, 80, OWNER_NONE, 0);
	/* Accepted: whoever did it. */
	STEP(&w, false, {1, STATE_LISTEN, 80, 0, 21, 5, "::"},
	     {12, STATE_CLOSE_WAIT, 80, 1001, 31, 9, "::ffff:10.0.0.2"});
	IS(&w, 12, 80, OWNER_FD, 9);
	end(&w);
}

/* Which of two that share a port the kernel chose is not known: blame neither, unless one has both.
 */
Test(owner_carry, reuseport)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {1, STATE_LISTEN, 80, 0, 21, 0, "0.0.0.0"},
	     {2, STATE_LISTEN, 80, 0, 22, 6, "0.0.0.0"}, {3, STATE_LISTEN, 81, 0, 23, 7, "0.0.0.0"},
	     {4, STATE_LISTEN, 81, 0, 24, 8, "0.0.0.0"}, {5, STATE_LISTEN, 82, 0, 25, 9, "0.0.0.0"},
	     {6, STATE_LISTEN, 82, 0, 26, 9, "0.0.0.0"}, {11, STATE_ESTAB, 80, 1000, 0, 0, NULL},
	     {12, STATE_ESTAB, 81, 1000, 0, 0, NULL}, {13, STATE_ESTAB, 82, 1000, 0, 0, NULL});
	IS(&w, 11, 80, OWNER_NONE, 0);
	IS(&w, 12, 81, OWNER_NONE, 0);
	IS(&w, 13, 82, OWNER_LISTENER, 9);
	end(&w);
}

/* What came to [::] shows IPv4 as ::ffff:a.b.c.d, and what came to 0.0.0.0 never does. */
Test(owner_carry, a_connection_has_the_family_of_its_listener)
{
	struct world w;
	begin(&w);
	STEP(&w, true, {1, STATE_LISTEN, 80, 0, 21, 5, "0.0.0.0"},
	     {2, STATE_LISTEN, 80, 0, 22, 6, "::"}, {3, STATE_LISTEN, 81, 0, 23, 7, "0.0.0.0"},
	     {4, STATE_LISTEN, 82, 0, 24, 8, "::"}, {11, STATE_ESTAB, 80, 1000, 0, 0, NULL},
	     {12, STATE_ESTAB, 80, 1000, 0, 0, "::ffff:10.0.0.1"},
	     {13, STATE_ESTAB, 81, 1000, 0, 0, "::ffff:10.0.0.1"},
	     {14, STATE_ESTAB, 82, 1000, 0, 0, NULL});
	IS(&w, 11, 80, OWNER_LISTENER, 5);
	IS(&w, 12, 80, OWNER_LISTENER, 6);
	IS(&w, 13, 81, OWNER_NONE, 0);
	IS(&w, 14, 82, OWNER_NONE, 0);
	end(&w);
}
