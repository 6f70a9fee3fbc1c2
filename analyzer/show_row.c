/* show_row.c - see show_row.h. The line of a socket; what follows it is in show_details.c. */
#include "show_row.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "link_name.h"
#include "out_write.h"
#include "sock.h"

#define ALWAYS (~0u)

/* A column, and the details that look at it. */
static const struct {
	const char *name;
	unsigned wanted;
} columns[AT_COUNT] = {
	[AT_PROTO] = {"proto", ALWAYS},
	[AT_FAMILY] = {"family", ALWAYS},
	[AT_STATE] = {"state", ALWAYS},
	[AT_RECVQ] = {"recvq", ALWAYS},
	[AT_SENDQ] = {"sendq", ALWAYS},
	[AT_LOCAL] = {"local", ALWAYS},
	[AT_LOCAL_PORT] = {"local_port", ALWAYS},
	[AT_PEER] = {"peer", ALWAYS},
	[AT_PEER_PORT] = {"peer_port", ALWAYS},
	[AT_DEV] = {"dev", ALWAYS},
	[AT_V6ONLY] = {"v6only", ALWAYS},
	[AT_SOCK_TYPE] = {"sock_type", ALWAYS},
	[AT_LINK_PROTO] = {"link_proto", ALWAYS},
	[AT_HAS] = {"has", ALWAYS},
	[AT_OWNER_SOURCE] = {"owner_source", SHOW_PROCESS},
	[AT_USERS] = {"users", SHOW_PROCESS},
	[AT_PID] = {"port_pid", 0},
	[AT_COMM] = {"port_comm", 0},
	[AT_TIMER] = {"timer", SHOW_TIMER},
	[AT_TIMER_MS] = {"timer_ms", SHOW_TIMER},
	[AT_RETRANS] = {"retrans", SHOW_TIMER},
	[AT_UID] = {"uid", SHOW_DETAILS},
	[AT_INODE] = {"inode", SHOW_DETAILS | SHOW_CGROUP},
	[AT_COOKIE] = {"cookie", SHOW_DETAILS},
	[AT_MARK] = {"mark", SHOW_DETAILS},
	[AT_SHUTDOWN] = {"shutdown", SHOW_DETAILS},
	[AT_NETNS_NAME] = {"netns_name", SHOW_DETAILS},
	[AT_PATH_DEV] = {"path_dev", SHOW_DETAILS},
	[AT_PATH_INODE] = {"path_inode", SHOW_DETAILS},
	[AT_ICONS] = {"icons", SHOW_DETAILS},
	[AT_PACKET_VERSION] = {"packet_version", SHOW_DETAILS},
	[AT_PACKET_COPY_THRESH] = {"packet_copy_thresh", SHOW_DETAILS},
	[AT_PACKET_FLAGS] = {"packet_flags", SHOW_DETAILS},
	[AT_FANOUT] = {"fanout", SHOW_DETAILS},
	[AT_GROUPS] = {"groups", SHOW_DETAILS},
	[AT_CGROUP_ID] = {"cgroup_id", SHOW_DETAILS | SHOW_CGROUP},
	[AT_CGROUP] = {"cgroup", SHOW_DETAILS | SHOW_CGROUP},
	[AT_TOS] = {"tos", SHOW_TOS},
	[AT_TCLASS] = {"tclass", SHOW_TOS},
	[AT_CLASS_ID] = {"class_id", SHOW_TOS},
	[AT_SOCKOPT] = {"sockopt", SHOW_SOCKOPT},
	[AT_RMEM_ALLOC] = {"rmem_alloc", SHOW_MEMORY},
	[AT_RCVBUF] = {"rcvbuf", SHOW_MEMORY},
	[AT_WMEM_ALLOC] = {"wmem_alloc", SHOW_MEMORY},
	[AT_SNDBUF] = {"sndbuf", SHOW_MEMORY},
	[AT_FWD_ALLOC] = {"fwd_alloc", SHOW_MEMORY},
	[AT_WMEM_QUEUED] = {"wmem_queued", SHOW_MEMORY},
	[AT_OPTMEM] = {"optmem", SHOW_MEMORY},
	[AT_BACKLOG] = {"backlog", SHOW_MEMORY},
	[AT_SK_DROPS] = {"sk_drops", SHOW_MEMORY},
	[AT_INFO_BYTES] = {"info_bytes", SHOW_INFO},
	[AT_OPTIONS] = {"options", SHOW_INFO},
	[AT_CONG] = {"cong", SHOW_INFO},
	[AT_SND_WSCALE] = {"snd_wscale", SHOW_INFO},
	[AT_RCV_WSCALE] = {"rcv_wscale", SHOW_INFO},
	[AT_RTO] = {"rto_us", SHOW_INFO},
	[AT_BACKOFF] = {"backoff", SHOW_INFO},
	[AT_RTT] = {"rtt_us", SHOW_INFO},
	[AT_RTTVAR] = {"rttvar_us", SHOW_INFO},
	[AT_ATO] = {"ato_us", SHOW_INFO},
	[AT_SND_MSS] = {"snd_mss", SHOW_INFO},
	[AT_PMTU] = {"pmtu", SHOW_INFO},
	[AT_RCV_MSS] = {"rcv_mss", SHOW_INFO},
	[AT_ADVMSS] = {"advmss", SHOW_INFO},
	[AT_CWND] = {"cwnd", SHOW_INFO},
	[AT_SSTHRESH] = {"snd_ssthresh", SHOW_INFO},
	[AT_BYTES_SENT] = {"bytes_sent", SHOW_INFO},
	[AT_BYTES_RETRANS] = {"bytes_retrans", SHOW_INFO},
	[AT_BYTES_ACKED] = {"bytes_acked", SHOW_INFO},
	[AT_BYTES_RECEIVED] = {"bytes_received", SHOW_INFO},
	[AT_SEGS_OUT] = {"segs_out", SHOW_INFO},
	[AT_SEGS_IN] = {"segs_in", SHOW_INFO},
	[AT_DATA_SEGS_OUT] = {"data_segs_out", SHOW_INFO},
	[AT_DATA_SEGS_IN] = {"data_segs_in", SHOW_INFO},
	[AT_DCTCP_ENABLED] = {"dctcp_enabled", SHOW_INFO},
	[AT_DCTCP_CE_STATE] = {"dctcp_ce_state", SHOW_INFO},
	[AT_DCTCP_ALPHA] = {"dctcp_alpha", SHOW_INFO},
	[AT_DCTCP_AB_ECN] = {"dctcp_ab_ecn", SHOW_INFO},
	[AT_DCTCP_AB_TOT] = {"dctcp_ab_tot", SHOW_INFO},
	[AT_VEGAS_ENABLED] = {"vegas_enabled", SHOW_INFO},
	[AT_VEGAS_RTT] = {"vegas_rtt_us", SHOW_INFO},
	[AT_BBR_BW_LO] = {"bbr_bw_lo", SHOW_INFO},
	[AT_BBR_BW_HI] = {"bbr_bw_hi", SHOW_INFO},
	[AT_BBR_MIN_RTT] = {"bbr_min_rtt_us", SHOW_INFO},
	[AT_BBR_PACING_GAIN] = {"bbr_pacing_gain", SHOW_INFO},
	[AT_BBR_CWND_GAIN] = {"bbr_cwnd_gain", SHOW_INFO},
	[AT_LAST_SENT] = {"last_data_sent_ms", SHOW_INFO},
	[AT_LAST_RECV] = {"last_data_recv_ms", SHOW_INFO},
	[AT_LAST_ACK] = {"last_ack_recv_ms", SHOW_INFO},
	[AT_PACING_RATE] = {"pacing_rate", SHOW_INFO},
	[AT_MAX_PACING_RATE] = {"max_pacing_rate", SHOW_INFO},
	[AT_DELIVERY_RATE] = {"delivery_rate", SHOW_INFO},
	[AT_DELIVERED] = {"delivered", SHOW_INFO},
	[AT_DELIVERED_CE] = {"delivered_ce", SHOW_INFO},
	[AT_APP_LIMITED] = {"app_limited", SHOW_INFO},
	[AT_BUSY_TIME] = {"busy_time_us", SHOW_INFO},
	[AT_RWND_LIMITED] = {"rwnd_limited_us", SHOW_INFO},
	[AT_SNDBUF_LIMITED] = {"sndbuf_limited_us", SHOW_INFO},
	[AT_UNACKED] = {"unacked", SHOW_INFO},
	[AT_RETRANS_OUT] = {"retrans_out", SHOW_INFO},
	[AT_TOTAL_RETRANS] = {"total_retrans", SHOW_INFO},
	[AT_LOST] = {"lost", SHOW_INFO},
	[AT_SACKED] = {"sacked", SHOW_INFO},
	[AT_DSACK_DUPS] = {"dsack_dups", SHOW_INFO},
	[AT_FACKETS] = {"fackets", SHOW_INFO},
	[AT_REORDERING] = {"reordering", SHOW_INFO},
	[AT_REORD_SEEN] = {"reord_seen", SHOW_INFO},
	[AT_RCV_RTT] = {"rcv_rtt_us", SHOW_INFO},
	[AT_RCV_SPACE] = {"rcv_space", SHOW_INFO},
	[AT_RCV_SSTHRESH] = {"rcv_ssthresh", SHOW_INFO},
	[AT_NOTSENT] = {"notsent_bytes", SHOW_INFO},
	[AT_MIN_RTT] = {"min_rtt_us", SHOW_INFO},
	[AT_RCV_OOOPACK] = {"rcv_ooopack", SHOW_INFO},
	[AT_SND_WND] = {"snd_wnd", SHOW_INFO},
	[AT_RCV_WND] = {"rcv_wnd", SHOW_INFO},
	[AT_REHASH] = {"rehash", SHOW_INFO},
};

void show_select(struct show_look *look, struct buf *select)
{
	int n = 0;
	for (int i = 0; i < AT_COUNT; i++) {
		/* ss writes who has a port id of netlink if it writes names at all. */
		bool is_owner = i == AT_PID || i == AT_COMM;
		bool wanted = columns[i].wanted == ALWAYS || columns[i].wanted & look->details ||
			      (is_owner && !look->numeric);
		look->at[i] = wanted ? n++ : -1;
		if (wanted)
			buf_printf(select, "%s, ", columns[i].name);
	}
}

bool show_has(const struct show_row *r, enum show_at at)
{
	int i = r->look->at[at];
	return i >= 0 && sqlite3_column_type(r->stmt, i) != SQLITE_NULL;
}

int64_t show_number(const struct show_row *r, enum show_at at)
{
	int i = r->look->at[at];
	return i >= 0 ? sqlite3_column_int64(r->stmt, i) : 0;
}

const char *show_string(const struct show_row *r, enum show_at at)
{
	int i = r->look->at[at];
	const char *t = i >= 0 ? (const char *)sqlite3_column_text(r->stmt, i) : NULL;
	return t ? t : "";
}

void show_put_item(struct buf *b, const char *label, uint64_t v)
{
	buf_put_u8(b, ' ');
	buf_put_str(b, label);
	buf_put_u8(b, ':');
	show_put_uint(b, v);
}

/* The cells of one address: what stands before the port, and the port. */
static void put_inet(const struct show_row *r, struct layout *l, bool peer)
{
	const struct show_look *look = r->look;
	const char *address = show_string(r, peer ? AT_PEER : AT_LOCAL);
	struct buf *b = layout_cell(l);
	if (address[0])
		show_put_host(b, look->names, (int)show_number(r, AT_FAMILY),
			      show_number(r, AT_V6ONLY) != 0, address);
	else
		buf_put_u8(b, '*');
	if (!peer)
		show_put_dev(b, show_string(r, AT_DEV));
	buf_put_u8(b, ':');
	layout_cell_end(l);
	show_put_port(layout_cell(l), show_string(r, AT_PROTO),
		      (unsigned)show_number(r, peer ? AT_PEER_PORT : AT_LOCAL_PORT),
		      look->services);
	layout_cell_end(l);
}

static void put_unix(const struct show_row *r, struct layout *l, bool peer)
{
	const char *path = show_string(r, peer ? AT_PEER : AT_LOCAL);
	struct buf *b = layout_cell(l);
	out_harmless(b, path[0] ? path : "*", strlen(path[0] ? path : "*"));
	buf_put_u8(b, ' ');
	layout_cell_end(l);
	show_put_uint(layout_cell(l),
		      (uint64_t)show_number(r, peer ? AT_PEER_PORT : AT_LOCAL_PORT));
	layout_cell_end(l);
}

/* Nobody: a star where the colon of an address would stand. */
static void put_star(struct layout *l)
{
	layout_text(l, "*");
	layout_text(l, "");
}

static void put_packet(const struct show_row *r, struct layout *l, bool peer)
{
	char name[LINK_NAME_BYTES];
	if (peer) {
		put_star(l);
		return;
	}
	packet_proto_name((unsigned)show_number(r, AT_LINK_PROTO), r->look->numeric, name);
	buf_printf(layout_cell(l), "%s:", name);
	layout_cell_end(l);
	const char *dev = show_string(r, AT_DEV);
	out_harmless(layout_cell(l), dev[0] ? dev : "*", strlen(dev[0] ? dev : "*"));
	layout_cell_end(l);
}

/* A port id is that of a process more often than not. */
static void put_netlink_port(const struct show_row *r, struct buf *b, int32_t id)
{
	if (r->look->numeric || (id && id != show_number(r, AT_PID))) {
		buf_printf(b, "%" PRId32, id);
	} else if (!id) {
		buf_put_str(b, "kernel");
	} else {
		const char *comm = show_string(r, AT_COMM);
		out_harmless(b, comm, strlen(comm));
		buf_printf(b, "/%" PRId32, id);
	}
}

static void put_netlink(const struct show_row *r, struct layout *l, bool peer)
{
	char name[LINK_NAME_BYTES];
	if (peer && !show_has(r, AT_PEER)) {
		put_star(l);
		return;
	}
	netlink_proto_name((unsigned)show_number(r, AT_LINK_PROTO), r->look->numeric, name);
	buf_printf(layout_cell(l), "%s:", name);
	layout_cell_end(l);
	put_netlink_port(r, layout_cell(l),
			 (int32_t)show_number(r, peer ? AT_PEER_PORT : AT_LOCAL_PORT));
	layout_cell_end(l);
}

static void put_vsock(const struct show_row *r, struct layout *l, bool peer)
{
	const char *cid = show_string(r, peer ? AT_PEER : AT_LOCAL);
	int64_t port = show_number(r, peer ? AT_PEER_PORT : AT_LOCAL_PORT);
	bool any = !cid[0] || strcmp(cid, "4294967295") == 0;
	buf_printf(layout_cell(l), "%s:", any ? "*" : cid);
	layout_cell_end(l);
	if (port == UINT32_MAX)
		buf_put_u8(layout_cell(l), '*');
	else
		show_put_uint(layout_cell(l), (uint64_t)port);
	layout_cell_end(l);
}

static void put_xdp(const struct show_row *r, struct layout *l, bool peer)
{
	const char *dev = show_string(r, AT_DEV);
	if (peer || !dev[0]) {
		put_star(l);
		return;
	}
	struct buf *b = layout_cell(l);
	out_harmless(b, dev, strlen(dev));
	buf_put_u8(b, ':');
	layout_cell_end(l);
	buf_printf(layout_cell(l), "q%" PRId64, show_number(r, AT_LOCAL_PORT));
	layout_cell_end(l);
}

static void put_addresses(const struct show_row *r, struct layout *l)
{
	static const struct {
		const char *proto;
		void (*put)(const struct show_row *r, struct layout *l, bool peer);
	} ways[] = {{"unix", put_unix},	  {"packet", put_packet}, {"netlink", put_netlink},
		    {"vsock", put_vsock}, {"xdp", put_xdp},	  {"", put_inet}};
	const char *proto = show_string(r, AT_PROTO);
	size_t i = 0;
	while (ways[i].proto[0] && strcmp(ways[i].proto, proto) != 0)
		i++;
	ways[i].put(r, l, false);
	ways[i].put(r, l, true);
}

void show_put_row(const struct show_row *r, struct layout *l)
{
	const char *state = show_string(r, AT_STATE);
	enum show_table table = show_table_of(show_string(r, AT_PROTO),
					      (int)show_number(r, AT_SOCK_TYPE));
	/* Listening sockets of a table before the others, as the kernel tells them to ss. */
	layout_row(l, 2 * (unsigned)table + (strcmp(state, "LISTEN") != 0));
	layout_text(l, show_net_id(table));
	layout_text(l, state[0] ? state : "UNKNOWN");
	show_put_uint(layout_cell(l), (uint64_t)show_number(r, AT_RECVQ));
	layout_cell_end(l);
	show_put_uint(layout_cell(l), (uint64_t)show_number(r, AT_SENDQ));
	layout_cell_end(l);
	put_addresses(r, l);
	show_put_details(r, layout_cell(l));
	layout_cell_end(l);
}
