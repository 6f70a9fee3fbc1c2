/* proc_known.c - see proc_known.h. */
#include "proc_known.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* Rows of table process above this are not remembered: no day has so many processes. */
#define MAX_ROW (1u << 22)

void known_fini(struct proc_known *k)
{
	free(k->processes);
	free(k->by_row);
	free(k->bits);
	*k = (struct proc_known){0};
}

void known_clear(struct proc_known *k)
{
	k->on = k->ready = false;
	k->count = k->rows = 0;
}

int known_add(struct proc_known *k, uint32_t row, int64_t pid, uint64_t start_ticks, struct err *e)
{
	if (row >= MAX_ROW)
		return 0;
	if (ARRAY_NEED(k->processes, k->processes_cap, (size_t)k->count + 1) ||
	    ARRAY_NEED(k->by_row, k->by_row_cap, (size_t)row + 1))
		return err_set(e, ERR_NOMEM, "owners: out of memory");
	while (k->rows <= row)
		k->by_row[k->rows++] = 0;
	k->processes[k->count++] = (struct known_process){
		.pid = pid, .start_ticks = start_ticks, .row = row, .found = KNOWN_NOT_FOUND};
	k->by_row[row] = k->count;
	return 0;
}

struct known_process *known_by_row(const struct proc_known *k, uint32_t row)
{
	return row < k->rows && k->by_row[row] ? &k->processes[k->by_row[row] - 1] : NULL;
}

void known_hold(struct proc_known *k, uint32_t row, uint32_t fd, bool shared)
{
	struct known_process *p = known_by_row(k, row);
	if (!p || fd >= KNOWN_MAX_FD)
		return;
	if (!k->ready) {
		p->fds = p->fds <= fd ? fd + 1 : p->fds;
		return;
	}
	uint8_t *at = k->bits + p->bits_at + fd / 8;
	*at |= (uint8_t)(1u << fd % 8);
	if (shared)
		at[k->shared_at] |= (uint8_t)(1u << fd % 8);
}

/* The latest row of a process comes first. */
static int by_pid(const void *a, const void *b)
{
	const struct known_process *x = a, *y = b;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->row > y->row ? -1 : x->row < y->row;
}

int known_ready(struct proc_known *k, struct err *e)
{
	size_t bytes = 0;
	if (k->count) /* the array may be NULL else */
		qsort(k->processes, k->count, sizeof(*k->processes), by_pid);
	for (uint32_t i = 0; i < k->count; i++) {
		struct known_process *p = &k->processes[i];
		k->by_row[p->row] = i + 1;
		p->bits_at = bytes;
		bytes += (p->fds + 7u) / 8;
	}
	if (ARRAY_NEED(k->bits, k->bits_cap, 2 * bytes + 1))
		return err_set(e, ERR_NOMEM, "owners: out of memory");
	memset(k->bits, 0, 2 * bytes);
	k->shared_at = bytes;
	k->on = k->ready = true;
	return 0;
}

struct known_process *known_by_pid(const struct proc_known *k, int64_t pid)
{
	uint32_t lo = 0;
	uint32_t hi = k->on ? k->count : 0;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (k->processes[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return k->on && lo < k->count && k->processes[lo].pid == pid ? &k->processes[lo] : NULL;
}

bool known_has(const struct proc_known *k, const struct known_process *p, uint32_t fd)
{
	return fd < p->fds && k->bits[p->bits_at + fd / 8] & 1u << fd % 8;
}

bool known_shares(const struct proc_known *k, const struct known_process *p, uint32_t fd)
{
	return known_has(k, p, fd) && k->bits[k->shared_at + p->bits_at + fd / 8] & 1u << fd % 8;
}

void known_drop(struct proc_known *k, const struct known_process *p, uint32_t fd)
{
	if (fd < p->fds)
		k->bits[p->bits_at + fd / 8] &= (uint8_t) ~(1u << fd % 8);
}

void known_drop_all(struct proc_known *k, const struct known_process *p)
{
	memset(k->bits + p->bits_at, 0, (p->fds + 7u) / 8);
}

bool known_keep(struct proc_known *k, const struct known_process *p, const uint8_t *listed)
{
	uint8_t any = 0;
	for (size_t i = 0; i < (p->fds + 7u) / 8; i++)
		any |= k->bits[p->bits_at + i] &= listed[i];
	return any != 0;
}
