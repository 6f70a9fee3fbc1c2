/* holders.h - the further holders of a socket, as a filter looks at them. */
#ifndef SOCKLAPSE_HOLDERS_H
#define SOCKLAPSE_HOLDERS_H

#include "buf.h"
#include "history.h"

/* So many are looked at, and no more once their texts are so long; table `owner` has all. */
#define HOLDERS_MAX	  65536
#define HOLDERS_MAX_BYTES (16u << 20)

/*
 * Appends those of row `more` of table text of recording `file` (column owner_more; 0: none) to
 * *list, as holder_is() reads them (filter.h).
 */
int holders_list(struct history *h, uint32_t file, uint32_t more, struct buf *list,
		 struct err *e) MUST_CHECK;

#endif
