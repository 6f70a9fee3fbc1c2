/*
 * keys.h - the words of --by: each stands for an SQL expression over columns with the names of
 * table `socket`, and for fields of a spell (spell_key.h).
 */
#ifndef SOCKLAPSE_KEYS_H
#define SOCKLAPSE_KEYS_H

#include "buf.h"
#include "err.h"
#include "out.h"

#define KEYS_MAX 8u

struct key {
	const char *word; /* as typed: "peer-port" */
	const char *name; /* in JSON and SQL: "peer_port" */
	const char *sql;
	enum out_kind kind;
	const char *field; /* of spell_value.h; NULL: spells have none */
	const char *port;  /* a second one, put behind the first as in ADDRESS:PORT; or NULL */
};

struct keys {
	const struct key *keys[KEYS_MAX];
	size_t count;
};

/* The key with this name, for spells one that they have; or NULL. */
const struct key *keys_find(const char *word, size_t len, bool of_spells);

/* Appends all words, or those of spells, a blank before each. */
void keys_words(struct buf *b, bool of_spells);

/* ERR_USAGE, with a message that names the word and those that are keys. */
int keys_unknown(const char *word, size_t len, bool of_spells, struct err *e);

/* Reads "comm,state". ERR_USAGE names the word that is no key, and those that are. */
int keys_parse(const char *list, struct keys *ret, struct err *e) MUST_CHECK;

#endif
