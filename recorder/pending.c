/* pending.c - see pending.h. */
#include "pending.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"

int pending_put(const char *path, int64_t wall_ns, const char *kind, const char *text,
		struct err *e)
{
	char line[PENDING_TEXT_MAX + 64];
	int n = snprintf(line, sizeof(line) - 1, "%lld %s %.*s", (long long)wall_ns, kind,
			 PENDING_TEXT_MAX, text);
	size_t len = n < 0 ? 0 : strlen(line);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	line[len++] = '\n';
	int fd;
	struct stat st;
	int rc = lock_take(path, true, &fd, e);
	if (rc)
		return rc;
	if (fstat(fd, &st) == 0 && st.st_size > PENDING_FILE_MAX)
		rc = err_set(e, ERR_LIMIT, "%s: full", path);
	else if (write(fd, line, len) != (ssize_t)len)
		rc = err_errno(e, errno, "%s", path);
	close(fd);
	return rc;
}

static int take_line(char *line, pending_fn fn, void *ctx, struct err *e)
{
	char *end;
	long long wall_ns = strtoll(line, &end, 10);
	if (end == line || *end != ' ')
		return 0;
	char *kind = end + 1;
	char *text = strchr(kind, ' ');
	if (!text || text == kind)
		return 0;
	*text++ = '\0';
	return fn(ctx, wall_ns, kind, text, e);
}

static int take_lines(FILE *f, pending_fn fn, void *ctx, struct err *e)
{
	char line[PENDING_TEXT_MAX + 64];
	int rc = 0;
	while (!rc && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		rc = take_line(line, fn, ctx, e);
	}
	return rc;
}

int pending_take(const char *path, pending_fn fn, void *ctx, struct err *e)
{
	int fd;
	if (access(path, F_OK) != 0)
		return 0;
	int rc = lock_take(path, true, &fd, e);
	if (rc)
		return rc;
	int reading = dup(fd);
	FILE *f = reading < 0 ? NULL : fdopen(reading, "r");
	if (!f) {
		close(reading);
		close(fd);
		return err_errno(e, errno, "%s", path);
	}
	rc = take_lines(f, fn, ctx, e);
	fclose(f);
	if (rc)
		close(fd);
	else
		lock_release(path, fd);
	return rc;
}
