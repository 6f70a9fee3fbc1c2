/* tmpdir.h - a directory of its own for a test, and files in it. */
#ifndef SOCKLAPSE_TEST_TMPDIR_H
#define SOCKLAPSE_TEST_TMPDIR_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tmpdir {
	char path[64];
};

static inline struct tmpdir tmpdir_make(void)
{
	struct tmpdir t = {"/tmp/socklapse-test-XXXXXX"};
	cr_assert_not_null(mkdtemp(t.path));
	return t;
}

static inline int tmpdir_remove_one(const char *path, const struct stat *st, int type,
				    struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void tmpdir_remove(struct tmpdir *t)
{
	nftw(t->path, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* DIR/name, in one of a few static buffers. */
static inline const char *tmpdir_path(const struct tmpdir *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline const char *tmpdir_path(const struct tmpdir *t, const char *fmt, ...)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];
	va_list ap;
	int n = snprintf(path, 512, "%s/", t->path);
	va_start(ap, fmt);
	vsnprintf(path + n, 512 - (size_t)n, fmt, ap);
	va_end(ap);
	return path;
}

static inline void tmpdir_write(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

#endif
