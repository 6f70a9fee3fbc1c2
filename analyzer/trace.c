/* trace.c - see trace.h: chooses connections by their spells, and makes events of those. */
#include "trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stat_dwell.h"

/* Of the longest matching spells so many are kept for each connection that is wanted. */
#define SPELLS_PER_CONNECTION 8u

const char *trace_kind_name(enum trace_kind kind)
{
	static const char *const names[] = {"state", "made",   "owner", "values",
					    "name",  "before", "gone",	"still"};
	return (unsigned)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}

void trace_fini(struct trace *t)
{
	free(t->connections);
	free(t->events);
	strpool_fini(&t->strings);
	*t = (struct trace){0};
}

int trace_put(struct trace *t, const struct trace_event *event, const char *text, struct err *e)
{
	struct trace_event *all = array_grow(t->events, &t->events_cap, t->events_count + 1,
					     sizeof(*all));
	if (!all)
		return err_set(e, ERR_NOMEM, "trace: out of memory");
	t->events = all;
	struct trace_event *put = &all[t->events_count];
	*put = *event;
	put->order = (uint32_t)t->events_count;
	put->text = strpool_put(&t->strings, text, strlen(text));
	if (!put->text)
		return err_set(e, ERR_NOMEM, "trace: out of memory");
	t->events_count++;
	return 0;
}

static struct row_member identity(const struct spell *s)
{
	struct row_member id = s->id;
	id.netns = 0;
	return id;
}

/* The number of the connection that a spell is of, or -1. */
static int find(const struct trace *t, const struct spell *s)
{
	struct row_member id = identity(s);
	for (size_t i = 0; i < t->count; i++) {
		const struct trace_connection *c = &t->connections[i];
		if (c->id.cookie == id.cookie && c->netns == s->netns && c->boot == s->boot &&
		    memcmp(&c->id, &id, sizeof(id)) == 0)
			return (int)i;
	}
	return -1;
}

static int add(struct trace *t, const struct spell *s, struct err *e)
{
	struct trace_connection *all = array_grow(t->connections, &t->connections_cap, t->count + 1,
						  sizeof(*all));
	if (!all)
		return err_set(e, ERR_NOMEM, "trace: out of memory");
	t->connections = all;
	all[t->count++] = (struct trace_connection){
		.id = identity(s),
		.netns = s->netns,
		.boot = s->boot,
		.host = s->host,
		.first = s->first,
		.last = s->last,
		.slot = UINT32_MAX,
		.role = -1,
	};
	return 0;
}

static void warn_of_gaps(const struct spell_pass *p, const struct vt_context *context)
{
	size_t count;
	const struct history_gap *gaps = spell_pass_gaps(p, &count);
	for (size_t i = 0; context->warn && i < count; i++)
		context->warn(context->arg, gaps[i].why.text);
}

/* Whose spells a pass is to give, and who takes them. */
struct taker {
	int (*take)(void *arg, const struct spell *s, struct err *e);
	void *arg;
	bool (*wants)(const void *arg, const struct row_member *id);
	const void *wants_arg;
};

/* Every spell of the history up to a time is taken; tells `context` (or NULL) of gaps. */
static int each_spell(struct history *h, const struct vt_context *context, int64_t to_ns,
		      const struct taker *taker, struct err *e)
{
	size_t hosts, snapshots;
	const struct history_host *all = history_hosts(h, &hosts);
	history_snapshots(h, &snapshots);
	int rc = 0;
	for (size_t i = 0; !rc && i < hosts; i++) {
		size_t last = history_before(h, (uint32_t)i, to_ns);
		const struct spell_options options = {
			.first = all[i].first,
			.last = last,
			.owners = true,
			.cgroups = true,
			.paths = true,
			.evidence = spell_evidence_is_cheap(h, 0, snapshots),
			.wants = taker->wants,
			.wants_arg = taker->wants_arg};
		struct spell_pass *p;
		const struct spell *s;
		if (last == HISTORY_NONE)
			continue;
		rc = spell_pass_new(h, &options, &p, e);
		if (rc)
			break;
		while ((rc = spell_pass_next(p, &s, e)) > 0)
			if ((rc = taker->take(taker->arg, s, e)) != 0)
				break;
		if (context)
			warn_of_gaps(p, context);
		spell_pass_free(p);
	}
	return rc;
}

/*
 * The spells of the connections that may match, as they came: those of the chosen ones are among
 * them, so that mostly one pass is enough. If there are too many, none are kept.
 */
#define KEPT_MAX 16384u
struct kept {
	struct spell *all;
	size_t cap, count;
	bool too_many;
};

static void kept_fini(struct kept *k)
{
	free(k->all);
	*k = (struct kept){0};
}

static int keep(struct kept *k, const struct spell *s, struct err *e)
{
	k->too_many |= k->count == KEPT_MAX;
	if (k->too_many)
		return 0;
	struct spell *all = array_grow(k->all, &k->cap, k->count + 1, sizeof(*all));
	if (!all)
		return err_set(e, ERR_NOMEM, "trace: out of memory");
	k->all = all;
	all[k->count++] = *s;
	return 0;
}

struct choice {
	struct history *h;
	const struct trace_options *options;
	struct spell_ask *ask;
	struct kept *kept;
	struct dwell_top top;
	uint64_t matching;
};

static int choose(void *arg, const struct spell *s, struct err *e)
{
	struct choice *c = arg;
	size_t count;
	int kept = keep(c->kept, s, e);
	if (kept)
		return kept;
	if (history_snapshots(c->h, &count)[s->last].rec->wall_begin_ns < c->options->from_ns)
		return 0;
	int rc = spell_ask_matches(c->ask, s, e);
	if (rc <= 0)
		return rc;
	c->matching++;
	return dwell_top_add(&c->top, s, e);
}

static int choose_connections(struct history *h, const struct trace_options *options,
			      struct spell_ask *ask, struct kept *kept, struct trace *t,
			      struct err *e)
{
	struct choice c = {.h = h,
			   .options = options,
			   .ask = ask,
			   .kept = kept,
			   .top = {.max = options->top * SPELLS_PER_CONNECTION}};
	const struct taker taker = {
		.take = choose, .arg = &c, .wants = spell_ask_wants, .wants_arg = ask};
	int rc = each_spell(h, options->context, options->to_ns, &taker, e);
	dwell_top_sort(&c.top);
	for (size_t i = 0; !rc && i < c.top.count && t->count < options->top; i++)
		if (find(t, &c.top.heap[i]) < 0)
			rc = add(t, &c.top.heap[i], e);
	t->matching = c.matching;
	dwell_top_fini(&c.top);
	return rc;
}

static int put_end(struct trace *t, unsigned number, const struct spell *s,
		   const struct history_snapshot *all, struct err *e)
{
	const char *state = sock_state_name(s->state) ? sock_state_name(s->state) : "";
	char source[64];
	struct buf text CLEANUP(buf_fini) = {0};
	if (s->open) {
		int64_t seen_ns = all[s->last].rec->wall_begin_ns;
		const struct trace_event still = {.connection = number,
						  .kind = TRACE_STILL,
						  .lo_ns = seen_ns,
						  .hi_ns = all[s->last].rec->wall_end_ns,
						  .snapshot = s->last};
		return trace_put(t, &still, state, e);
	}
	const struct trace_event gone = {.connection = number,
					 .kind = TRACE_GONE,
					 .lo_ns = s->left.lo_ns,
					 .hi_ns = s->left.hi_ns,
					 .snapshot = s->last};
	spell_source_text(&s->left, source);
	buf_printf(&text, "last seen in %s (%s)%s", state, source,
		   s->killed ? ", before its timer could run out: reset, or its ports used again"
			     : "");
	return trace_put(t, &gone, buf_str(&text), e);
}

/* For put_all_before(): is that the last time that somebody on the host got an answer from the
 * port? */
static void note_before(struct trace *t, const struct spell *s, int own)
{
	int64_t left_ns = s->open ? INT64_MAX : s->left.hi_ns;
	if (s->state != STATE_ESTAB || s->id.proto != PROTO_TCP)
		return;
	for (size_t i = 0; i < t->count; i++) {
		struct trace_connection *c = &t->connections[i];
		if (c->id.peer_port != s->id.peer_port || c->host != s->host || (int)i == own ||
		    c->netns != s->netns)
			continue;
		if (c->has_before && (c->before.open || c->before.left.hi_ns >= left_ns))
			continue;
		c->before = *s;
		c->has_before = true;
	}
}

static void put_endpoint(struct buf *b, const struct row_member *id)
{
	char address[46];
	sock_addr_format(&id->peer, id->family, address);
	buf_printf(b, id->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, id->peer_port);
}

static int put_before(struct history *h, struct trace *t, unsigned number, struct err *e)
{
	const struct trace_connection *c = &t->connections[number];
	const struct spell *s = &c->before;
	const struct history_process *p = NULL;
	struct buf text CLEANUP(buf_fini) = {0};
	size_t count;
	int64_t seen_ns = history_snapshots(h, &count)[s->last].rec->wall_begin_ns;
	int rc = s->owner.process ? history_process(h, s->owner.file, s->owner.process, &p, e) : 0;
	if (rc)
		return rc;
	buf_printf(&text, "port %u: the last ESTAB is to ", c->id.peer_port);
	put_endpoint(&text, &s->id);
	if (p)
		buf_printf(&text, " by %s,pid=%" PRId64, p->comm, p->pid);
	else if (s->cgroup)
		buf_printf(&text, " of %s", s->cgroup->path);
	buf_put_str(&text, s->open ? ", and still there" : ", left");
	const struct trace_event event = {.connection = number,
					  .kind = TRACE_BEFORE,
					  .lo_ns = s->open ? seen_ns : s->left.lo_ns,
					  .hi_ns = s->open ? seen_ns : s->left.hi_ns,
					  .snapshot = s->last};
	return trace_put(t, &event, buf_str(&text), e);
}

/* Of those that were never answered: what was before. */
static int put_all_before(struct history *h, struct trace *t, struct err *e)
{
	int rc = 0;
	for (unsigned i = 0; !rc && i < t->count; i++)
		if (t->connections[i].tried && t->connections[i].has_before)
			rc = put_before(h, t, i, e);
	return rc;
}

/* A connection that this host did not open was there before accept() made its file. */
static int put_made(struct trace *t, unsigned number, const struct spell *s, struct err *e)
{
	struct trace_connection *c = &t->connections[number];
	if (c->has_made || s->made_lo_ns == SPELL_UNKNOWN || s->made_hi_ns == SPELL_UNKNOWN)
		return 0;
	c->has_made = true;
	const struct trace_event event = {.connection = number,
					  .kind = TRACE_MADE,
					  .lo_ns = s->made_lo_ns,
					  .hi_ns = s->made_hi_ns,
					  .snapshot = s->first};
	return trace_put(t, &event, "its file: socket() was called, or accept() (inode)", e);
}

struct gathering {
	struct trace *t;
	const struct history_snapshot *all;
};

static int note_path(struct trace *t, struct trace_connection *c, const struct spell *s,
		     struct err *e)
{
	struct spell_look look = {.spell = s};
	const char *path = spell_path(&look);
	if (!path)
		return 0;
	c->path = strpool_put(&t->strings, path, strlen(path));
	return c->path ? 0 : err_set(e, ERR_NOMEM, "trace: out of memory");
}

static int gather(void *arg, const struct spell *s, struct err *e)
{
	struct gathering *g = arg;
	int number = find(g->t, s);
	if (number < 0)
		return 0;
	struct trace_connection *c = &g->t->connections[number];
	if (s->first < c->first)
		c->first = s->first;
	if (s->last > c->last)
		c->last = s->last;
	if (s->owner.process || (s->owner.source != OWNER_NONE && !c->owner.process))
		c->owner = s->owner;
	if (s->cgroup)
		c->cgroup = s->cgroup;
	c->tried |= s->state == STATE_SYN_SENT;
	char source[64];
	struct buf text CLEANUP(buf_fini) = {0};
	const struct trace_event event = {.connection = (unsigned)number,
					  .kind = TRACE_STATE,
					  .lo_ns = s->entered.lo_ns,
					  .hi_ns = s->entered.hi_ns,
					  .snapshot = s->first};
	spell_source_text(&s->entered, source);
	const char *state = sock_state_name(s->state);
	buf_printf(&text, "%s (%s)%s%s", state ? state : "?", source,
		   s->early ? ", there before the first snapshot" : "",
		   s->rearmed ? ", begun anew (a late segment came)" : "");
	if (s->missed)
		buf_printf(&text, ", missing from %u dumps", s->missed);
	int rc = note_path(g->t, c, s, e);
	if (!rc)
		rc = trace_put(g->t, &event, buf_str(&text), e);
	if (!rc)
		rc = put_made(g->t, (unsigned)number, s, e);
	if (!rc && !s->after)
		rc = put_end(g->t, (unsigned)number, s, g->all, e);
	return rc;
}

static int gather_before(void *arg, const struct spell *s, struct err *e)
{
	struct gathering *g = arg;
	(void)e;
	note_before(g->t, s, find(g->t, s));
	return 0;
}

static int gather_all(void *arg, const struct spell *s, struct err *e)
{
	int rc = gather_before(arg, s, e);
	return rc ? rc : gather(arg, s, e);
}

static int compare_events(const void *x, const void *y)
{
	const struct trace_event *a = x, *b = y;
	if (a->connection != b->connection)
		return a->connection < b->connection ? -1 : 1;
	/* What a snapshot shows of a state comes behind the state. */
	if (a->hi_ns != b->hi_ns)
		return a->hi_ns < b->hi_ns ? -1 : 1;
	if ((a->kind >= TRACE_GONE) != (b->kind >= TRACE_GONE))
		return a->kind < b->kind ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* One of the traced, or one that note_before() may want. */
static bool gather_wants(const void *arg, const struct row_member *id)
{
	const struct trace *t = arg;
	for (size_t i = 0; i < t->count; i++)
		if (t->connections[i].id.peer_port == id->peer_port)
			return true;
	return false;
}

static bool any_tried(const struct trace *t)
{
	bool any = false;
	for (size_t i = 0; i < t->count; i++)
		any |= t->connections[i].tried;
	return any;
}

/* The spells of the chosen connections become events; of those never answered, what was before. */
static int gather_spells(struct history *h, const struct trace_options *options,
			 const struct kept *kept, struct trace *t, struct err *e)
{
	size_t count;
	int rc = 0;
	struct gathering g = {.t = t, .all = history_snapshots(h, &count)};
	const struct taker taker = {.take = kept->too_many ? gather_all : gather_before,
				    .arg = &g,
				    .wants = gather_wants,
				    .wants_arg = t};
	for (size_t i = 0; !rc && !kept->too_many && i < kept->count; i++)
		rc = gather(&g, &kept->all[i], e);
	if (!rc && (kept->too_many || any_tried(t)))
		rc = each_spell(h, NULL, options->to_ns, &taker, e);
	return rc ? rc : put_all_before(h, t, e);
}

int trace_run(struct history *h, const struct trace_options *options, struct spell_ask *ask,
	      struct trace *ret, struct err *e)
{
	struct kept kept CLEANUP(kept_fini) = {0};
	int rc = choose_connections(h, options, ask, &kept, ret, e);
	if (!rc && ret->count)
		rc = gather_spells(h, options, &kept, ret, e);
	if (!rc && ret->count && options->db)
		rc = trace_names(options->db, h, ret, e);
	if (!rc && ret->count)
		rc = trace_walk(h, ret, e);
	if (rc)
		return rc;
	if (ret->events_count)
		qsort(ret->events, ret->events_count, sizeof(*ret->events), compare_events);
	return 0;
}
