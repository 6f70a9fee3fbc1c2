/* keys.c - see keys.h. */
#include "keys.h"

#include <string.h>

#include "buf.h"

#define WITH_PORT(side)                                                                            \
	"CASE WHEN instr(" side ", ':') THEN '[' || " side " || ']' ELSE " side                    \
	" END || ':' || " side "_port"

static const struct key all_keys[] = {
	{"state", "state", "state", OUT_STRING},
	{"comm", "comm", "comm", OUT_STRING},
	{"pid", "pid", "pid", OUT_NUMBER},
	{"exe", "exe", "exe", OUT_STRING},
	{"cmdline", "cmdline", "cmdline", OUT_STRING},
	{"uid", "uid", "uid", OUT_NUMBER},
	{"cgroup", "cgroup", "cgroup", OUT_STRING},
	{"container", "container", "container", OUT_STRING},
	{"netns", "netns", "netns", OUT_NUMBER},
	{"host", "host", "host", OUT_STRING},
	{"proto", "proto", "proto", OUT_STRING},
	{"local", "local", WITH_PORT("local"), OUT_STRING},
	{"peer", "peer", WITH_PORT("peer"), OUT_STRING},
	{"src", "src", "local", OUT_STRING},
	{"dst", "dst", "peer", OUT_STRING},
	{"sport", "sport", "local_port", OUT_NUMBER},
	{"dport", "dport", "peer_port", OUT_NUMBER},
	{"peer-port", "peer_port", "peer_port", OUT_NUMBER},
	{"timer", "timer", "timer", OUT_STRING},
	{"owner", "owner_source", "owner_source", OUT_STRING},
};

#define KEYS_COUNT (sizeof(all_keys) / sizeof(all_keys[0]))

static int no_key(const char *word, size_t len, struct err *e)
{
	struct buf words CLEANUP(buf_fini) = {0};
	for (size_t i = 0; i < KEYS_COUNT; i++)
		buf_printf(&words, " %s", all_keys[i].word);
	return err_set(e, ERR_USAGE, "--by: %.*s: not a key; there are:%s",
		       len < 32 ? (int)len : 32, word, buf_str(&words));
}

static const struct key *find(const char *word, size_t len)
{
	for (size_t i = 0; i < KEYS_COUNT; i++)
		if (strlen(all_keys[i].word) == len && memcmp(all_keys[i].word, word, len) == 0)
			return &all_keys[i];
	return NULL;
}

int keys_parse(const char *list, struct keys *ret, struct err *e)
{
	struct keys k = {0};
	for (const char *word = list;;) {
		size_t len = strcspn(word, ",");
		const struct key *key = find(word, len);
		if (!key)
			return no_key(word, len, e);
		if (k.count == KEYS_MAX)
			return err_set(e, ERR_USAGE, "--by: more than %u keys", KEYS_MAX);
		k.keys[k.count++] = key;
		if (!word[len])
			break;
		word += len + 1;
	}
	*ret = k;
	return 0;
}
