/*
 * fault_files.c - a disk that fails: every call by which SQLite changes a file or makes it durable
 * is counted. fsync() and fdatasync() of this program stand before those of the C library, for
 * SQLite's library too; the others SQLite lets one replace.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"

/* Counts a call. True: it is to fail, errno is set. */
static bool fails(void)
{
	if (fault.write_left < 0)
		return false;
	long left = fault.write_left--;
	if (left > 0)
		return false;
	if (!fault.write_once)
		fault.write_left = 0;
	fault.fired = true;
	if (fault.write_kills)
		kill(getpid(), SIGKILL);
	errno = fault.write_errno;
	return left == 0 || !fault.write_once;
}

static ssize_t my_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	/* The disk may have taken a part of it. */
	if (fails()) {
		int errnum = errno;
		if (len > 1 && pwrite(fd, bytes, len / 2, at) < 0)
			errnum = errno;
		errno = errnum;
		return -1;
	}
	return pwrite(fd, bytes, len, at);
}

static int my_ftruncate(int fd, off_t len)
{
	return fails() ? -1 : ftruncate(fd, len);
}

static int my_unlink(const char *path)
{
	return fails() ? -1 : unlink(path);
}

static int my_open(const char *path, int flags, int mode)
{
	if (flags & O_CREAT && fails())
		return -1;
	return open(path, flags, mode);
}

int fsync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

void fault_files_init(void)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr call;
	} calls[] = {
		{"open", (sqlite3_syscall_ptr)my_open},
		{"pwrite", (sqlite3_syscall_ptr)my_pwrite},
		{"pwrite64", (sqlite3_syscall_ptr)my_pwrite},
		{"ftruncate", (sqlite3_syscall_ptr)my_ftruncate},
		{"unlink", (sqlite3_syscall_ptr)my_unlink},
	};
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call);
}
