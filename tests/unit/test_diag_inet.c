/*
 * test_diag_inet.c - the decoder against recorded dumps. The truth is read from the same bytes by
 * the kernel's own headers, and beyond what they know by the offsets that the kernel documents.
 */
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "columns.h"
#include "diag_inet.h"
#include "dump_msg.h"
#include "nlmsg_file.h"

static const struct {
	const char *file;
	enum sock_proto proto;
	unsigned rows;
} files[] = {
	{"tcp.bin", PROTO_TCP, 30},
	{"udp4.bin", PROTO_UDP, 2},
	{"udp6.bin", PROTO_UDP, 1},
};
#define FILES (sizeof(files) / sizeof(files[0]))

/* struct tcp_info, field by field. */
#define INFO_FIELD(column, field)                                                                  \
	{                                                                                          \
#column, offsetof(struct tcp_info, field), sizeof(((struct tcp_info *)0)->field)   \
	}
static const struct {
	const char *column;
	size_t offset, width;
} info_fields[] = {
	INFO_FIELD(info_state, tcpi_state),
	INFO_FIELD(ca_state, tcpi_ca_state),
	INFO_FIELD(retransmits, tcpi_retransmits),
	INFO_FIELD(probes, tcpi_probes),
	INFO_FIELD(backoff, tcpi_backoff),
	INFO_FIELD(options, tcpi_options),
	INFO_FIELD(rto_us, tcpi_rto),
	INFO_FIELD(ato_us, tcpi_ato),
	INFO_FIELD(snd_mss, tcpi_snd_mss),
	INFO_FIELD(rcv_mss, tcpi_rcv_mss),
	INFO_FIELD(unacked, tcpi_unacked),
	INFO_FIELD(sacked, tcpi_sacked),
	INFO_FIELD(lost, tcpi_lost),
	INFO_FIELD(retrans_out, tcpi_retrans),
	INFO_FIELD(fackets, tcpi_fackets),
	INFO_FIELD(last_data_sent_ms, tcpi_last_data_sent),
	INFO_FIELD(last_ack_sent_ms, tcpi_last_ack_sent),
	INFO_FIELD(last_data_recv_ms, tcpi_last_data_recv),
	INFO_FIELD(last_ack_recv_ms, tcpi_last_ack_recv),
	INFO_FIELD(pmtu, tcpi_pmtu),
	INFO_FIELD(rcv_ssthresh, tcpi_rcv_ssthresh),
	INFO_FIELD(rtt_us, tcpi_rtt),
	INFO_FIELD(rttvar_us, tcpi_rttvar),
	INFO_FIELD(snd_ssthresh, tcpi_snd_ssthresh),
	INFO_FIELD(cwnd, tcpi_snd_cwnd),
	INFO_FIELD(advmss, tcpi_advmss),
	INFO_FIELD(reordering, tcpi_reordering),
	INFO_FIELD(rcv_rtt_us, tcpi_rcv_rtt),
	INFO_FIELD(rcv_space, tcpi_rcv_space),
	INFO_FIELD(total_retrans, tcpi_total_retrans),
	INFO_FIELD(pacing_rate, tcpi_pacing_rate),
	INFO_FIELD(max_pacing_rate, tcpi_max_pacing_rate),
	INFO_FIELD(bytes_acked, tcpi_bytes_acked),
	INFO_FIELD(bytes_received, tcpi_bytes_received),
	INFO_FIELD(segs_out, tcpi_segs_out),
	INFO_FIELD(segs_in, tcpi_segs_in),
	INFO_FIELD(notsent_bytes, tcpi_notsent_bytes),
	INFO_FIELD(min_rtt_us, tcpi_min_rtt),
	INFO_FIELD(data_segs_in, tcpi_data_segs_in),
	INFO_FIELD(data_segs_out, tcpi_data_segs_out),
	INFO_FIELD(delivery_rate, tcpi_delivery_rate),
	INFO_FIELD(busy_time_us, tcpi_busy_time),
	INFO_FIELD(rwnd_limited_us, tcpi_rwnd_limited),
	INFO_FIELD(sndbuf_limited_us, tcpi_sndbuf_limited),
	INFO_FIELD(delivered, tcpi_delivered),
	INFO_FIELD(delivered_ce, tcpi_delivered_ce),
	INFO_FIELD(bytes_sent, tcpi_bytes_sent),
	INFO_FIELD(bytes_retrans, tcpi_bytes_retrans),
	INFO_FIELD(dsack_dups, tcpi_dsack_dups),
	INFO_FIELD(reord_seen, tcpi_reord_seen),
	INFO_FIELD(rcv_ooopack, tcpi_rcv_ooopack),
	INFO_FIELD(snd_wnd, tcpi_snd_wnd),
	/* Newer than the headers of Debian 12; each follows the one before. */
	{"rcv_wnd", 232, 4},
	{"rehash", 236, 4},
	{"total_rto", 240, 2},
	{"total_rto_recoveries", 242, 2},
	{"total_rto_time_ms", 244, 4},
	{"received_ce", 248, 4},
	{"delivered_e1_bytes", 252, 4},
	{"delivered_e0_bytes", 256, 4},
	{"delivered_ce_bytes", 260, 4},
	{"received_e1_bytes", 264, 4},
	{"received_e0_bytes", 268, 4},
	{"received_ce_bytes", 272, 4},
	{"accecn_fail_mode", 276, 2},
	{"accecn_opt_seen", 278, 2},
};
#define INFO_FIELDS (sizeof(info_fields) / sizeof(info_fields[0]))

static uint64_t read_host(const uint8_t *p, size_t width)
{
	union {
		uint64_t u64;
		uint32_t u32;
		uint16_t u16;
		uint8_t u8;
	} v = {0};
	memcpy(&v, p, width);
	return width == 8 ? v.u64 : width == 4 ? v.u32 : width == 2 ? v.u16 : v.u8;
}

static uint64_t value_of(const struct sock_row *row, const char *name)
{
	const struct column *c = column_by_name(name);
	cr_assert_not_null(c, "%s", name);
	return column_load(c, (const uint8_t *)row + column_groups[c->group].row_offset);
}

/* The payload of the attribute of this type in a message, or NULL. */
static const uint8_t *find_attr(const uint8_t *msg, size_t len, unsigned type, size_t *ret_len)
{
	for (size_t at = sizeof(struct inet_diag_msg); at + sizeof(struct nlattr) <= len;) {
		struct nlattr h;
		memcpy(&h, msg + at, sizeof(h));
		if (h.nla_type == type) {
			*ret_len = h.nla_len - sizeof(h);
			return msg + at + sizeof(h);
		}
		at += NLA_ALIGN(h.nla_len);
	}
	return NULL;
}

/* Calls fn for every message of every recorded file. */
static unsigned each_message(unsigned file, void (*fn)(const uint8_t *msg, size_t len, unsigned i))
{
	struct nlmsg_file f = nlmsg_file_open(files[file].file);
	struct span datagram;
	unsigned rows = 0;
	while (nlmsg_file_next(&f, &datagram)) {
		struct dump_msg m;
		while (dump_msg_next(&datagram, 1, &m))
			if (m.kind == DUMP_DATA) {
				fn(m.payload, m.len, file);
				rows++;
			}
	}
	free(f.bytes);
	return rows;
}

static void check_msg_part(const struct sock_row *row, const struct inet_diag_msg *m)
{
	uint64_t cookie;
	memcpy(&cookie, m->id.idiag_cookie, sizeof(cookie));
	cr_assert_eq(row->member.cookie, cookie);
	cr_assert_eq(row->member.family, m->idiag_family);
	size_t n = m->idiag_family == AF_INET ? 4 : 16;
	cr_assert_eq(memcmp(row->member.local.b, m->id.idiag_src, n), 0);
	cr_assert_eq(memcmp(row->member.peer.b, m->id.idiag_dst, n), 0);
	if (n == 4)
		cr_assert_eq(row->member.local.w[1] | row->member.local.w[2] |
				     row->member.local.w[3],
			     0);
	cr_assert_eq(row->member.local_port, __builtin_bswap16(m->id.idiag_sport));
	cr_assert_eq(row->member.peer_port, __builtin_bswap16(m->id.idiag_dport));
	cr_assert_eq(row->state.state, m->idiag_state);
	cr_assert_eq(row->state.inode, m->idiag_inode);
	cr_assert_eq(row->state.uid, m->idiag_uid);
	cr_assert_eq(row->state.ifindex, m->id.idiag_if);
	cr_assert_eq(row->queue.timer, m->idiag_timer);
	cr_assert_eq(row->queue.timer_ms, m->idiag_expires);
	cr_assert_eq(row->queue.retrans, m->idiag_retrans);
	cr_assert_eq(row->queue.recvq, m->idiag_rqueue);
	cr_assert_eq(row->queue.sendq, m->idiag_wqueue);
}

/* Behind the last column that this version knows. */
#define INFO_LAST 280

static void check_info(const struct sock_row *row, const uint8_t *info, size_t len)
{
	/* What stands in columns ends with the last one that is there whole; at most 7 bytes less.
	 */
	cr_assert_leq(row->state.info_bytes, len);
	cr_assert(row->state.info_bytes == INFO_LAST || row->state.info_bytes + 8u > len,
		  "%u of %zu bytes", row->state.info_bytes, len);
	for (size_t i = 0; i < INFO_FIELDS; i++) {
		const struct column *c = column_by_name(info_fields[i].column);
		bool there = info_fields[i].offset + info_fields[i].width <= len;
		cr_assert_not_null(c);
		cr_assert_eq(column_present(c, row->state.has, row->state.info_bytes), there);
		uint64_t want = there ? read_host(info + info_fields[i].offset,
						  info_fields[i].width)
				      : 0;
		cr_assert_eq(value_of(row, info_fields[i].column), want, "%s of %zu bytes",
			     info_fields[i].column, len);
	}
	struct tcp_info t = {0};
	memcpy(&t, info, len < sizeof(t) ? len : sizeof(t));
	cr_assert_eq(value_of(row, "snd_wscale"), t.tcpi_snd_wscale);
	cr_assert_eq(value_of(row, "rcv_wscale"), t.tcpi_rcv_wscale);
	cr_assert_eq(value_of(row, "app_limited"), t.tcpi_delivery_rate_app_limited);
	cr_assert_eq(value_of(row, "fastopen_client_fail"), t.tcpi_fastopen_client_fail);
	cr_assert_eq(value_of(row, "info_spare"), len > 7 ? info[7] >> 3 : 0);
}

static void check_mem(const struct sock_row *row, const uint8_t *mem)
{
	static const char *const names[] = {"rmem_alloc", "rcvbuf",    "wmem_alloc",
					    "sndbuf",	  "fwd_alloc", "wmem_queued",
					    "optmem",	  "backlog",   "sk_drops"};
	for (size_t i = 0; i < 9; i++)
		cr_assert_eq(value_of(row, names[i]), read_host(mem + i * 4, 4), "%s", names[i]);
}

static void check_small(const struct sock_row *row, const uint8_t *msg, size_t len)
{
	static const struct {
		unsigned type;
		const char *column;
		uint64_t has;
	} attrs[] = {
		{INET_DIAG_TOS, "tos", HAS_TOS},
		{INET_DIAG_TCLASS, "tclass", HAS_TCLASS},
		{INET_DIAG_SHUTDOWN, "shutdown", HAS_SHUTDOWN},
		{INET_DIAG_SKV6ONLY, "v6only", HAS_V6ONLY},
		{INET_DIAG_MARK, "mark", HAS_MARK},
		{INET_DIAG_CLASS_ID, "class_id", HAS_CLASS_ID},
		{INET_DIAG_CGROUP_ID, "cgroup_id", HAS_CGROUP},
		{INET_DIAG_SOCKOPT, "sockopt", HAS_SOCKOPT},
		{INET_DIAG_PROTOCOL, "protocol", HAS_PROTOCOL},
	};
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		size_t n = 0;
		const uint8_t *p = find_attr(msg, len, attrs[i].type, &n);
		cr_assert_eq(!!(row->state.has & attrs[i].has), !!p, "%s", attrs[i].column);
		if (p)
			cr_assert_eq(value_of(row, attrs[i].column), read_host(p, n), "%s",
				     attrs[i].column);
	}
}

static void check_cc(const struct diag_inet *d, const uint8_t *msg, size_t len)
{
	size_t n = 0;
	const uint8_t *p = find_attr(msg, len, INET_DIAG_CONG, &n);
	cr_assert_eq(!!(d->row.state.has & HAS_CONG), !!p);
	if (p)
		cr_assert(d->cong_len == n - 1 && memcmp(d->cong, p, n) == 0);
	p = find_attr(msg, len, INET_DIAG_BBRINFO, &n);
	cr_assert_eq(!!(d->row.state.has & HAS_BBR), !!p);
	if (!p)
		return;
	struct tcp_bbr_info bbr;
	memcpy(&bbr, p, sizeof(bbr));
	cr_assert_eq(d->row.cc.bbr_bw_lo, bbr.bbr_bw_lo);
	cr_assert_eq(d->row.cc.bbr_bw_hi, bbr.bbr_bw_hi);
	cr_assert_eq(d->row.cc.bbr_min_rtt_us, bbr.bbr_min_rtt);
	cr_assert_eq(d->row.cc.bbr_pacing_gain, bbr.bbr_pacing_gain);
	cr_assert_eq(d->row.cc.bbr_cwnd_gain, bbr.bbr_cwnd_gain);
}

static void check_row(const uint8_t *msg, size_t len, unsigned file)
{
	struct diag_inet d = {0};
	struct inet_diag_msg m;
	memcpy(&m, msg, sizeof(m));
	cr_assert_eq(diag_inet_decode(msg, len, files[file].proto, &d, NULL), 0);
	cr_assert_not(d.malformed);
	cr_assert_eq(d.extra.len, 0, "everything in the recorded dumps is known");
	cr_assert_eq(d.row.member.proto, files[file].proto);
	cr_assert(d.row.state.has & HAS_TUPLE);
	check_msg_part(&d.row, &m);
	size_t n = 0;
	const uint8_t *p = find_attr(msg, len, INET_DIAG_INFO, &n);
	cr_assert_eq(!!(d.row.state.has & HAS_INFO), !!p);
	if (p)
		check_info(&d.row, p, n);
	p = find_attr(msg, len, INET_DIAG_SKMEMINFO, &n);
	cr_assert_eq(!!(d.row.state.has & HAS_SKMEM), !!p);
	cr_assert_eq(!!(d.row.state.has & HAS_DROPS), !!p);
	if (p)
		check_mem(&d.row, p);
	check_small(&d.row, msg, len);
	check_cc(&d, msg, len);
	diag_inet_fini(&d);
}

Test(diag_inet, every_field_of_recorded_dumps)
{
	for (unsigned i = 0; i < FILES; i++)
		cr_assert_eq(each_message(i, check_row), files[i].rows, "%s", files[i].file);
}

static unsigned states_seen, families_seen;

static void note_state(const uint8_t *msg, size_t len, unsigned file)
{
	struct diag_inet d = {0};
	cr_assert_eq(diag_inet_decode(msg, len, files[file].proto, &d, NULL), 0);
	states_seen |= 1u << d.row.state.state;
	families_seen |= 1u << d.row.member.family;
	diag_inet_fini(&d);
}

Test(diag_inet, the_recorded_dump_has_a_mix_of_states)
{
	each_message(0, note_state);
	cr_assert_eq(states_seen, 1u << STATE_ESTAB | 1u << STATE_SYN_SENT | 1u << STATE_SYN_RECV |
					  1u << STATE_FIN_WAIT_2 | 1u << STATE_TIME_WAIT |
					  1u << STATE_UNCONN | 1u << STATE_CLOSE_WAIT |
					  1u << STATE_LISTEN);
	cr_assert_eq(families_seen, 1u << AF_INET | 1u << AF_INET6);
}

/* Decodes a copy that ends where the message ends, so that a reader beyond it is caught. */
static int decode_copy(const uint8_t *msg, size_t len, struct diag_inet *d)
{
	uint8_t *copy = malloc(len ? len : 1);
	memcpy(copy, msg, len);
	int rc = diag_inet_decode(copy, len, PROTO_TCP, d, NULL);
	if (!rc && (d->row.state.has & HAS_CONG))
		cr_assert_eq(strnlen(d->cong, d->cong_len), d->cong_len);
	d->cong = NULL;
	free(copy);
	return rc;
}

static void truncate_everywhere(const uint8_t *msg, size_t len, unsigned file)
{
	(void)file;
	struct diag_inet d = {0};
	size_t good_ends = 0;
	for (size_t n = 0; n < len; n++) {
		int rc = decode_copy(msg, n, &d);
		cr_assert_eq(rc, n < sizeof(struct inet_diag_msg) ? ERR_KERNEL : 0);
		good_ends += !rc && !d.malformed;
	}
	/* Whole attributes and the padding behind them are the only places to end well. */
	cr_assert_lt(good_ends, len / 4 + 1);
	diag_inet_fini(&d);
}

Test(diag_inet, truncated_at_every_byte)
{
	for (unsigned i = 0; i < FILES; i++)
		each_message(i, truncate_everywhere);
}

static void spoil_lengths(const uint8_t *msg, size_t len, unsigned file)
{
	(void)file;
	static const uint16_t wrong[] = {0, 1, 3, 4, 5, 6, 7, 39, 64, 1000, 0x7fff, 0xffff};
	struct diag_inet d = {0};
	uint8_t *copy = malloc(len);
	for (size_t at = sizeof(struct inet_diag_msg); at + sizeof(struct nlattr) <= len;) {
		struct nlattr h;
		memcpy(&h, msg + at, sizeof(h));
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			memcpy(copy, msg, len);
			memcpy(copy + at, &wrong[i], sizeof(wrong[i]));
			cr_assert_eq(decode_copy(copy, len, &d), 0);
			if (wrong[i] < 4 || at + wrong[i] > len)
				cr_assert(d.malformed);
		}
		at += NLA_ALIGN(h.nla_len);
	}
	free(copy);
	diag_inet_fini(&d);
}

Test(diag_inet, wrong_attribute_lengths)
{
	for (unsigned i = 0; i < FILES; i++)
		each_message(i, spoil_lengths);
}

/* A message of our own: head and one attribute. */
static size_t make_msg(uint8_t *msg, unsigned type, const void *payload, size_t len)
{
	struct inet_diag_msg m = {.idiag_family = AF_INET, .idiag_state = STATE_ESTAB};
	struct nlattr h = {.nla_len = (uint16_t)(sizeof(h) + len), .nla_type = (uint16_t)type};
	memcpy(msg, &m, sizeof(m));
	memcpy(msg + sizeof(m), &h, sizeof(h));
	memcpy(msg + sizeof(m) + sizeof(h), payload, len);
	return sizeof(m) + sizeof(h) + len;
}

static void check_extra(const struct buf *extra, unsigned type, const uint8_t *bytes, size_t len)
{
	cr_assert_eq(extra->len, 6 + len);
	cr_assert_eq((unsigned)(extra->bytes[0] | extra->bytes[1] << 8), type);
	cr_assert_eq((size_t)(extra->bytes[2] | extra->bytes[3] << 8), len);
	cr_assert_eq(extra->bytes[4] | extra->bytes[5], 0);
	cr_assert_eq(memcmp(extra->bytes + 6, bytes, len), 0);
}

Test(diag_inet, tcp_info_of_any_length)
{
	uint8_t info[400], msg[600];
	struct diag_inet d = {0};
	for (size_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(i * 7 + 1);
	for (size_t n = 1; n <= sizeof(info); n++) {
		size_t len = make_msg(msg, INET_DIAG_INFO, info, n);
		cr_assert_eq(decode_copy(msg, len, &d), 0);
		cr_assert(d.row.state.has & HAS_INFO);
		check_info(&d.row, info, n);
		/* What no column covers is kept: a piece of a field, or the tail. */
		size_t covered = 0;
		for (size_t i = 0; i < INFO_FIELDS; i++) {
			size_t end = info_fields[i].offset + info_fields[i].width;
			if (end <= n && end > covered)
				covered = end;
		}
		if (covered >= 6 && n >= 7 && covered < 8)
			covered = n < 8 ? 7 : 8; /* the bit fields */
		cr_assert_eq(!!(d.row.state.has & HAS_EXTRA), covered < n, "%zu", n);
		if (covered < n)
			check_extra(&d.extra, INET_DIAG_INFO, info + covered, n - covered);
	}
	diag_inet_fini(&d);
}

Test(diag_inet, skmeminfo_without_drops_and_with_a_tail)
{
	uint8_t mem[48], msg[200];
	struct diag_inet d = {0};
	for (size_t i = 0; i < sizeof(mem); i++)
		mem[i] = (uint8_t)i;
	cr_assert_eq(decode_copy(msg, make_msg(msg, INET_DIAG_SKMEMINFO, mem, 32), &d), 0);
	cr_assert_eq(d.row.state.has & (HAS_SKMEM | HAS_DROPS | HAS_EXTRA), HAS_SKMEM);
	cr_assert_eq(decode_copy(msg, make_msg(msg, INET_DIAG_SKMEMINFO, mem, 44), &d), 0);
	cr_assert(d.row.state.has & HAS_DROPS);
	check_mem(&d.row, mem);
	check_extra(&d.extra, INET_DIAG_SKMEMINFO, mem + 36, 8);
	cr_assert_eq(decode_copy(msg, make_msg(msg, INET_DIAG_SKMEMINFO, mem, 28), &d), 0);
	cr_assert_eq(d.row.state.has, HAS_TUPLE | HAS_EXTRA);
	check_extra(&d.extra, INET_DIAG_SKMEMINFO, mem, 28);
	diag_inet_fini(&d);
}

Test(diag_inet, unknown_attributes_are_kept_raw)
{
	uint8_t msg[400];
	static const uint8_t bytes[] = {9, 8, 7, 6, 5};
	static const unsigned types[] = {INET_DIAG_ULP_INFO, INET_DIAG_LOCALS, INET_DIAG_PEERS,
					 0x3fff, 0};
	struct diag_inet d = {0};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		cr_assert_eq(decode_copy(msg, make_msg(msg, types[i], bytes, 5), &d), 0);
		check_extra(&d.extra, types[i], bytes, 5);
	}
	/* A known type with a length it cannot have is kept whole. */
	cr_assert_eq(decode_copy(msg, make_msg(msg, INET_DIAG_TOS, bytes, 2), &d), 0);
	cr_assert_eq(d.row.state.has, HAS_TUPLE | HAS_EXTRA);
	check_extra(&d.extra, INET_DIAG_TOS, bytes, 2);
	diag_inet_fini(&d);
}

/* With CAP_NET_ADMIN the kernel sends the keys themselves. */
Test(diag_inet, keys_of_tcp_md5_are_not_kept)
{
	uint8_t msg[400];
	struct diag_inet d = {0};
	cr_assert_eq(decode_copy(msg, make_msg(msg, INET_DIAG_MD5SIG, "secret", 6), &d), 0);
	cr_assert(!(d.row.state.has & HAS_EXTRA) && d.extra.len == 0);
	diag_inet_fini(&d);
}

Test(diag_inet, vegas_and_dctcp)
{
	uint8_t msg[400];
	struct tcpvegas_info vegas = {1, 2, 3, 4};
	struct tcp_dctcp_info dctcp = {1, 2, 3, 4, 5};
	struct diag_inet d = {0};
	cr_assert_eq(
		decode_copy(msg, make_msg(msg, INET_DIAG_VEGASINFO, &vegas, sizeof(vegas)), &d), 0);
	cr_assert_eq(d.row.state.has, HAS_TUPLE | HAS_VEGAS);
	cr_assert(d.row.cc.vegas_enabled == 1 && d.row.cc.vegas_rttcnt == 2 &&
		  d.row.cc.vegas_rtt_us == 3 && d.row.cc.vegas_minrtt_us == 4);
	cr_assert_eq(
		decode_copy(msg, make_msg(msg, INET_DIAG_DCTCPINFO, &dctcp, sizeof(dctcp)), &d), 0);
	cr_assert_eq(d.row.state.has, HAS_TUPLE | HAS_DCTCP);
	cr_assert(d.row.cc.dctcp_enabled == 1 && d.row.cc.dctcp_ce_state == 2 &&
		  d.row.cc.dctcp_alpha == 3 && d.row.cc.dctcp_ab_ecn == 4 &&
		  d.row.cc.dctcp_ab_tot == 5);
	diag_inet_fini(&d);
}

Test(diag_inet, what_is_no_inet_socket_is_refused)
{
	uint8_t msg[400];
	struct diag_inet d = {0};
	struct err e = {0};
	size_t len = make_msg(msg, INET_DIAG_TOS, "x", 1);
	msg[0] = AF_UNIX;
	cr_assert_eq(diag_inet_decode(msg, len, PROTO_TCP, &d, &e), ERR_KERNEL);
	cr_assert_str_eq(e.text, "sock_diag: a socket of family 1");
	cr_assert_eq(diag_inet_decode(msg, 71, PROTO_TCP, &d, &e), ERR_KERNEL);
	cr_assert_str_eq(e.text, "sock_diag: a message of 71 bytes");
	diag_inet_fini(&d);
}
