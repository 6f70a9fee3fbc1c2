/* filter_row_priv.h - inside of filter_row*.c and of who makes something else of a filter. */
#ifndef SOCKLAPSE_FILTER_ROW_PRIV_H
#define SOCKLAPSE_FILTER_ROW_PRIV_H

#include "filter_ast.h"
#include "filter_row.h"

/* A prefix in binary; as many as the filter has, in the same order. */
struct filter_row_prefix {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t bits;
	uint8_t bytes[16];
};

struct filter_rows {
	const struct filter *filter;
	struct filter_row_prefix *prefixes;
	uint64_t *cgroups; /* by node; 0: no such cgroup */
};

/* A word's value in a row. */
struct filter_row_value {
	enum filter_value_kind kind; /* VALUE_NONE: not known; VALUE_INT; VALUE_TEXT */
	int64_t num;
	const char *text;
};

/* `number`: the field is compared with a number though it is a text (filter_field.sql_number). */
struct filter_row_value filter_row_value(const struct filter_field *field, bool number,
					 const struct sock_row *row,
					 const struct filter_about *about);

#endif
