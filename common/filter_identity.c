/*
 * filter_identity.c - can a filter match a connection of which only the identity is known? Of ports
 * alone that is asked: they leave few out of many, and cost nothing to look at.
 */
#include <sys/socket.h>

#include "filter_ast.h"

static bool port_can_match(const struct filter_node *n, const struct filter_value *port,
			   enum filter_op op, const struct row_member *m)
{
	bool inet = m->family == AF_INET || m->family == AF_INET6;
	bool asks_inet = n->family == AF_UNSPEC || n->family == AF_INET || n->family == AF_INET6;
	if (!inet || !asks_inet || n->negated || port->kind != VALUE_INT)
		return true;
	return filter_compare(n->peer ? m->peer_port : m->local_port, op, port);
}

/* Trees are a few levels high: the parser sees to that. */
static bool can_match(const struct filter *f, uint32_t node, const struct row_member *m)
{
	const struct filter_node *n = &f->nodes[node];
	bool all = n->kind == NODE_AND;
	if (n->kind == NODE_PORT)
		return port_can_match(n, &n->value, n->op, m);
	if (n->kind == NODE_HOST)
		return port_can_match(n, &n->port, OP_EQ, m);
	if (!all && n->kind != NODE_OR)
		return true;
	for (uint32_t child = n->first; child; child = f->nodes[child].next)
		if (can_match(f, child, m) != all)
			return !all;
	return all;
}

bool filter_can_match(const struct filter *f, const struct row_member *m)
{
	return !f->root || can_match(f, f->root, m);
}
