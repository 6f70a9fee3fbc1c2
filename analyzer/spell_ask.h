/*
 * spell_ask.h - is this a spell that a filter means? The filter is SQL like every other; the spell
 * at hand is the one row of a table (vt_spell.h).
 */
#ifndef SOCKLAPSE_SPELL_ASK_H
#define SOCKLAPSE_SPELL_ASK_H

#include "filter.h"
#include "vt_spell.h"

struct spell_ask {
	sqlite3_stmt *stmt; /* NULL: the filter is empty, every spell matches */
	struct filter *filter;
	struct filter_args args;
	struct filter_scope scope;
	const struct spell *current;
};

/*
 * `words` joined by blanks are the filter. ERR_USAGE: the message has the place below it. The ask
 * must not move while it is open; it must be closed before `db`.
 */
int spell_ask_open(sqlite3 *db, const struct vt_context *context, const char *const *words,
		   size_t count, struct spell_ask *ret, struct err *e) MUST_CHECK;
void spell_ask_close(struct spell_ask *a);

/* For spell_options.wants; `ask` is a struct spell_ask. */
bool spell_ask_wants(const void *ask, const struct row_member *id);

/* 1 or 0, or a negative code. */
int spell_ask_matches(struct spell_ask *a, const struct spell *s, struct err *e) MUST_CHECK;

#endif
