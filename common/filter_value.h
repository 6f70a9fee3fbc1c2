/*
 * filter_value.h - numbers and quantities of a filter: "0x1f", "64k", "1.5M", "20ms".
 */
#ifndef SOCKLAPSE_FILTER_VALUE_H
#define SOCKLAPSE_FILTER_VALUE_H

#include "filter_ast.h"

enum filter_value_error {
	VALUE_OK,
	VALUE_NOT_A_NUMBER,
	VALUE_NO_UNIT,	  /* a duration other than 0 without one */
	VALUE_WRONG_UNIT, /* a unit that is none */
	VALUE_TOO_LARGE,
};

/* A whole number, decimal or with 0x; false if it is none or larger than `max`. */
bool filter_read_number(const char *text, uint64_t max, uint64_t *ret);

/* Bytes, with k, M, G, T for powers of 1024. *ret is VALUE_INT, or VALUE_REAL if not whole. */
enum filter_value_error filter_read_bytes(const char *text, struct filter_value *ret);

/* A duration as duration_parse() reads it, or 0, in units of `unit_ns`. *ret is VALUE_INT, or
 * VALUE_REAL if not whole. */
enum filter_value_error filter_read_duration(const char *text, int64_t unit_ns,
					     struct filter_value *ret);

#endif
