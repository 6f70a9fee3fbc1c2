/* commands.c - the table of commands, in the order in which help lists them. */
#include "cmds.h"

const struct command commands[] = {
	{"list", "", "one line a snapshot", CMD_RANGE | CMD_TOP, NULL, cmd_list},
	{"sql", "[SQL]", "SQL over all of it: one-off, or line by line from standard input",
	 CMD_ASKS, NULL, cmd_sql},
	{0},
};
