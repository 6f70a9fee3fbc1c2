/* show_text.c - see show_text.h. */
#include "show_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Columns that are looked at by name, besides those of items[]. */
enum {
	AT_OWNER_SOURCE,
	AT_USERS,
	AT_TIMER,
	AT_TIMER_MS,
	AT_RETRANS,
	AT_UID,
	AT_INODE,
	AT_COOKIE,
	AT_CGROUP,
	AT_V6ONLY,
	AT_SHUTDOWN,
	AT_RMEM_ALLOC,
	AT_RCVBUF,
	AT_WMEM_ALLOC,
	AT_SNDBUF,
	AT_FWD_ALLOC,
	AT_WMEM_QUEUED,
	AT_OPTMEM,
	AT_BACKLOG,
	AT_SK_DROPS,
	AT_OPTIONS,
	AT_CONG,
	AT_SND_WSCALE,
	AT_RCV_WSCALE,
	AT_RTT_US,
	AT_RTTVAR_US,
	AT_RETRANS_OUT,
	AT_TOTAL_RETRANS,
	AT_APP_LIMITED,
	AT_COUNT
};

static const char *const names[AT_COUNT] = {
	[AT_OWNER_SOURCE] = "owner_source",
	[AT_USERS] = "users",
	[AT_TIMER] = "timer",
	[AT_TIMER_MS] = "timer_ms",
	[AT_RETRANS] = "retrans",
	[AT_UID] = "uid",
	[AT_INODE] = "inode",
	[AT_COOKIE] = "cookie",
	[AT_CGROUP] = "cgroup",
	[AT_V6ONLY] = "v6only",
	[AT_SHUTDOWN] = "shutdown",
	[AT_RMEM_ALLOC] = "rmem_alloc",
	[AT_RCVBUF] = "rcvbuf",
	[AT_WMEM_ALLOC] = "wmem_alloc",
	[AT_SNDBUF] = "sndbuf",
	[AT_FWD_ALLOC] = "fwd_alloc",
	[AT_WMEM_QUEUED] = "wmem_queued",
	[AT_OPTMEM] = "optmem",
	[AT_BACKLOG] = "backlog",
	[AT_SK_DROPS] = "sk_drops",
	[AT_OPTIONS] = "options",
	[AT_CONG] = "cong",
	[AT_SND_WSCALE] = "snd_wscale",
	[AT_RCV_WSCALE] = "rcv_wscale",
	[AT_RTT_US] = "rtt_us",
	[AT_RTTVAR_US] = "rttvar_us",
	[AT_RETRANS_OUT] = "retrans_out",
	[AT_TOTAL_RETRANS] = "total_retrans",
	[AT_APP_LIMITED] = "app_limited",
};

/* Numbers of tcp_info, in ss's order: "NAME:VALUE", value * factor / divisor; 0 is left out. */
static const struct info_item {
	const char *label;
	const char *column;
	const char *unit;
	unsigned factor, divisor;
	uint64_t none; /* a value that means "none" */
} items[] = {
	{"rto", "rto_us", "", 1, 1000, 0},
	{"backoff", "backoff", "", 1, 1, 0},
	{"ato", "ato_us", "", 1, 1000, 0},
	{"mss", "snd_mss", "", 1, 1, 0},
	{"pmtu", "pmtu", "", 1, 1, 0},
	{"rcvmss", "rcv_mss", "", 1, 1, 0},
	{"advmss", "advmss", "", 1, 1, 0},
	{"cwnd", "cwnd", "", 1, 1, 0},
	{"ssthresh", "snd_ssthresh", "", 1, 1, 0x7fffffff},
	{"bytes_sent", "bytes_sent", "", 1, 1, 0},
	{"bytes_retrans", "bytes_retrans", "", 1, 1, 0},
	{"bytes_acked", "bytes_acked", "", 1, 1, 0},
	{"bytes_received", "bytes_received", "", 1, 1, 0},
	{"segs_out", "segs_out", "", 1, 1, 0},
	{"segs_in", "segs_in", "", 1, 1, 0},
	{"data_segs_out", "data_segs_out", "", 1, 1, 0},
	{"data_segs_in", "data_segs_in", "", 1, 1, 0},
	{"lastsnd", "last_data_sent_ms", "", 1, 1, 0},
	{"lastrcv", "last_data_recv_ms", "", 1, 1, 0},
	{"lastack", "last_ack_recv_ms", "", 1, 1, 0},
	{"pacing_rate", "pacing_rate", "bps", 8, 1, UINT64_MAX},
	{"delivery_rate", "delivery_rate", "bps", 8, 1, 0},
	{"delivered", "delivered", "", 1, 1, 0},
	{"busy", "busy_time_us", "ms", 1, 1000, 0},
	{"rwnd_limited", "rwnd_limited_us", "ms", 1, 1000, 0},
	{"sndbuf_limited", "sndbuf_limited_us", "ms", 1, 1000, 0},
	{"unacked", "unacked", "", 1, 1, 0},
	{"lost", "lost", "", 1, 1, 0},
	{"sacked", "sacked", "", 1, 1, 0},
	{"dsack_dups", "dsack_dups", "", 1, 1, 0},
	{"reordering", "reordering", "", 1, 1, 3},
	{"reord_seen", "reord_seen", "", 1, 1, 0},
	{"rcv_rtt", "rcv_rtt_us", "", 1, 1000, 0},
	{"rcv_space", "rcv_space", "", 1, 1, 0},
	{"rcv_ssthresh", "rcv_ssthresh", "", 1, 1, 0},
	{"notsent", "notsent_bytes", "", 1, 1, 0},
	{"minrtt", "min_rtt_us", "", 1, 1000, UINT32_MAX},
	{"rcv_ooopack", "rcv_ooopack", "", 1, 1, 0},
	{"snd_wnd", "snd_wnd", "", 1, 1, 0},
	{"rcv_wnd", "rcv_wnd", "", 1, 1, 0},
	{"rehash", "rehash", "", 1, 1, 0},
};

#define ITEMS (sizeof(items) / sizeof(items[0]))

struct show_columns {
	int at[AT_COUNT]; /* column of the statement, or -1 */
	int item[ITEMS];
};

static int find(sqlite3_stmt *stmt, const char *name)
{
	for (int i = 0; i < sqlite3_column_count(stmt); i++)
		if (strcmp(sqlite3_column_name(stmt, i), name) == 0)
			return i;
	return -1;
}

int show_columns_new(sqlite3_stmt *stmt, struct show_columns **ret, struct err *e)
{
	struct show_columns *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, ERR_NOMEM, "show: memory ran out");
	for (int i = 0; i < AT_COUNT; i++)
		c->at[i] = find(stmt, names[i]);
	for (size_t i = 0; i < ITEMS; i++)
		c->item[i] = find(stmt, items[i].column);
	*ret = c;
	return 0;
}

void show_columns_free(struct show_columns *c)
{
	free(c);
}

static bool has(sqlite3_stmt *row, int column)
{
	return column >= 0 && sqlite3_column_type(row, column) != SQLITE_NULL;
}

static int64_t number(sqlite3_stmt *row, const struct show_columns *c, int at)
{
	return has(row, c->at[at]) ? sqlite3_column_int64(row, c->at[at]) : 0;
}

static const char *text(sqlite3_stmt *row, const struct show_columns *c, int at)
{
	const char *t = has(row, c->at[at]) ? (const char *)sqlite3_column_text(row, c->at[at])
					    : NULL;
	return t ? t : "";
}

static void put_port(struct buf *b, const char *proto, int port, const struct services *services)
{
	const char *name = services_name(services, proto, (unsigned)port);
	if (!port)
		buf_put_str(b, "*");
	else if (name)
		buf_put_str(b, name);
	else
		buf_printf(b, "%d", port);
}

void show_address(struct buf *b, const char *proto, int family, bool v6only, const char *address,
		  const char *dev, int port, const struct services *services)
{
	if (family == AF_INET6 && !v6only && strcmp(address, "::") == 0)
		buf_put_str(b, "*");
	else if (family == AF_INET6)
		buf_printf(b, "[%s]", address);
	else
		buf_put_str(b, address);
	if (dev && dev[0])
		buf_printf(b, "%%%s", dev);
	buf_put_str(b, ":");
	put_port(b, proto, port, services);
}

/* 204ms, 5.204ms, 42sec, 1min14sec, 119min: as ss has it. */
static void put_timer_ms(struct buf *b, int64_t ms)
{
	int64_t rest_ms = ms % 1000, s = ms / 1000 % 60, min = ms / 60000;
	if (min) {
		rest_ms = 0;
		buf_printf(b, "%" PRId64 "min", min);
		if (min > 9)
			s = 0;
	}
	if (s) {
		if (s > 9)
			rest_ms = 0;
		buf_printf(b, "%" PRId64 "%s", s, rest_ms ? "." : "sec");
	}
	if (rest_ms)
		buf_printf(b, "%03" PRId64 "ms", rest_ms);
}

static void put_users(struct buf *b, sqlite3_stmt *row, const struct show_columns *c)
{
	const char *source = text(row, c, AT_OWNER_SOURCE);
	if (!source[0])
		return;
	buf_printf(b, " %s:(%s)", strcmp(source, "fd") == 0 ? "users" : source,
		   text(row, c, AT_USERS));
}

static void put_timer(struct buf *b, sqlite3_stmt *row, const struct show_columns *c)
{
	const char *timer = text(row, c, AT_TIMER);
	if (!timer[0])
		return;
	buf_printf(b, " timer:(%s,", timer);
	put_timer_ms(b, number(row, c, AT_TIMER_MS));
	buf_printf(b, ",%" PRId64 ")", number(row, c, AT_RETRANS));
}

static void put_extended(struct buf *b, sqlite3_stmt *row, const struct show_columns *c)
{
	if (number(row, c, AT_UID))
		buf_printf(b, " uid:%" PRId64, number(row, c, AT_UID));
	buf_printf(b, " ino:%" PRId64 " sk:%" PRIx64, number(row, c, AT_INODE),
		   (uint64_t)number(row, c, AT_COOKIE));
	if (text(row, c, AT_CGROUP)[0])
		buf_printf(b, " cgroup:%s", text(row, c, AT_CGROUP));
	if (has(row, c->at[AT_V6ONLY]))
		buf_printf(b, " v6only:%" PRId64, number(row, c, AT_V6ONLY));
	if (has(row, c->at[AT_SHUTDOWN])) {
		int64_t shut = number(row, c, AT_SHUTDOWN);
		buf_printf(b, " %c-%c", shut & 1 ? '-' : '<', shut & 2 ? '-' : '>');
	}
}

static void put_memory(struct buf *b, sqlite3_stmt *row, const struct show_columns *c)
{
	static const struct {
		const char *label;
		int at;
	} parts[] = {
		{"r", AT_RMEM_ALLOC}, {"rb", AT_RCVBUF},   {"t", AT_WMEM_ALLOC},
		{"tb", AT_SNDBUF},    {"f", AT_FWD_ALLOC}, {"w", AT_WMEM_QUEUED},
		{"o", AT_OPTMEM},     {"bl", AT_BACKLOG},  {"d", AT_SK_DROPS},
	};
	if (!has(row, c->at[AT_RMEM_ALLOC]))
		return;
	buf_put_str(b, " skmem:(");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (has(row, c->at[parts[i].at]))
			buf_printf(b, "%s%s%" PRId64, i ? "," : "", parts[i].label,
				   number(row, c, parts[i].at));
	buf_put_str(b, ")");
}

static void put_options(struct buf *b, sqlite3_stmt *row, const struct show_columns *c)
{
	static const char *const flags[] = {"ts", "sack", NULL, "ecn", "ecnseen", "fastopen"};
	int64_t options = number(row, c, AT_OPTIONS);
	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i] && options >> i & 1)
			buf_printf(b, " %s", flags[i]);
	if (text(row, c, AT_CONG)[0])
		buf_printf(b, " %s", text(row, c, AT_CONG));
	if (options & 4)
		buf_printf(b, " wscale:%" PRId64 ",%" PRId64, number(row, c, AT_SND_WSCALE),
			   number(row, c, AT_RCV_WSCALE));
	if (number(row, c, AT_RTT_US))
		buf_printf(b, " rtt:%g/%g", (double)number(row, c, AT_RTT_US) / 1000,
			   (double)number(row, c, AT_RTTVAR_US) / 1000);
	if (number(row, c, AT_TOTAL_RETRANS) || number(row, c, AT_RETRANS_OUT))
		buf_printf(b, " retrans:%" PRId64 "/%" PRId64, number(row, c, AT_RETRANS_OUT),
			   number(row, c, AT_TOTAL_RETRANS));
	if (number(row, c, AT_APP_LIMITED))
		buf_put_str(b, " app_limited");
}

static void put_info(struct buf *b, sqlite3_stmt *row, const struct show_columns *c)
{
	put_options(b, row, c);
	for (size_t i = 0; i < ITEMS; i++) {
		const struct info_item *it = &items[i];
		if (!has(row, c->item[i]))
			continue;
		double v = sqlite3_column_double(row, c->item[i]);
		if (v <= 0 || v >= 0x1p63 || (uint64_t)v == it->none)
			continue;
		buf_printf(b, " %s:%.15g%s", it->label, v * it->factor / it->divisor, it->unit);
	}
}

void show_details(struct buf *b, sqlite3_stmt *row, const struct show_columns *c, unsigned what)
{
	if (what & SHOW_PROCESS)
		put_users(b, row, c);
	if (what & SHOW_TIMER)
		put_timer(b, row, c);
	if (what & SHOW_EXTENDED)
		put_extended(b, row, c);
	if (what & SHOW_MEMORY)
		put_memory(b, row, c);
	if (what & SHOW_INFO)
		put_info(b, row, c);
}
