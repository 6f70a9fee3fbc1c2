/*
 * filter_fields.c - the words that can be asked of our own tables `socket` and `spell`, and the
 * columns that they stand for.
 */
#include "filter_ast.h"

#include <strings.h>

#define NS_PER_US 1000
#define NS_PER_MS 1000000

static const struct filter_choice timers[] = {
	{"off", ""},
	{"none", ""},
	{"on", "on"},
	{"keepalive", "keepalive"},
	{"timewait", "timewait"},
	{"persist", "persist"},
	{NULL, NULL},
};

/* How an owner is known (owner_source). */
static const struct filter_choice owner_sources[] = {
	{"none", ""},	      {"fd", "fd"}, {"history", "history"}, {"listener", "listener"},
	{"cgroup", "cgroup"}, {NULL, NULL},
};

/* What both tables have. */
#define COMMON_FIELDS                                                                              \
	{.name = "proto", .sql = "proto", .type = FILTER_TEXT},                                    \
		{.name = "comm", .sql = "comm", .type = FILTER_TEXT, .holder = 2},                 \
		{.name = "pid", .sql = "pid", .type = FILTER_NUMBER, .holder = 1},                 \
		{.name = "exe", .sql = "exe", .type = FILTER_TEXT, .holder = 3},                   \
		{.name = "cmdline", .sql = "cmdline", .type = FILTER_TEXT, .holder = 4},           \
		{.name = "uid", .sql = "uid", .type = FILTER_NUMBER},                              \
		{.name = "user", .sql = "uid", .type = FILTER_USER},                               \
		{.name = "inode", .sql = "inode", .type = FILTER_NUMBER},                          \
		{.name = "cookie", .sql = "cookie", .type = FILTER_NUMBER},                        \
		{.name = "netns",                                                                  \
		 .sql = "netns_name",                                                              \
		 .sql_number = "netns",                                                            \
		 .type = FILTER_TEXT},                                                             \
		{.name = "container", .sql = "container", .type = FILTER_TEXT, .holder = 5},       \
		{.name = "host", .sql = "host", .type = FILTER_TEXT},                              \
	{                                                                                          \
		.name = "owner", .sql = "owner_source", .type = FILTER_CHOICE,                     \
		.choices = owner_sources                                                           \
	}

static const struct filter_field socket_fields[] = {
	COMMON_FIELDS,
	{.name = "timer", .sql = "timer", .type = FILTER_CHOICE, .choices = timers},
	{.name = "retrans", .sql = "retrans", .type = FILTER_NUMBER},
	{.name = "backoff", .sql = "backoff", .type = FILTER_NUMBER},
	{.name = "rtt", .sql = "rtt_us", .type = FILTER_DURATION, .unit_ns = NS_PER_US},
	{.name = "cwnd", .sql = "cwnd", .type = FILTER_NUMBER},
	{.name = "recvq", .sql = "recvq", .type = FILTER_BYTES},
	{.name = "sendq", .sql = "sendq", .type = FILTER_BYTES},
};

/* `age` is of spells that are still open; how old the others were says `dwell`. */
static const struct filter_field spell_fields[] = {
	COMMON_FIELDS,
	{.name = "dwell",
	 .sql = "at_least_ms",
	 .sql_most = "at_most_ms",
	 .type = FILTER_DURATION,
	 .unit_ns = NS_PER_MS},
	{.name = "age",
	 .sql = "CASE WHEN open THEN at_least_ms END",
	 .sql_most = "CASE WHEN open THEN age_most_ms END",
	 .type = FILTER_DURATION,
	 .unit_ns = NS_PER_MS},
};

static const struct filter_columns socket_columns = {
	.family = "family",
	.state = "state",
	.local = "local",
	.local_port = "local_port",
	.peer = "peer",
	.peer_port = "peer_port",
	.ifindex = "ifindex",
	.dev = "dev",
	.mark = "mark",
	.cgroup = "cgroup",
	.holders = "holders",
};

static const struct filter_columns spell_columns = {
	.family = "family",
	.state = "state",
	.local = "local",
	.local_port = "local_port",
	.peer = "peer",
	.peer_port = "peer_port",
	.cgroup = "cgroup",
	.holders = "holders",
};

struct filter_env filter_socket_env(void)
{
	return (struct filter_env){
		.columns = &socket_columns,
		.told = "sockets in a snapshot",
		.elsewhere = "of spells: linger, trace, trend",
		.fields = socket_fields,
		.field_count = LENGTH(socket_fields),
	};
}

struct filter_env filter_spell_env(void)
{
	return (struct filter_env){
		.columns = &spell_columns,
		.told = "spells",
		.elsewhere = "of sockets in a snapshot: show, diff",
		.fields = spell_fields,
		.field_count = LENGTH(spell_fields),
	};
}

bool filter_is_our_word(const char *word)
{
	for (size_t i = 0; i < LENGTH(socket_fields); i++)
		if (strcasecmp(word, socket_fields[i].name) == 0)
			return true;
	for (size_t i = 0; i < LENGTH(spell_fields); i++)
		if (strcasecmp(word, spell_fields[i].name) == 0)
			return true;
	return false;
}
