/*
 * filter_row.h - a filter asked of single rows, as the recorder has them. It says of a row what
 * filter_to_sql() says of the same row in table `socket` (filter.h); the two are tested against
 * each other. Words that a row alone cannot answer are refused by filter_row_env().
 */
#ifndef SOCKLAPSE_FILTER_ROW_H
#define SOCKLAPSE_FILTER_ROW_H

#include "filter.h"
#include "sock.h"

/* What belongs to a row and does not stand in it. */
struct filter_about {
	const uint8_t *path; /* HAS_PATH: what a unix socket is bound to */
	size_t path_len;
	const char *netns_name; /* NULL: none */
	uint64_t netns_inode;
	/* The name of an interface (not 0), valid until the next call; NULL: it has none. */
	const char *(*dev)(void *ctx, uint32_t ifindex);
	void *ctx;
};

/* A filter made ready. */
struct filter_rows;

/* The words that a row can answer; texts that are not answered are errors that say why. */
struct filter_env filter_row_env(void);

/* The filter must outlive it, and be of filter_row_env(). ERR_NOMEM. */
int filter_rows_new(const struct filter *f, struct filter_rows **ret, struct err *e) MUST_CHECK;
void filter_rows_free(struct filter_rows *r);

/*
 * The cgroups that the filter names, by the ids that `id` (0: there is none now) gives their paths.
 * Ids pass: to be called before each use.
 */
void filter_rows_cgroups(struct filter_rows *r, uint64_t (*id)(void *ctx, const char *path),
			 void *ctx);

bool filter_rows_match(const struct filter_rows *r, const struct sock_row *row,
		       const struct filter_about *about) MUST_CHECK;

#endif
