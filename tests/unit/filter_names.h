/*
 * filter_names.h - a resolver for tests: ssh, http, https, domain; kafka.example (two addresses),
 * dual.example (one of each family); root and www.
 */
#ifndef SOCKLAPSE_FILTER_NAMES_H
#define SOCKLAPSE_FILTER_NAMES_H

#include "filter.h"

const struct filter_resolver *filter_test_resolver(void);

#endif
