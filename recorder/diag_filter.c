/*
 * diag_filter.c - see diag_filter.h.
 *
 * A piece of code is true if it runs off its end, and false if it jumps to 4 bytes behind its end;
 *the kernel takes the end of the whole for yes and what is behind it for no. Every `yes` is the
 *length of its own operation, so that all operations lie on the path that the kernel checks jumps
 *against (net/ipv4/inet_diag.c, inet_diag_bc_audit and valid_cc). So pieces can be joined:
 *
 *	a and b    a b             what left a for 4 behind it goes to 4 behind b
 *	a or b     a JMP(over b) b    4 behind a is b
 *	not a      a JMP(8)           4 behind a is the end, and 8 behind the JMP is 4 behind it
 */
#include "diag_filter.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "filter_row_priv.h"

/* Prefixes of one condition; more are left to the sieve. */
#define PREFIXES_MAX 64

/* Conditions of one `or`; more are left to the sieve. */
#define ALTERNATIVES_MAX 64

#define BIT(state) (UINT32_C(1) << (state))

/* What a piece lets through. */
enum piece {
	PIECE_ALL, /* nothing was written: everything, or it is not known */
	PIECE_SOME,
};

struct writer {
	const struct filter_rows *rows;
	struct buf *code;
};

static void put_op(struct buf *code, unsigned op, size_t yes, size_t no)
{
	const struct inet_diag_bc_op o = {
		.code = (uint8_t)op, .yes = (uint8_t)yes, .no = (uint16_t)no};
	buf_put(code, &o, sizeof(o));
}

/* Moves what leaves the piece [from, end) for 4 behind its end by `more` bytes. */
static void lengthen(struct buf *code, size_t from, size_t end, size_t more)
{
	for (size_t at = from; at < end && !code->failed;) {
		struct inet_diag_bc_op o;
		memcpy(&o, code->bytes + at, sizeof(o));
		size_t step = o.yes;
		if (at + o.no == end + 4) {
			o.no = (uint16_t)(o.no + more);
			memcpy(code->bytes + at, &o, sizeof(o));
		}
		at += step;
	}
}

static void put_false(struct buf *code)
{
	put_op(code, INET_DIAG_BC_JMP, 4, 8);
}

static void put_port(struct buf *code, unsigned op, uint32_t port)
{
	put_op(code, op, 8, 12);
	put_op(code, 0, 0, port);
}

/* lo <= port <= hi */
static void put_range(struct buf *code, bool peer, int64_t lo, int64_t hi)
{
	size_t from = code->len;
	if (lo > hi) {
		put_false(code);
		return;
	}
	put_port(code, peer ? INET_DIAG_BC_D_GE : INET_DIAG_BC_S_GE, (uint32_t)lo);
	size_t middle = code->len;
	put_port(code, peer ? INET_DIAG_BC_D_LE : INET_DIAG_BC_S_LE, (uint32_t)hi);
	lengthen(code, from, middle, code->len - middle);
}

static void put_not(struct buf *code)
{
	put_op(code, INET_DIAG_BC_JMP, 4, 8);
}

/* ------------------------------------------------------------------------------ conditions */

static bool is_other_family(const struct filter_node *n)
{
	return n->family != AF_UNSPEC && n->family != AF_INET && n->family != AF_INET6;
}

static enum piece put_port_condition(struct writer *w, const struct filter_node *n)
{
	int64_t lo = 0, hi = UINT16_MAX, v = n->value.num;
	if (n->value.kind != VALUE_INT || v < 0 || v > UINT16_MAX)
		return PIECE_ALL;
	if (n->op == OP_EQ || n->op == OP_GE)
		lo = v;
	if (n->op == OP_EQ || n->op == OP_LE)
		hi = v;
	if (n->op == OP_GT)
		lo = v + 1;
	if (n->op == OP_LT)
		hi = v - 1;
	put_range(w->code, n->peer, lo, hi);
	return PIECE_SOME;
}

static void put_prefix(struct buf *code, bool peer, const struct filter_row_prefix *p, int port)
{
	size_t addr = p->family == AF_INET ? 4 : 16;
	const struct inet_diag_hostcond cond = {
		.family = p->family, .prefix_len = p->bits, .port = port};
	size_t len = sizeof(struct inet_diag_bc_op) + sizeof(cond) + addr;
	put_op(code, peer ? INET_DIAG_BC_D_COND : INET_DIAG_BC_S_COND, len, len + 4);
	buf_put(code, &cond, sizeof(cond));
	buf_put(code, p->bytes, addr);
}

/* Any of the prefixes: each but the last jumps over the rest where it is true. */
static enum piece put_host_condition(struct writer *w, const struct filter_node *n)
{
	int port = n->port.kind == VALUE_INT && n->port.num <= UINT16_MAX ? (int)n->port.num : -1;
	if (!n->addr_count && port < 0)
		return PIECE_ALL;
	if (!n->addr_count) {
		put_range(w->code, n->peer, port, port);
		return PIECE_SOME;
	}
	if (n->addr_count > PREFIXES_MAX)
		return PIECE_ALL;
	size_t rest = 0;
	for (uint32_t i = 1; i < n->addr_count; i++)
		rest += 16 + (w->rows->prefixes[n->addr_first + i].family == AF_INET ? 0 : 12);
	rest += 4 * (size_t)(n->addr_count - 1);
	for (uint32_t i = 0; i < n->addr_count; i++) {
		put_prefix(w->code, n->peer, &w->rows->prefixes[n->addr_first + i], port);
		if (i + 1 == n->addr_count)
			break;
		put_op(w->code, INET_DIAG_BC_JMP, 4, rest);
		rest -= 4 + 16 +
			(w->rows->prefixes[n->addr_first + i + 1].family == AF_INET ? 0 : 12);
	}
	return PIECE_SOME;
}

static enum piece put_dev_condition(struct writer *w, const struct filter_node *n)
{
	if (n->value.kind != VALUE_INT || n->value.num < 0 || n->value.num > INT32_MAX)
		return PIECE_ALL;
	const uint32_t ifindex = (uint32_t)n->value.num;
	put_op(w->code, INET_DIAG_BC_DEV_COND, 8, 12);
	buf_put(w->code, &ifindex, sizeof(ifindex));
	return PIECE_SOME;
}

static enum piece put_positive(struct writer *w, const struct filter_node *n)
{
	const struct filter *f = w->rows->filter;
	switch (n->kind) {
	case NODE_PORT:
		return put_port_condition(w, n);
	case NODE_HOST:
		return put_host_condition(w, n);
	case NODE_DEV:
		return put_dev_condition(w, n);
	case NODE_AUTOBOUND:
		put_range(w->code, false, f->auto_port_lo, f->auto_port_hi);
		return PIECE_SOME;
	default:
		return PIECE_ALL;
	}
}

/* The opposite may only be told where the kernel says exactly what the condition does. */
static enum piece put_leaf(struct writer *w, const struct filter_node *n)
{
	bool sided = n->kind == NODE_PORT || n->kind == NODE_HOST;
	if (sided && is_other_family(n)) {
		if (n->negated)
			return PIECE_ALL;
		put_false(w->code);
		return PIECE_SOME;
	}
	if (n->negated && !(sided && n->family == AF_UNSPEC))
		return PIECE_ALL;
	enum piece p = put_positive(w, n);
	if (p == PIECE_SOME && n->negated)
		put_not(w->code);
	return p;
}

/* ------------------------------------------------------------------------------ and, or */

static enum piece put_node(struct writer *w, uint32_t node);

static enum piece put_and(struct writer *w, const struct filter_node *n)
{
	size_t from = w->code->len;
	enum piece all = PIECE_ALL;
	for (uint32_t c = n->first; c; c = w->rows->filter->nodes[c].next) {
		size_t middle = w->code->len;
		if (put_node(w, c) == PIECE_ALL || w->code->failed)
			continue;
		lengthen(w->code, from, middle, w->code->len - middle);
		all = PIECE_SOME;
		if (w->code->len > DIAG_CODE_MAX)
			break;
	}
	return all;
}

/* a JMP(over all that follows) b JMP(...) c */
static enum piece put_or(struct writer *w, const struct filter_node *n)
{
	const struct filter_node *nodes = w->rows->filter->nodes;
	struct buf *code = w->code;
	size_t from = code->len;
	size_t ends[ALTERNATIVES_MAX];
	size_t count = 0;
	for (uint32_t c = n->first; c; c = nodes[c].next, count++) {
		if (count == ALTERNATIVES_MAX || put_node(w, c) == PIECE_ALL || code->failed ||
		    code->len > DIAG_CODE_MAX) {
			code->len = from; /* one of them lets everything through */
			return PIECE_ALL;
		}
		ends[count] = code->len;
		if (nodes[c].next)
			put_op(code, INET_DIAG_BC_JMP, 4, 4);
	}
	for (size_t i = 0; i + 1 < count && !code->failed; i++) {
		const struct inet_diag_bc_op jump = {
			.code = INET_DIAG_BC_JMP, .yes = 4, .no = (uint16_t)(code->len - ends[i])};
		memcpy(code->bytes + ends[i], &jump, sizeof(jump));
	}
	return PIECE_SOME;
}

/* At most FILTER_HEIGHT_MAX deep. */
static enum piece put_node(struct writer *w, uint32_t node)
{
	const struct filter_node *n = &w->rows->filter->nodes[node];
	if (n->kind == NODE_AND)
		return put_and(w, n);
	return n->kind == NODE_OR ? put_or(w, n) : put_leaf(w, n);
}

int diag_filter_code(const struct filter_rows *r, struct buf *code, struct err *e)
{
	struct writer w = {.rows = r, .code = code};
	size_t from = code->len;
	enum piece p = r->filter->root ? put_node(&w, r->filter->root) : PIECE_ALL;
	if (code->failed)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (p == PIECE_ALL || code->len - from > DIAG_CODE_MAX)
		code->len = from;
	return 0;
}

/* ------------------------------------------------------------------------------- request */

bool diag_filter_suits(const struct diag_table *t)
{
	return (t->family == AF_INET || t->family == AF_INET6) &&
	       (t->proto == PROTO_TCP || t->proto == PROTO_UDP || t->proto == PROTO_UDPLITE);
}

/* Request sockets are told under either of two states, bound ones under either of two others. */
static uint32_t request_states(uint32_t states)
{
	const uint32_t twins[] = {BIT(STATE_SYN_RECV) | BIT(STATE_NEW_SYN_RECV),
				  BIT(STATE_UNCONN) | BIT(STATE_BOUND_INACTIVE)};
	for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++)
		if (states & twins[i])
			states |= twins[i];
	return states;
}

void diag_filter_apply(const struct diag_table *table, uint32_t states, const struct buf *code,
		       struct buf *payload)
{
	size_t at = table->type == TCPDIAG_GETSOCK
			    ? offsetof(struct inet_diag_req, idiag_states)
			    : offsetof(struct inet_diag_req_v2, idiag_states);
	uint32_t bits = request_states(states);
	memcpy(payload->bytes + at, &bits, sizeof(bits));
	if (!code->len)
		return;
	const struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + code->len),
				 .nla_type = INET_DIAG_REQ_BYTECODE};
	buf_put(payload, &a, sizeof(a));
	buf_put(payload, code->bytes, code->len);
}
