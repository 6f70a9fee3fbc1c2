/*
 * filter_rows_of.h - the rows of tests/cases/filter.sql as the recorder would have them, so that a
 * filter can be asked of both.
 */
#ifndef SOCKLAPSE_TEST_FILTER_ROWS_OF_H
#define SOCKLAPSE_TEST_FILTER_ROWS_OF_H

#include <sqlite3.h>

#include "filter_row.h"

#define TEST_ROWS_MAX 40

struct test_row {
	int n; /* as in the table */
	struct sock_row row;
	struct filter_about about;
	char path[110];
	char netns_name[32];
};

/*
 * Reads table `socket`; what a recorder cannot say of a socket (a retransmission count that is not
 * known, the path of a unix socket's peer) is changed in the table. Returns how many.
 */
unsigned test_rows_read(sqlite3 *db, struct test_row rows[TEST_ROWS_MAX]);

/* A number for a cgroup's path, as filter_rows_cgroups() wants it. */
uint64_t test_rows_cgroup(void *ctx, const char *path);

#endif
