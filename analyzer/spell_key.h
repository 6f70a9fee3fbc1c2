/*
 * spell_key.h - what spells can be summed by: the words of --by, and the values of a spell for
 * them, packed into bytes that are equal exactly if the values are.
 */
#ifndef SOCKLAPSE_SPELL_KEY_H
#define SOCKLAPSE_SPELL_KEY_H

#include "buf.h"
#include "bytes.h"
#include "keys.h"
#include "spell_value.h"

#define SPELL_MAX_KEYS 8u

struct spell_keys {
	const struct key *keys[SPELL_MAX_KEYS];
	unsigned fields[SPELL_MAX_KEYS]; /* of spell_value.h */
	unsigned count;
};

/* Reads "comm,state". ERR_USAGE names the word that is no key. */
int spell_keys_parse(const char *list, struct spell_keys *ret, struct err *e) MUST_CHECK;

/* "peer-port" and, for JSON and SQL, "peer_port"; is its value a number? */
const char *spell_key_name(const struct key *key);
const char *spell_key_column(const struct key *key);
bool spell_key_is_number(const struct key *key);

/* Packs a spell's values of all keys into `ret`, which is emptied first. */
int spell_keys_pack(const struct spell_keys *keys, struct spell_look *look, struct buf *ret,
		    struct err *e) MUST_CHECK;

/*
 * What most keys rest on. Spells with equal briefs have equal values of all keys if
 * spell_keys_are_brief() says so; whoever sums millions of spells need not pack each.
 */
struct spell_brief {
	uint64_t netns;
	struct spell_owner owner; /* but for its fd and further holders */
	const struct history_cgroup *cgroup;
	uint32_t file, host, uid, netns_row;
	uint8_t state, proto, family;
};

bool spell_keys_are_brief(const struct spell_keys *keys);
void spell_brief_of(const struct spell *spell, struct spell_brief *ret);

/* The next value of a packed key. Texts are not NUL-terminated. */
struct spell_value spell_key_unpack(struct span *packed);

#endif
