/* help.h - what --help says, and what is said of a command that there is not. Pure. */
#ifndef SOCKLAPSE_HELP_H
#define SOCKLAPSE_HELP_H

#include "cmd.h"

/* The help of a command, or of the program (NULL), with the options of `tables` (NULL-ended). */
void help_put(struct buf *b, const struct command *c, const struct arg_option *const *tables);

/* ERR_USAGE: the name, the command that was meant perhaps, and all there are. */
int help_no_command(const char *name, struct err *e) MUST_CHECK;

/*
 * Behind a filter that was not understood: if one of its words is a time, says in c->complaint
 * which options take times.
 */
void help_times(struct cmd *c);

#endif
