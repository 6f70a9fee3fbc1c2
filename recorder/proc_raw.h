/*
 * proc_raw.h - a line of /proc/net/raw or raw6 in, one socket row out: for kernels without
 * RAW_DIAG. Pure.
 */
#ifndef SOCKLAPSE_PROC_RAW_H
#define SOCKLAPSE_PROC_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "sock.h"

/*
 * One line without its newline, of the file for `family` (net/ipv4/raw.c, net/ipv6/raw.c). Such
 * rows have HAS_PROC, and as their cookie 2^63 + inode, because the kernel tells none. False for
 * the head line and for what makes no sense.
 */
bool proc_raw_parse(const char *line, size_t len, unsigned family, struct sock_row *ret);

#endif
