/* spell_key.c - see spell_key.h. */
#include "spell_key.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int spell_keys_parse(const char *list, struct spell_keys *ret, struct err *e)
{
	struct spell_keys keys = {.count = 0};
	for (const char *word = list;; word++) {
		size_t len = strcspn(word, ",");
		const struct key *key = keys_find(word, len, true);
		if (!key)
			return keys_unknown(word, len, true, e);
		if (keys.count == SPELL_MAX_KEYS)
			return err_set(e, ERR_USAGE, "--by: more than %u keys", SPELL_MAX_KEYS);
		keys.fields[keys.count] = (unsigned)spell_field_by_name(key->field);
		keys.keys[keys.count++] = key;
		word += len;
		if (!*word)
			break;
	}
	*ret = keys;
	return 0;
}

const char *spell_key_name(const struct key *key)
{
	return key->word;
}

const char *spell_key_column(const struct key *key)
{
	return key->name;
}

bool spell_key_is_number(const struct key *key)
{
	return key->kind == OUT_NUMBER;
}

static void pack_text(const char *text, size_t len, struct buf *ret)
{
	buf_put_u8(ret, SPELL_TEXT);
	buf_put_varint(ret, len);
	buf_put(ret, text, len);
}

static int pack_endpoint(const struct key *key, struct spell_look *look, struct buf *ret,
			 struct err *e)
{
	struct spell_value addr, port;
	int rc = spell_field_get(look, (unsigned)spell_field_by_name(key->port), &port, e);
	if (!rc)
		rc = spell_field_get(look, (unsigned)spell_field_by_name(key->field), &addr, e);
	if (rc)
		return rc;
	if (addr.kind != SPELL_TEXT) {
		buf_put_u8(ret, SPELL_NULL);
		return 0;
	}
	if (look->spell->id.family == AF_UNIX) { /* a path */
		pack_text(addr.text, addr.len, ret);
		return 0;
	}
	bool v6 = look->spell->id.family == AF_INET6;
	struct buf text = {0};
	buf_printf(&text, "%s%s%s:%lld", v6 ? "[" : "", addr.text, v6 ? "]" : "",
		   (long long)port.number);
	pack_text((const char *)text.bytes, text.len, ret);
	ret->failed |= text.failed;
	buf_fini(&text);
	return 0;
}

static int pack_field(unsigned field, struct spell_look *look, struct buf *ret, struct err *e)
{
	struct spell_value v;
	int rc = spell_field_get(look, field, &v, e);
	if (rc)
		return rc;
	if (v.kind == SPELL_TEXT) {
		pack_text(v.text, v.len, ret);
	} else {
		buf_put_u8(ret, (uint8_t)v.kind);
		if (v.kind == SPELL_INT)
			buf_put_varint(ret, (uint64_t)v.number);
	}
	return 0;
}

int spell_keys_pack(const struct spell_keys *keys, struct spell_look *look, struct buf *ret,
		    struct err *e)
{
	buf_clear(ret);
	for (unsigned i = 0; i < keys->count; i++) {
		const struct key *key = keys->keys[i];
		int rc = key->port ? pack_endpoint(key, look, ret, e)
				   : pack_field(keys->fields[i], look, ret, e);
		if (rc)
			return rc;
	}
	return ret->failed ? err_set(e, ERR_NOMEM, "spells: out of memory") : 0;
}

bool spell_keys_are_brief(const struct spell_keys *keys)
{
	static const char *const names[] = {"state",   "comm", "pid",	 "exe",
					    "cmdline", "uid",  "cgroup", "container",
					    "netns",   "host", "proto"};
	unsigned brief = 0;
	for (unsigned i = 0; i < keys->count; i++)
		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
			brief += strcmp(spell_key_name(keys->keys[i]), names[n]) == 0;
	return brief == keys->count;
}

/* Also what lies between the members is cleared: briefs are compared as bytes. */
void spell_brief_of(const struct spell *spell, struct spell_brief *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->netns = spell->netns;
	ret->owner = spell->owner;
	ret->owner.fd = 0;
	ret->owner.more = 0;
	ret->cgroup = spell->cgroup;
	ret->file = spell->file;
	ret->host = spell->host;
	ret->uid = spell->uid;
	ret->netns_row = spell->id.netns;
	ret->state = spell->state;
	ret->proto = spell->id.proto;
	ret->family = spell->id.family;
}

struct spell_value spell_key_unpack(struct span *packed)
{
	struct spell_value v = {.kind = span_u8(packed)};
	if (v.kind == SPELL_INT)
		v.number = (int64_t)span_varint(packed);
	if (v.kind == SPELL_TEXT) {
		v.len = span_varint(packed);
		v.text = (const char *)span_take(packed, v.len);
	}
	if (packed->bad)
		v = (struct spell_value){.kind = SPELL_NULL};
	return v;
}
