/* vt_frame.c - see vt_frame.h. The plan is in vt_frame_plan.c, the walk in vt_frame_walk.c. */
#include "vt_frame.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "link_name.h"
#include "vt_frame_plan.h"
#include "vt_frame_walk.h"

void frame_init(struct frame_cursor *c, const struct vt_context *context)
{
	*c = (struct frame_cursor){.context = context, .eof = true};
	c->snapshots = history_snapshots(context->history, &c->snapshots_count);
}

void frame_fini(struct frame_cursor *c)
{
	history_walk_free(c->walk);
	owner_carry_free(c->carry);
	differing_release(c->differing);
	frame_forget_late(c);
	c->walk = NULL;
	c->carry = NULL;
	c->differing = NULL;
}

static int fail(struct frame_cursor *c, const struct err *e)
{
	c->eof = true;
	return vt_fail(c->base.pVtab, e);
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
	return !c->differing || differing_wants(c->differing, c->index, c->set, frame_slot(c));
}

/* From the present position on, the next row that counts. */
static int settle(struct frame_cursor *c)
{
	struct err e = {0};
	for (;;) {
		if (c->set && frame_in_time(c, c->index))
			for (; c->position < c->set->rows; c->position++)
				if (row_passes(c))
					return SQLITE_OK;
		c->position = 0;
		c->set = NULL;
		int rc = c->walk ? frame_walk_on(c, &e) : 0;
		if (rc == 0)
			rc = frame_next_host(c, &e);
		if (rc < 0)
			return fail(c, &e);
		if (rc == 0) {
			c->eof = true;
			return SQLITE_OK;
		}
	}
}

/* The first row that counts; a walk is there only of a question before that looked at the same. */
static int begin(struct frame_cursor *c)
{
	struct err e = {0};
	int rc = frame_next_host(c, &e);
	if (rc < 0)
		return fail(c, &e);
	if (rc > 0)
		return settle(c);
	c->eof = true;
	return SQLITE_OK;
}

static size_t index_of(int64_t number)
{
	return number > 0 ? (size_t)number - 1 : HISTORY_NONE;
}

/* Which rows of the pair's snapshots are left out; one question after another asks it of one. */
static int look_at_pair(struct frame_cursor *c)
{
	struct err e = {0};
	struct differing **last = c->differing_last;
	size_t a = index_of(c->pair[PAIR_A]), b = index_of(c->pair[PAIR_B]);
	bool every = c->pair[PAIR_EVERY];
	c->first = c->first > c->pair[PAIR_A] ? c->first : c->pair[PAIR_A];
	c->last = c->last < c->pair[PAIR_B] ? c->last : c->pair[PAIR_B];
	differing_release(c->differing);
	c->differing = NULL;
	if (c->first > c->last)
		return SQLITE_OK;
	if (!differing_is_of(*last, a, b, every)) {
		differing_release(*last);
		*last = NULL;
		if (differing_new(c->context->history, a, b, every, last, &e))
			return fail(c, &e);
	}
	c->differing = *last;
	differing_hold(c->differing);
	return SQLITE_OK;
}

int frame_filter(struct frame_cursor *c, int needs, const char *plan, int argc,
		 sqlite3_value **argv)
{
	const uint32_t groups = c->groups;
	const bool clock = c->clock, owners = c->owners;
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
	const bool pair = c->differing_last != NULL;
	if (pair)
		c->groups |= FRAME_GROUPS;
	for (size_t i = 0; i < c->tests_count; i++)
		c->groups |= FRAME_GROUPS | GRP_RARE;
	if (groups != c->groups || clock != c->clock || owners != c->owners)
		frame_fini(c);
	int rc = pair ? look_at_pair(c) : SQLITE_OK;
	return rc == SQLITE_OK ? begin(c) : rc;
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

int frame_late_owner(struct frame_cursor *c, struct owner *ret)
{
	struct err e = {0};
	const struct row_owner *o = SLOT_GROUP(c->set, frame_slot(c), owner);
	if (o->owner_process) {
		*ret = (struct owner){.source = OWNER_FD,
				      .file = frame_file(c),
				      .process = o->owner_process,
				      .fd = o->owner_fd};
		return SQLITE_OK;
	}
	*ret = (struct owner){.source = OWNER_NONE};
	int rc = frame_learn_late(c, &e);
	if (!rc && history_walk_index(c->late_walk) == c->index)
		rc = owner_carry_get(c->late, history_walk_set(c->late_walk), c->position, ret, &e);
	return rc ? fail(c, &e) : SQLITE_OK;
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
