/* rec_aside.c - a file that cannot be appended to gets another name. See rec_write.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "rec_write.h"

/* link() fails if the name is taken: no race, nothing overwritten. */
static int move_to_free_name(const char *path, char *name, size_t name_size, struct err *e)
{
	for (unsigned n = 1; n < 10000; n++) {
		if ((size_t)snprintf(name, name_size, "%s.damaged-%u", path, n) >= name_size)
			return err_set(e, ERR_LIMIT, "%s: its name is too long", path);
		if (link(path, name) == 0)
			return unlink(path) == 0
				       ? 0
				       : err_errno(e, errno, "%s: cannot set aside", path);
		if (errno != EEXIST)
			return err_errno(e, errno, "%s: cannot set aside", path);
	}
	return err_set(e, ERR_LIMIT, "%s: too many damaged files beside it", path);
}

int rec_set_aside(const char *path, char *ret_name, size_t name_size, struct err *e)
{
	int rc = move_to_free_name(path, ret_name, name_size, e);
	if (rc)
		return rc;
	char from[PATH_MAX];
	char to[PATH_MAX];
	if (snprintf(from, sizeof(from), "%s-journal", path) < PATH_MAX &&
	    snprintf(to, sizeof(to), "%s-journal", ret_name) < PATH_MAX && rename(from, to) != 0 &&
	    errno != ENOENT)
		return err_errno(e, errno, "%s: cannot set aside", from);
	return 0;
}
