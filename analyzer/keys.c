/* keys.c - see keys.h. */
#include "keys.h"

#include <string.h>

#include "buf.h"

#define WITH_PORT(side)                                                                            \
	"CASE WHEN instr(" side ", ':') THEN '[' || " side " || ']' ELSE " side                    \
	" END || ':' || " side "_port"

static const struct key all_keys[] = {
	{"state", "state", "state", OUT_STRING, "state", NULL},
	{"comm", "comm", "comm", OUT_STRING, "comm", NULL},
	{"pid", "pid", "pid", OUT_NUMBER, "pid", NULL},
	{"exe", "exe", "exe", OUT_STRING, "exe", NULL},
	{"cmdline", "cmdline", "cmdline", OUT_STRING, "cmdline", NULL},
	{"uid", "uid", "uid", OUT_NUMBER, "uid", NULL},
	{"cgroup", "cgroup", "cgroup", OUT_STRING, "cgroup", NULL},
	{"container", "container", "container", OUT_STRING, "container", NULL},
	{"netns", "netns", "netns", OUT_NUMBER, "netns", NULL},
	{"host", "host", "host", OUT_STRING, "host", NULL},
	{"proto", "proto", "proto", OUT_STRING, "proto", NULL},
	{"local", "local", WITH_PORT("local"), OUT_STRING, "local", "local_port"},
	{"peer", "peer", WITH_PORT("peer"), OUT_STRING, "peer", "peer_port"},
	{"src", "src", "local", OUT_STRING, "local", NULL},
	{"dst", "dst", "peer", OUT_STRING, "peer", NULL},
	{"sport", "sport", "local_port", OUT_NUMBER, "local_port", NULL},
	{"dport", "dport", "peer_port", OUT_NUMBER, "peer_port", NULL},
	{"peer-port", "peer_port", "peer_port", OUT_NUMBER, "peer_port", NULL},
	{"timer", "timer", "timer", OUT_STRING, NULL, NULL},
	{"owner", "owner_source", "owner_source", OUT_STRING, "owner_source", NULL},
};

#define KEYS_COUNT (sizeof(all_keys) / sizeof(all_keys[0]))

const struct key *keys_find(const char *word, size_t len, bool of_spells)
{
	for (size_t i = 0; i < KEYS_COUNT; i++)
		if (strlen(all_keys[i].word) == len && memcmp(all_keys[i].word, word, len) == 0)
			return of_spells && !all_keys[i].field ? NULL : &all_keys[i];
	return NULL;
}

void keys_words(struct buf *b, bool of_spells)
{
	for (size_t i = 0; i < KEYS_COUNT; i++)
		if (!of_spells || all_keys[i].field)
			buf_printf(b, " %s", all_keys[i].word);
}

int keys_unknown(const char *word, size_t len, bool of_spells, struct err *e)
{
	struct buf words CLEANUP(buf_fini) = {0};
	keys_words(&words, of_spells);
	return err_set(e, ERR_USAGE, "--by: %.*s: not a key; there are:%s",
		       len < 32 ? (int)len : 32, word, buf_str(&words));
}

int keys_parse(const char *list, struct keys *ret, struct err *e)
{
	struct keys k = {0};
	for (const char *word = list;;) {
		size_t len = strcspn(word, ",");
		const struct key *key = keys_find(word, len, false);
		if (!key)
			return keys_unknown(word, len, false, e);
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
