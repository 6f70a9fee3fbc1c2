/* options.h - the command line of socklapse-record, as values. */
#ifndef SOCKLAPSE_OPTIONS_H
#define SOCKLAPSE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "names.h"
#include "proc_walk.h"

#define DEFAULT_DIR	    "/var/log/socklapse"
#define DEFAULT_DEADLINE_NS (UINT64_C(60) * 1000000000u)

/* Durations on the command line lie between these, ends included. */
#define MIN_INTERVAL_NS (UINT64_C(10) * 1000000u)
#define MAX_DURATION_NS (UINT64_C(86400) * 1000000000u)
#define MAX_KEEP_NS	(INT64_MAX / 2)

/* Texts are those of argv. */
struct options {
	const char *dir;
	const char *output;   /* one file instead of a directory; or NULL */
	uint64_t interval_ns; /* 0: one snapshot */
	uint64_t count;	      /* stop after so many snapshots; 0: never */
	uint64_t deadline_ns; /* for each part of a snapshot */
	uint64_t keep_ns;     /* --keep; 0: for ever */
	uint64_t keep_bytes;  /* --keep-size; 0: any size */
	enum cmdline_mode cmdline;
	const char *netns;	      /* all is NULL; or "self", or names apart by commas */
	uint32_t protos;	      /* socket tables, DIAG_PROTO_BIT()s; 0: all */
	const char *watch[NAMES_MAX]; /* --watch-name, each once */
	size_t watch_count;
	char *const *filter; /* the words of FILTER */
	int filter_count;
	const char *note; /* write this event instead of a snapshot; or NULL */
	bool marks;	  /* keep CAP_NET_ADMIN, without which the kernel tells no mark */
	bool stats;
	bool quiet;
	bool verbose;
	bool help;
	bool version;
};

/* ERR_USAGE: one line says which option and why. *ret is untouched then. */
int options_parse(int argc, char *const argv[], struct options *ret, struct err *e) MUST_CHECK;

/* What -h prints. */
extern const char options_help[];

/* duration.h's, up to `max_ns`. False if it is none. */
bool options_duration(const char *text, uint64_t max_ns, uint64_t *ret_ns) MUST_CHECK;

#endif
