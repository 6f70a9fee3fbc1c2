/*
 * proc_parse.h - the text of files in /proc/PID, taken apart. Pure: bytes in, values out. A
 * process writes some of these bytes itself (its name, its arguments): nothing in them is trusted,
 * and any byte may stand anywhere.
 */
#ifndef SOCKLAPSE_PROC_PARSE_H
#define SOCKLAPSE_PROC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Bytes within somebody else's text. NULL: there are none. */
struct text_piece {
	const char *at;
	size_t len;
};

/* /proc/PID/stat, proc(5). */
struct proc_stat {
	struct text_piece comm; /* within the text; may hold any byte, ')' and newlines too */
	int64_t pid;
	int64_t ppid;
	uint64_t start_ticks; /* USER_HZ since boot */
};

/* False if it is not the text of a stat file, or ends before the start time. */
bool proc_parse_stat(const char *text, size_t len, struct proc_stat *ret) MUST_CHECK;

/* The effective user id of /proc/PID/status; -1 if there is none. */
int64_t proc_parse_uid(const char *text, size_t len);

/* The soft limit of open files in /proc/PID/limits; 0 if there is none, or it is unlimited. */
uint64_t proc_parse_files_limit(const char *text, size_t len);

/*
 * The cgroup path of /proc/PID/cgroup, cgroups(7): that of the unified hierarchy, unless it is the
 * root and an older hierarchy says more (systemd's own first, then the longest path). {NULL, 0} if
 * the text has none.
 */
struct text_piece proc_parse_cgroup(const char *text, size_t len);

/*
 * The container that a cgroup path names: the last 64 hexadecimal digits in a row (Docker, Podman,
 * containerd, CRI-O), or the name behind "lxc.payload." or "/lxc/" or in "machine-NAME.scope".
 * {NULL, 0} if it names none.
 */
struct text_piece proc_parse_container(struct text_piece cgroup);

/*
 * Turns the arguments of /proc/PID/cmdline, each ended by a NUL, into one line in place: one space
 * between arguments, none at the end. Returns its length.
 */
size_t proc_parse_cmdline(char *text, size_t len);

/* The number in the target of a link such as "socket:[12345]"; 0 if it is no such link. */
uint64_t proc_parse_link(const char *target, size_t len, const char *kind);

/* A name made of digits only, below 2^32 (a pid, an fd). False for all others. */
bool proc_parse_number(const char *name, uint32_t *ret) MUST_CHECK;

#endif
