/*
 * spell_value.h - the fields of a spell by name: the columns of table `spell`, and what `linger`
 * prints and groups by.
 */
#ifndef SOCKLAPSE_SPELL_VALUE_H
#define SOCKLAPSE_SPELL_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "spell.h"

enum spell_value_kind {
	SPELL_NULL,
	SPELL_INT,
	SPELL_TEXT
};

struct spell_value {
	enum spell_value_kind kind;
	int64_t number;
	const char *text; /* a NUL stands behind it */
	size_t len;
};

/* A spell that is being looked at, and what had to be looked up for it. */
struct spell_look {
	struct history *history;
	const struct spell *spell;
	const struct history_process *process; /* of its owner, or NULL */
	bool process_known;
	char text[192]; /* addresses and such */
};

void spell_look_at(struct spell_look *look, const struct spell *spell);

/* The process that owns the spell, or *ret NULL. */
int spell_look_process(struct spell_look *look, const struct history_process **ret,
		       struct err *e) MUST_CHECK;

/* A UNIX socket's path, as ss writes it: NULs of an abstract name are @. NULL: it has none. */
const char *spell_path(struct spell_look *look);

/* Fields are numbered from 0 in the order of the table's columns; so many there are. */
extern const unsigned spell_fields_count;

/* "host", ...; its SQL type and what it means. */
const char *spell_field_name(unsigned field);
const char *spell_field_type(unsigned field);
const char *spell_field_doc(unsigned field);

/* The number of the field with this name, or -1. */
int spell_field_by_name(const char *name);

/* A field's value; texts are valid until the look is used again. */
int spell_field_get(struct spell_look *look, unsigned field, struct spell_value *ret,
		    struct err *e) MUST_CHECK;

#endif
