/* stat_basis.c - see stat_basis.h. */
#include "stat_basis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return (a > b) - (a < b);
}

/* The distance of two neighbours: by boot time, or across a reboot by the wall clock. */
static int64_t distance(const struct history_snapshot *a, const struct history_snapshot *b)
{
	int64_t d;
	bool failed = a->boot == b->boot ? __builtin_sub_overflow(b->rec->boot_begin_ns,
								  a->rec->boot_begin_ns, &d)
					 : __builtin_sub_overflow(b->rec->wall_begin_ns,
								  a->rec->wall_begin_ns, &d);
	return failed || d < 0 ? 0 : d;
}

static void note_times(struct basis *b, const struct rec_snapshot *s)
{
	if (!b->snapshots || s->wall_begin_ns < b->first_ns)
		b->first_ns = s->wall_begin_ns;
	if (!b->snapshots || s->wall_begin_ns > b->last_ns)
		b->last_ns = s->wall_begin_ns;
	b->snapshots++;
	b->incomplete += (s->flags & BASIS_INCOMPLETE) != 0;
	b->flags |= s->flags;
}

static void note_distances(struct basis *b, int64_t *distances, size_t count)
{
	qsort(distances, count, sizeof(*distances), compare);
	int64_t cadence = distances[count / 2];
	if (cadence > b->cadence_ns)
		b->cadence_ns = cadence;
	if (distances[count - 1] > b->widest_ns)
		b->widest_ns = distances[count - 1];
	for (size_t i = count; i-- > 0 && distances[i] / 3 > cadence / 2;)
		b->gaps++;
}

int basis_add(struct basis *b, const struct history_snapshot *all, size_t first, size_t last,
	      struct err *e)
{
	int64_t *distances = malloc((last - first + 1) * sizeof(*distances));
	if (!distances)
		return err_set(e, ERR_NOMEM, "statistics: out of memory");
	for (size_t i = first; i <= last; i++) {
		note_times(b, all[i].rec);
		if (i == first)
			continue;
		distances[i - first - 1] = distance(&all[i - 1], &all[i]);
		b->reboots += all[i].boot != all[i - 1].boot;
	}
	if (last > first)
		note_distances(b, distances, last - first);
	free(distances);
	return 0;
}

bool basis_same_scope(const struct rec_snapshot *a, const struct rec_snapshot *b)
{
	bool same_tables = !a->tables || !b->tables || a->tables == b->tables;
	bool same_filter = !(a->flags & b->flags & SNAP_FILTERED) || a->scope == b->scope;
	return same_tables && same_filter && !((a->flags ^ b->flags) & BASIS_SCOPE);
}

void basis_flags_text(uint32_t flags, char ret_text[256])
{
	size_t at = 0;
	ret_text[0] = 0;
	for (unsigned bit = 0; bit < 32; bit++) {
		const char *name = rec_flag_name(UINT32_C(1) << bit);
		if (!(flags >> bit & 1) || !name)
			continue;
		int n = snprintf(ret_text + at, 256 - at, "%s%s", at ? " " : "", name);
		if (n > 0 && (size_t)n < 256 - at)
			at += (size_t)n;
	}
}
