/* lock.c - see lock.h. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The holder may have removed the file between our open() and our flock(): then we hold nothing. */
static bool is_still_there(const char *path, int fd)
{
	struct stat mine, there;
	return fstat(fd, &mine) == 0 && lstat(path, &there) == 0 && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

int lock_take(const char *path, bool wait, int *ret_fd, struct err *e)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (fd < 0)
			return err_errno(e, errno, "%s", path);
		int rc;
		do
			rc = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
		while (rc && errno == EINTR);
		if (rc) {
			int errnum = errno;
			close(fd);
			if (errnum == EWOULDBLOCK)
				return err_set(e, ERR_BUSY, "%s: another run holds it", path);
			return err_errno(e, errnum, "%s", path);
		}
		if (is_still_there(path, fd)) {
			*ret_fd = fd;
			return 0;
		}
		close(fd);
	}
}

void lock_release(const char *path, int fd)
{
	if (fd < 0)
		return;
	unlink(path);
	close(fd);
}
