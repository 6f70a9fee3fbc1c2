/*
 * history_order.c - puts the snapshots of a history into one order: hosts by name, boots by their
 * time, snapshots of a boot by CLOCK_BOOTTIME; what is in two files is dropped once.
 */
#include "history_priv.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "history: out of memory");
}

/* Order of two texts, NULL before all. */
static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

struct ranked {
	uint32_t number;
	const struct history_host *host;
	int64_t wall_ns;
};

static int compare_hosts(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	int c = compare_text(a->host->name, b->host->name);
	if (!c)
		c = compare_text(a->host->machine_id, b->host->machine_id);
	return c ? c : (a->number > b->number) - (a->number < b->number);
}

static int compare_walls(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	if (a->wall_ns != b->wall_ns)
		return a->wall_ns < b->wall_ns ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

/*
 * Orders boots by the earliest time at which the wall clock says that they began: the clock may
 * have been set while a boot lasted.
 */
static void rank_boots(const struct history *h, struct ranked *list, uint32_t *ret_rank)
{
	for (size_t i = 0; i < h->boots_count; i++)
		list[i] = (struct ranked){.number = (uint32_t)i, .wall_ns = INT64_MAX};
	for (size_t i = 0; i < h->snapshots_count; i++) {
		const struct history_snapshot *s = &h->snapshots[i];
		/* Both are known not to be negative: rec_open() checks. */
		int64_t start = s->rec->wall_begin_ns - s->rec->boot_begin_ns;
		if (start < list[s->boot].wall_ns)
			list[s->boot].wall_ns = start;
	}
	qsort(list, h->boots_count, sizeof(*list), compare_walls);
	for (size_t i = 0; i < h->boots_count; i++)
		ret_rank[list[i].number] = (uint32_t)i;
}

/* Orders hosts by name and renumbers them in boots and snapshots. */
static int order_hosts(struct history *h, struct ranked *list, uint32_t *rank, struct err *e)
{
	struct history_host *sorted = calloc(h->hosts_count + 1, sizeof(*sorted));
	if (!sorted)
		return no_memory(e);
	for (size_t i = 0; i < h->hosts_count; i++)
		list[i] = (struct ranked){.number = (uint32_t)i, .host = &h->hosts[i]};
	qsort(list, h->hosts_count, sizeof(*list), compare_hosts);
	for (size_t i = 0; i < h->hosts_count; i++) {
		rank[list[i].number] = (uint32_t)i;
		sorted[i] = *list[i].host;
	}
	free(h->hosts);
	h->hosts = sorted;
	for (size_t i = 0; i < h->boots_count; i++)
		h->boots[i].host = rank[h->boots[i].host];
	for (size_t i = 0; i < h->snapshots_count; i++)
		h->snapshots[i].host = h->boots[h->snapshots[i].boot].host;
	return 0;
}

struct sort_key {
	struct history_snapshot snapshot;
	uint32_t boot_rank;
};

static int compare_keys(const void *x, const void *y)
{
	const struct sort_key *a = x, *b = y;
	const struct history_snapshot *s = &a->snapshot, *t = &b->snapshot;
	if (s->host != t->host)
		return s->host < t->host ? -1 : 1;
	if (a->boot_rank != b->boot_rank)
		return a->boot_rank < b->boot_rank ? -1 : 1;
	if (s->rec->boot_begin_ns != t->rec->boot_begin_ns)
		return s->rec->boot_begin_ns < t->rec->boot_begin_ns ? -1 : 1;
	if (s->file != t->file)
		return s->file < t->file ? -1 : 1;
	return (s->index > t->index) - (s->index < t->index);
}

/* The same moment of the same boot in another file. */
static bool is_copy(const struct history_snapshot *a, const struct history_snapshot *b)
{
	return a->file != b->file && a->boot == b->boot &&
	       a->rec->boot_begin_ns == b->rec->boot_begin_ns;
}

static void find_ranges(struct history *h)
{
	for (size_t i = 0; i < h->snapshots_count; i++) {
		struct history_host *host = &h->hosts[h->snapshots[i].host];
		if (!host->count)
			host->first = i;
		host->count++;
	}
}

/* Sorted keys to snapshots, each moment once; returns how many. */
static size_t drop_copies(const struct sort_key *keys, size_t count, struct history_snapshot *to)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!kept || !is_copy(&keys[i].snapshot, &to[kept - 1]))
			to[kept++] = keys[i].snapshot;
	return kept;
}

static int order_snapshots(struct history *h, const uint32_t *boot_rank, struct err *e)
{
	struct sort_key *keys = malloc((h->snapshots_count + 1) * sizeof(*keys));
	if (!keys)
		return no_memory(e);
	/* Member by member: gcc 12 fails at -O3 on a whole struct here (internal error). */
	for (size_t i = 0; i < h->snapshots_count; i++) {
		keys[i].snapshot = h->snapshots[i];
		keys[i].boot_rank = boot_rank[h->snapshots[i].boot];
	}
	qsort(keys, h->snapshots_count, sizeof(*keys), compare_keys);
	h->snapshots_count = drop_copies(keys, h->snapshots_count, h->snapshots);
	free(keys);
	find_ranges(h);
	return 0;
}

int history_order(struct history *h, struct err *e)
{
	size_t most = h->boots_count > h->hosts_count ? h->boots_count : h->hosts_count;
	struct ranked *list = calloc(most + 1, sizeof(*list));
	uint32_t *rank = calloc(most + 1, sizeof(*rank));
	int rc = list && rank ? order_hosts(h, list, rank, e) : no_memory(e);
	if (!rc) {
		rank_boots(h, list, rank);
		rc = order_snapshots(h, rank, e);
	}
	free(rank);
	free(list);
	return rc;
}
