/* columns.c - the table of columns.def in memory. */
#include "columns.h"

#define ALWAYS 0

/* The source of a column, as designated initialisers. */
#define SRC(kind, off, wide, shift, nbits)                                                         \
	.source = SRC_##kind, .src_offset = (off), .src_width = (wide), .src_shift = (shift),      \
	.src_bits = (nbits)
#define MSG			    SRC(MSG, 0, 0, 0, 0)
#define CODE			    SRC(CODE, 0, 0, 0, 0)
#define INFO(off, wide)		    SRC(INFO, off, wide, 0, 0)
#define INFO_BITS(off, shift, bits) SRC(INFO_BITS, off, 1, shift, bits)
#define MEM(index)		    SRC(MEM, (index)*4, 4, 0, 0)
#define CC(which, off, wide)	    SRC(which, off, wide, 0, 0)

const struct column columns[] = {
#define GROUP_BEGIN(id, group)
#define COL(nr, grp, type, field, knd, how, pred, hasbit, src, sinceversion, text)                 \
	{.name = #field,                                                                           \
	 .doc = text,                                                                              \
	 .since = sinceversion,                                                                    \
	 .id = nr,                                                                                 \
	 .group = GRP_ID_##grp,                                                                    \
	 .width = sizeof(type),                                                                    \
	 .predictor = pred,                                                                        \
	 .offset = offsetof(struct row_##grp, field),                                              \
	 .kind = KIND_##knd,                                                                       \
	 .enc = ENC_##how,                                                                         \
	 src,                                                                                      \
	 .has = hasbit},
#define GROUP_END(group)
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
};

const unsigned columns_count = sizeof(columns) / sizeof(columns[0]);

/* Where in columns[] each group begins and ends. */
enum {
#define GROUP_BEGIN(id, group)	       FIRST_##group, FIRST_BACK_##group = FIRST_##group - 1,
#define COL(nr, grp, type, field, ...) INDEX_##field,
#define GROUP_END(group)	       END_##group, END_BACK_##group = END_##group - 1,
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
};

const struct column_group column_groups[GRP_COUNT] = {
#define GROUP_BEGIN(nr, group)                                                                     \
	[nr] = {.name = #group,                                                                    \
		.bytes = sizeof(struct row_##group),                                               \
		.row_offset = offsetof(struct sock_row, group),                                    \
		.first = FIRST_##group,                                                            \
		.count = END_##group - FIRST_##group},
#define COL(...)
#define GROUP_END(group)
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
};

/* 1 + index in columns[], by id. */
static const uint8_t places[UINT8_MAX + 1] = {
#define GROUP_BEGIN(nr, group)
#define COL(nr, grp, type, field, ...) [nr] = INDEX_##field + 1,
#define GROUP_END(group)
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
};

const struct column *column_by_id(unsigned id)
{
	return id <= UINT8_MAX && places[id] ? &columns[places[id] - 1] : NULL;
}

const struct column *column_by_name(const char *name)
{
	for (unsigned i = 0; i < columns_count; i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}
