/*
 * rec_aside.c - a file that cannot be appended to gets another name, its journal with it. See
 * rec_write.h.
 *
 * Both get their new names before either loses its old one: whoever is killed in between leaves
 * the file whole under both names (it is set aside once more), or the journal alone under its old
 * one, which SQLite deletes when an empty file is made there: it is kept under the new name.
 * A file and its journal are never apart, and no journal can be applied to a file of others.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "rec_write.h"

static int fail(struct err *e, int errnum, const char *path)
{
	return err_errno(e, errnum, "%s: cannot set aside", path);
}

/* link() fails if the name is taken: no race, nothing overwritten. */
static int link_to_free_name(const char *path, char *name, size_t name_size, struct err *e)
{
	for (unsigned n = 1; n < 10000; n++) {
		if ((size_t)snprintf(name, name_size, "%s.damaged-%u", path, n) >= name_size)
			return err_set(e, ERR_LIMIT, "%s: its name is too long", path);
		if (link(path, name) == 0)
			return 0;
		if (errno != EEXIST)
			return fail(e, errno, path);
	}
	return err_set(e, ERR_LIMIT, "%s: too many damaged files beside it", path);
}

int rec_set_aside(const char *path, char *ret_name, size_t name_size, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX];
	int rc = link_to_free_name(path, ret_name, name_size, e);
	if (rc)
		return rc;
	if (snprintf(from, sizeof(from), "%s-journal", path) >= PATH_MAX ||
	    snprintf(to, sizeof(to), "%s-journal", ret_name) >= PATH_MAX)
		rc = err_set(e, ERR_LIMIT, "%s: its name is too long", path);
	/* A journal that lies there is of another damaged file, whose name was taken away. */
	else if (link(from, to) != 0 && errno != ENOENT)
		rc = fail(e, errno, from);
	if (rc) {
		unlink(ret_name); /* it has its old name yet */
		return rc;
	}
	if (unlink(path) != 0)
		return fail(e, errno, path);
	return unlink(from) == 0 || errno == ENOENT ? 0 : fail(e, errno, from);
}
