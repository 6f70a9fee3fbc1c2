/* show_ask.c - see show_ask.h. Defaults as ss has them: found by asking it, not in its man page. */
#include "show_ask.h"

#include <string.h>
#include <sys/socket.h>

#include "cmd.h"

/* Options without a letter. */
enum {
	OPT_TIPC = OPT_SHOW,
	OPT_VSOCK,
	OPT_XDP,
	OPT_TOS,
	OPT_CGROUP,
	OPT_SOCKOPT,
	OPT_TIPC_INFO,
};

const struct arg_option show_options[] = {
	{'n', "numeric", NULL, "ports as numbers, not as names of services; exact rates"},
	{'r', "resolve", NULL, "names of hosts, as they are today"},
	{'a', "all", NULL, "sockets in every state (default: connected ones)"},
	{'l', "listening", NULL, "only listening sockets"},
	{'B', "bound-inactive", NULL, "only TCP sockets that are bound and nothing else"},
	{'o', "options", NULL, "the running timer"},
	{'e', "extended", NULL, "timer, user, inode, cookie, cgroup"},
	{'m', "memory", NULL, "memory of the socket"},
	{'p', "processes", NULL, "who holds them, held them or listens for them"},
	{'i', "info", NULL, "what TCP knows"},
	{'s', "summary", NULL, "how many there are"},
	{OPT_TOS, "tos", NULL, "type of service, class"},
	{OPT_CGROUP, "cgroup", NULL, "cgroup of the socket"},
	{OPT_SOCKOPT, "inet-sockopt", NULL, "options of inet sockets"},
	{'O', "oneline", NULL, "a line a socket, whatever is asked for"},
	{'N', "net", "NAME", "only this network namespace, by name or inode"},
	{'4', "ipv4", NULL, "IPv4 sockets"},
	{'6', "ipv6", NULL, "IPv6 sockets"},
	{'0', "packet", NULL, "packet sockets"},
	{'t', "tcp", NULL, "TCP sockets"},
	{'M', "mptcp", NULL, "MPTCP sockets"},
	{'S', "sctp", NULL, "SCTP sockets"},
	{'u', "udp", NULL, "UDP sockets"},
	{'d', "dccp", NULL, "DCCP sockets"},
	{'w', "raw", NULL, "raw sockets"},
	{'x', "unix", NULL, "Unix sockets"},
	{OPT_TIPC, "tipc", NULL, "TIPC sockets"},
	{OPT_VSOCK, "vsock", NULL, "vsock sockets"},
	{OPT_XDP, "xdp", NULL, "XDP sockets"},
	{OPT_FAMILY, "family", "FAMILY",
	 "inet inet6 link unix netlink vsock tipc xdp; behind `show`, -f FAMILY too"},
	{'A', "query", "TABLE,...",
	 "all inet tcp mptcp udp udplite raw unix unix_stream unix_dgram unix_seqpacket packet "
	 "packet_raw packet_dgram netlink dccp sctp vsock vsock_stream vsock_dgram tipc xdp; with "
	 "! "
	 "in front: not this one"},
	{'A', "socket", "TABLE,...", "the same"},
	{'F', "filter", "FILE", "a filter from a file (-: standard input)"},
	{'T', "threads", NULL, "refused: owners are recorded by process"},
	{'Z', "context", NULL, "refused, as -z: security contexts are not recorded"},
	{'z', "contexts", NULL, "refused"},
	{'b', "bpf", NULL, "refused: filters of sockets are not recorded"},
	{'E', "events", NULL, "refused: the past has no events to wait for"},
	{'K', "kill", NULL, "refused: the past cannot be closed"},
	{'D', "diag", "FILE", "refused: netlink messages are not kept"},
	{OPT_TIPC_INFO, "tipcinfo", NULL, "refused: not recorded"},
	{0},
};

/* Without -0, -4 and -6: behind a command that takes times, -4h is one. */
const struct arg_option show_table_options[] = {
	{'t', "tcp", NULL, "only TCP sockets"},
	{'M', "mptcp", NULL, "only MPTCP sockets"},
	{'S', "sctp", NULL, "only SCTP sockets"},
	{'u', "udp", NULL, "only UDP sockets"},
	{'d', "dccp", NULL, "only DCCP sockets"},
	{'w', "raw", NULL, "only raw sockets"},
	{'x', "unix", NULL, "only Unix sockets"},
	{OPT_FAMILY, "family", "FAMILY", "only inet, inet6, link, unix, netlink, vsock, tipc, xdp"},
	{'A', "query", "TABLE,...", "only these tables, as show has them"},
	{0},
};

/* Options of ss that a recording has no answer to: why, and what to do instead. */
static const struct {
	int id;
	const char *option, *why;
} refused[] = {
	{'T', "-T", "threads are not recorded, owners are by process: use -p"},
	{'Z', "-Z", "security contexts are not recorded: use -p"},
	{'z', "-z", "security contexts are not recorded: use -p"},
	{'b', "-b", "the recorder does not read the BPF filters of sockets"},
	{'E', "-E", "a recording has no events to come: see trace, or diff A B"},
	{'K', "-K", "a recording cannot close sockets of the past"},
	{'D', "-D", "netlink messages are not kept: see --json, --csv and sql"},
	{OPT_TIPC_INFO, "--tipcinfo", "not recorded"},
};

#define BIT(n) (UINT32_C(1) << (n))

#define STATES_ALL SHOW_STATES_EVERY
#define STATES_CONNECTED                                                                           \
	(STATES_ALL &                                                                              \
	 ~(BIT(STATE_LISTEN) | BIT(STATE_UNCONN) | BIT(STATE_TIME_WAIT) | BIT(STATE_SYN_RECV) |    \
	   BIT(STATE_NEW_SYN_RECV) | BIT(STATE_BOUND_INACTIVE)))
#define FAMILIES_INET (SHOW_INET | SHOW_INET6)

#define TABLES_UNIX   (BIT(TABLE_UNIX_STREAM) | BIT(TABLE_UNIX_DGRAM) | BIT(TABLE_UNIX_SEQPACKET))
#define TABLES_PACKET (BIT(TABLE_PACKET_RAW) | BIT(TABLE_PACKET_DGRAM))
#define TABLES_VSOCK  (BIT(TABLE_VSOCK_STREAM) | BIT(TABLE_VSOCK_DGRAM))
#define TABLES_INET                                                                                \
	(BIT(TABLE_RAW) | BIT(TABLE_UDP) | BIT(TABLE_UDPLITE) | BIT(TABLE_TCP) |                   \
	 BIT(TABLE_MPTCP) | BIT(TABLE_DCCP) | BIT(TABLE_SCTP))
#define TABLES_ALL (BIT(TABLE_COUNT) - 1)

static const struct {
	const char *proto;
	int type; /* SOCK_*, of the tables that are told apart by it */
	const char *net_id;
	uint32_t families;
} tables[TABLE_COUNT] = {
	[TABLE_NETLINK] = {"netlink", 0, "nl", SHOW_NETLINK},
	[TABLE_PACKET_RAW] = {"packet", SOCK_RAW, "p_raw", SHOW_LINK},
	[TABLE_PACKET_DGRAM] = {"packet", SOCK_DGRAM, "p_dgr", SHOW_LINK},
	[TABLE_UNIX_STREAM] = {"unix", SOCK_STREAM, "u_str", SHOW_UNIX},
	[TABLE_UNIX_DGRAM] = {"unix", SOCK_DGRAM, "u_dgr", SHOW_UNIX},
	[TABLE_UNIX_SEQPACKET] = {"unix", SOCK_SEQPACKET, "u_seq", SHOW_UNIX},
	[TABLE_RAW] = {"raw", 0, "raw", FAMILIES_INET},
	[TABLE_UDP] = {"udp", 0, "udp", FAMILIES_INET},
	[TABLE_UDPLITE] = {"udplite", 0, "udplite", FAMILIES_INET},
	[TABLE_TCP] = {"tcp", 0, "tcp", FAMILIES_INET},
	[TABLE_MPTCP] = {"mptcp", 0, "mptcp", FAMILIES_INET},
	[TABLE_DCCP] = {"dccp", 0, "dccp", FAMILIES_INET},
	[TABLE_SCTP] = {"sctp", 0, "sctp", FAMILIES_INET},
	[TABLE_VSOCK_STREAM] = {"vsock", SOCK_STREAM, "v_str", SHOW_VSOCK},
	[TABLE_VSOCK_DGRAM] = {"vsock", SOCK_DGRAM, "v_dgr", SHOW_VSOCK},
	[TABLE_TIPC] = {"tipc", 0, "tipc", SHOW_TIPC},
	[TABLE_XDP] = {"xdp", 0, "xdp", SHOW_XDP},
};

/* What -A takes, and what else it calls them. */
static const struct {
	const char *name;
	uint32_t tables;
} queries[] = {
	{"all", TABLES_ALL},
	{"inet", TABLES_INET},
	{"tcp", BIT(TABLE_TCP)},
	{"mptcp", BIT(TABLE_MPTCP)},
	{"udp", BIT(TABLE_UDP)},
	{"udplite", BIT(TABLE_UDPLITE)},
	{"raw", BIT(TABLE_RAW)},
	{"dccp", BIT(TABLE_DCCP)},
	{"sctp", BIT(TABLE_SCTP)},
	{"unix", TABLES_UNIX},
	{"unix_stream", BIT(TABLE_UNIX_STREAM)},
	{"u_str", BIT(TABLE_UNIX_STREAM)},
	{"unix_dgram", BIT(TABLE_UNIX_DGRAM)},
	{"u_dgr", BIT(TABLE_UNIX_DGRAM)},
	{"unix_seqpacket", BIT(TABLE_UNIX_SEQPACKET)},
	{"u_seq", BIT(TABLE_UNIX_SEQPACKET)},
	{"packet", TABLES_PACKET},
	{"packet_raw", BIT(TABLE_PACKET_RAW)},
	{"p_raw", BIT(TABLE_PACKET_RAW)},
	{"packet_dgram", BIT(TABLE_PACKET_DGRAM)},
	{"p_dgr", BIT(TABLE_PACKET_DGRAM)},
	{"netlink", BIT(TABLE_NETLINK)},
	{"vsock", TABLES_VSOCK},
	{"vsock_stream", BIT(TABLE_VSOCK_STREAM)},
	{"v_str", BIT(TABLE_VSOCK_STREAM)},
	{"vsock_dgram", BIT(TABLE_VSOCK_DGRAM)},
	{"v_dgr", BIT(TABLE_VSOCK_DGRAM)},
	{"tipc", BIT(TABLE_TIPC)},
	{"xdp", BIT(TABLE_XDP)},
};

/* A family, what its sockets are listed in, and the states that are meant if none are named. */
static const struct family {
	const char *name;
	uint32_t bit, tables, states;
	int af;
} families[] = {
	{"inet", SHOW_INET, TABLES_INET, STATES_CONNECTED, AF_INET},
	{"inet6", SHOW_INET6, TABLES_INET, STATES_CONNECTED, AF_INET6},
	{"unix", SHOW_UNIX, TABLES_UNIX, STATES_CONNECTED, AF_UNIX},
	{"link", SHOW_LINK, TABLES_PACKET, BIT(STATE_UNCONN), AF_PACKET},
	{"netlink", SHOW_NETLINK, BIT(TABLE_NETLINK), BIT(STATE_UNCONN), AF_NETLINK},
	{"vsock", SHOW_VSOCK, TABLES_VSOCK, STATES_CONNECTED, AF_VSOCK},
	{"tipc", SHOW_TIPC, BIT(TABLE_TIPC), STATES_CONNECTED, AF_TIPC},
	{"xdp", SHOW_XDP, BIT(TABLE_XDP), BIT(STATE_UNCONN), AF_XDP},
};

/* Options that name a table and the states that are meant if none are named. */
static const struct {
	int id;
	uint32_t tables, states;
} table_options[] = {
	{'t', BIT(TABLE_TCP), STATES_CONNECTED},     {'M', BIT(TABLE_MPTCP), STATES_CONNECTED},
	{'S', BIT(TABLE_SCTP), STATES_CONNECTED},    {'d', BIT(TABLE_DCCP), STATES_CONNECTED},
	{'u', BIT(TABLE_UDP), BIT(STATE_ESTAB)},     {'w', BIT(TABLE_RAW), BIT(STATE_ESTAB)},
	{'x', TABLES_UNIX, STATES_CONNECTED},	     {OPT_TIPC, BIT(TABLE_TIPC), STATES_CONNECTED},
	{OPT_VSOCK, TABLES_VSOCK, STATES_CONNECTED}, {OPT_XDP, BIT(TABLE_XDP), BIT(STATE_UNCONN)},
};

/* Options that are the same as -f FAMILY. */
static const struct {
	int id;
	const char *family;
} family_options[] = {{'4', "inet"}, {'6', "inet6"}, {'0', "link"}};

static const struct {
	int id;
	unsigned details;
} detail_options[] = {
	{'p', SHOW_PROCESS},
	{'o', SHOW_TIMER},
	{'e', SHOW_DETAILS | SHOW_TIMER},
	{'m', SHOW_MEMORY},
	{'i', SHOW_INFO},
	{OPT_TOS, SHOW_TOS},
	{OPT_CGROUP, SHOW_CGROUP},
	{OPT_SOCKOPT, SHOW_SOCKOPT},
};

static const struct {
	int id;
	uint32_t states;
} state_options[] = {
	{'a', STATES_ALL},
	{'l', BIT(STATE_LISTEN) | BIT(STATE_UNCONN)},
	{'B', BIT(STATE_BOUND_INACTIVE)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct family *family_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(families); i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	return NULL;
}

bool show_is_family(const char *name)
{
	return family_by_name(name) != NULL;
}

int show_ask_family(const struct show_ask *a)
{
	for (size_t i = 0; i < COUNT(families); i++)
		if (families[i].bit == a->families)
			return families[i].af;
	return AF_UNSPEC;
}

static void add_family(struct show_ask *a, const struct family *f)
{
	a->families |= f->bit;
	a->tables |= f->tables;
	a->states |= f->states;
}

static int add_query(struct show_ask *a, const char *name, size_t len, struct err *e)
{
	bool without = len && name[0] == '!';
	name += without;
	len -= without;
	for (size_t i = 0; i < COUNT(queries); i++) {
		if (strlen(queries[i].name) != len || memcmp(queries[i].name, name, len) != 0)
			continue;
		if (without)
			a->tables = (a->tables ? a->tables : TABLES_ALL) & ~queries[i].tables;
		else
			a->tables |= queries[i].tables;
		return 0;
	}
	return err_set(e, ERR_USAGE, "show: -A %.*s: no such table of sockets", (int)len, name);
}

static int add_queries(struct show_ask *a, const char *list, struct err *e)
{
	int rc = 0;
	while (!rc) {
		size_t len = strcspn(list, ",");
		rc = add_query(a, list, len, e);
		if (!list[len])
			break;
		list += len + 1;
	}
	if (!rc && !a->tables)
		rc = err_set(e, ERR_USAGE, "show: -A: no table of sockets is left");
	return rc;
}

static void read_simple(struct show_ask *a, int id)
{
	for (size_t i = 0; i < COUNT(detail_options); i++)
		if (detail_options[i].id == id)
			a->details |= detail_options[i].details;
	for (size_t i = 0; i < COUNT(table_options); i++) {
		if (table_options[i].id != id)
			continue;
		a->tables |= table_options[i].tables;
		a->states |= table_options[i].states;
	}
	a->numeric |= id == 'n';
	a->resolve |= id == 'r';
	a->one_line |= id == 'O';
	a->summary |= id == 's';
}

static int read_option(struct show_ask *a, const struct arg *arg, struct err *e)
{
	for (size_t i = 0; i < COUNT(refused); i++)
		if (refused[i].id == arg->id)
			return err_set(e, ERR_USAGE, "show: %s: %s", refused[i].option,
				       refused[i].why);
	const char *family = arg->id == OPT_FAMILY ? arg->value : NULL;
	for (size_t i = 0; i < COUNT(family_options); i++)
		if (family_options[i].id == arg->id)
			family = family_options[i].family;
	const struct family *f = family ? family_by_name(family) : NULL;
	if (family && !f)
		return err_set(e, ERR_USAGE, "show: --family %.32s: no such family of sockets",
			       family);
	/* As in ss: a family adds its tables only if none of them is named (complete()). */
	a->families |= f ? f->bit : 0;
	a->states |= f ? f->states : 0;
	if (arg->id == 'A')
		return add_queries(a, arg->value, e);
	if (arg->id == 'N')
		a->netns = arg->value;
	if (arg->id == 'F')
		a->file = arg->value;
	read_simple(a, arg->id);
	return 0;
}

/* A table without one of its families asks for them, a family without a table for its tables. */
static void complete(struct show_ask *a)
{
	a->chosen = a->tables || a->families;
	if (!a->chosen)
		a->tables = TABLES_ALL;
	for (size_t t = 0; t < TABLE_COUNT; t++)
		if (a->tables & BIT(t) && !(tables[t].families & a->families))
			a->families |= tables[t].families;
	for (size_t i = 0; i < COUNT(families); i++)
		if (a->families & families[i].bit && !(families[i].tables & a->tables))
			add_family(a, &families[i]);
	if (!a->states)
		a->states = STATES_CONNECTED;
}

int show_ask_read(const struct args *args, struct show_ask *ret, struct err *e)
{
	struct show_ask a = {0};
	uint32_t states = 0;
	for (size_t i = 0; i < args->given_count; i++) {
		int rc = read_option(&a, &args->given[i], e);
		if (rc)
			return rc;
		for (size_t s = 0; s < COUNT(state_options); s++)
			if (state_options[s].id == args->given[i].id)
				states = state_options[s].states;
	}
	complete(&a);
	if (states)
		a.states = states;
	*ret = a;
	return 0;
}

void show_ask_scope(struct show_ask *a, struct filter_scope scope)
{
	if (scope.names_states)
		a->states = scope.states & SHOW_STATES_EVERY;
}

/* " OR " between alternatives, "(" before the first. */
static void put_or(struct buf *b, unsigned *n)
{
	buf_put_str(b, (*n)++ ? " OR " : "(");
}

/*
 * A TCP socket that is bound and nothing else has no state of its own in the kernel's answer: it
 * is told as closed. No other TCP socket that is closed is told at all.
 */
#define BOUND_INACTIVE "proto = 'tcp' AND state = 'UNCONN'"

/* Tables that are told apart by type are asked for by type only if not all of them are meant. */
static void put_tables(const struct show_ask *a, struct buf *b)
{
	unsigned n = 0;
	for (size_t t = 0; t < TABLE_COUNT;) {
		size_t end = t + 1;
		uint32_t group = BIT(t);
		for (; end < TABLE_COUNT && strcmp(tables[end].proto, tables[t].proto) == 0; end++)
			group |= BIT(end);
		if ((a->tables & group) == group && group) {
			put_or(b, &n);
			buf_printf(b, "proto = '%s'", tables[t].proto);
		} else {
			for (size_t i = t; i < end; i++) {
				if (!(a->tables & BIT(i)))
					continue;
				put_or(b, &n);
				buf_printf(b, "proto = '%s' AND sock_type = %d", tables[i].proto,
					   tables[i].type);
			}
		}
		t = end;
	}
	buf_put_str(b, n ? ") AND " : "0 AND ");
}

/* States as the rows have them: without those that only stand for a bound socket. */
static void put_states(uint32_t states, struct buf *b)
{
	uint32_t known = BIT(STATE_COUNT) - 2 - BIT(STATE_BOUND_INACTIVE);
	bool inactive = states & BIT(STATE_BOUND_INACTIVE);
	unsigned n = 0;
	buf_put_str(b, "(");
	for (unsigned s = 1; s < STATE_COUNT && (states & known) != known; s++)
		if (states & known & BIT(s))
			buf_printf(b, "%s'%s'", n++ ? ", " : "state IN (", sock_state_name(s));
	buf_put_str(b, n ? ")" : (states & known) ? "1" : "0");
	if (inactive)
		buf_put_str(b, " OR state = 'BOUND-INACTIVE' OR " BOUND_INACTIVE);
	buf_put_str(b, ") AND ");
	if (!inactive && states & BIT(STATE_UNCONN))
		buf_put_str(b, "NOT (" BOUND_INACTIVE ") AND ");
}

void show_ask_sql(const struct show_ask *a, struct buf *where)
{
	if (a->tables != TABLES_ALL)
		put_tables(a, where);
	if ((a->families & FAMILIES_INET) == SHOW_INET)
		buf_printf(where, "family <> %d AND ", AF_INET6);
	if ((a->families & FAMILIES_INET) == SHOW_INET6)
		buf_printf(where, "family <> %d AND ", AF_INET);
	if (a->states != SHOW_STATES_EVERY)
		put_states(a->states, where);
	if (a->netns)
		buf_put_str(where, "(netns_name = :netns OR netns = :netns_inode) AND ");
}

static bool is_one(uint32_t bits)
{
	return bits && !(bits & (bits - 1));
}

bool show_ask_has_net_id(const struct show_ask *a)
{
	return !is_one(a->tables);
}

bool show_ask_has_state(const struct show_ask *a)
{
	return !is_one(a->states);
}

enum show_table show_table_of(const char *proto, int type)
{
	enum show_table found = TABLE_COUNT;
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		if (strcmp(tables[t].proto, proto) != 0)
			continue;
		if (!tables[t].type || tables[t].type == type)
			return (enum show_table)t;
	}
	return found;
}

const char *show_net_id(enum show_table table)
{
	return table < TABLE_COUNT ? tables[table].net_id : "???";
}
