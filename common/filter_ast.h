/*
 * filter_ast.h - what a filter is once it is read. Internal to the filter_*.c files.
 *
 * Conditions are the leaves of a tree of `and` and `or` that take turns: an `and` within an `and`
 * is one `and`, and `not` has been pushed down to the conditions. Nodes refer to each other by
 * number, texts are offsets into one pool; node 0 and text 0 stand for none.
 */
#ifndef SOCKLAPSE_FILTER_AST_H
#define SOCKLAPSE_FILTER_AST_H

#include "filter.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum filter_node_kind {
	NODE_AND,
	NODE_OR,
	NODE_STATES,
	NODE_HOST,
	NODE_PORT,
	NODE_DEV,
	NODE_MARK,
	NODE_CGROUP,
	NODE_AUTOBOUND,
	NODE_FIELD,
};

enum filter_op {
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
};

enum filter_value_kind {
	VALUE_NONE, /* no value: anything matches */
	VALUE_INT,
	VALUE_REAL,
	VALUE_TEXT, /* equal to it */
	VALUE_GLOB, /* matched by it */
};

struct filter_value {
	enum filter_value_kind kind;
	uint32_t text; /* in the pool */
	int64_t num;
	double real;
};

struct filter_node {
	enum filter_node_kind kind;
	enum filter_op op; /* never OP_NE: that is OP_EQ, negated */
	bool negated;
	bool peer;	    /* NODE_HOST, NODE_PORT: dst rather than src */
	uint8_t height;	    /* of and/or: levels of them from here down */
	uint8_t family;	    /* NODE_HOST, NODE_PORT: AF_*, or AF_UNSPEC for both of inet */
	uint32_t first;	    /* and, or: first child */
	uint32_t last;	    /* and, or: last child */
	uint32_t next;	    /* next child of the same parent */
	uint32_t states;    /* NODE_STATES: bits */
	uint32_t mark_mask; /* NODE_MARK */
	uint32_t addr_first,
		addr_count; /* NODE_HOST of inet: any of these addresses; 0: any at all */
	const struct filter_field *field; /* NODE_FIELD */
	struct filter_value value; /* host of another family; port, device, mark, path, field */
	struct filter_value port;  /* NODE_HOST */
};

/* An address or prefix that a NODE_HOST asks for, written as the column has it. */
struct filter_prefix {
	uint32_t text;
	uint8_t family;
	bool exact; /* not a prefix: compared with the column as it stands */
};

struct filter {
	const struct filter_columns *columns;
	uint16_t auto_port_lo, auto_port_hi;
	struct filter_node *nodes;
	size_t node_count, node_cap;
	struct filter_prefix *prefixes;
	size_t prefix_count, prefix_cap;
	struct buf pool;
	struct buf resolved;
	uint32_t root; /* 0: everything matches */
	bool names_states;
};

struct filter_arg {
	enum filter_value_kind kind;
	uint32_t text;
	int64_t num;
	double real;
	const struct filter *filter;
};

static inline const char *filter_text(const struct filter *f, uint32_t text)
{
	return text ? (const char *)f->pool.bytes + text : "";
}

/* `value` OP `with`, which is a number. */
bool filter_compare(int64_t value, enum filter_op op, const struct filter_value *with);

/* Is this a word of any of our own tables (filter_fields.c)? */
bool filter_is_our_word(const char *word);

#endif
