/*
 * bounds_inode.h - was a socket made before or after a snapshot? By its inode number.
 *
 * The kernel gives socket inodes from one counter of 32 bits, in batches of 1024 for each CPU
 * (fs/inode.c, get_next_ino()), so that a larger number does not mean a younger socket. A snapshot
 * that made a throw-away socket on every CPU knows how far each CPU had come, and with that the
 * answer is certain (EVIDENCE section 3). It holds for every kind of socket with an inode: LISTEN,
 * UDP and UNIX too. For a connection that was accepted it dates the begin of the accept() call.
 */
#ifndef SOCKLAPSE_BOUNDS_INODE_H
#define SOCKLAPSE_BOUNDS_INODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bounds_side {
	SIDE_UNKNOWN,
	SIDE_BEFORE,
	SIDE_AFTER
};

/*
 * `marks`: the inode of the snapshot's throw-away socket on each CPU; a CPU that was off line keeps
 * its former one. `whole`: no CPU that may have a batch is without a mark (0); else only a batch
 * that has one tells. Unknown without marks, for inode 0, and where the counter may have wrapped
 * between the two: compare with snapshots near to where the socket was first seen.
 */
enum bounds_side bounds_inode_side(uint32_t inode, const uint32_t *marks, size_t count, bool whole);

#endif
