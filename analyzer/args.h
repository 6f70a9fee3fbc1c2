/*
 * args.h - reads a command line by tables of options. Knows nothing of what they mean.
 *
 * Options and words may be mixed; "--" ends the options; letters may be joined (-ltnp), a value
 * may be joined too (-fFILE, --from=TIME). "-15min" is a word, not an option, unless every
 * character of it is an option's letter.
 */
#ifndef SOCKLAPSE_ARGS_H
#define SOCKLAPSE_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct arg_option {
	int id; /* the letter, or a number from 256 for a long name alone; 0 ends a table */
	const char *name;  /* long name, or NULL */
	const char *value; /* what its value is called in the help; NULL: it takes none */
	const char *help;
};

/* One option as it was given. The texts are those of argv. */
struct arg {
	int id;
	const char *value; /* NULL: takes none */
};

struct args {
	struct arg *given;
	size_t given_count;
	const char **words;
	size_t words_count;
};

/*
 * Reads argv[*at ..] by all tables (a list of tables that ends with NULL), appending to *ret. If
 * `stop_at_word`, stops after the first word. *at is left behind what was read. ERR_USAGE names
 * the option; ERR_NOMEM.
 */
int args_read(struct args *ret, int argc, char **argv, int *at,
	      const struct arg_option *const *tables, bool stop_at_word, struct err *e) MUST_CHECK;
void args_fini(struct args *a);

/* Was the option given? */
bool args_has(const struct args *a, int id);

/* The last value given, or NULL. */
const char *args_value(const struct args *a, int id);

#endif
