/* linger.c - see linger.h. */
#include "linger.h"

#include <string.h>

#define PROGRESS_EVERY 4096u

#define DECADE(ms) (ms), 3 * (ms)

static const int64_t begins_ms[LINGER_HIST_BUCKETS] = {
	0,
	DECADE(INT64_C(1)),
	DECADE(INT64_C(10)),
	DECADE(INT64_C(100)),
	DECADE(INT64_C(1000)),
	DECADE(INT64_C(10000)),
	DECADE(INT64_C(100000)),
	DECADE(INT64_C(1000000)),
	DECADE(INT64_C(10000000)),
	DECADE(INT64_C(100000000)),
	DECADE(INT64_C(1000000000)),
	DECADE(INT64_C(10000000000)),
	INT64_C(100000000000),
};

unsigned linger_bucket(int64_t ms)
{
	unsigned bucket = 0;
	while (bucket + 1 < LINGER_HIST_BUCKETS && ms >= begins_ms[bucket + 1])
		bucket++;
	return bucket;
}

int64_t linger_bucket_begin(unsigned bucket)
{
	return begins_ms[bucket];
}

void linger_fini(struct linger_result *l)
{
	dwell_sum_fini(&l->sum);
	dwell_top_fini(&l->top);
}

/* States that sockets are meant to stay in. */
static bool is_rest(const struct spell *s)
{
	return s->state == STATE_LISTEN || s->state == STATE_UNCONN ||
	       s->state == STATE_BOUND_INACTIVE;
}

static int take(const struct linger_options *o, const struct spell *s, struct linger_result *l,
		struct err *e)
{
	spell_look_at(&l->look, s);
	int rc = dwell_sum_add(&l->sum, &l->look, s->first <= l->begin, e);
	if (rc)
		return rc;
	l->spells++;
	if (is_rest(s) && !o->by_rest) {
		l->resting++;
		return 0;
	}
	l->hist[linger_bucket(s->at_least_ms)]++;
	return dwell_top_add(&l->top, s, e);
}

static int64_t seen_last(const struct history *h, const struct spell *s)
{
	size_t count;
	return history_snapshots(h, &count)[s->last].rec->wall_begin_ns;
}

static int read_pass(struct spell_pass *p, const struct linger_options *o, struct spell_ask *ask,
		     struct linger_result *l, struct err *e)
{
	const struct spell *s;
	unsigned n = 0;
	int rc;
	while ((rc = spell_pass_next(p, &s, e)) > 0) {
		if (o->progress && n++ % PROGRESS_EVERY == 0)
			o->progress(o->arg, spell_pass_at(p));
		if (s->at_least_ms < o->min_ms || seen_last(l->look.history, s) < o->from_ns)
			continue;
		rc = spell_ask_matches(ask, s, e);
		if (rc > 0)
			rc = take(o, s, l, e);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static void warn_of_gaps(const struct spell_pass *p, const struct vt_context *context)
{
	size_t count;
	const struct history_gap *gaps = spell_pass_gaps(p, &count);
	for (size_t i = 0; context->warn && i < count; i++)
		context->warn(context->arg, gaps[i].why.text);
}

static int read_host(struct history *h, size_t first, size_t last, const struct linger_options *o,
		     struct spell_ask *ask, const struct vt_context *context,
		     struct linger_result *l, struct err *e)
{
	const struct spell_options options = {.first = first,
					      .last = last,
					      .states = ask->scope.states,
					      .owners = true,
					      .cgroups = true,
					      .paths = true,
					      .evidence = l->evidence,
					      .wants = spell_ask_wants,
					      .wants_arg = ask};
	struct spell_pass *p;
	int rc = spell_pass_new(h, &options, &p, e);
	if (rc)
		return rc;
	rc = read_pass(p, o, ask, l, e);
	struct spell_basis basis;
	spell_pass_basis(p, &basis);
	l->unreadable += basis.unreadable;
	l->opened += basis.opened;
	warn_of_gaps(p, context);
	spell_pass_free(p);
	return rc;
}

int linger_run(struct history *h, const struct linger_options *o, struct spell_ask *ask,
	       const struct vt_context *context, struct linger_result *ret, struct err *e)
{
	size_t count, snapshots;
	const struct history_host *hosts = history_hosts(h, &count);
	const struct history_snapshot *all = history_snapshots(h, &snapshots);
	*ret = (struct linger_result){
		.sum = {.keys = o->keys}, .top = {.max = o->top}, .look = {.history = h}};
	ret->evidence = o->evidence == LINGER_ALWAYS ||
			(o->evidence == LINGER_AUTO && spell_evidence_is_cheap(h, 0, snapshots));
	int rc = 0;
	for (size_t i = 0; !rc && i < count; i++) {
		size_t first = history_after(h, (uint32_t)i, o->from_ns);
		size_t last = history_before(h, (uint32_t)i, o->to_ns);
		if (first == HISTORY_NONE || last == HISTORY_NONE || first > last)
			continue;
		ret->begin = first;
		rc = basis_add(&ret->basis, all, first, last, e);
		if (!rc)
			rc = read_host(h, hosts[i].first, last, o, ask, context, ret, e);
	}
	if (rc) {
		linger_fini(ret);
		return rc;
	}
	dwell_sum_sort(&ret->sum);
	dwell_top_sort(&ret->top);
	return 0;
}
