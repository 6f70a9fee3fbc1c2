/* rotate.c - see rotate.h. */
#include "rotate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

int rotate_base(const char *dir, const char *host, char *ret, size_t size, struct err *e)
{
	int n = snprintf(ret, size, "%s/%s", dir, *host ? host : "localhost");
	if (n < 0 || (size_t)n >= size)
		return err_set(e, ERR_LIMIT, "%s: its name is too long", dir);
	char *name = ret + strlen(dir) + 1;
	if (*name == '.')
		*name = '_';
	for (; *name; name++)
		if (!is_plain(*name))
			*name = '_';
	return 0;
}

int rotate_path(const char *base, int64_t wall_ns, char *ret, size_t size, struct err *e)
{
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm day;
	char text[16];
	if (!gmtime_r(&seconds, &day) || !strftime(text, sizeof(text), "%Y%m%d", &day))
		return err_set(e, ERR_LIMIT, "%s: the clock shows no day", base);
	int n = snprintf(ret, size, "%s-%s" ROTATE_SUFFIX, base, text);
	if (n < 0 || (size_t)n >= size)
		return err_set(e, ERR_LIMIT, "%s: its name is too long", base);
	return 0;
}

int rotate_make_dir(const char *dir, struct err *e)
{
	struct stat st;
	if (mkdir(dir, 0750) == 0)
		return 0;
	int errnum = errno;
	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return err_errno(e, errnum == EEXIST ? ENOTDIR : errnum, "%s", dir);
}
