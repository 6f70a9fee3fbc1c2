/*
 * show_row.h - one row of table `socket` as ss(8) writes it. Pure: a row of a statement in, text
 * out. Names, order and units of fields are those that misc/ss.c of iproute2 prints.
 */
#ifndef SOCKLAPSE_SHOW_ROW_H
#define SOCKLAPSE_SHOW_ROW_H

#include <sqlite3.h>

#include "buf.h"
#include "cgroup_paths.h"
#include "show_address.h"
#include "show_ask.h"
#include "show_layout.h"

/* Columns of table socket that text is made of; show_row.c says which details look at which. */
enum show_at {
	AT_PROTO,
	AT_FAMILY,
	AT_STATE,
	AT_RECVQ,
	AT_SENDQ,
	AT_LOCAL,
	AT_LOCAL_PORT,
	AT_PEER,
	AT_PEER_PORT,
	AT_DEV,
	AT_V6ONLY,
	AT_SOCK_TYPE,
	AT_LINK_PROTO,
	AT_HAS,
	AT_OWNER_SOURCE,
	AT_USERS,
	AT_PID,
	AT_COMM,
	AT_TIMER,
	AT_TIMER_MS,
	AT_RETRANS,
	AT_UID,
	AT_INODE,
	AT_COOKIE,
	AT_MARK,
	AT_SHUTDOWN,
	AT_NETNS_NAME,
	AT_PATH_DEV,
	AT_PATH_INODE,
	AT_ICONS,
	AT_PACKET_VERSION,
	AT_PACKET_COPY_THRESH,
	AT_PACKET_FLAGS,
	AT_FANOUT,
	AT_GROUPS,
	AT_CGROUP_ID,
	AT_CGROUP,
	AT_TOS,
	AT_TCLASS,
	AT_CLASS_ID,
	AT_SOCKOPT,
	AT_RMEM_ALLOC,
	AT_RCVBUF,
	AT_WMEM_ALLOC,
	AT_SNDBUF,
	AT_FWD_ALLOC,
	AT_WMEM_QUEUED,
	AT_OPTMEM,
	AT_BACKLOG,
	AT_SK_DROPS,
	AT_INFO_BYTES,
	AT_OPTIONS,
	AT_CONG,
	AT_SND_WSCALE,
	AT_RCV_WSCALE,
	AT_RTO,
	AT_BACKOFF,
	AT_RTT,
	AT_RTTVAR,
	AT_ATO,
	AT_SND_MSS,
	AT_PMTU,
	AT_RCV_MSS,
	AT_ADVMSS,
	AT_CWND,
	AT_SSTHRESH,
	AT_BYTES_SENT,
	AT_BYTES_RETRANS,
	AT_BYTES_ACKED,
	AT_BYTES_RECEIVED,
	AT_SEGS_OUT,
	AT_SEGS_IN,
	AT_DATA_SEGS_OUT,
	AT_DATA_SEGS_IN,
	AT_DCTCP_ENABLED,
	AT_DCTCP_CE_STATE,
	AT_DCTCP_ALPHA,
	AT_DCTCP_AB_ECN,
	AT_DCTCP_AB_TOT,
	AT_VEGAS_ENABLED,
	AT_VEGAS_RTT,
	AT_BBR_BW_LO,
	AT_BBR_BW_HI,
	AT_BBR_MIN_RTT,
	AT_BBR_PACING_GAIN,
	AT_BBR_CWND_GAIN,
	AT_LAST_SENT,
	AT_LAST_RECV,
	AT_LAST_ACK,
	AT_PACING_RATE,
	AT_MAX_PACING_RATE,
	AT_DELIVERY_RATE,
	AT_DELIVERED,
	AT_DELIVERED_CE,
	AT_APP_LIMITED,
	AT_BUSY_TIME,
	AT_RWND_LIMITED,
	AT_SNDBUF_LIMITED,
	AT_UNACKED,
	AT_RETRANS_OUT,
	AT_TOTAL_RETRANS,
	AT_LOST,
	AT_SACKED,
	AT_DSACK_DUPS,
	AT_FACKETS,
	AT_REORDERING,
	AT_REORD_SEEN,
	AT_RCV_RTT,
	AT_RCV_SPACE,
	AT_RCV_SSTHRESH,
	AT_NOTSENT,
	AT_MIN_RTT,
	AT_RCV_OOOPACK,
	AT_SND_WND,
	AT_RCV_WND,
	AT_REHASH,
	AT_COUNT
};

/* How rows are written, and where their columns stand in the statement. */
struct show_look {
	unsigned details; /* SHOW_* */
	bool numeric, one_line;
	bool tell_netns;		    /* there are several: with SHOW_DETAILS, say which */
	const struct services *services;    /* NULL: ports are numbers */
	const struct names *names;	    /* NULL: addresses are numbers */
	const struct cgroup_paths *cgroups; /* NULL: those of the holders stand for them */
	int at[AT_COUNT];		    /* column of the statement, or -1 */
};

struct show_row {
	sqlite3_stmt *stmt;
	const struct show_look *look;
};

/*
 * Fills look->at for what look->details asks for and appends those columns, each followed by a
 * comma, to `select`.
 */
void show_select(struct show_look *look, struct buf *select);

/* Is a column there? As a number (NULL: 0), as text (NULL: ""). */
bool show_has(const struct show_row *r, enum show_at at);
int64_t show_number(const struct show_row *r, enum show_at at);
const char *show_string(const struct show_row *r, enum show_at at);

/* " LABEL:VALUE" */
void show_put_item(struct buf *b, const char *label, uint64_t v);

/* Puts the whole row into the layout. */
void show_put_row(const struct show_row *r, struct layout *l);

/* The parts of the last cell (show_details.c, show_tcp.c). */
void show_put_details(const struct show_row *r, struct buf *b);
void show_put_tcp(const struct show_row *r, struct buf *b);

#endif
