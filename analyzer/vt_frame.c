/* vt_frame.c - see vt_frame.h. The plan is in vt_frame_plan.c. */
#include "vt_frame.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "link_name.h"
#include "vt_frame_plan.h"

void frame_init(struct frame_cursor *c, const struct vt_context *context)
{
	*c = (struct frame_cursor){.context = context, .eof = true};
	c->snapshots = history_snapshots(context->history, &c->snapshots_count);
}

void frame_fini(struct frame_cursor *c)
{
	history_walk_free(c->walk);
	owner_carry_free(c->carry);
	c->walk = NULL;
	c->carry = NULL;
}

static int fail(struct frame_cursor *c, const struct err *e)
{
	c->eof = true;
	return vt_fail(c->base.pVtab, e);
}

/* Tells of the snapshots that the walk had to leave out since it was last asked. */
static void tell_gaps(struct frame_cursor *c)
{
	size_t count, missed;
	const struct history_gap *gaps = history_walk_gaps(c->walk, &count, &missed);
	for (; c->gaps_told < count; c->gaps_told++) {
		const struct history_gap *g = &gaps[c->gaps_told];
		char text[sizeof(g->why.text) + 80];
		if (g->first == g->last)
			snprintf(text, sizeof(text), "snapshot #%zu is left out: %s", g->first + 1,
				 g->why.text);
		else
			snprintf(text, sizeof(text), "snapshots #%zu to #%zu are left out: %s",
				 g->first + 1, g->last + 1, g->why.text);
		if (c->context->warn)
			c->context->warn(c->context->arg, text);
	}
}

static uint64_t netns_inode(void *ctx, uint32_t netns)
{
	const struct frame_cursor *c = ctx;
	const struct history_netns *n = NULL;
	if (history_netns(c->context->history, frame_file(c), netns, &n, NULL) || !n)
		return 0;
	return n->inode;
}

/* Hands the snapshot that `walk` shows to the carrier of owners. */
static int carry(struct frame_cursor *c, const struct history_walk *walk, struct err *e)
{
	c->index = history_walk_index(walk);
	const struct history_snapshot *s = &c->snapshots[c->index];
	const struct owner_step step = {
		.file = s->file,
		.boot = s->boot,
		.number = c->index + 1,
		.time_ns = s->rec->boot_begin_ns,
		.delta = history_walk_step(walk),
		.netns_inode = netns_inode,
		.ctx = c,
	};
	return owner_carry_step(c->carry, history_walk_set(walk), &step, e);
}

/* Steps the walk on. 1, 0 at its end, or a negative code. */
static int walk_on(struct frame_cursor *c, struct err *e)
{
	int rc = history_walk_next(c->walk, e);
	tell_gaps(c);
	if (rc <= 0)
		return rc;
	if (c->carry && (rc = carry(c, c->walk, e)) < 0)
		return rc;
	c->index = history_walk_index(c->walk);
	c->set = history_walk_set(c->walk);
	return 1;
}

/* A walk from `lead` on, gone on to the first snapshot that is not before `first`. */
static int walk_from(struct frame_cursor *c, size_t lead, size_t first, struct err *e)
{
	history_walk_free(c->walk);
	c->walk = NULL;
	c->gaps_told = 0;
	int rc = history_walk_new(c->context->history, c->groups, c->clock, lead, c->end, &c->walk,
				  e);
	if (rc)
		return rc;
	do
		rc = walk_on(c, e);
	while (rc > 0 && c->index < first);
	return rc;
}

/* Learns owners from the snapshots [from, to], which are not told. */
static int learn(struct frame_cursor *c, size_t from, size_t to, struct err *e)
{
	struct history_walk *walk;
	int rc = history_walk_new(c->context->history, OWNER_GROUPS, false, from, to, &walk, e);
	if (rc)
		return rc;
	while ((rc = history_walk_next(walk, e)) > 0) {
		rc = carry(c, walk, e);
		if (rc)
			break;
	}
	history_walk_free(walk);
	return rc;
}

/* The key frame that `index` needs: where a walk has to begin anyway. */
static size_t run_begin(const struct frame_cursor *c, size_t index)
{
	const struct history_snapshot *s = c->snapshots;
	while (index && !s[index].rec->key && s[index - 1].file == s[index].file &&
	       s[index - 1].boot == s[index].boot)
		index--;
	return index;
}

/* How far back a holder may have been seen to be told at `index`. */
static size_t keep_begin(const struct frame_cursor *c, size_t index)
{
	const struct history_snapshot *s = c->snapshots;
	size_t at = index;
	while (at && s[at - 1].boot == s[index].boot &&
	       (index - at < OWNER_KEEP_SNAPSHOTS ||
		s[index].rec->boot_begin_ns - s[at - 1].rec->boot_begin_ns <= OWNER_KEEP_NS))
		at--;
	return at;
}

/*
 * With owners: the frames from the key frame on are decoded anyway, so owners are learnt from them
 * on the way. Only if some socket has been without an owner since then is it worth looking back
 * further.
 */
static int walk_from_with_owners(struct frame_cursor *c, size_t first, struct err *e)
{
	size_t lead = run_begin(c, first);
	owner_carry_free(c->carry);
	c->carry = NULL;
	int rc = owner_carry_new(&c->carry, e);
	if (!rc)
		rc = walk_from(c, lead, first, e);
	if (rc <= 0)
		return rc;
	size_t back = keep_begin(c, first);
	if (back >= lead || !owner_carry_wants_more(c->carry, c->set))
		return rc;
	owner_carry_free(c->carry);
	c->carry = NULL;
	rc = owner_carry_new(&c->carry, e);
	if (!rc)
		rc = learn(c, back, lead - 1, e);
	return rc < 0 ? rc : walk_from(c, lead, first, e);
}

static bool in_time(const struct frame_cursor *c, size_t index)
{
	int64_t t = c->snapshots[index].rec->wall_begin_ns;
	return t >= c->from_ns && t <= c->to_ns;
}

/* Begins the next host that has snapshots in the range. 1, 0: no more, or a negative code. */
static int next_host(struct frame_cursor *c, struct err *e)
{
	size_t hosts;
	const struct history_host *all = history_hosts(c->context->history, &hosts);
	while (c->host < hosts) {
		const struct history_host *h = &all[c->host++];
		size_t first = h->first, end = h->first + h->count;
		if (c->first > (int64_t)first + 1)
			first = c->first > (int64_t)end ? end : (size_t)c->first - 1;
		if (c->last < (int64_t)end)
			end = c->last < 0 ? 0 : (size_t)c->last;
		while (first < end && !in_time(c, first))
			first++;
		while (first < end && !in_time(c, end - 1))
			end--;
		if (first >= end)
			continue;
		c->end = end - 1;
		int rc = c->owners ? walk_from_with_owners(c, first, e)
				   : walk_from(c, first, first, e);
		if (rc)
			return rc;
	}
	return 0;
}

static bool other_port(const struct frame_cursor *c, bool peer, uint32_t *ret_port)
{
	uint32_t slot = frame_slot(c);
	const struct row_link *l = SLOT_GROUP(c->set, slot, link);
	uint64_t has = SLOT_GROUP(c->set, slot, state)->has;
	switch (SLOT_GROUP(c->set, slot, member)->proto) {
	case PROTO_UNIX:
		*ret_port = peer ? SLOT_GROUP(c->set, slot, unix)->peer_inode
				 : SLOT_GROUP(c->set, slot, state)->inode;
		return !peer || (has & HAS_PEER);
	case PROTO_NETLINK:
		*ret_port = peer ? l->dst_portid : l->portid;
		return (has & HAS_NETLINK) && (!peer || l->dst_portid || l->dst_group);
	case PROTO_VSOCK:
		*ret_port = peer ? l->peer_vport : l->local_vport;
		return has & HAS_VSOCK;
	default:
		return false;
	}
}

static uint64_t port_of(const struct frame_cursor *c, bool peer)
{
	uint32_t slot = frame_slot(c), port;
	const struct row_member *m = SLOT_GROUP(c->set, slot, member);
	if (SLOT_GROUP(c->set, slot, state)->has & HAS_TUPLE)
		return peer ? m->peer_port : m->local_port;
	return other_port(c, peer, &port) ? port : UINT64_MAX;
}

static uint64_t test_value(const struct frame_cursor *c, enum frame_column column)
{
	uint32_t slot = frame_slot(c);
	const struct row_member *m = SLOT_GROUP(c->set, slot, member);
	switch (column) {
	case FRAME_COOKIE:
		return m->cookie;
	case FRAME_PROTO:
		return m->proto;
	case FRAME_LOCAL_PORT:
		return port_of(c, false);
	case FRAME_PEER_PORT:
		return port_of(c, true);
	case FRAME_STATE:
		return SLOT_GROUP(c->set, slot, state)->state;
	default:
		return SLOT_GROUP(c->set, slot, state)->inode;
	}
}

static bool row_passes(const struct frame_cursor *c)
{
	for (size_t i = 0; i < c->tests_count; i++)
		if (test_value(c, c->tests[i].column) != c->tests[i].value)
			return false;
	return true;
}

/* From the present position on, the next row that counts. */
static int settle(struct frame_cursor *c)
{
	struct err e = {0};
	for (;;) {
		if (c->set && in_time(c, c->index))
			for (; c->position < c->set->rows; c->position++)
				if (row_passes(c))
					return SQLITE_OK;
		c->position = 0;
		c->set = NULL;
		int rc = c->walk ? walk_on(c, &e) : 0;
		if (rc == 0)
			rc = next_host(c, &e);
		if (rc < 0)
			return fail(c, &e);
		if (rc == 0) {
			c->eof = true;
			return SQLITE_OK;
		}
	}
}

int frame_filter(struct frame_cursor *c, int needs, const char *plan, int argc,
		 sqlite3_value **argv)
{
	frame_fini(c);
	c->groups = (uint32_t)needs & GRP_ALL;
	c->clock = needs & FRAME_CLOCK;
	c->owners = needs & FRAME_OWNERS;
	c->host = 0;
	c->position = 0;
	c->set = NULL;
	c->eof = false;
	if (c->owners)
		c->groups |= OWNER_GROUPS;
	frame_plan_apply(c, plan, argc, argv);
	for (size_t i = 0; i < c->tests_count; i++)
		c->groups |= FRAME_GROUPS | GRP_RARE;
	return settle(c);
}

int frame_next(struct frame_cursor *c)
{
	c->position++;
	return settle(c);
}

sqlite3_int64 frame_rowid(const struct frame_cursor *c)
{
	return ((sqlite3_int64)c->index + 1) * (sqlite3_int64)(2 * SOCKSET_MAX_ROWS) + c->position;
}

static int put_netns(struct frame_cursor *c, sqlite3_context *out, bool name)
{
	struct err e = {0};
	const struct history_netns *n = NULL;
	uint32_t id = SLOT_GROUP(c->set, frame_slot(c), member)->netns;
	if (history_netns(c->context->history, frame_file(c), id, &n, &e))
		return fail(c, &e);
	if (n && !name)
		sqlite3_result_int64(out, (sqlite3_int64)n->inode);
	else if (n)
		sqlite3_result_text(out, n->name, -1, SQLITE_STATIC);
	return SQLITE_OK;
}

/* As ss: the NULs of an abstract name are written as @. */
static int put_path(struct frame_cursor *c, sqlite3_context *out)
{
	struct err e = {0};
	const char *bytes = NULL;
	size_t len = 0;
	uint32_t slot = frame_slot(c);
	uint32_t id = SLOT_GROUP(c->set, slot, state)->has & HAS_PATH
			      ? SLOT_GROUP(c->set, slot, unix)->path
			      : 0;
	if (id && history_text(c->context->history, frame_file(c), id, &bytes, &len, &e))
		return fail(c, &e);
	char text[256];
	if (!bytes)
		return SQLITE_OK;
	len = len < sizeof(text) ? len : sizeof(text);
	for (size_t i = 0; i < len; i++)
		text[i] = bytes[i] || bytes[0] ? bytes[i] : '@';
	sqlite3_result_text64(out, text, len, SQLITE_TRANSIENT, SQLITE_UTF8);
	return SQLITE_OK;
}

static int put_other(struct frame_cursor *c, sqlite3_context *out, bool peer)
{
	char name[LINK_NAME_BYTES];
	uint32_t slot = frame_slot(c), port;
	const struct row_link *l = SLOT_GROUP(c->set, slot, link);
	switch (SLOT_GROUP(c->set, slot, member)->proto) {
	case PROTO_UNIX:
		return peer ? SQLITE_OK : put_path(c, out);
	case PROTO_NETLINK:
		netlink_proto_name(l->link_proto, 0, name);
		break;
	case PROTO_PACKET:
		packet_proto_name(l->link_proto, 0, name);
		break;
	case PROTO_VSOCK:
		snprintf(name, sizeof(name), "%u", peer ? l->peer_cid : l->local_cid);
		break;
	default:
		return SQLITE_OK;
	}
	if (!peer || other_port(c, true, &port))
		sqlite3_result_text(out, name, -1, SQLITE_TRANSIENT);
	return SQLITE_OK;
}

static int put_address(struct frame_cursor *c, sqlite3_context *out, bool peer)
{
	char text[46];
	uint32_t slot = frame_slot(c);
	const struct row_member *m = SLOT_GROUP(c->set, slot, member);
	if (!(SLOT_GROUP(c->set, slot, state)->has & HAS_TUPLE))
		return put_other(c, out, peer);
	sock_addr_format(peer ? &m->peer : &m->local, m->family, text);
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
	return SQLITE_OK;
}

static void put_port(const struct frame_cursor *c, sqlite3_context *out, bool peer)
{
	uint64_t port = port_of(c, peer);
	if (port != UINT64_MAX)
		sqlite3_result_int64(out, (sqlite3_int64)port);
}

int frame_result(struct frame_cursor *c, sqlite3_context *out, int column)
{
	size_t n;
	const struct history_snapshot *s = &c->snapshots[c->index];
	const struct history *h = c->context->history;
	switch ((enum frame_column)column) {
	case FRAME_SNAPSHOT:
		sqlite3_result_int64(out, (sqlite3_int64)c->index + 1);
		break;
	case FRAME_TIME_NS:
		sqlite3_result_int64(out, s->rec->wall_begin_ns);
		break;
	case FRAME_HOST:
		sqlite3_result_text(out, history_hosts(h, &n)[s->host].name, -1, SQLITE_STATIC);
		break;
	case FRAME_BOOT:
		sqlite3_result_text(out, history_boots(h, &n)[s->boot].boot_id, -1, SQLITE_STATIC);
		break;
	case FRAME_NETNS:
	case FRAME_NETNS_NAME:
		return put_netns(c, out, column == FRAME_NETNS_NAME);
	case FRAME_COOKIE:
		sqlite3_result_int64(
			out, (sqlite3_int64)SLOT_GROUP(c->set, frame_slot(c), member)->cookie);
		break;
	case FRAME_PROTO:
		sqlite3_result_text(
			out, sock_proto_name(SLOT_GROUP(c->set, frame_slot(c), member)->proto), -1,
			SQLITE_STATIC);
		break;
	case FRAME_FAMILY:
		sqlite3_result_int(out, SLOT_GROUP(c->set, frame_slot(c), member)->family);
		break;
	case FRAME_STATE:
		sqlite3_result_text(
			out, sock_state_name(SLOT_GROUP(c->set, frame_slot(c), state)->state), -1,
			SQLITE_STATIC);
		break;
	case FRAME_LOCAL:
	case FRAME_PEER:
		return put_address(c, out, column == FRAME_PEER);
	case FRAME_LOCAL_PORT:
	case FRAME_PEER_PORT:
		put_port(c, out, column == FRAME_PEER_PORT);
		break;
	case FRAME_INODE:
		sqlite3_result_int64(out, SLOT_GROUP(c->set, frame_slot(c), state)->inode);
		break;
	case FRAME_COLUMNS:
		break;
	}
	return SQLITE_OK;
}

int frame_process(struct frame_cursor *c, uint32_t file, uint32_t id,
		  const struct history_process **ret)
{
	struct err e = {0};
	if (!id) {
		*ret = NULL;
		return SQLITE_OK;
	}
	if (c->process_id != id || c->process_file != file) {
		const struct history_process *p = NULL;
		if (history_process(c->context->history, file, id, &p, &e))
			return fail(c, &e);
		c->process = p;
		c->process_id = id;
		c->process_file = file;
	}
	*ret = c->process;
	return SQLITE_OK;
}

void frame_process_result(const struct history_process *p, sqlite3_context *out,
			  enum frame_process_column column)
{
	if (!p)
		return;
	switch (column) {
	case PROCESS_PID:
		sqlite3_result_int64(out, p->pid);
		break;
	case PROCESS_COMM:
		sqlite3_result_text(out, p->comm, -1, SQLITE_STATIC);
		break;
	case PROCESS_EXE:
		sqlite3_result_text(out, p->exe, -1, SQLITE_STATIC);
		break;
	case PROCESS_CMDLINE:
		sqlite3_result_text(out, p->cmdline, -1, SQLITE_STATIC);
		break;
	case PROCESS_CGROUP:
		sqlite3_result_text(out, p->cgroup, -1, SQLITE_STATIC);
		break;
	case PROCESS_CONTAINER:
		sqlite3_result_text(out, p->container, -1, SQLITE_STATIC);
		break;
	case PROCESS_UID:
		if (p->uid >= 0)
			sqlite3_result_int64(out, p->uid);
		break;
	case PROCESS_START_TICKS:
		sqlite3_result_int64(out, (sqlite3_int64)p->start_ticks);
		break;
	}
}
