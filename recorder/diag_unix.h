/*
 * diag_unix.h - the bytes of one unix_diag message in, one socket row out. Pure. The kernel's
 * include/uapi/linux/unix_diag.h says what they mean.
 */
#ifndef SOCKLAPSE_DIAG_UNIX_H
#define SOCKLAPSE_DIAG_UNIX_H

#include "diag_inet.h"

/*
 * As diag_inet_decode(). `path` is without the NUL that ends a path; an abstract name begins with
 * one and may have more. `icons` are the inodes of the peers that wait for accept, in the kernel's
 * order.
 */
int diag_unix_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		     struct diag_inet *ret, struct err *e) MUST_CHECK NONNULL(1, 4);

#endif
