/* gen.c - see gen.h. */
#include "gen.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "columns.h"

uint64_t gen_random(struct gen *g)
{
	/* splitmix64 */
	uint64_t z = (g->seed += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t one_of(struct gen *g, uint64_t n)
{
	return gen_random(g) % n;
}

/* Small numbers mostly, now and then one that fills the column. */
static uint64_t value_for(struct gen *g, const struct column *c)
{
	switch (one_of(g, 8)) {
	case 0:
		return gen_random(g);
	case 1:
		return UINT64_MAX;
	case 2:
		return 0;
	default:
		return one_of(g, c->width == 1 ? 4 : 5000);
	}
}

/* What an absent column holds is 0: so says sockset_row(). */
static void clear_absent(struct sock_row *row)
{
	for (unsigned i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		if (!column_present(c, row->state.has, row->state.info_bytes))
			memset((uint8_t *)row + column_groups[c->group].row_offset + c->offset, 0,
			       c->width);
	}
}

static void change_row(struct gen *g, struct sock_row *row, unsigned percent)
{
	for (unsigned i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		if (c->group == GRP_ID_member || c->group == GRP_ID_owner || c->width > 8 ||
		    one_of(g, 100) >= percent)
			continue;
		uint64_t v = value_for(g, c);
		if (c->id == COL_ID_timer_ms)
			v = (uint32_t)v;
		column_store(c, (uint8_t *)row + column_groups[c->group].row_offset, v);
	}
	row->state.has &= (UINT64_C(1) << 18) - 1;
	row->state.state = (uint8_t)(1 + one_of(g, STATE_COUNT - 1));
	static const uint16_t lengths[] = {0, 104, 192, 232, 280, 300};
	row->state.info_bytes = lengths[one_of(g, 6)];
	if (one_of(g, 3))
		row->state.has |= HAS_INFO | HAS_SKMEM;
	clear_absent(row);
}

static void random_address(struct gen *g, struct sock_row *row, union addr_bytes *a)
{
	uint64_t r = gen_random(g);
	if (row->member.family == AF_INET6 && one_of(g, 2)) {
		a->b[10] = a->b[11] = 0xff;
		memcpy(a->b + 12, &r, 4);
	} else if (row->member.family == AF_INET6) {
		memcpy(a->b, &r, 8);
		memcpy(a->b + 8, &r, 8);
	} else {
		r &= 0xffff;
		memcpy(a->b, &r, 4);
	}
}

static void bear(struct gen *g, uint32_t at)
{
	if (g->count == g->cap) {
		g->cap = g->cap * 2 + 16;
		g->rows = realloc(g->rows, g->cap * sizeof(*g->rows));
		g->owners = realloc(g->owners, g->cap * sizeof(*g->owners));
		cr_assert(g->rows && g->owners);
	}
	memmove(g->rows + at + 1, g->rows + at, (g->count - at) * sizeof(*g->rows));
	memmove(g->owners + at + 1, g->owners + at, (g->count - at) * sizeof(*g->owners));
	g->count++;
	struct sock_row *row = &g->rows[at];
	memset(row, 0, sizeof(*row));
	row->member.cookie = g->next_cookie++;
	row->member.family = one_of(g, 3) ? AF_INET : AF_INET6;
	row->member.proto = one_of(g, 4) ? PROTO_TCP : PROTO_UDP;
	row->member.netns = 1;
	row->member.local_port = (uint16_t)gen_random(g);
	row->member.peer_port = (uint16_t)one_of(g, 500);
	random_address(g, row, &row->member.local);
	random_address(g, row, &row->member.peer);
	change_row(g, row, 50);
	g->owners[at] = (struct row_owner){.owner_process = (uint32_t)one_of(g, 3),
					   .owner_fd = (uint32_t)one_of(g, 100)};
	if (!g->owners[at].owner_process)
		g->owners[at].owner_fd = 0;
}

void gen_init(struct gen *g, uint64_t seed, uint32_t rows)
{
	*g = (struct gen){.seed = seed, .next_cookie = 1, .tick_ms = (UINT64_C(1) << 32) + 1000};
	for (uint32_t i = 0; i < rows; i++)
		bear(g, i);
}

void gen_fini(struct gen *g)
{
	free(g->rows);
	free(g->owners);
}

static void kill_at(struct gen *g, uint32_t at)
{
	g->count--;
	memmove(g->rows + at, g->rows + at + 1, (g->count - at) * sizeof(*g->rows));
	memmove(g->owners + at, g->owners + at + 1, (g->count - at) * sizeof(*g->owners));
}

static void swap(struct gen *g, uint32_t a, uint32_t b)
{
	struct sock_row row = g->rows[a];
	struct row_owner owner = g->owners[a];
	g->rows[a] = g->rows[b];
	g->owners[a] = g->owners[b];
	g->rows[b] = row;
	g->owners[b] = owner;
}

void gen_step(struct gen *g, unsigned die, unsigned born, unsigned change, unsigned move)
{
	g->tick_ms += 4 * one_of(g, 1000);
	for (uint32_t i = 0; i < g->count; i++)
		if (one_of(g, 1000) < die)
			kill_at(g, i);
	uint32_t births = 0;
	for (uint32_t i = 0; i < g->count + 3; i++)
		births += one_of(g, 1000) < born;
	while (births--)
		bear(g, (uint32_t)one_of(g, g->count + 1u));
	for (uint32_t i = 0; i < g->count; i++) {
		if (one_of(g, 1000) < change)
			change_row(g, &g->rows[i], 20);
		if (g->owners[i].owner_process && one_of(g, 1000) < change / 4)
			g->owners[i].owner_fd++;
		if (one_of(g, 1000) < move)
			swap(g, i, (uint32_t)one_of(g, g->count));
	}
}
