/*
 * history_file.h - one recording of a history: its rec and what the ids in its frames stand for.
 * Only for history*.c.
 */
#ifndef SOCKLAPSE_HISTORY_FILE_H
#define SOCKLAPSE_HISTORY_FILE_H

#include <stdbool.h>

#include "history.h"
#include "strpool.h"

struct sqlite3_stmt;

struct history_text_entry {
	const char *bytes; /* NULL: not asked for yet, or not there */
	size_t len;
};

struct history_file {
	struct rec *rec;
	struct strpool strings;

	bool processes_loaded, netns_loaded, cgroups_loaded;
	struct history_process *processes; /* ascending by id */
	size_t processes_cap, processes_count;
	struct history_netns *netns; /* ascending by id */
	size_t netns_cap, netns_count;
	struct history_cgroup *cgroups; /* ascending by host and id */
	size_t cgroups_cap, cgroups_count;

	struct sqlite3_stmt *text_stmt;
	struct history_text_entry *texts; /* by id */
	size_t texts_cap, texts_count;
};

/* A row of table host; `row` is its id. */
struct history_host_row {
	int64_t row;
	struct history_boot boot;
};

/* Takes over `rec`. */
void history_file_init(struct history_file *f, struct rec *rec);
void history_file_fini(struct history_file *f);

/* Table host. The array is the caller's to free(), its strings are the file's. */
int history_file_hosts(struct history_file *f, struct history_host_row **ret, size_t *ret_count,
		       struct err *e) MUST_CHECK;

/* See history_process(), history_netns(), history_cgroup(), history_text(). */
int history_file_process(struct history_file *f, uint32_t id, const struct history_process **ret,
			 struct err *e) MUST_CHECK;
int history_file_netns(struct history_file *f, uint32_t id, const struct history_netns **ret,
		       struct err *e) MUST_CHECK;
/* Table cgroup, if the recording has it: afterwards f->cgroups are all there are. */
int history_file_cgroups(struct history_file *f, struct err *e) MUST_CHECK;
int history_file_text(struct history_file *f, uint32_t id, const char **ret_bytes, size_t *ret_len,
		      struct err *e) MUST_CHECK;

#endif
