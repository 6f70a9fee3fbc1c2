/* bounds_inode.c - see bounds_inode.h. */
#include "bounds_inode.h"

/* LAST_INO_BATCH of fs/inode.c. */
#define INO_BATCH 1024u

/* Numbers that are further apart than this have the counter's wrap between them, or may have. */
#define WRAP_BATCHES (UINT32_MAX / INO_BATCH / 2)

/* A batch goes from n * 1024 + 1 to (n + 1) * 1024: the counter is raised, then used. */
static uint32_t batch_of(uint32_t inode)
{
	return (inode - 1) / INO_BATCH;
}

enum bounds_side bounds_inode_side(uint32_t inode, const uint32_t *marks, size_t count, bool whole)
{
	uint32_t batch = batch_of(inode);
	uint32_t newest = 0;
	size_t known = 0;
	if (!inode)
		return SIDE_UNKNOWN;
	for (size_t i = 0; i < count; i++) {
		if (!marks[i])
			continue;
		known++;
		/* A CPU uses its batch in order: on this one the numbers do say who was first. */
		if (batch_of(marks[i]) == batch)
			return inode < marks[i]	  ? SIDE_BEFORE
			       : inode > marks[i] ? SIDE_AFTER
						  : SIDE_UNKNOWN;
		newest = batch_of(marks[i]) > newest ? batch_of(marks[i]) : newest;
	}
	uint32_t apart = batch > newest ? batch - newest : newest - batch;
	if (!known || !whole || apart > WRAP_BATCHES)
		return SIDE_UNKNOWN;
	/* A batch that no CPU is using was used up before, or is newer than all. */
	return batch > newest ? SIDE_AFTER : SIDE_BEFORE;
}
