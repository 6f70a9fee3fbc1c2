/* show_tcp.c - what -i writes of tcp_info: its fields in ss's order, each with ss's condition. */
#include <stdio.h>

#include "show_address.h"
#include "show_real.h"
#include "show_row.h"
#include "sock.h"

/* tcp_info's "not measured" and "not limited". */
#define RTO_INITIAL_OLD	  3000000 /* us; before Linux 3.1, which ss leaves out */
#define SSTHRESH_INFINITE 0xffff
#define REORDERING_USUAL  3
#define VEGAS_RTT_NONE	  0x7fffffff

/* Microseconds, written as milliseconds. */
static void put_us(const struct show_row *r, struct buf *b, const char *before, enum show_at at)
{
	buf_put_str(b, before);
	show_put_ms(b, show_number(r, at));
}

/* Bits per second: exact with -n, else three digits and a prefix. */
static void put_rate(const struct show_row *r, struct buf *b, double bps)
{
	static const char prefixes[] = {'K', 'M', 'G', 'T'};
	int i = -1;
	if (r->look->numeric) {
		show_put_whole(b, bps);
		buf_put_str(b, "bps");
		return;
	}
	while (bps >= 1000 && i + 1 < (int)sizeof(prefixes)) {
		bps /= 1000;
		i++;
	}
	show_put_3g(b, bps);
	if (i >= 0)
		buf_put_u8(b, (uint8_t)prefixes[i]);
	buf_put_str(b, "bps");
}

/* Rates are kept in bytes per second; all ones: none. SQL has that as a REAL or as -1. */
static double rate_bps(const struct show_row *r, enum show_at at)
{
	int i = r->look->at[at];
	double v = i >= 0 ? sqlite3_column_double(r->stmt, i) : 0;
	return v < 0 || v >= 0x1p64 ? 0 : v * 8;
}

struct item {
	void (*put)(const struct show_row *r, struct buf *b, const struct item *it);
	const char *label;
	enum show_at at;
};

static void put_count(const struct show_row *r, struct buf *b, const struct item *it)
{
	int64_t v = show_number(r, it->at);
	if (v > 0)
		show_put_item(b, it->label, (uint64_t)v);
}

static void put_ms(const struct show_row *r, struct buf *b, const struct item *it)
{
	int64_t v = show_number(r, it->at);
	if (v > 0 && v != UINT32_MAX && !(it->at == AT_RTO && v == RTO_INITIAL_OLD))
		put_us(r, b, it->label, it->at);
}

static void put_flags(const struct show_row *r, struct buf *b, const struct item *it)
{
	static const char *const flags[] = {" ts", " sack", "", " ecn", " ecnseen", " fastopen"};
	int64_t options = show_number(r, it->at);
	if (!(r->look->details & SHOW_TIMER))
		return;
	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (options >> i & 1)
			buf_put_str(b, flags[i]);
}

static void put_cong(const struct show_row *r, struct buf *b, const struct item *it)
{
	const char *name = show_string(r, it->at);
	if (name[0]) {
		buf_put_u8(b, ' ');
		buf_put_str(b, name);
	}
	if (show_number(r, AT_OPTIONS) & 4) {
		show_put_item(b, "wscale", (uint64_t)show_number(r, AT_SND_WSCALE));
		buf_put_u8(b, ',');
		show_put_uint(b, (uint64_t)show_number(r, AT_RCV_WSCALE));
	}
}

static void put_rtt(const struct show_row *r, struct buf *b, const struct item *it)
{
	if (!show_number(r, it->at))
		return;
	put_us(r, b, " rtt:", it->at);
	put_us(r, b, "/", AT_RTTVAR);
}

static void put_ssthresh(const struct show_row *r, struct buf *b, const struct item *it)
{
	if (show_number(r, it->at) < SSTHRESH_INFINITE)
		put_count(r, b, it);
}

static void put_dctcp(const struct show_row *r, struct buf *b, const struct item *it)
{
	if (!show_has(r, it->at))
		return;
	if (!show_number(r, it->at)) {
		buf_put_str(b, " dctcp:fallback_mode");
		return;
	}
	buf_printf(b, " dctcp:(ce_state:%lld,alpha:%lld,ab_ecn:%lld,ab_tot:%lld)",
		   (long long)show_number(r, AT_DCTCP_CE_STATE),
		   (long long)show_number(r, AT_DCTCP_ALPHA),
		   (long long)show_number(r, AT_DCTCP_AB_ECN),
		   (long long)show_number(r, AT_DCTCP_AB_TOT));
}

static void put_bbr(const struct show_row *r, struct buf *b, const struct item *it)
{
	if (!show_has(r, it->at))
		return;
	uint64_t bw = (uint64_t)show_number(r, AT_BBR_BW_HI) << 32 |
		      (uint64_t)show_number(r, AT_BBR_BW_LO);
	buf_put_str(b, " bbr:(bw:");
	put_rate(r, b, (double)bw * 8);
	put_us(r, b, ",mrtt:", AT_BBR_MIN_RTT);
	if (show_number(r, AT_BBR_PACING_GAIN))
		buf_printf(b, ",pacing_gain:%g", (double)show_number(r, AT_BBR_PACING_GAIN) / 256);
	if (show_number(r, AT_BBR_CWND_GAIN))
		buf_printf(b, ",cwnd_gain:%g", (double)show_number(r, AT_BBR_CWND_GAIN) / 256);
	buf_put_str(b, ")");
}

/* What the window lets through in a round trip. */
static void put_send(const struct show_row *r, struct buf *b, const struct item *it)
{
	double rtt_us = (double)show_number(r, AT_RTT);
	int64_t vegas_us = show_number(r, AT_VEGAS_RTT);
	if (show_number(r, AT_VEGAS_ENABLED) && vegas_us && vegas_us != VEGAS_RTT_NONE)
		rtt_us = (double)vegas_us;
	double window = (double)show_number(r, AT_CWND) * (double)show_number(r, AT_SND_MSS);
	if (rtt_us <= 0 || window <= 0)
		return;
	buf_put_str(b, it->label);
	put_rate(r, b, window * 8e6 / rtt_us);
}

static void put_pacing(const struct show_row *r, struct buf *b, const struct item *it)
{
	double rate = rate_bps(r, it->at), most = rate_bps(r, AT_MAX_PACING_RATE);
	if (rate <= 0)
		return;
	buf_put_str(b, it->label);
	put_rate(r, b, rate);
	if (most <= 0)
		return;
	buf_put_u8(b, '/');
	put_rate(r, b, most);
}

static void put_delivery(const struct show_row *r, struct buf *b, const struct item *it)
{
	double rate = rate_bps(r, it->at);
	if (rate <= 0)
		return;
	buf_put_str(b, it->label);
	put_rate(r, b, rate);
}

static void put_app_limited(const struct show_row *r, struct buf *b, const struct item *it)
{
	if (show_number(r, it->at))
		buf_put_str(b, it->label);
}

/* Part of the busy time in which something held back the sender. */
static void put_limited(const struct show_row *r, struct buf *b, const char *label, enum show_at at)
{
	int64_t limited = show_number(r, at), busy = show_number(r, AT_BUSY_TIME);
	if (limited > 0)
		buf_printf(b, " %s:%lldms(%.1f%%)", label, (long long)(limited / 1000),
			   100.0 * (double)limited / (double)busy);
}

static void put_busy(const struct show_row *r, struct buf *b, const struct item *it)
{
	int64_t busy = show_number(r, it->at);
	if (busy <= 0)
		return;
	show_put_item(b, "busy", (uint64_t)busy / 1000);
	buf_put_str(b, "ms");
	put_limited(r, b, "rwnd_limited", AT_RWND_LIMITED);
	put_limited(r, b, "sndbuf_limited", AT_SNDBUF_LIMITED);
}

static void put_retrans(const struct show_row *r, struct buf *b, const struct item *it)
{
	int64_t out = show_number(r, it->at), total = show_number(r, AT_TOTAL_RETRANS);
	if (out || total)
		buf_printf(b, " retrans:%lld/%lld", (long long)out, (long long)total);
}

/* Of a listening socket it is the limit of the backlog, which stands in Send-Q. */
static void put_sacked(const struct show_row *r, struct buf *b, const struct item *it)
{
	if (show_string(r, AT_STATE)[0] != 'L' || show_string(r, AT_STATE)[1] != 'I')
		put_count(r, b, it);
}

static void put_reordering(const struct show_row *r, struct buf *b, const struct item *it)
{
	if (show_number(r, it->at) != REORDERING_USUAL)
		show_put_item(b, it->label, (uint64_t)show_number(r, it->at));
}

static const struct item items[] = {
	{put_flags, "", AT_OPTIONS},
	{put_cong, "", AT_CONG},
	{put_ms, " rto:", AT_RTO},
	{put_count, "backoff", AT_BACKOFF},
	{put_rtt, "", AT_RTT},
	{put_ms, " ato:", AT_ATO},
	{put_count, "mss", AT_SND_MSS},
	{put_count, "pmtu", AT_PMTU},
	{put_count, "rcvmss", AT_RCV_MSS},
	{put_count, "advmss", AT_ADVMSS},
	{put_count, "cwnd", AT_CWND},
	{put_ssthresh, "ssthresh", AT_SSTHRESH},
	{put_count, "bytes_sent", AT_BYTES_SENT},
	{put_count, "bytes_retrans", AT_BYTES_RETRANS},
	{put_count, "bytes_acked", AT_BYTES_ACKED},
	{put_count, "bytes_received", AT_BYTES_RECEIVED},
	{put_count, "segs_out", AT_SEGS_OUT},
	{put_count, "segs_in", AT_SEGS_IN},
	{put_count, "data_segs_out", AT_DATA_SEGS_OUT},
	{put_count, "data_segs_in", AT_DATA_SEGS_IN},
	{put_dctcp, "", AT_DCTCP_ENABLED},
	{put_bbr, "", AT_BBR_BW_LO},
	{put_send, " send ", AT_CWND},
	{put_count, "lastsnd", AT_LAST_SENT},
	{put_count, "lastrcv", AT_LAST_RECV},
	{put_count, "lastack", AT_LAST_ACK},
	{put_pacing, " pacing_rate ", AT_PACING_RATE},
	{put_delivery, " delivery_rate ", AT_DELIVERY_RATE},
	{put_count, "delivered", AT_DELIVERED},
	{put_count, "delivered_ce", AT_DELIVERED_CE},
	{put_app_limited, " app_limited", AT_APP_LIMITED},
	{put_busy, "", AT_BUSY_TIME},
	{put_count, "unacked", AT_UNACKED},
	{put_retrans, "", AT_RETRANS_OUT},
	{put_count, "lost", AT_LOST},
	{put_sacked, "sacked", AT_SACKED},
	{put_count, "dsack_dups", AT_DSACK_DUPS},
	{put_count, "fackets", AT_FACKETS},
	{put_reordering, "reordering", AT_REORDERING},
	{put_count, "reord_seen", AT_REORD_SEEN},
	{put_ms, " rcv_rtt:", AT_RCV_RTT},
	{put_count, "rcv_space", AT_RCV_SPACE},
	{put_count, "rcv_ssthresh", AT_RCV_SSTHRESH},
	{put_count, "notsent", AT_NOTSENT},
	{put_ms, " minrtt:", AT_MIN_RTT},
	{put_count, "rcv_ooopack", AT_RCV_OOOPACK},
	{put_count, "snd_wnd", AT_SND_WND},
	{put_count, "rcv_wnd", AT_RCV_WND},
	{put_count, "rehash", AT_REHASH},
};

void show_put_tcp(const struct show_row *r, struct buf *b)
{
	if (!show_has(r, AT_INFO_BYTES))
		return;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		items[i].put(r, b, &items[i]);
}
