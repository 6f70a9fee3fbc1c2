/*
 * nlmsg_file.h - the recorded dumps of tests/data/nlmsg: a file is a row of datagrams, each as
 * (u32 length, little-endian; bytes).
 */
#ifndef SOCKLAPSE_TEST_NLMSG_FILE_H
#define SOCKLAPSE_TEST_NLMSG_FILE_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"

struct nlmsg_file {
	uint8_t *bytes;
	struct span left;
};

static inline struct nlmsg_file nlmsg_file_open(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/nlmsg/%s", TEST_DATA, name);
	FILE *f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	struct nlmsg_file file = {.bytes = malloc(1 << 20)};
	size_t n = fread(file.bytes, 1, 1 << 20, f);
	cr_assert_gt(n, 0);
	fclose(f);
	file.left = span_of(file.bytes, n);
	return file;
}

static inline bool nlmsg_file_next(struct nlmsg_file *f, struct span *ret_datagram)
{
	if (!span_left(&f->left))
		return false;
	const uint8_t *p = span_take(&f->left, 4);
	cr_assert_not_null(p);
	size_t len = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	p = span_take(&f->left, len);
	cr_assert_not_null(p);
	*ret_datagram = span_of(p, len);
	return true;
}

#endif
