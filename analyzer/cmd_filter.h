/*
 * cmd_filter.h - the filter at the end of a command line, and stored queries with it in place.
 */
#ifndef SOCKLAPSE_CMD_FILTER_H
#define SOCKLAPSE_CMD_FILTER_H

#include "cmd.h"
#include "db.h"
#include "filter.h"

/*
 * Reads the words from `first` on as a filter (none: everything matches). ERR_USAGE leaves the
 * place, marked, in the command's complaint.
 */
int cmd_filter_read(struct cmd *c, size_t first, const struct filter_env *env, struct filter **ret,
		    struct err *e) MUST_CHECK;

/* The same, with what stands in `file` ("-": standard input) before the words. */
int cmd_filter_read_file(struct cmd *c, const char *file, const struct filter_env *env,
			 struct filter **ret, struct err *e) MUST_CHECK;

/* Text of SQL in which marks were replaced. Zero-initialised it is empty. */
struct cmd_query {
	struct buf sql;
	struct filter_args args;
};
void cmd_query_fini(struct cmd_query *q);

/*
 * `stored` with the filter, and `more` (SQL, may be "") before it, in place of FILTER between the
 * comment marks and the 1 behind it, as often as that stands there (then all named parameters come
 * before the first). The filter must outlive the query.
 */
int cmd_query_make(const char *stored, const char *more, const struct filter *f,
		   struct cmd_query *ret, struct err *e) MUST_CHECK;

/* Replaces every comment of `mark` ("KEYS") by `text`. */
int cmd_query_replace(struct cmd_query *q, const char *mark, const char *text,
		      struct err *e) MUST_CHECK;

/* Prepares it and binds the filter's values. */
int cmd_query_prepare(struct cmd_query *q, sqlite3 *db, sqlite3_stmt **ret,
		      struct err *e) MUST_CHECK;

#endif
