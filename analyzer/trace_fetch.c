/*
 * trace_fetch.c - see trace_fetch.h. Deltas chain from key frame to key frame, so that what lies
 * behind a key frame can be read by another thread.
 */
#include "trace_fetch.h"

#include "history_walk.h"
#include "thread.h"

/* Less than this is read sooner than a thread is made: bytes of the snapshots noted. */
#define WORTH_BYTES (1024u * 1024u)

/* One thread's notes. */
struct share {
	const struct trace_fetch *f;
	size_t from, to;
	bool apart;
	int rc;
	struct err e;
};

static void fetch(struct share *s)
{
	const struct trace_fetch *f = s->f;
	struct history_walk *walk;
	s->rc = history_walk_new(f->h, f->groups, false, 0, SIZE_MAX, &walk, &s->e);
	if (s->rc)
		return;
	if (s->apart)
		history_walk_apart(walk);
	for (size_t i = s->from; !s->rc && i < s->to; i++) {
		struct trace_note *note = &f->notes->all[i];
		const struct trace_connection *c = &f->t->connections[note->connection];
		if (!f->wants(note, c))
			continue;
		int rc = history_walk_to(walk, note->index, &s->e);
		if (!rc && note->position < history_walk_set(walk)->rows)
			f->look(note, c, history_walk_set(walk));
		s->rc = rc == ERR_NOMEM ? rc : 0; /* of damage, the values are not known */
	}
	history_walk_free(walk);
}

static void *run(void *arg)
{
	fetch(arg);
	return NULL;
}

static bool is_key_between(const struct history_snapshot *s, size_t after, size_t to)
{
	for (size_t i = after + 1; i <= to; i++)
		if (s[i].rec->key)
			return true;
	return false;
}

/* About half of the work: up to a note that another key frame leads to. `to`: not worth it. */
static size_t half(const struct trace_fetch *f, size_t from, size_t to)
{
	size_t count, snapshots = 0;
	uint64_t bytes = 0;
	const struct history_snapshot *s = history_snapshots(f->h, &count);
	const struct trace_note *all = f->notes->all;
	if (!history_walk_can_part(f->h))
		return to;
	for (size_t i = from; i < to; i++)
		bytes += i > from && all[i].index == all[i - 1].index ? 0
								      : s[all[i].index].rec->bytes;
	if (bytes < WORTH_BYTES)
		return to;
	snapshots = all[to - 1].index - all[from].index;
	for (size_t i = from + 1; i < to; i++)
		if (2 * (all[i].index - all[from].index) >= snapshots &&
		    is_key_between(s, all[i - 1].index, all[i].index))
			return i;
	return to;
}

int trace_fetch(const struct trace_fetch *f, size_t from, struct err *e)
{
	const size_t to = f->notes->count;
	size_t middle = from < to ? half(f, from, to) : to;
	struct share own = {.f = f, .from = from, .to = middle};
	struct share other = {.f = f, .from = middle, .to = to, .apart = true};
	pthread_t thread;
	bool threaded = middle < to && thread_begin(&thread, run, &other);
	if (!threaded)
		own.to = to;
	fetch(&own);
	if (threaded)
		pthread_join(thread, NULL);
	const struct share *failed = own.rc ? &own : &other;
	if (failed->rc && e)
		*e = failed->e;
	return failed->rc;
}
