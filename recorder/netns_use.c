/* netns_use.c - see netns_use.h. */
#include "netns_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN INT64_MAX

/* "NAME: key value key value ..."; UNKNOWN if there is no such line or key. */
static int64_t stat_value(const char *text, const char *name, const char *key)
{
	size_t name_len = strlen(name), key_len = strlen(key);
	const char *line = text;
	while (line && !(strncmp(line, name, name_len) == 0 && line[name_len] == ':')) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line || !*line)
		return UNKNOWN;
	const char *at = line + name_len + 1;
	while (*at == ' ') {
		at++;
		size_t word = strcspn(at, " \n");
		bool is_key = word == key_len && memcmp(at, key, word) == 0;
		at += word;
		char *end;
		long long v = strtoll(at, &end, 10);
		if (end == at)
			return UNKNOWN;
		if (is_key)
			return v;
		at = end;
	}
	return UNKNOWN;
}

/* What the lines of /proc/net/protocols add up to, by the kind of the protocol. */
struct sums {
	int64_t local;	 /* unix, packet, netlink: every socket is counted */
	int64_t inet;	 /* the protocols of inet that we know */
	int64_t mptcp;	 /* one of them */
	int64_t unknown; /* others */
	bool good;
};

static const struct {
	const char *name;
	size_t sum; /* offset in struct sums */
} protocols[] = {
	{"UNIX", offsetof(struct sums, local)},	   {"UNIX-STREAM", offsetof(struct sums, local)},
	{"PACKET", offsetof(struct sums, local)},  {"NETLINK", offsetof(struct sums, local)},
	{"TCP", offsetof(struct sums, inet)},	   {"TCPv6", offsetof(struct sums, inet)},
	{"UDP", offsetof(struct sums, inet)},	   {"UDPv6", offsetof(struct sums, inet)},
	{"UDP-Lite", offsetof(struct sums, inet)}, {"UDPLITEv6", offsetof(struct sums, inet)},
	{"RAW", offsetof(struct sums, inet)},	   {"RAWv6", offsetof(struct sums, inet)},
	{"PING", offsetof(struct sums, inet)},	   {"PINGv6", offsetof(struct sums, inet)},
	{"MPTCP", offsetof(struct sums, mptcp)},   {"MPTCPv6", offsetof(struct sums, mptcp)},
};

static void add(struct sums *s, const char *name, int64_t count)
{
	size_t at = offsetof(struct sums, unknown);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcmp(protocols[i].name, name) == 0)
			at = protocols[i].sum;
	*(int64_t *)(void *)((char *)s + at) += count;
}

/* "protocol  size sockets  memory ..." and a line for each; -1: the protocol counts none. */
static struct sums sums_of(const char *text)
{
	struct sums s = {0};
	const char *line = strchr(text, '\n');
	s.good = line && strncmp(text, "protocol", 8) == 0;
	for (; line && line[1]; line = strchr(line + 1, '\n')) {
		char name[33];
		unsigned size;
		long long count;
		if (sscanf(line + 1, "%32s %u %lld", name, &size, &count) != 3) {
			s.good = false;
			break;
		}
		add(&s, name, count > 0 ? count : 0);
	}
	return s;
}

/* Is any of the counts above 0, or not known? */
static bool any_active(const struct netns_use_files *f)
{
	static const char *const v4[] = {"TCP", "UDP", "UDPLITE", "RAW"};
	static const char *const v6[] = {"TCP6", "UDP6", "UDPLITE6", "RAW6"};
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++)
		if (stat_value(f->sockstat, v4[i], "inuse") != 0 ||
		    (*f->sockstat6 && stat_value(f->sockstat6, v6[i], "inuse") != 0))
			return true;
	return stat_value(f->sockstat, "TCP", "tw") != 0;
}

struct netns_use netns_use_of(const struct netns_use_files *files, unsigned own, bool counts_mptcp)
{
	struct netns_use use = {0};
	struct sums s = sums_of(files->protocols);
	int64_t used = stat_value(files->sockstat, "sockets", "used");
	if (!s.good || used == UNKNOWN || used < 0)
		return use;
	used -= own;
	/* What the two files count must both be nothing: a count is not read in one go. */
	use.no_inet = used <= s.local && !s.inet && !s.mptcp && !s.unknown && !any_active(files);
	use.no_mptcp = use.no_inet || (counts_mptcp && !s.mptcp);
	use.all_active = use.no_inet || (!s.mptcp && !s.unknown && used <= s.local + s.inet);
	return use;
}

bool netns_kernel_is(const char *release, unsigned major, unsigned minor)
{
	unsigned a, b;
	if (sscanf(release, "%u.%u", &a, &b) != 2)
		return false;
	return a > major || (a == major && b >= minor);
}
