/* filter_row.c - see filter_row.h. What each condition means, filter_sql.c says in SQL. */
#include "filter_row.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "filter_row_priv.h"
#include "link_name.h"

/* As the analyzer cuts paths: unix(7) has at most 108 bytes. */
#define PATH_BYTES 257

/* One end of a socket that has no address of inet, as the table `socket` shows it. */
struct side {
	const char *text; /* NULL: none */
	bool has_port;
	uint32_t port;
	char bytes[PATH_BYTES];
};

/* ------------------------------------------------------------------------ making it ready */

static int read_prefix(const char *text, struct filter_row_prefix *ret)
{
	char addr[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	if (len >= sizeof(addr))
		return ERR_USAGE;
	memcpy(addr, text, len);
	addr[len] = '\0';
	ret->family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	ret->bits = ret->family == AF_INET ? 32 : 128;
	if (text[len])
		ret->bits = (uint8_t)strtoul(text + len + 1, NULL, 10);
	return inet_pton(ret->family, addr, ret->bytes) == 1 ? 0 : ERR_USAGE;
}

int filter_rows_new(const struct filter *f, struct filter_rows **ret, struct err *e)
{
	struct filter_rows *r = calloc(1, sizeof(*r));
	if (r) {
		r->filter = f;
		r->prefixes = calloc(f->prefix_count + 1, sizeof(*r->prefixes));
		r->cgroups = calloc(f->node_count + 1, sizeof(*r->cgroups));
	}
	if (!r || !r->prefixes || !r->cgroups) {
		filter_rows_free(r);
		return err_set(e, ERR_NOMEM, "filter: %s", err_name(ERR_NOMEM));
	}
	for (size_t i = 0; i < f->prefix_count; i++)
		if (read_prefix(filter_text(f, f->prefixes[i].text), &r->prefixes[i])) {
			filter_rows_free(r);
			return err_set(e, ERR_USAGE, "filter: not an address");
		}
	*ret = r;
	return 0;
}

void filter_rows_free(struct filter_rows *r)
{
	if (!r)
		return;
	free(r->prefixes);
	free(r->cgroups);
	free(r);
}

void filter_rows_cgroups(struct filter_rows *r, uint64_t (*id)(void *ctx, const char *path),
			 void *ctx)
{
	for (size_t i = 1; i < r->filter->node_count; i++) {
		const struct filter_node *n = &r->filter->nodes[i];
		if (n->kind == NODE_CGROUP)
			r->cgroups[i] = id(ctx, filter_text(r->filter, n->value.text));
	}
}

/* ------------------------------------------------------------------------------- addresses */

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned rest = bits % 8;
	return memcmp(a, b, whole) == 0 &&
	       (!rest || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xffu) == 0);
}

/* An IPv4 prefix holds IPv4-mapped addresses of IPv6 sockets too. */
static bool in_prefix(const struct filter_row_prefix *p, unsigned family, const uint8_t *addr)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (p->family == family)
		return same_bits(addr, p->bytes, p->bits);
	return family == AF_INET6 && memcmp(addr, mapped, sizeof(mapped)) == 0 &&
	       same_bits(addr + sizeof(mapped), p->bytes, p->bits);
}

static bool is_inet(unsigned family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool family_fits(const struct filter_node *n, const struct sock_row *row)
{
	unsigned family = row->member.family;
	return n->family == AF_UNSPEC ? is_inet(family) : n->family == family;
}

/* As ss: the NULs of an abstract name are written as @. */
static void read_path(const struct filter_about *a, struct side *s)
{
	size_t len = a->path_len < PATH_BYTES ? a->path_len : PATH_BYTES - 1;
	for (size_t i = 0; i < len; i++)
		s->bytes[i] = (char)(a->path[i] || a->path[0] ? a->path[i] : '@');
	s->bytes[len] = '\0';
	s->text = s->bytes;
}

static void read_unix(const struct sock_row *row, const struct filter_about *a, bool peer,
		      struct side *s)
{
	if (!peer && (row->state.has & HAS_PATH) && a->path)
		read_path(a, s);
	s->has_port = !peer || (row->state.has & HAS_PEER);
	s->port = peer ? row->unix.peer_inode : row->state.inode;
}

static void read_netlink(const struct sock_row *row, bool peer, struct side *s)
{
	const struct row_link *l = &row->link;
	s->has_port = (row->state.has & HAS_NETLINK) && (!peer || l->dst_portid || l->dst_group);
	s->port = peer ? l->dst_portid : l->portid;
	netlink_proto_name(l->link_proto, 0, s->bytes);
	s->text = !peer || s->has_port ? s->bytes : NULL;
}

static void read_other(const struct sock_row *row, const struct filter_about *a, bool peer,
		       struct side *s)
{
	*s = (struct side){.text = NULL};
	switch (row->member.proto) {
	case PROTO_UNIX:
		read_unix(row, a, peer, s);
		break;
	case PROTO_NETLINK:
		read_netlink(row, peer, s);
		break;
	case PROTO_PACKET:
		packet_proto_name(row->link.link_proto, 0, s->bytes);
		s->text = peer ? NULL : s->bytes;
		break;
	case PROTO_VSOCK:
		s->has_port = row->state.has & HAS_VSOCK;
		s->port = peer ? row->link.peer_vport : row->link.local_vport;
		snprintf(s->bytes, sizeof(s->bytes), "%u",
			 peer ? row->link.peer_cid : row->link.local_cid);
		s->text = !peer || s->has_port ? s->bytes : NULL;
		break;
	default:
		break;
	}
}

/* ------------------------------------------------------------------------------ conditions */

bool filter_compare(int64_t value, enum filter_op op, const struct filter_value *with)
{
	/* 64 bits of mantissa or more: whole numbers are compared exactly. */
	long double a = (long double)value;
	long double b = with->kind == VALUE_REAL ? (long double)with->real : (long double)with->num;
	switch (op) {
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	case OP_EQ:
	case OP_NE:
		break;
	}
	return a == b;
}

static bool text_fits(const struct filter *f, const struct filter_value *v, const char *text)
{
	if (!text)
		return false;
	const char *with = filter_text(f, v->text);
	return v->kind == VALUE_GLOB ? filter_glob_match(with, text, false)
				     : strcmp(text, with) == 0;
}

static bool dev_fits(const struct filter *f, const struct filter_value *v,
		     const struct sock_row *row, const struct filter_about *a)
{
	uint32_t ifindex = row->state.ifindex;
	if (v->kind == VALUE_INT)
		return ifindex == v->num;
	return text_fits(f, v, ifindex && a->dev ? a->dev(a->ctx, ifindex) : ifindex ? NULL : "");
}

static bool addr_fits(const struct filter_rows *r, const struct filter_node *n,
		      const struct sock_row *row)
{
	const union addr_bytes *addr = n->peer ? &row->member.peer : &row->member.local;
	if (!(row->state.has & HAS_TUPLE))
		return false;
	for (uint32_t i = 0; i < n->addr_count; i++)
		if (in_prefix(&r->prefixes[n->addr_first + i], row->member.family, addr->b))
			return true;
	return n->addr_count == 0;
}

static bool other_host_fits(const struct filter *f, const struct filter_node *n,
			    const struct sock_row *row, const struct filter_about *a)
{
	struct side s;
	read_other(row, a, n->peer, &s);
	if (n->family == AF_UNIX)
		return filter_glob_match(filter_text(f, n->value.text), s.text ? s.text : "", true);
	if (n->value.kind == VALUE_INT && (!s.text || strtoll(s.text, NULL, 10) != n->value.num))
		return false;
	if (n->value.kind == VALUE_TEXT &&
	    (!s.text || strcasecmp(s.text, filter_text(f, n->value.text)) != 0))
		return false;
	if (n->port.kind == VALUE_NONE)
		return true;
	return n->family == AF_PACKET ? dev_fits(f, &n->port, row, a)
				      : s.has_port && s.port == n->port.num;
}

static bool host_fits(const struct filter_rows *r, const struct filter_node *n,
		      const struct sock_row *row, const struct filter_about *a)
{
	bool any_port = n->port.kind == VALUE_NONE;
	if (n->family == AF_UNSPEC && !n->addr_count && any_port)
		return true;
	if (!family_fits(n, row))
		return false;
	if (!is_inet(row->member.family))
		return other_host_fits(r->filter, n, row, a);
	uint16_t port = n->peer ? row->member.peer_port : row->member.local_port;
	return (!n->addr_count || addr_fits(r, n, row)) &&
	       (any_port || ((row->state.has & HAS_TUPLE) && port == n->port.num));
}

static bool port_fits(const struct filter_node *n, const struct sock_row *row,
		      const struct filter_about *a)
{
	if (!family_fits(n, row))
		return false;
	if (n->value.kind == VALUE_NONE)
		return true;
	if (row->state.has & HAS_TUPLE)
		return filter_compare(n->peer ? row->member.peer_port : row->member.local_port,
				      n->op, &n->value);
	struct side s;
	read_other(row, a, n->peer, &s);
	return s.has_port && filter_compare(s.port, n->op, &n->value);
}

/* The five hexadecimal digits of unix(7)'s autobind. */
static bool is_autobind_name(const char *text)
{
	return text[0] == '@' && strlen(text) == 6 && strspn(text + 1, "0123456789abcdef") == 5;
}

static bool autobound_fits(const struct filter *f, const struct sock_row *row,
			   const struct filter_about *a)
{
	unsigned family = row->member.family;
	struct side s;
	if (is_inet(family))
		return (row->state.has & HAS_TUPLE) && row->member.local_port >= f->auto_port_lo &&
		       row->member.local_port <= f->auto_port_hi;
	read_other(row, a, false, &s);
	const char *text = s.text ? s.text : "";
	if (family == AF_UNIX)
		return !*text || is_autobind_name(text);
	if (family == AF_PACKET)
		return !row->state.ifindex && (!*text || strcmp(text, "[0]") == 0);
	if (family == AF_NETLINK)
		return s.has_port && s.port > INT32_MAX;
	return family == AF_VSOCK && s.has_port && s.port > 1023;
}

static bool field_fits(const struct filter *f, const struct filter_node *n,
		       const struct sock_row *row, const struct filter_about *a)
{
	const struct filter_field *field = n->field;
	bool number = field->sql_number && n->value.kind == VALUE_INT;
	struct filter_row_value v = filter_row_value(field, number, row, a);
	if (field->type == FILTER_CHOICE && !*filter_text(f, n->value.text))
		return v.kind == VALUE_NONE || !*v.text;
	if (v.kind == VALUE_TEXT)
		return text_fits(f, &n->value, v.text);
	return v.kind == VALUE_INT && filter_compare(v.num, n->op, &n->value);
}

static bool condition_fits(const struct filter_rows *r, uint32_t node, const struct sock_row *row,
			   const struct filter_about *a)
{
	const struct filter *f = r->filter;
	const struct filter_node *n = &f->nodes[node];
	switch (n->kind) {
	case NODE_STATES:
		return n->states & UINT32_C(1) << (row->state.state & 31);
	case NODE_HOST:
		return host_fits(r, n, row, a);
	case NODE_PORT:
		return port_fits(n, row, a);
	case NODE_DEV:
		return dev_fits(f, &n->value, row, a);
	case NODE_MARK:
		return (row->state.has & HAS_MARK) &&
		       (row->option.mark & n->mark_mask) == n->value.num;
	case NODE_CGROUP:
		return (row->state.has & HAS_CGROUP) && r->cgroups[node] &&
		       row->option.cgroup_id == r->cgroups[node];
	case NODE_AUTOBOUND:
		return autobound_fits(f, row, a);
	case NODE_FIELD:
		return field_fits(f, n, row, a);
	case NODE_AND:
	case NODE_OR:
		break;
	}
	return false;
}

/* At most FILTER_HEIGHT_MAX deep. */
static bool node_fits(const struct filter_rows *r, uint32_t node, const struct sock_row *row,
		      const struct filter_about *a)
{
	const struct filter_node *n = &r->filter->nodes[node];
	if (n->kind != NODE_AND && n->kind != NODE_OR)
		return condition_fits(r, node, row, a) != n->negated;
	bool all = n->kind == NODE_AND;
	for (uint32_t c = n->first; c; c = r->filter->nodes[c].next)
		if (node_fits(r, c, row, a) != all)
			return !all;
	return all;
}

bool filter_rows_match(const struct filter_rows *r, const struct sock_row *row,
		       const struct filter_about *about)
{
	return !r->filter->root || node_fits(r, r->filter->root, row, about);
}
