/*
 * filter_host.c - "HOST SYNTAX" of ss(8): [FAMILY:]ADDRESS[:PORT], whose parts mean something else
 * in every family.
 */
#include "filter_parse.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "filter_value.h"

static const struct {
	const char *prefix;
	int family;
} families[] = {
	{"inet:", AF_INET},   {"inet6:", AF_INET6},	{"unix:", AF_UNIX},
	{"link:", AF_PACKET}, {"netlink:", AF_NETLINK}, {"vsock:", AF_VSOCK},
};

/* Netlink protocols as ss prints them (linux/netlink.h has the numbers). */
static const char *const netlink_names[] = {
	[0] = "rtnl",	 [1] = "unused",      [2] = "usersock",	  [3] = "fw",
	[4] = "tcpdiag", [5] = "nflog",	      [6] = "xfrm",	  [7] = "selinux",
	[8] = "iscsi",	 [9] = "audit",	      [10] = "fiblookup", [11] = "connector",
	[12] = "nft",	 [13] = "ip6fw",      [14] = "dec-rt",	  [15] = "uevent",
	[16] = "genl",	 [18] = "scsi-trans", [19] = "ecryptfs",  [20] = "rdma",
	[21] = "crypto",
};

/* A piece of a word: `text` has its own copy, so that the pool may move. */
struct piece {
	const struct filter_token *token;
	size_t offset; /* in the word */
	size_t len;
	char text[256];
};

static void cut(struct piece *ret, const struct piece *from, size_t offset, size_t len)
{
	char text[sizeof(ret->text)];
	memcpy(text, from->text + offset, len);
	text[len] = 0;
	ret->token = from->token;
	ret->offset = from->offset + offset;
	ret->len = len;
	memcpy(ret->text, text, len + 1);
}

#define FAIL_AT(p, piece, ...)                                                                     \
	parser_fail_part(p, (piece)->token, (piece)->offset, (piece)->len, __VA_ARGS__)

/* The whole word, without its family; sets the family. */
static int split_family(struct filter_parser *p, const struct filter_token *t,
			struct filter_node *n, struct piece *ret)
{
	struct piece whole = {.token = t, .len = t->len};
	if (t->len >= sizeof(whole.text))
		return parser_fail(p, t, ERR_LIMIT, "an address of more than %zu bytes",
				   sizeof(whole.text) - 1);
	memcpy(whole.text, token_text(p, t), t->len + 1);
	n->family = AF_UNSPEC;
	for (size_t i = 0; i < LENGTH(families); i++) {
		if (families[i].family == p->env->family)
			n->family = (uint8_t)p->env->family;
	}
	for (size_t i = 0; i < LENGTH(families); i++) {
		size_t len = strlen(families[i].prefix);
		if (strncasecmp(whole.text, families[i].prefix, len) != 0)
			continue;
		n->family = (uint8_t)families[i].family;
		cut(ret, &whole, len, whole.len - len);
		return 0;
	}
	if (n->family == AF_UNSPEC && (whole.text[0] == '/' || whole.text[0] == '@'))
		n->family = AF_UNIX;
	*ret = whole;
	return 0;
}

static bool is_any(const char *text)
{
	return text[0] == 0 || strcmp(text, "*") == 0;
}

/* --- ports --- */

static int resolve_service(struct filter_parser *p, const struct piece *port, uint16_t *ret)
{
	const struct filter_resolver *r = p->env->resolver;
	if (!r || !r->service || r->service(r->ctx, port->text, ret))
		return FAIL_AT(p, port, "expected a port, 0 to 65535, or the name of a service");
	return 0;
}

static int read_inet_port(struct filter_parser *p, const struct piece *port,
			  struct filter_value *ret)
{
	uint64_t v;
	if (is_any(port->text))
		return 0;
	if (!filter_read_number(port->text, UINT16_MAX, &v)) {
		uint16_t service = 0;
		int rc = resolve_service(p, port, &service);
		if (rc)
			return rc;
		v = service;
	}
	*ret = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)v};
	return 0;
}

/* The port of netlink (a port id or "kernel") and of vsock. */
static int read_number_port(struct filter_parser *p, int family, const struct piece *port,
			    struct filter_value *ret)
{
	uint64_t v = 0;
	bool kernel = family == AF_NETLINK && strcmp(port->text, "kernel") == 0;
	if (is_any(port->text))
		return 0;
	if (!kernel && !filter_read_number(port->text, UINT32_MAX, &v))
		return FAIL_AT(p, port,
			       family == AF_NETLINK ? "expected a port id or 'kernel'"
						    : "expected a port number");
	*ret = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)v};
	return 0;
}

/* The port of link: a device by name or index. */
static int read_device(struct filter_parser *p, const struct piece *dev, struct filter_value *ret)
{
	uint64_t v;
	if (is_any(dev->text))
		return 0;
	if (filter_read_number(dev->text, INT32_MAX, &v))
		*ret = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)v};
	else
		*ret = (struct filter_value){
			.kind = VALUE_TEXT,
			.text = filter_pool_put(p->filter, dev->text, dev->len)};
	return 0;
}

static int read_port(struct filter_parser *p, int family, const struct piece *port,
		     struct filter_value *ret)
{
	if (family == AF_PACKET)
		return read_device(p, port, ret);
	if (family == AF_NETLINK || family == AF_VSOCK)
		return read_number_port(p, family, port, ret);
	return read_inet_port(p, port, ret);
}

int parser_port(struct filter_parser *p, const struct filter_token *t, struct filter_node *n)
{
	struct piece port;
	int rc = split_family(p, t, n, &port);
	if (rc)
		return rc;
	if (n->family == AF_UNIX)
		return parser_fail(p, t, ERR_USAGE, "sockets of the unix family have no ports");
	if (port.text[0] == ':')
		cut(&port, &port, 1, port.len - 1);
	if (strpbrk(port.text, ":.[/"))
		return FAIL_AT(p, &port,
			       "expected a port such as :22; addresses go with src and dst");
	if (n->family == AF_PACKET) {
		if (n->op != OP_EQ)
			return parser_fail(p, t, ERR_USAGE,
					   "devices can only be compared by = and !=");
		n->kind = NODE_HOST;
		return read_device(p, &port, &n->port);
	}
	return read_port(p, n->family, &port, &n->value);
}

/* --- addresses of inet --- */

static int add_prefix(struct filter_parser *p, struct filter_node *n, int family,
		      const uint8_t *bytes, int bits)
{
	char text[64];
	struct filter *f = p->filter;
	bool exact = bits < 0 || bits == (family == AF_INET ? 32 : 128);
	if (f->prefix_count >= FILTER_ADDRESS_MAX)
		return parser_fail(p, parser_peek(p), ERR_LIMIT, "more than %d addresses",
				   FILTER_ADDRESS_MAX);
	if (!inet_ntop(family, bytes, text, sizeof(text)))
		return parser_nomem(p);
	if (!exact)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "/%d", bits);
	struct filter_prefix *grown = array_grow(f->prefixes, &f->prefix_cap, f->prefix_count + 1,
						 sizeof(*f->prefixes));
	if (!grown)
		return parser_nomem(p);
	f->prefixes = grown;
	f->prefixes[f->prefix_count] = (struct filter_prefix){
		.text = filter_pool_put(f, text, strlen(text)),
		.family = (uint8_t)family,
		.exact = exact,
	};
	if (!n->addr_count)
		n->addr_first = (uint32_t)f->prefix_count;
	f->prefix_count++;
	n->addr_count++;
	return 0;
}

/* "10", "193.233.7": the first numbers of an IPv4 address, as ss takes them before a '/'. */
static bool read_short_ipv4(const char *text, uint8_t bytes[4])
{
	memset(bytes, 0, 4);
	for (unsigned i = 0; i < 4; i++) {
		size_t len = strspn(text, "0123456789");
		char number[4];
		uint64_t v;
		if (len == 0 || len > 3)
			return false;
		memcpy(number, text, len);
		number[len] = 0;
		if (!filter_read_number(number, 255, &v))
			return false;
		bytes[i] = (uint8_t)v;
		text += len;
		if (!*text)
			return true;
		if (*text++ != '.')
			return false;
	}
	return false;
}

static int resolve_host(struct filter_parser *p, const struct piece *name, struct filter_node *n)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	const struct filter_resolver *r = p->env->resolver;
	struct filter_addr addrs[FILTER_NAME_ADDR_MAX];
	unsigned count = 0;
	if (strspn(name->text, chars) != name->len)
		return FAIL_AT(p, name, "expected an address, a prefix or the name of a host");
	if (strspn(name->text, "0123456789.") == name->len)
		return FAIL_AT(
			p, name,
			"an IPv4 address has four numbers; a port is written :%.20s, a prefix "
			"10.0.0.0/8",
			strchr(name->text, '.') ? "22" : name->text);
	if (p->env->for_rows)
		return FAIL_AT(p, name,
			       "names of hosts are not looked up while sockets are "
			       "recorded; use addresses");
	int found = !r || !r->host
			    ? ERR_NOT_FOUND
			    : r->host(r->ctx, name->text, n->family, LENGTH(addrs), addrs, &count);
	if (found == ERR_TIMEOUT)
		return FAIL_AT(p, name, "no name server has answered for this host");
	if (found || !count)
		return FAIL_AT(p, name, "there is no host of this name");
	for (unsigned i = 0; i < count && i < LENGTH(addrs); i++) {
		int rc = add_prefix(p, n, addrs[i].family, addrs[i].bytes, -1);
		if (rc)
			return rc;
	}
	buf_printf(&p->filter->resolved, "%s%s", p->filter->resolved.len ? " " : "", name->text);
	return p->filter->resolved.failed ? parser_nomem(p) : 0;
}

/* The bits behind the '/'; -1 if there is none. */
static int read_bits(struct filter_parser *p, const struct piece *bits, int family, int *ret)
{
	uint64_t v;
	*ret = -1;
	if (!bits->text[0])
		return 0;
	if (!filter_read_number(bits->text + 1, family == AF_INET ? 32 : 128, &v) ||
	    strlen(bits->text) > 4)
		return FAIL_AT(p, bits, "expected the length of a prefix, /0 to /%d",
			       family == AF_INET ? 32 : 128);
	*ret = (int)v;
	return 0;
}

/* ADDRESS, and the "/BITS" behind it or "". */
static int read_inet_addr(struct filter_parser *p, const struct piece *addr,
			  const struct piece *bits, bool brackets, struct filter_node *n)
{
	uint8_t bytes[16] = {0};
	int family = AF_UNSPEC;
	int prefix_bits;
	if (inet_pton(AF_INET6, addr->text, bytes) == 1)
		family = AF_INET6;
	else if (!brackets && (inet_pton(AF_INET, addr->text, bytes) == 1 ||
			       (bits->text[0] && read_short_ipv4(addr->text, bytes))))
		family = AF_INET;
	if (strchr(addr->text, '%'))
		return FAIL_AT(p, addr,
			       "leave out the %%DEVICE of the address and add: dev DEVICE");
	if (family == AF_UNSPEC && brackets)
		return FAIL_AT(p, addr, "expected an IPv6 address between the brackets");
	if (family == AF_UNSPEC && bits->text[0])
		return FAIL_AT(p, addr, "expected an address before the '/'");
	if (family == AF_UNSPEC)
		return resolve_host(p, addr, n);
	if (n->family != AF_UNSPEC && n->family != family)
		return FAIL_AT(p, addr, "this is not an address of the family %s",
			       n->family == AF_INET ? "inet" : "inet6");
	int rc = read_bits(p, bits, family, &prefix_bits);
	return rc ? rc : add_prefix(p, n, family, bytes, prefix_bits);
}

/* Where a host word of inet is cut: [0, addr) [addr, bits) [bits, len). */
struct inet_cut {
	size_t addr_begin, addr_end, bits_end;
};

static int cut_inet(struct filter_parser *p, const struct piece *w, struct inet_cut *ret)
{
	const char *s = w->text;
	if (s[0] == '[') {
		const char *close = strchr(s, ']');
		if (!close)
			return FAIL_AT(p, w, "this '[' is not closed");
		const char *slash = memchr(s, '/', (size_t)(close - s));
		size_t end = (size_t)((slash ? slash : close) - s);
		*ret = (struct inet_cut){1, end, 0};
		ret->bits_end = (size_t)(close - s) + 1 + strcspn(close + 1, ":");
		return 0;
	}
	const char *slash = strchr(s, '/');
	const char *colon = strrchr(slash ? slash : s, ':');
	size_t end = colon ? (size_t)(colon - s) : w->len;
	if (!slash && colon && strchr(s, ':') != colon)
		return FAIL_AT(p, w, "an IPv6 address stands in brackets: [::1]:22");
	*ret = (struct inet_cut){0, slash ? (size_t)(slash - s) : end, end};
	return 0;
}

/* The "/BITS" of [ADDRESS]/BITS and of [ADDRESS/BITS]. */
static int cut_bits(struct filter_parser *p, const struct piece *w, const struct inet_cut *c,
		    struct piece *ret)
{
	cut(ret, w, c->addr_end, c->bits_end - c->addr_end);
	if (w->text[0] != '[')
		return 0;
	char *close = strchr(ret->text, ']');
	if (close == ret->text)
		cut(ret, ret, 1, ret->len - 1);
	else if (close && !close[1])
		cut(ret, ret, 0, ret->len - 1);
	else
		return FAIL_AT(p, ret, "expected the length of one prefix");
	if (ret->text[0] && ret->text[0] != '/')
		return FAIL_AT(p, ret,
			       "expected ':' and a port, or '/' and the length of a prefix");
	return 0;
}

static int parse_inet(struct filter_parser *p, const struct piece *w, struct filter_node *n)
{
	struct inet_cut c = {0};
	struct piece addr, bits, port;
	int rc = cut_inet(p, w, &c);
	if (rc)
		return rc;
	cut(&addr, w, c.addr_begin, c.addr_end - c.addr_begin);
	rc = cut_bits(p, w, &c, &bits);
	if (rc)
		return rc;
	size_t port_at = c.bits_end < w->len ? c.bits_end + 1 : w->len;
	cut(&port, w, port_at, w->len - port_at);
	bool brackets = w->text[0] == '[';
	if (brackets || bits.text[0] || !is_any(addr.text))
		rc = read_inet_addr(p, &addr, &bits, brackets, n);
	return rc ? rc : read_port(p, n->family, &port, &n->port);
}

/* --- addresses of other families --- */

static int parse_unix(struct filter_parser *p, const struct piece *w, struct filter_node *n)
{
	n->value = (struct filter_value){.kind = VALUE_GLOB,
					 .text = filter_pool_put(p->filter, w->text, w->len)};
	return 0;
}

/* ADDRESS[:PORT] where both are simple words. */
static int parse_words(struct filter_parser *p, const struct piece *w, struct filter_node *n)
{
	struct piece addr, port;
	char name[32];
	uint64_t v;
	size_t colon = strcspn(w->text, ":");
	cut(&addr, w, 0, colon);
	cut(&port, w, colon + (w->text[colon] != 0), w->len - colon - (w->text[colon] != 0));
	bool number = filter_read_number(addr.text, UINT32_MAX, &v);
	if (is_any(addr.text))
		return read_port(p, n->family, &port, &n->port);
	if (n->family == AF_VSOCK && !number)
		return FAIL_AT(p, &addr, "expected a CID, which is a number");
	if (n->family == AF_VSOCK) {
		n->value = (struct filter_value){.kind = VALUE_INT, .num = (int64_t)v};
		return read_port(p, n->family, &port, &n->port);
	}
	if (addr.len >= sizeof(name))
		return FAIL_AT(p, &addr, "there is no protocol with such a long name");
	snprintf(name, sizeof(name), number && n->family == AF_PACKET ? "[%.28s]" : "%.30s",
		 addr.text);
	if (number && n->family == AF_NETLINK && v < LENGTH(netlink_names) && netlink_names[v])
		snprintf(name, sizeof(name), "%s", netlink_names[v]);
	n->value = (struct filter_value){.kind = VALUE_TEXT,
					 .text = filter_pool_put(p->filter, name, strlen(name))};
	return read_port(p, n->family, &port, &n->port);
}

int parser_host(struct filter_parser *p, const struct filter_token *t, struct filter_node *n)
{
	struct piece w;
	int rc = split_family(p, t, n, &w);
	if (rc)
		return rc;
	if (n->family == AF_UNIX)
		return parse_unix(p, &w, n);
	if (n->family == AF_PACKET || n->family == AF_NETLINK || n->family == AF_VSOCK)
		return parse_words(p, &w, n);
	return parse_inet(p, &w, n);
}
