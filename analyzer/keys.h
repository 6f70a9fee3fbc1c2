/*
 * keys.h - the words of --by for tables of sockets: each stands for an SQL expression over columns
 * with the names of table `socket`.
 */
#ifndef SOCKLAPSE_KEYS_H
#define SOCKLAPSE_KEYS_H

#include "err.h"
#include "out.h"

#define KEYS_MAX 8u

struct key {
	const char *word; /* as typed: "peer-port" */
	const char *name; /* in JSON and SQL: "peer_port" */
	const char *sql;
	enum out_kind kind;
};

struct keys {
	const struct key *keys[KEYS_MAX];
	size_t count;
};

/* Reads "comm,state". ERR_USAGE names the word that is no key, and those that are. */
int keys_parse(const char *list, struct keys *ret, struct err *e) MUST_CHECK;

#endif
