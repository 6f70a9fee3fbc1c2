/*
 * owner_carry.h - who a socket belongs to, also when no process holds it any more, or not yet.
 *
 * The kernel forgets who opened a connection as soon as it is closed: TIME-WAIT, FIN-WAIT and
 * LAST-ACK sockets have no owner in their snapshot. But the cookie stays the same for the whole
 * life of a connection (EVIDENCE section 2), so the holder seen under it earlier is the owner. A
 * connection that nobody has accepted yet (inode 0 in ESTAB, CLOSE-WAIT, SYN-RECV) belongs to
 * whoever listens; if different ones listen on the same address (SO_REUSEPORT) it is not known
 * to whom.
 *
 * Snapshots are handed in one after the other, in the order of time; the work is proportional to
 * what changed. Pure: knows socksets, no files. The sockset must keep the groups OWNER_GROUPS.
 */
#ifndef SOCKLAPSE_OWNER_CARRY_H
#define SOCKLAPSE_OWNER_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "owner.h"
#include "sockset.h"

#define OWNER_GROUPS (GRP_BIT(member) | GRP_BIT(state) | GRP_BIT(owner))

/*
 * A holder that was last seen longer ago than both of these is not told any more, so that the
 * answer for one snapshot does not depend on how far back somebody happened to read. The kernel
 * keeps a socket that nobody holds for a minute or two.
 */
#define OWNER_KEEP_SNAPSHOTS 240
#define OWNER_KEEP_NS	     (INT64_C(120) * 1000000000)

struct owner {
	enum owner_source source;
	uint32_t file;	  /* recording in which `process` is a row of table process */
	uint32_t process; /* 0: none */
	uint32_t fd;
};

/* Where and when the snapshot is that a step takes. */
struct owner_step {
	uint32_t file;	 /* recording; the caller's number */
	uint32_t boot;	 /* boot; the caller's number: cookies mean nothing beyond it */
	uint64_t number; /* of the snapshot; ascends */
	int64_t time_ns; /* any clock that runs through the boot */
	bool delta; /* born, died and touched of the set tell what changed since the last step */
	/* Inode of a network namespace that is row `netns` of the recording; any number if unknown.
	 */
	uint64_t (*netns_inode)(void *ctx, uint32_t netns);
	void *ctx;
};

struct owner_carry;

int owner_carry_new(struct owner_carry **ret, struct err *e) MUST_CHECK;
void owner_carry_free(struct owner_carry *c);

/* Takes the snapshot that `set` shows. ERR_NOMEM. */
int owner_carry_step(struct owner_carry *c, const struct sockset *set,
		     const struct owner_step *step, struct err *e) MUST_CHECK;

/*
 * The owner of the socket at `position` of the set last handed in. ERR_NOMEM (the table of
 * listeners is made when first asked for).
 */
int owner_carry_get(struct owner_carry *c, const struct sockset *set, uint32_t position,
		    struct owner *ret, struct err *e) MUST_CHECK;

/*
 * The cgroup (v2, by id) that the kernel tells of a socket, 0 if it tells none: it stays on those
 * that no process holds, and is all there is to go by where owner_carry_get() finds nobody. The set
 * must keep the group `option` too.
 */
uint64_t owner_cgroup(const struct sockset *set, uint32_t position);

/*
 * Are there sockets that nobody holds (inode 0), without an owner, that were there in the first
 * snapshot handed in already? Only then is looking further back worth it: what has an inode and no
 * owner is mostly the kernel's own.
 */
bool owner_carry_wants_more(const struct owner_carry *c, const struct sockset *set);

#endif
