/* cmd_linger.h - the parts of `socklapse linger`: only for cmd_linger*.c. */
#ifndef SOCKLAPSE_CMD_LINGER_H
#define SOCKLAPSE_CMD_LINGER_H

#include "linger.h"
#include "session.h"

/* Puts all of the answer. */
int linger_put(struct session *s, struct linger_result *l, const struct linger_options *o,
	       struct err *e) MUST_CHECK;

/* What the answer rests on: as data, which come first, and as text, which comes last. */
struct linger_rest {
	int64_t unseen; /* connections that no snapshot has; SPELL_UNKNOWN: nobody counted */
};
int linger_rest_find(struct session *s, const struct linger_result *l, struct linger_rest *ret,
		     struct err *e) MUST_CHECK;
void linger_rest_data(struct out *o, const struct linger_result *l, const struct linger_rest *rest);
void linger_rest_text(struct out *o, const struct linger_result *l, const struct linger_rest *rest);

/* Open files of the processes that own the longest spells, if any has many. */
int linger_put_files(struct session *s, struct linger_result *l, struct err *e) MUST_CHECK;

#endif
