/* lives.c - see lives.h. */
#include "lives.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROWS_PER_BATCH 8

uint64_t lives_random(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t within(uint64_t *seed, int64_t lo, int64_t hi)
{
	return lo + (int64_t)(lives_random(seed) % (uint64_t)(hi - lo + 1));
}

static int compare_times(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return (a > b) - (a < b);
}

static void make_life(struct lives *l, unsigned number)
{
	static const uint8_t order[] = {STATE_SYN_SENT, STATE_ESTAB, STATE_CLOSE_WAIT,
					STATE_LAST_ACK, STATE_TIME_WAIT};
	struct life *life = &l->all[number];
	*life = (struct life){.states = (unsigned)within(&l->seed, 2, 5)};
	life->process = (uint32_t)within(&l->seed, 0, 3);
	life->id = (struct row_member){
		.cookie = number + 1,
		.netns = 1,
		.local_port = (uint16_t)(1000 + number),
		.peer_port = 80,
		.proto = PROTO_TCP,
		.family = AF_INET,
	};
	life->id.local.b[0] = 10;
	life->id.peer.b[0] = 11;
	for (unsigned i = 0; i < life->states; i++)
		life->state[i] = order[i];
	for (unsigned i = 0; i <= life->states; i++)
		life->at_ns[i] = within(&l->seed, l->begin_ns, l->end_ns);
	qsort(life->at_ns, life->states + 1, sizeof(int64_t), compare_times);
}

void lives_init(struct lives *l, uint64_t seed, unsigned count, int64_t begin_ns, int64_t end_ns)
{
	*l = (struct lives){.count = count, .seed = seed, .begin_ns = begin_ns, .end_ns = end_ns};
	l->all = calloc(count, sizeof(*l->all));
	cr_assert_not_null(l->all);
	for (unsigned i = 0; i < count; i++)
		make_life(l, i);
}

void lives_fini(struct lives *l)
{
	free(l->all);
}

unsigned life_state(const struct life *l, int64_t boot_ns)
{
	if (boot_ns < l->at_ns[0])
		return 0;
	for (unsigned i = 0; i < l->states; i++)
		if (boot_ns < l->at_ns[i + 1])
			return l->state[i];
	return 0;
}

int64_t take_wall(const struct take *take, int64_t boot_ns)
{
	int64_t wall = boot_ns + take->wall_offset_ns;
	return take->step_at_ns && boot_ns >= take->step_at_ns ? wall + take->step_ns : wall;
}

static struct rec_writer *open_file(const struct take *take, unsigned number)
{
	struct rec_host host = {
		.boot_id = take->boot_id ? take->boot_id : "boot-1",
		.hostname = "host",
		.kernel = "6.0",
		.arch = "x86_64",
		.hz = 250,
		.facts = "{}",
	};
	struct rec_writer_options options = {.key_every = take->key_every};
	char path[128];
	snprintf(path, sizeof(path), "%s/host-%03u.socklapse", take->dir,
		 number + take->first_file);
	struct rec_writer *w;
	struct err e = {0};
	cr_assert_eq(rec_writer_open(path, &host, &options, &w, &e), 0, "%s", e.text);
	return w;
}

static void register_names(struct rec_writer *w)
{
	struct err e = {0};
	uint32_t id;
	cr_assert_eq(rec_writer_netns(w, 4026531840, NULL, &id, &e), 0, "%s", e.text);
	cr_assert_eq(id, 1);
	for (uint32_t i = 1; i <= 3; i++) {
		struct rec_process process = {.pid = 100 + i, .start_ticks = i, .comm = "daemon"};
		cr_assert_eq(rec_writer_process(w, &process, &id, &e), 0, "%s", e.text);
		cr_assert_eq(id, i);
	}
}

/* One dump while it is being made. */
struct dump {
	struct track *track;
	uint32_t *process; /* by position */
	uint32_t rows, in_batch;
	int64_t lo_ns;
};

static void put_row(struct dump *d, int64_t begin_ns, int64_t fill_ns, const struct sock_row *row,
		    uint32_t process)
{
	struct err e = {0};
	uint64_t tick_ms = (uint64_t)(begin_ns + fill_ns) / 1000000;
	cr_assert_eq(track_add(d->track, row, tick_ms, tick_ms, &e), 0, "%s", e.text);
	d->process[d->rows++] = process;
	if (++d->in_batch == ROWS_PER_BATCH) {
		uint64_t hi_us = (uint64_t)fill_ns / 1000 + 1;
		cr_assert_eq(track_batch(d->track, (uint64_t)d->lo_ns / 1000, hi_us, &e), 0);
		d->lo_ns = fill_ns;
		d->in_batch = 0;
	}
}

/* Closed sockets that are held come first, at the very begin. */
static void dump_shells(struct dump *d, const struct lives *l, int64_t begin_ns)
{
	for (unsigned i = 0; i < l->count; i++) {
		const struct life *life = &l->all[i];
		struct sock_row row = {.member = life->id};
		row.state.has = HAS_TUPLE;
		row.state.state = STATE_UNCONN;
		row.state.inode = 1000 + i;
		if (begin_ns >= life->shell_from_ns && begin_ns < life->shell_to_ns)
			put_row(d, begin_ns, 0, &row, life->process);
	}
}

static uint32_t holder_at(const struct life *life, int64_t ns)
{
	return life->heir && ns >= life->heir_from_ns ? life->heir : life->process;
}

/* The kernel's dump, spread over take->dump_ns. */
static void dump(const struct lives *l, const struct take *take, int64_t begin_ns,
		 struct rec_writer *w, uint64_t *seed)
{
	struct err e = {0};
	struct dump d = {.track = rec_writer_track(w)};
	d.process = calloc(2 * (size_t)l->count + 1, sizeof(*d.process));
	cr_assert_not_null(d.process);
	dump_shells(&d, l, begin_ns);
	for (unsigned i = 0; i < l->count; i++) {
		const struct life *life = &l->all[i];
		int64_t fill_ns = take->dump_ns * i / (int64_t)l->count;
		struct sock_row row = {.member = life->id};
		row.state.has = HAS_TUPLE;
		row.state.state = (uint8_t)life_state(life, begin_ns + fill_ns);
		bool held = row.state.state == life->state[0] && life->process;
		row.state.inode = held ? 1000 + i : 0;
		if (!row.state.state || lives_random(seed) % 1000 < take->miss_per_mille)
			continue;
		put_row(&d, begin_ns, fill_ns, &row,
			held ? holder_at(life, begin_ns + fill_ns) : 0);
		uint64_t tick_ms = (uint64_t)(begin_ns + fill_ns) / 1000000;
		if (take->twice)
			cr_assert_eq(track_add(d.track, &row, tick_ms, tick_ms, &e), 1);
	}
	cr_assert_eq(
		track_batch(d.track, (uint64_t)d.lo_ns / 1000, (uint64_t)take->dump_ns / 1000, &e),
		0);
	cr_assert_eq(track_members(d.track, &e), 0, "%s", e.text);
	for (uint32_t i = 0; i < d.rows; i++) {
		struct row_owner owner = {.owner_process = d.process[i], .owner_fd = 7};
		if (d.process[i])
			cr_assert_eq(track_owner(d.track, i, &owner, &e), 0, "%s", e.text);
	}
	free(d.process);
}

unsigned lives_record(const struct lives *l, const struct take *take)
{
	struct rec_writer *w = NULL;
	struct err e = {0};
	uint64_t seed = l->seed;
	unsigned count = 0;
	for (int64_t at = take->first_ns; at <= take->last_ns; at += take->every_ns, count++) {
		if (take->snapshots_per_file && count % take->snapshots_per_file == 0) {
			rec_writer_close(w);
			w = NULL;
		}
		if (!w)
			w = open_file(take, take->snapshots_per_file
						    ? count / take->snapshots_per_file
						    : 0);
		cr_assert_eq(rec_writer_begin(w, &e), 0, "%s", e.text);
		register_names(w);
		bool other = take->other_per_mille &&
			     lives_random(&seed) % 1000 < take->other_per_mille;
		bool tables = take->other_flag == SNAP_SOME_TABLES;
		const struct lives none = {.count = 1, .all = (struct life[1]){{.states = 0}}};
		dump(other ? &none : l, take, at, w, &seed);
		if (tables)
			cr_assert_eq(rec_writer_cost(w, "tables",
						     1u << (other ? PROTO_UDP : PROTO_TCP), &e),
				     0);
		if (l->seed % 2) /* ticks are those of the clock; it was read 3 ms late */
			cr_assert_eq(rec_writer_cost(w, "tick_base_us",
						     (UINT64_C(1) << 32) * 1000 - 3000, &e),
				     0);
		struct rec_snapshot info = {
			.flags = other || tables ? take->other_flag : 0,
			.wall_begin_ns = take_wall(take, at),
			.wall_end_ns = take_wall(take, at + take->dump_ns),
			.boot_begin_ns = at,
			.boot_end_ns = at + take->dump_ns,
			.mono_begin_ns = at,
		};
		cr_assert_eq(rec_writer_commit(w, &info, NULL, &e), 0, "%s", e.text);
	}
	rec_writer_close(w);
	return count;
}

void lives_dir(char ret[64])
{
	snprintf(ret, 64, "/tmp/socklapse-lives-XXXXXX");
	cr_assert_not_null(mkdtemp(ret));
}

void lives_remove(const char *dir)
{
	char command[96];
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}
