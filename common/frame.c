/*
 * frame.c - applies the parts of a frame to a sockset. FORMAT.md sections 4 and 5.
 *
 * Everything read here may have been made to hurt: counts are checked against what the bytes can
 * hold before anything is allocated, positions against the set before anything is written.
 */
#include "frame.h"

#include <stdlib.h>
#include <zlib.h>

#include "frame_aside.h"
#include "frame_internal.h"

/*
 * The group that a second thread may read, and how many bytes of it, with half as many of others,
 * are worth that: some ms of work, beside some 20 us to hand it over.
 */
#define SHARED_GROUP GRP_ID_info
#define SHARED_BYTES 16384u

uint32_t frame_crc(uint64_t snapshot, unsigned part, const struct frame_part *p)
{
	uint8_t head[14];
	for (unsigned i = 0; i < 8; i++)
		head[i] = (uint8_t)(snapshot >> (8 * i));
	head[8] = (uint8_t)part;
	head[9] = p->codec;
	for (unsigned i = 0; i < 4; i++)
		head[10 + i] = (uint8_t)(p->raw_bytes >> (8 * i));
	uLong crc = crc32_z(crc32_z(0, NULL, 0), head, sizeof(head));
	return (uint32_t)crc32_z(crc, p->bytes, p->len);
}

void frame_scratch_fini(struct frame_scratch *scratch)
{
	frame_aside_free(scratch->aside);
	buf_fini(&scratch->raw);
	free(scratch->order);
	free(scratch->mark);
	free(scratch->moved);
	free(scratch->slots);
	free(scratch->change);
	free(scratch->class);
	free(scratch->residuals);
	free(scratch->rows);
	free(scratch->reader);
	*scratch = (struct frame_scratch){0};
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a snapshot");
}

static int corrupt(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s", what);
}

/* Damage of which the reason is that a model found no memory is none. */
static int reason(int rc, const struct frame_scratch *x, struct err *e)
{
	return rc == ERR_CORRUPT && x->reader && x->reader->no_memory ? no_memory(e) : rc;
}

/* The sockets that died in the frame before are forgotten only now: callers look at them. */
static int bury(struct sockset *set, struct err *e)
{
	if (ARRAY_NEED(set->free_slots, set->free_cap, (size_t)set->free_count + set->died_count))
		return no_memory(e);
	for (uint32_t i = 0; i < set->died_count; i++)
		set->free_slots[set->free_count++] = set->died[i];
	set->died_count = 0;
	set->born_count = 0;
	for (unsigned g = 0; g < GRP_COUNT; g++)
		set->touched_count[g] = 0;
	return 0;
}

/* ------------------------------------------------------------------ the edit script (5.1) */

struct script {
	struct sockset *set;
	struct frame_scratch *scratch;
	struct err *e;
	uint32_t old_at;   /* next old position */
	uint32_t new_at;   /* next new position */
	uint32_t births;   /* born positions so far, moved ones included */
	uint32_t moved_at; /* next entry of the list of moved sockets */
	uint32_t moved_count;
};

/* `moved` holds pairs (index among the births, old position); old positions are marked. */
static int read_moved(struct script *sc, struct nums_reader *s)
{
	struct frame_scratch *x = sc->scratch;
	uint64_t n = nums_get_max(s, sc->set->rows);
	if (nums_bad(s) || n > s->left / 2)
		return corrupt(sc->e, "more moved sockets than bytes");
	if (ARRAY_NEED(x->moved, x->moved_cap, 2 * n + 1) ||
	    ARRAY_NEED(x->mark, x->mark_cap, sc->set->rows + 1u))
		return no_memory(sc->e);
	memset(x->mark, 0, sc->set->rows);
	uint64_t index = 0;
	for (uint64_t i = 0; i < n; i++) {
		index += nums_get_max(s, SOCKSET_MAX_ROWS) + (i ? 1 : 0);
		uint64_t old = nums_get_max(s, sc->set->rows - 1u);
		if (nums_bad(s) || index >= SOCKSET_MAX_ROWS || x->mark[old])
			return corrupt(sc->e, "a moved socket is out of range");
		x->mark[old] = 1;
		x->moved[2 * i] = (uint32_t)index;
		x->moved[2 * i + 1] = (uint32_t)old;
	}
	sc->moved_count = (uint32_t)n;
	return 0;
}

static int keep_rows(struct script *sc, uint32_t n)
{
	const struct sockset *set = sc->set;
	if (n > set->rows - sc->old_at || n > SOCKSET_MAX_ROWS - sc->new_at)
		return corrupt(sc->e, "keeps more sockets than there were");
	if (ARRAY_NEED(sc->scratch->order, sc->scratch->order_cap, (size_t)sc->new_at + n + 1))
		return no_memory(sc->e);
	if (sc->moved_count && memchr(sc->scratch->mark + sc->old_at, 1, n))
		return corrupt(sc->e, "a socket is both kept and moved");
	if (n)
		memcpy(sc->scratch->order + sc->new_at, set->order + sc->old_at,
		       n * sizeof(*set->order));
	sc->old_at += n;
	sc->new_at += n;
	return 0;
}

static int drop_rows(struct script *sc, uint32_t n)
{
	struct sockset *set = sc->set;
	if (n > set->rows - sc->old_at)
		return corrupt(sc->e, "drops more sockets than there were");
	if (ARRAY_NEED(set->died, set->died_cap, (size_t)set->died_count + n + 1))
		return no_memory(sc->e);
	for (uint32_t i = 0; i < n; i++, sc->old_at++)
		if (!sc->moved_count || !sc->scratch->mark[sc->old_at])
			set->died[set->died_count++] = set->order[sc->old_at];
	return 0;
}

static int bear_rows(struct script *sc, uint32_t n)
{
	struct sockset *set = sc->set;
	struct frame_scratch *x = sc->scratch;
	if (n > SOCKSET_MAX_ROWS - sc->new_at)
		return err_set(sc->e, ERR_LIMIT, "more than %u sockets", SOCKSET_MAX_ROWS);
	if (x->frame_bytes &&
	    (uint64_t)set->born_count + n >
		    FRAME_FREE_BORN + sc->moved_count + x->frame_bytes * FRAME_BORN_PER_BYTE)
		return corrupt(sc->e, "more new sockets than its bytes can tell of");
	if (ARRAY_NEED(x->order, x->order_cap, (size_t)sc->new_at + n + 1) ||
	    ARRAY_NEED(set->born, set->born_cap, (size_t)set->born_count + n + 1))
		return no_memory(sc->e);
	for (uint32_t i = 0; i < n; i++, sc->births++, sc->new_at++) {
		if (sc->moved_at < sc->moved_count && x->moved[2 * sc->moved_at] == sc->births) {
			x->order[sc->new_at] = set->order[x->moved[2 * sc->moved_at + 1]];
			sc->moved_at++;
			continue;
		}
		int rc = sockset_take_slot(set, &x->order[sc->new_at], sc->e);
		if (rc)
			return rc;
		set->born[set->born_count++] = sc->new_at;
	}
	return 0;
}

static int read_delta_script(struct script *sc, struct nums_reader *s)
{
	int rc = read_moved(sc, s);
	if (rc)
		return rc;
	uint64_t ops = nums_get(s, 0);
	if (nums_bad(s) || ops > s->left / 3)
		return corrupt(sc->e, "more edits than bytes");
	for (uint64_t i = 0; i < ops && !rc; i++) {
		uint32_t keep = (uint32_t)nums_get_max(s, SOCKSET_MAX_ROWS);
		uint32_t drop = (uint32_t)nums_get_max(s, SOCKSET_MAX_ROWS);
		uint32_t born = (uint32_t)nums_get_max(s, SOCKSET_MAX_ROWS);
		if (nums_bad(s) || born > s->left + sc->moved_count)
			return corrupt(sc->e, "more new sockets than bytes");
		rc = keep_rows(sc, keep);
		if (!rc)
			rc = drop_rows(sc, drop);
		if (!rc)
			rc = bear_rows(sc, born);
	}
	if (!rc && (sc->old_at != sc->set->rows || sc->moved_at != sc->moved_count))
		rc = corrupt(sc->e, "the edits do not account for every socket");
	return rc;
}

static int read_key_script(struct script *sc, struct nums_reader *s)
{
	uint64_t born = nums_get_max(s, SOCKSET_MAX_ROWS);
	if (nums_bad(s) || born > s->left)
		return corrupt(sc->e, "more sockets than bytes");
	int rc = drop_rows(sc, sc->set->rows);
	return rc ? rc : bear_rows(sc, (uint32_t)born);
}

static int read_script(struct sockset *set, struct frame_scratch *x, struct nums_reader *s,
		       struct err *e)
{
	struct script sc = {.set = set, .scratch = x, .e = e};
	uint8_t kind = (uint8_t)nums_get_max(s, FRAME_KEY);
	if (nums_bad(s))
		return corrupt(e, "frame is neither key nor delta");
	set->is_key = kind == FRAME_KEY;
	if (kind == FRAME_KEY)
		range_models_reset(set->models);
	nums_get_stream(s, RANGE_STREAM_HEAD + GRP_ID_member);
	int rc = kind == FRAME_KEY ? read_key_script(&sc, s) : read_delta_script(&sc, s);
	if (rc)
		return rc;
	uint32_t *order = set->order;
	size_t cap = set->order_cap;
	set->order = x->order;
	set->order_cap = x->order_cap;
	x->order = order;
	x->order_cap = cap;
	set->rows = sc.new_at;
	return 0;
}

/* --------------------------------------------------------------------------------- parts */

static int slots_of_born(struct sockset *set, struct frame_scratch *x, struct err *e)
{
	if (ARRAY_NEED(x->slots, x->slots_cap, (size_t)set->born_count + 1))
		return no_memory(e);
	for (uint32_t i = 0; i < set->born_count; i++)
		x->slots[i] = set->order[set->born[i]];
	return 0;
}

int frame_open_part(const struct frame_part *p, struct range_models *models,
		    struct frame_scratch *x, struct err *e)
{
	if (!x->reader)
		x->reader = calloc(1, sizeof(*x->reader));
	return x->reader ? nums_open(x->reader, p, models, &x->raw, e) : no_memory(e);
}

/* A part whose numbers the parts of the frames before have taught to pack. */
static int open_part(struct sockset *set, const struct frame_part *p, struct frame_scratch *x,
		     struct err *e)
{
	struct range_models *models = sockset_need_models(set);
	return models ? frame_open_part(p, models, x, e) : no_memory(e);
}

static int apply_member(struct sockset *set, const struct frame_part *p, struct frame_scratch *x,
			struct err *e)
{
	if (!p->there)
		return corrupt(e, "frame without its member part");
	int rc = open_part(set, p, x, e);
	if (!rc)
		rc = read_script(set, x, x->reader, e);
	if (!rc)
		rc = slots_of_born(set, x, e);
	if (rc)
		return rc;
	struct frame_columns w = {.set = set,
				  .scratch = x,
				  .reader = x->reader,
				  .group = GRP_ID_member,
				  .born = x->slots,
				  .born_count = set->born_count};
	return frame_read_columns(&w, e);
}

/* The ascending positions of survivors that changed, and their slots behind those of the born. */
static int read_touched(struct sockset *set, unsigned group, struct frame_scratch *x, struct err *e)
{
	struct nums_reader *r = x->reader;
	nums_get_stream(r, RANGE_STREAM_HEAD + group);
	uint64_t n = nums_get_max(r, set->rows);
	if (nums_bad(r) || n > r->left)
		return corrupt(e, "more changed sockets than bytes");
	if (ARRAY_NEED(set->touched[group], set->touched_cap[group], n + 1) ||
	    ARRAY_NEED(x->slots, x->slots_cap, (size_t)set->born_count + n + 1))
		return no_memory(e);
	uint64_t at = 0;
	uint32_t born = 0; /* next of the new sockets: none of them can have changed */
	for (uint64_t i = 0; i < n; i++) {
		at += nums_get_max(r, SOCKSET_MAX_ROWS) + (i ? 1 : 0);
		while (born < set->born_count && set->born[born] < at)
			born++;
		if (nums_bad(r) || at >= set->rows ||
		    (born < set->born_count && set->born[born] == at))
			return corrupt(e, "a changed socket is out of range");
		set->touched[group][i] = (uint32_t)at;
		x->slots[set->born_count + i] = set->order[at];
	}
	set->touched_count[group] = (uint32_t)n;
	return 0;
}

int frame_read_group(struct sockset *set, unsigned group, const struct frame_part *p,
		     struct frame_scratch *x, struct err *e)
{
	if (!p->there && !set->block[group])
		return 0; /* still all zero */
	int rc = 0;
	if (p->there)
		rc = open_part(set, p, x, e);
	if (p->there && !rc)
		rc = read_touched(set, group, x, e);
	if (rc)
		return reason(rc, x, e);
	struct frame_columns w = {.set = set,
				  .scratch = x,
				  .reader = p->there ? x->reader : NULL,
				  .group = group,
				  .born = x->slots,
				  .born_count = set->born_count,
				  .touched = x->slots + set->born_count,
				  .touched_count = set->touched_count[group]};
	return reason(frame_read_columns(&w, e), x, e);
}

static int read_ticks(struct sockset *set, struct nums_reader *r, struct err *e)
{
	uint64_t n = nums_get_max(r, set->rows);
	if (nums_bad(r) || n > r->left / 2)
		return corrupt(e, "more ticks than sockets");
	if (ARRAY_NEED(set->ticks, set->ticks_cap, n + 1))
		return no_memory(e);
	uint64_t first = 0;
	uint64_t tick_ms = 0;
	for (uint64_t i = 0; i < n; i++) {
		first += nums_get_max(r, SOCKSET_MAX_ROWS);
		tick_ms += nums_get(r, 0);
		set->ticks[i] = (struct tick_run){(uint32_t)first, tick_ms};
	}
	if (nums_bad(r) || first > SOCKSET_MAX_ROWS)
		return corrupt(e, "the ticks end too early");
	set->ticks_count = (uint32_t)n;
	return 0;
}

static int read_batches(struct sockset *set, struct nums_reader *r, struct err *e)
{
	uint64_t n = nums_get_max(r, set->rows);
	if (nums_bad(r) || n > r->left / 3)
		return corrupt(e, "more batches than sockets");
	if (ARRAY_NEED(set->batches, set->batches_cap, n + 1))
		return no_memory(e);
	uint64_t first = 0;
	uint64_t at_us = 0;
	for (uint64_t i = 0; i < n; i++) {
		first += nums_get_max(r, SOCKSET_MAX_ROWS);
		uint64_t lo_us = at_us + (uint64_t)unzigzag(nums_get(r, 0));
		at_us = lo_us + nums_get(r, 0);
		set->batches[i] = (struct fill_batch){(uint32_t)first, lo_us, at_us};
	}
	if (nums_bad(r) || first > SOCKSET_MAX_ROWS)
		return corrupt(e, "the batches end too early");
	set->batches_count = (uint32_t)n;
	return 0;
}

static int apply_clock(struct sockset *set, const struct frame_part *p, struct frame_scratch *x,
		       struct err *e)
{
	set->ticks_count = set->batches_count = 0;
	if (!p->there)
		return 0;
	int rc = open_part(set, p, x, e);
	if (!rc)
		nums_get_stream(x->reader, RANGE_STREAM_HEAD + PART_CLOCK);
	if (!rc)
		rc = read_ticks(set, x->reader, e);
	if (!rc)
		rc = read_batches(set, x->reader, e);
	return rc;
}

/* All that stands behind the member part, but for one group (0: none); *ret_at: which part failed.
 */
static int apply_rest(struct sockset *set, const struct frame_part parts[PART_COUNT],
		      unsigned but_for, struct frame_scratch *scratch, unsigned *ret_at,
		      struct err *e)
{
	int rc = 0;
	for (unsigned g = 2; g < GRP_COUNT; g++) {
		*ret_at = g;
		if (g == but_for || !(set->groups & ~set->left_out & (1u << g)))
			continue;
		rc = frame_read_group(set, g, &parts[g], scratch, e);
		if (rc)
			return err_context(e, "part %s", column_groups[g].name);
	}
	*ret_at = PART_COUNT;
	set->turns_count = 0;
	if (set->groups & (1u << PART_TURN)) {
		rc = frame_apply_turns(set, &parts[PART_TURN], scratch, e);
		if (rc)
			return err_context(e, "part turn");
	}
	if (set->groups & (1u << PART_CLOCK)) {
		rc = apply_clock(set, &parts[PART_CLOCK], scratch, e);
		if (rc)
			return err_context(e, "part clock");
	}
	return 0;
}

/* tcp_info is half of a frame, if it is wanted at all. */
static bool is_worth_sharing(const struct frame_part parts[PART_COUNT], uint32_t groups)
{
	size_t others = 0;
	for (unsigned g = GRP_ID_member; g < GRP_COUNT; g++)
		if (g != SHARED_GROUP && (groups & 1u << g))
			others += parts[g].len;
	return parts[SHARED_GROUP].len >= SHARED_BYTES && others >= SHARED_BYTES / 2;
}

/* Hands the group to the second thread; false: there is none, or no work for it. */
static bool share(struct sockset *set, const struct frame_part parts[PART_COUNT],
		  struct frame_scratch *x)
{
	const struct frame_part *p = &parts[SHARED_GROUP];
	uint32_t groups = set->groups & ~set->left_out;
	if (x->share == FRAME_SHARE_NEVER || !(groups & 1u << SHARED_GROUP) || !p->there ||
	    (x->share == FRAME_SHARE_AUTO && !is_worth_sharing(parts, groups)))
		return false;
	if (!x->aside)
		x->aside = frame_aside_new(x->share == FRAME_SHARE_ALWAYS);
	if (!x->aside)
		x->share = FRAME_SHARE_NEVER;
	return x->aside && frame_aside_begin(x->aside, set, SHARED_GROUP, p, x);
}

static int apply_all(struct sockset *set, const struct frame_part parts[PART_COUNT],
		     struct frame_scratch *scratch, struct err *e)
{
	int rc = bury(set, e);
	if (!rc)
		rc = apply_member(set, &parts[GRP_ID_member], scratch, e);
	if (rc)
		return rc == ERR_NOMEM ? rc : err_context(e, "part member");
	unsigned at;
	struct err why = {0};
	bool shared = share(set, parts, scratch);
	rc = apply_rest(set, parts, shared ? SHARED_GROUP : 0, scratch, &at, e);
	int shared_rc = shared ? frame_aside_end(scratch->aside, &why) : 0;
	if (!shared_rc || (rc && at < SHARED_GROUP))
		return rc;
	if (e)
		*e = why;
	err_context(e, "part %s", column_groups[SHARED_GROUP].name);
	return shared_rc;
}

int frame_apply(struct sockset *set, const struct frame_part parts[PART_COUNT],
		struct frame_scratch *scratch, struct err *e)
{
	return reason(apply_all(set, parts, scratch, e), scratch, e);
}
