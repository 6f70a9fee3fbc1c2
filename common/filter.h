/*
 * filter.h - the filter language of ss(8), and what ours adds to it (FILTER.md).
 *
 *	text --filter_parse()--> struct filter --filter_to_sql()--> WHERE + values
 *--filter_bind()-->
 *
 * The language does not know the table it is asked of: the caller hands in the SQL expressions
 * that stand for addresses, states and so on (struct filter_columns) and the further words that
 * may be compared (struct filter_field). filter_socket_env() and filter_spell_env() are those of
 * our own tables. A value never becomes SQL text; it is always bound.
 *
 * Truth has two values, as in ss: a comparison with something that was not recorded is false, and
 * its negation (`not`, `!=`) is true.
 */
#ifndef SOCKLAPSE_FILTER_H
#define SOCKLAPSE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>

#include "buf.h"
#include "err.h"
#include "sock.h"

/* What a filter may cost at most. More is an error of code ERR_LIMIT, with its place. */
#define FILTER_TEXT_MAX	     65536 /* bytes of text */
#define FILTER_DEPTH_MAX     200   /* parentheses within one another */
#define FILTER_HEIGHT_MAX    16	   /* `and` and `or` by turns within one another */
#define FILTER_CONDITION_MAX 4000  /* conditions */
#define FILTER_ADDRESS_MAX   8000  /* addresses, those of resolved names included */
#define FILTER_NAME_ADDR_MAX 64	   /* addresses of one name */

enum filter_type {
	FILTER_NUMBER,	 /* 12, 0x1f */
	FILTER_BYTES,	 /* 512, 64k, 1.5M: powers of 1024 */
	FILTER_DURATION, /* 20ms, 5min, 1h30m */
	FILTER_TEXT,	 /* name or glob; only = and != */
	FILTER_CHOICE,	 /* one of a list of words; only = and != */
	FILTER_USER,	 /* user id or a name that the resolver knows */
};

/* A word of a FILTER_CHOICE and what the column then holds; "" stands for NULL too. */
struct filter_choice {
	const char *word;
	const char *value;
};

/* A word that can be compared. Tables of these live at least as long as the filters made of them.
 */
struct filter_field {
	const char *name;	/* lower case */
	const char *sql;	/* expression; of an uncertain value: what it is at least */
	const char *sql_most;	/* of an uncertain value: what it is at most; NULL: sql is exact */
	const char *sql_number; /* FILTER_TEXT: what a whole number is compared with, or NULL */
	enum filter_type type;
	unsigned holder; /* of a process: its place among the fields of column `holders`, from 1 on
			  */
	int64_t unit_ns; /* FILTER_DURATION: what 1 in the column means */
	const struct filter_choice *choices; /* FILTER_CHOICE: ends with a NULL word */
};

/*
 * SQL expressions for the words of ss; NULL where the table has no such column (a filter that asks
 * for it is then an error). What they must hold:
 *   family      AF_* number                      state      name as ss prints it ("ESTAB")
 *   local,peer  AF_INET, AF_INET6: address as inet_ntop() writes it; AF_UNIX: path, abstract names
 *               with @, '' or NULL if unnamed; AF_PACKET, AF_NETLINK: protocol as ss prints it;
 *               AF_VSOCK: CID in decimal
 *   local_port, peer_port    number; AF_NETLINK: port id, 0 is the kernel
 *   ifindex     number, 0: none                  dev        name of that interface
 *   mark        number                           cgroup     path from the root of the hierarchy
 */
struct filter_columns {
	const char *family, *state;
	const char *local, *local_port, *peer, *peer_port;
	const char *ifindex, *dev, *mark, *cgroup;
	/*
	 * The processes that hold the socket besides the one that words of processes stand for: a
	 * blob of their fields pid comm exe cmdline container, each ended by a NUL, or NULL. A word
	 * of processes is true if it is of any holder.
	 */
	const char *holders;
};

struct filter_addr {
	uint8_t bytes[16]; /* network order; 4 of them for AF_INET */
	uint8_t family;	   /* AF_INET or AF_INET6 */
};

/*
 * Looks up names. Each returns 0 or an error code; a NULL function means that such names are
 * refused. filter_system_resolver() asks this machine.
 */
struct filter_resolver {
	void *ctx;
	int (*service)(void *ctx, const char *name, uint16_t *ret_port);
	/* `family`: AF_INET, AF_INET6 or AF_UNSPEC. At most `max` addresses. */
	int (*host)(void *ctx, const char *name, int family, unsigned max, struct filter_addr *ret,
		    unsigned *ret_count);
	int (*user)(void *ctx, const char *name, uint32_t *ret_uid);
};

/* A word that cannot be asked, and why: "WORD WHY" is the error. */
struct filter_refusal {
	const char *word;
	const char *why;
};

struct filter_env {
	const struct filter_columns *columns;
	const struct filter_field *fields;
	unsigned field_count;
	const struct filter_refusal *refusals; /* ends with a NULL word; NULL: none */
	bool for_rows; /* filter_row.h: no names of hosts, no globs of cgroups */
	/* For the error of a word that the table lacks: what it tells of, who can answer; or NULL.
	 */
	const char *told, *elsewhere;
	const struct filter_resolver *resolver; /* NULL: names are refused */
	int family;				/* of addresses without one (ss -f), or AF_UNSPEC */
	uint16_t auto_port_lo,
		auto_port_hi; /* ip_local_port_range of the host; 0, 0: Linux's own */
};

struct filter;

/* Where in the text an error is: bytes [begin, end). begin == end at the end of the text. */
struct filter_place {
	size_t begin;
	size_t end;
};

/* What the filter says about states and families, for defaults that depend on it. */
struct filter_scope {
	bool names_states;   /* `state` or `exclude` stands in it */
	bool names_families; /* an address with a family stands in it */
	uint32_t states;     /* bit 1 << STATE_*: no other state can match */
	uint64_t families;   /* bit 1 << AF_*: no other family can match; all ones if any can */
};

/*
 * Reads a filter; "" matches everything. `env` is needed for the call only, the tables that it
 * points to for as long as the filter lives. ERR_USAGE, ERR_LIMIT or ERR_NOMEM; then *ret_place
 * (may be NULL) is where, and *e says what was expected.
 */
int filter_parse(const char *text, const struct filter_env *env, struct filter **ret,
		 struct filter_place *ret_place, struct err *e) MUST_CHECK NONNULL(1, 2, 3);

void filter_free(struct filter *f);

struct filter_scope filter_scope(const struct filter *f) NONNULL(1);

/*
 * Can a connection with this identity match at some time? False is certain; true is told of many
 * that will not match.
 */
bool filter_can_match(const struct filter *f, const struct row_member *m) NONNULL(1, 2);

/*
 * Names of hosts and users that were looked up on this machine, now, separated by a space: not
 * what they meant when the recording was made. "" if there are none; lives as long as the filter.
 */
const char *filter_resolved(const struct filter *f) NONNULL(1);

/* Appends "LINE\n   ^~~~\n": the line of the text and a mark under the place. */
void filter_caret(const char *text, struct filter_place place, struct buf *out) NONNULL(1, 3);

/* The values of the `?` of a WHERE, in order. Zero-initialised it is empty. */
struct filter_args {
	struct filter_arg *args;
	size_t count;
	size_t cap;
};

/*
 * Appends to `where` one SQL expression in parentheses, or "1", with a `?` for each value. `args`
 * must be empty; it points into the filter. ERR_NOMEM.
 */
int filter_to_sql(const struct filter *f, struct buf *where, struct filter_args *args,
		  struct err *e) MUST_CHECK NONNULL(1, 2, 3);

/* Binds the values to `first_index` and up. The filter must outlive the statement's use. */
int filter_bind(sqlite3_stmt *stmt, int first_index, const struct filter_args *args) MUST_CHECK
	NONNULL(1, 3);

void filter_args_fini(struct filter_args *args);

/*
 * The SQL functions that such a WHERE uses, all deterministic and innocuous:
 *   addr_in(ADDRESS, PREFIX)       1 if it lies in the prefix ("10.0.0.0/8"); an IPv4-mapped
 *                                  address lies in IPv4 prefixes too; NULL for NULL; 0 for no
 * address glob_match(TEXT, GLOB [, 1])   as fnmatch(3) without flags, with 1 in any case (ASCII)
 *   holder_is(HOLDERS, FIELD, OP, VALUE)  1 if any of them (column `holders`) has such a field
 * Returns an SQLite code.
 */
int filter_register(sqlite3 *db) MUST_CHECK NONNULL(1);

/* Whether all of `text` matches: * ? [a-z] [!a-z] and \ before a character meant as such. */
bool filter_glob_match(const char *glob, const char *text, bool any_case) NONNULL(1, 2);

/* 1 if the address lies in "ADDRESS[/BITS]", 0 if not, -1 if either text is not what it should be.
 */
int filter_addr_in(const char *addr, const char *prefix) NONNULL(1, 2);

/* The words of the tables `socket` and `spell`, without resolver, family and port range. */
struct filter_env filter_socket_env(void);
struct filter_env filter_spell_env(void);

/*
 * /etc/services, getaddrinfo() and the users of this machine. A name of a host that is not answered
 * within 5 s is ERR_TIMEOUT.
 */
const struct filter_resolver *filter_system_resolver(void);

#endif
