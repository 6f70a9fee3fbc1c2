/*
 * show_ask.h - what a line of ss's options asks for: tables, families, states, details. Pure. The
 * options and their meaning are those of ss(8) of iproute2 6.1 (SHOW.md has them all).
 */
#ifndef SOCKLAPSE_SHOW_ASK_H
#define SOCKLAPSE_SHOW_ASK_H

#include "args.h"
#include "buf.h"
#include "filter.h"
#include "sock.h"

/* What is written of a socket besides its line. */
#define SHOW_PROCESS 1u	  /* -p */
#define SHOW_TIMER   2u	  /* -o, -e: the timer; with -i also the options of TCP */
#define SHOW_DETAILS 4u	  /* -e */
#define SHOW_MEMORY  8u	  /* -m */
#define SHOW_INFO    16u  /* -i */
#define SHOW_TOS     32u  /* --tos */
#define SHOW_CGROUP  64u  /* --cgroup */
#define SHOW_SOCKOPT 128u /* --inet-sockopt */

/* The tables that ss tells apart, in the order in which it lists them. */
enum show_table {
	TABLE_NETLINK,
	TABLE_PACKET_RAW,
	TABLE_PACKET_DGRAM,
	TABLE_UNIX_STREAM,
	TABLE_UNIX_DGRAM,
	TABLE_UNIX_SEQPACKET,
	TABLE_RAW,
	TABLE_UDP,
	TABLE_UDPLITE, /* ss does not know it */
	TABLE_TCP,
	TABLE_MPTCP,
	TABLE_DCCP,
	TABLE_SCTP,
	TABLE_VSOCK_STREAM,
	TABLE_VSOCK_DGRAM,
	TABLE_TIPC,
	TABLE_XDP,
	TABLE_COUNT
};

/* One of the families below, as bits. */
#define SHOW_INET    1u
#define SHOW_INET6   2u
#define SHOW_UNIX    4u
#define SHOW_LINK    8u
#define SHOW_NETLINK 16u
#define SHOW_VSOCK   32u
#define SHOW_TIPC    64u
#define SHOW_XDP     128u

/* Every state, also that of a socket that is bound and nothing else. */
#define SHOW_STATES_EVERY ((UINT32_C(1) << STATE_COUNT) - 2)

struct show_ask {
	uint32_t tables;   /* bit 1 << TABLE_* */
	uint32_t families; /* SHOW_INET ... */
	uint32_t states;   /* bit 1 << STATE_* */
	unsigned details;  /* SHOW_PROCESS ... */
	bool numeric, resolve, one_line, summary;
	bool chosen;	   /* a table or family is named */
	const char *netns; /* -N, or NULL */
	const char *file;  /* -F: where the filter stands, or NULL */
};

/* The options of show; those of other commands that choose tables. Both end with an id of 0. */
extern const struct arg_option show_options[];
extern const struct arg_option show_table_options[];

/* AF_* if only one family is asked for, else AF_UNSPEC. */
int show_ask_family(const struct show_ask *a);

/* Is this the name of a family, as -f takes it? */
bool show_is_family(const char *name);

/* ERR_USAGE: an unknown table or family, or an option that cannot be answered from a recording. */
int show_ask_read(const struct args *args, struct show_ask *ret, struct err *e) MUST_CHECK;

/* A filter that names states decides about them instead of the options. */
void show_ask_scope(struct show_ask *a, struct filter_scope scope);

/*
 * Appends the condition as SQL over table `socket` that ends with AND. :netns and :netns_inode are
 * bound by the caller if `netns` is set.
 */
void show_ask_sql(const struct show_ask *a, struct buf *where);

/* Would ss have a column Netid (more than one table) and State (more than one state)? */
bool show_ask_has_net_id(const struct show_ask *a);
bool show_ask_has_state(const struct show_ask *a);

/* The table of a socket by its proto and its type (SOCK_*, 0 if unknown), and what ss calls it. */
enum show_table show_table_of(const char *proto, int type);
const char *show_net_id(enum show_table table);

#endif
