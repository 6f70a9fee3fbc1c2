/*
 * diag_inet.h - the bytes of one inet_diag message (TCP, UDP, raw, ...) in, one socket row out.
 * Pure: no socket, no clock, and nothing in the bytes is trusted.
 *
 * Offsets and widths come from common/columns.def, never from a header's struct tcp_info: the
 * kernel that runs may send a longer or a shorter one than the headers of the build knew.
 */
#ifndef SOCKLAPSE_DIAG_INET_H
#define SOCKLAPSE_DIAG_INET_H

#include "buf.h"
#include "sock.h"

/* A decoded message. Zero-initialise it once and use it for all; diag_inet_fini() in the end. */
struct diag_inet {
	/*
	 * The row, in the kernel's units and the machine's byte order. Its netns, option.cong,
	 * option.extra and the owner are 0: they are numbers of the recording's tables, so the
	 * caller sets them. HAS_CONG and HAS_EXTRA say that cong and extra below hold something.
	 */
	struct sock_row row;

	/* Name of the congestion control, without a NUL; points into the message. */
	const char *cong;
	size_t cong_len;

	/*
	 * Of other families (diag_unix.h, diag_link.h): what belongs to unix.path, unix.icons and
	 * link.groups (HAS_PATH, HAS_ICONS, HAS_GROUPS). path and groups point into
	 * the message.
	 */
	const uint8_t *path, *groups;
	size_t path_len, groups_len;
	struct buf icons; /* inodes, 4 bytes each, little-endian */

	/*
	 * What this version does not know, one after the other: u16 type LE, u32 length LE,
	 * payload. That is: whole attributes of unknown type or of a length that their type cannot
	 * have, and of INFO, SKMEMINFO, SOCKOPT and the congestion attributes the bytes that follow
	 * the last whole column.
	 */
	struct buf extra;

	/* The attribute list broke off in the middle; the row holds what came before. */
	bool malformed;
};

void diag_inet_fini(struct diag_inet *d);

/*
 * Decodes the payload of one message (behind its nlmsghdr) of table `proto`. ERR_KERNEL: no
 * socket can be made of it (too short, or of another family); ERR_NOMEM.
 */
int diag_inet_decode(const uint8_t *payload, size_t len, enum sock_proto proto,
		     struct diag_inet *ret, struct err *e) MUST_CHECK NONNULL(1, 4);

#endif
