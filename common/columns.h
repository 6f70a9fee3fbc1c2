/*
 * columns.h - the columns of columns.def as data.
 */
#ifndef SOCKLAPSE_COLUMNS_H
#define SOCKLAPSE_COLUMNS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sock.h"

/* GRP_ID_member = 1, GRP_ID_state = 2, ... the numbers are those of the file. */
enum column_group_id {
#define GROUP_BEGIN(id, group) GRP_ID_##group = id,
#define COL(...)
#define GROUP_END(group)
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
	GRP_COUNT
};

#define GRP_BIT(group) (1u << GRP_ID_##group)
#define GRP_ALL	       ((1u << GRP_COUNT) - 2u)

/*
 * Groups that only sockets of other families than inet have. There are few of those, so that
 * memory of these groups is not touched for others.
 */
#define GRP_RARE (GRP_BIT(unix) | GRP_BIT(link))

/* COL_ID_rtt_us = 59, ... the numbers are those of the file. */
enum column_id {
#define GROUP_BEGIN(id, group)
#define COL(id, group, type, name, ...) COL_ID_##name = id,
#define GROUP_END(group)
#include "columns.def"
#undef GROUP_BEGIN
#undef COL
#undef GROUP_END
	COL_ID_MAX = 255
};

enum column_kind {
	KIND_IDENT,
	KIND_STATE,
	KIND_GAUGE,
	KIND_COUNTER,
	KIND_FLAGS,
	KIND_STAMP,
	KIND_TEXT
};

/* How the codec sees a value (FORMAT.md section 5.3). */
enum column_enc {
	ENC_DELTA,
	ENC_STAMP,
	ENC_EXPIRY,
	ENC_ADDR
};

enum column_source {
	SRC_MSG,       /* field of struct inet_diag_msg */
	SRC_INFO,      /* `width` bytes at `offset` of INET_DIAG_INFO */
	SRC_INFO_BITS, /* `bits` bits from `shift` of the byte at `offset` of INET_DIAG_INFO */
	SRC_MEM,       /* 32-bit word number `offset` / 4 of INET_DIAG_SKMEMINFO */
	SRC_VEGAS,
	SRC_DCTCP,
	SRC_BBR,
	SRC_CODE, /* set by a decoder's own code */
};

struct column {
	const char *name;
	const char *doc;
	const char *since; /* kernel version, "" for all */
	uint8_t id;
	uint8_t group;
	uint8_t width;	   /* bytes of the stored value: 1, 2, 4, 8, 16 */
	uint8_t predictor; /* column id or 0 */
	uint16_t offset;   /* of the value within the group's struct */
	enum column_kind kind;
	enum column_enc enc;
	enum column_source source;
	uint16_t src_offset;
	uint8_t src_width;
	uint8_t src_shift;
	uint8_t src_bits;
	uint64_t has; /* bit of state.has that must be set, or 0 */
};

struct column_group {
	const char *name;
	uint16_t bytes;	     /* size of its struct, a multiple of 8 */
	uint16_t row_offset; /* of its struct within struct sock_row */
	uint16_t first;	     /* its columns are columns[first .. first + count - 1] */
	uint16_t count;
};

extern const struct column columns[];
extern const unsigned columns_count;

/* By group id; [0] is empty. */
extern const struct column_group column_groups[GRP_COUNT];

/* NULL if there is none. */
const struct column *column_by_id(unsigned id);
const struct column *column_by_name(const char *name);

/*
 * Did the kernel send the column for a socket with these `has` and `info_bytes`? If not, it is
 * NULL (columns.def: a longer tcp_info brings more columns).
 */
static inline bool column_present(const struct column *c, uint64_t has, unsigned info_bytes)
{
	if (c->has && !(has & c->has))
		return false;
	if (c->source == SRC_INFO || c->source == SRC_INFO_BITS)
		return (unsigned)c->src_offset + c->src_width <= info_bytes;
	return true;
}

/* The value (up to 8 bytes wide) in a group's struct; as stored, that is, stamps not translated. */
static inline uint64_t column_load(const struct column *c, const void *group)
{
	const uint8_t *p = (const uint8_t *)group + c->offset;
	switch (c->width) {
	case 1:
		return *p;
	case 2: {
		uint16_t v;
		memcpy(&v, p, sizeof(v));
		return v;
	}
	case 4: {
		uint32_t v;
		memcpy(&v, p, sizeof(v));
		return v;
	}
	default: {
		uint64_t v;
		memcpy(&v, p, sizeof(v));
		return v;
	}
	}
}

static inline void column_store(const struct column *c, void *group, uint64_t value)
{
	uint8_t *p = (uint8_t *)group + c->offset;
	switch (c->width) {
	case 1:
		*p = (uint8_t)value;
		break;
	case 2: {
		uint16_t v = (uint16_t)value;
		memcpy(p, &v, sizeof(v));
		break;
	}
	case 4: {
		uint32_t v = (uint32_t)value;
		memcpy(p, &v, sizeof(v));
		break;
	}
	default:
		memcpy(p, &value, sizeof(value));
	}
}

#endif
