/*
 * cmd.h - what a command is, and what it gets from main.c.
 *
 * A command's function fills a struct err and returns its code; main.c prints it and exits with 1,
 * or with 2 for ERR_USAGE. Answers go through out.h; nothing is an answer too (exit 0).
 */
#ifndef SOCKLAPSE_CMD_H
#define SOCKLAPSE_CMD_H

#include "args.h"
#include "buf.h"
#include "out.h"

/* Ids of the options that several commands share; a command's own ones begin at CMD_OPT_OWN. */
enum {
	OPT_FILE = 'f',
	OPT_NO_HEADER = 'H',
	OPT_HELP = 'h',
	OPT_VERSION = 'V',
	OPT_JSON = 256,
	OPT_NDJSON,
	OPT_CSV,
	OPT_TABLE,
	OPT_TZ,
	OPT_COLOR,
	OPT_NO_PAGER,
	OPT_FROM,
	OPT_TO,
	OPT_LAST,
	OPT_AT,
	OPT_BY,
	OPT_TOP,
	OPT_MIN,
	OPT_OWN = 300,
	OPT_HIST = 310, /* linger */
	OPT_EVIDENCE,
	OPT_EVERY,	  /* trend */
	OPT_EVENTS = 350, /* info */
	OPT_FAMILY = 360, /* show; also -f with the name of a family */
	OPT_SHOW,	  /* show_ask.c: from here on */
};

/* Which of the shared options a command understands besides those that all do. */
#define CMD_RANGE 1u  /* --from --to --last */
#define CMD_AT	  2u  /* --at */
#define CMD_BY	  4u  /* --by */
#define CMD_TOP	  8u  /* --top */
#define CMD_MIN	  16u /* --min */

#define CMD_ASKS    32u	 /* talks with a person: no pager; prints as many tables as asked for */
#define CMD_SS	    64u	 /* -f with the name of a family of sockets is --family */
#define CMD_SOCKETS 128u /* its filter is of sockets in a snapshot */
#define CMD_SPELLS  256u /* its filter is of spells */
#define CMD_TIMES   512u /* its words are times */

struct cmd;

struct command {
	const char *name;
	const char *words;		  /* behind the name in the usage line */
	const char *summary;		  /* one line */
	unsigned shared;		  /* CMD_* */
	const struct arg_option *options; /* its own, or NULL */
	int (*run)(struct cmd *c, struct err *e);
	const char *note; /* further lines of its help, or NULL */
};

/* A command line, read. */
struct cmd {
	const struct command *self;
	struct args args;	/* all options; the words behind the command's name */
	struct out_options out; /* of standard output */
	int64_t now_ns;		/* wall clock */
	bool *left_out;		/* set if a file that was named is left out: exit 1 at the end */
	struct buf complaint;	/* lines printed behind those of an error, if there is one */
};

/* All commands; ends with one that has no name. */
extern const struct command commands[];

/* Every command's function stands in cmd_NAME.c. */

#endif
