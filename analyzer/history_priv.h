/* history_priv.h - the inside of a history. Only for history*.c. */
#ifndef SOCKLAPSE_HISTORY_PRIV_H
#define SOCKLAPSE_HISTORY_PRIV_H

#include "history_file.h"

struct history {
	struct history_file *files;
	size_t files_cap, files_count;
	struct history_boot *boots;
	size_t boots_cap, boots_count;
	struct history_host *hosts;
	size_t hosts_cap, hosts_count;
	struct history_snapshot *snapshots;
	size_t snapshots_cap, snapshots_count;
	struct strpool strings;
	const char **warnings;
	size_t warnings_cap, warnings_count;
	size_t paths_left_out; /* of those named, in vain */
};

/* Sorts hosts and snapshots of a history whose files are all entered; fills hosts' ranges. */
int history_order(struct history *h, struct err *e) MUST_CHECK;

#endif
