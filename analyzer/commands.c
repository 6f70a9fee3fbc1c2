/* commands.c - the table of commands, in the order in which help lists them. */
#include "cmd.h"

const struct command commands[] = {
	{0},
};
