/* show_details.c - what ss writes behind the addresses of a socket, in its order. */
#include <inttypes.h>
#include <string.h>

#include "bytes.h"
#include "out_write.h"
#include "show_row.h"
#include "sock.h"

/* <linux/packet_diag.h> PDI_*, fanout types of <linux/if_packet.h>, as bits and places here. */
static const char *const packet_flags[] = {"running", " auxdata", " origdev", " vnethdr", " loss"};
static const char *const fanout_types[] = {"hash", "lb", "cpu", "roll", "random", "qm"};

/* struct inet_diag_sockopt of <linux/inet_diag.h>, from the lowest bit on. */
static const char *const sockopts[] = {"recverr",	  "is_icsk",	  "freebind",
				       "hdrincl",	  "mc_loop",	  "transparent",
				       "mc_all",	  "nodefrag",	  "bind_addr_no_port",
				       "recverr_rfc4884", "defer_connect"};

/* 1 and 2 of column shutdown: this direction is closed. */
static void put_shutdown(const struct show_row *r, struct buf *b)
{
	int64_t shut = show_number(r, AT_SHUTDOWN);
	char text[] = {' ', shut & 1 ? '-' : '<', '-', shut & 2 ? '-' : '>', 0};
	if (show_has(r, AT_SHUTDOWN))
		buf_put_str(b, text);
}

/* Which holders: of today, of an earlier snapshot, of the listener that has not accepted it. */
static void put_users(const struct show_row *r, struct buf *b)
{
	const char *users = show_string(r, AT_USERS);
	const char *source = show_string(r, AT_OWNER_SOURCE);
	if (!users[0])
		return;
	buf_put_u8(b, ' ');
	buf_put_str(b, strcmp(source, "fd") == 0 ? "users" : source);
	buf_put_str(b, ":(");
	out_harmless(b, users, strlen(users));
	buf_put_u8(b, ')');
}

/* 204ms, 5.204ms, 42sec, 1min14sec, 119min: as ss has it. */
static void put_timer_ms(struct buf *b, int64_t timer_ms)
{
	int64_t rest_ms = timer_ms % 1000, s = timer_ms / 1000 % 60, min = timer_ms / 60000;
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

static void put_timer(const struct show_row *r, struct buf *b)
{
	const char *timer = show_string(r, AT_TIMER);
	if (!timer[0])
		return;
	buf_printf(b, " timer:(%s,", timer);
	put_timer_ms(b, show_number(r, AT_TIMER_MS));
	buf_printf(b, ",%" PRId64 ")", show_number(r, AT_RETRANS));
}

/*
 * By its path where it is known, else by its number. Without a number, or if the recording tells
 * no paths, that of the holder, which need not be the socket's.
 */
static void put_cgroup(const struct show_row *r, struct buf *b)
{
	bool has_id = show_has(r, AT_CGROUP_ID);
	uint64_t id = (uint64_t)show_number(r, AT_CGROUP_ID);
	const char *path = has_id && cgroup_paths_any(r->look->cgroups)
				   ? cgroup_path(r->look->cgroups, id)
				   : show_string(r, AT_CGROUP);
	bool has_path = path && path[0];
	if (!has_id && (!has_path || !show_number(r, AT_INODE)))
		return;
	buf_put_str(b, " cgroup:");
	if (has_path)
		out_harmless(b, path, strlen(path));
	else
		buf_printf(b, "unreachable:%" PRIx64, id);
}

static void put_netns(const struct show_row *r, struct buf *b)
{
	const char *name = show_string(r, AT_NETNS_NAME);
	if (!r->look->tell_netns || !name[0])
		return;
	buf_put_str(b, " netns:");
	out_harmless(b, name, strlen(name));
}

static void put_hex(struct buf *b, const char *label, uint64_t v)
{
	char text[16];
	size_t at = sizeof(text);
	do {
		text[--at] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	buf_put_str(b, label);
	buf_put(b, text + at, sizeof(text) - at);
}

static void put_identity(const struct show_row *r, struct buf *b)
{
	if (show_number(r, AT_UID))
		show_put_item(b, "uid", (uint64_t)show_number(r, AT_UID));
	show_put_item(b, "ino", (uint64_t)show_number(r, AT_INODE));
	/* /proc tells no cookie; one was made up. */
	if (!(show_number(r, AT_HAS) & (int64_t)HAS_PROC))
		put_hex(b, " sk:", (uint64_t)show_number(r, AT_COOKIE));
	if (show_number(r, AT_MARK))
		buf_printf(b, " fwmark:0x%" PRIx64, (uint64_t)show_number(r, AT_MARK));
}

static void put_memory(const struct show_row *r, struct buf *b)
{
	static const struct {
		const char *label;
		enum show_at at;
	} parts[] = {
		{"r", AT_RMEM_ALLOC}, {",rb", AT_RCVBUF},   {",t", AT_WMEM_ALLOC},
		{",tb", AT_SNDBUF},   {",f", AT_FWD_ALLOC}, {",w", AT_WMEM_QUEUED},
		{",o", AT_OPTMEM},    {",bl", AT_BACKLOG},  {",d", AT_SK_DROPS},
	};
	if (!show_has(r, AT_RMEM_ALLOC))
		return;
	buf_put_str(b, " skmem:(");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!show_has(r, parts[i].at))
			continue;
		buf_put_str(b, parts[i].label);
		show_put_uint(b, (uint64_t)show_number(r, parts[i].at));
	}
	buf_put_u8(b, ')');
}

static void put_tos(const struct show_row *r, struct buf *b)
{
	static const struct {
		const char *label;
		enum show_at at;
	} parts[] = {{"tos", AT_TOS}, {"tclass", AT_TCLASS}, {"class_id", AT_CLASS_ID}};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (show_has(r, parts[i].at))
			buf_printf(b, " %s:%#" PRIx64, parts[i].label,
				   (uint64_t)show_number(r, parts[i].at));
}

/* Begins what ss puts on a line of its own. */
static void put_break(const struct show_row *r, struct buf *b)
{
	buf_put_str(b, r->look->one_line ? " " : "\n\t");
}

static void put_sockopt(const struct show_row *r, struct buf *b)
{
	int64_t options = show_number(r, AT_SOCKOPT);
	if (!show_has(r, AT_SOCKOPT))
		return;
	put_break(r, b);
	buf_put_str(b, "inet-sockopt: (");
	for (unsigned i = 0; i < sizeof(sockopts) / sizeof(sockopts[0]); i++)
		if (options >> i & 1)
			buf_printf(b, " %s", sockopts[i]);
	buf_put_u8(b, ')');
}

/* Sockets of inet; -i and -m begin a line even where there is nothing to say. */
static void put_inet(const struct show_row *r, struct buf *b)
{
	unsigned what = r->look->details;
	bool from_proc = show_number(r, AT_HAS) & (int64_t)HAS_PROC;
	bool is_udp = strncmp(show_string(r, AT_PROTO), "udp", 3) == 0;
	if (what & SHOW_DETAILS) {
		put_identity(r, b);
		put_cgroup(r, b);
		if (show_has(r, AT_V6ONLY))
			show_put_item(b, "v6only", (uint64_t)show_number(r, AT_V6ONLY));
		put_shutdown(r, b);
	}
	put_tos(r, b);
	if ((what & (SHOW_CGROUP | SHOW_DETAILS)) == SHOW_CGROUP)
		put_cgroup(r, b);
	put_netns(r, b);
	put_sockopt(r, b);
	if ((what & SHOW_MEMORY || (what & SHOW_INFO && !is_udp)) && !from_proc) {
		if (!r->look->one_line)
			buf_put_str(b, "\n\t");
		put_memory(r, b);
		show_put_tcp(r, b);
	}
}

/* Inodes of the sockets that wait for accept (FORMAT.md section 6.1). */
static void put_icons(const struct show_row *r, struct buf *b)
{
	int at = r->look->at[AT_ICONS];
	const uint8_t *bytes = at >= 0 ? sqlite3_column_blob(r->stmt, at) : NULL;
	if (strcmp(show_string(r, AT_STATE), "LISTEN") != 0)
		return;
	buf_put_str(b, " peers:");
	for (int i = 0; bytes && i + 4 <= sqlite3_column_bytes(r->stmt, at); i += 4) {
		buf_put_u8(b, ' ');
		show_put_uint(b, get_u32(bytes + i));
	}
}

static void put_unix(const struct show_row *r, struct buf *b)
{
	put_memory(r, b);
	if (!(r->look->details & SHOW_DETAILS))
		return;
	if (show_number(r, AT_UID))
		show_put_item(b, "uid", (uint64_t)show_number(r, AT_UID));
	put_shutdown(r, b);
	if (show_has(r, AT_PATH_INODE)) {
		uint64_t dev = (uint64_t)show_number(r, AT_PATH_DEV);
		show_put_item(b, "ino", (uint64_t)show_number(r, AT_PATH_INODE));
		buf_printf(b, " dev:%" PRIu64 "/%" PRIu64, dev >> 20, dev & 0xfffff);
	}
	put_icons(r, b);
	put_netns(r, b);
}

static void put_packet(const struct show_row *r, struct buf *b)
{
	if (r->look->details & SHOW_DETAILS) {
		int64_t flags = show_number(r, AT_PACKET_FLAGS), fanout = show_number(r, AT_FANOUT);
		put_identity(r, b);
		put_netns(r, b);
		if (show_has(r, AT_PACKET_VERSION)) {
			put_break(r, b);
			buf_printf(b, "ver:%" PRId64 " cpy_thresh:%" PRId64 " flags( ",
				   show_number(r, AT_PACKET_VERSION),
				   show_number(r, AT_PACKET_COPY_THRESH));
			for (unsigned i = 0; i < sizeof(packet_flags) / sizeof(char *); i++)
				if (flags >> i & 1)
					buf_put_str(b, packet_flags[i]);
			buf_put_str(b, flags ? " )" : "0 )");
		}
		if (show_has(r, AT_FANOUT)) {
			uint64_t type = (uint64_t)fanout >> 16;
			put_break(r, b);
			buf_printf(b, "fanout(id:%d,type:", (int)(fanout & 0xffff));
			if (type < sizeof(fanout_types) / sizeof(fanout_types[0]))
				buf_put_str(b, fanout_types[type]);
			else
				buf_printf(b, "0x%" PRIx64, type);
			buf_put_u8(b, ')');
		}
	}
	put_memory(r, b);
}

/* The first 32 of its groups, as ss has them. ss writes addresses of the kernel that are always 0.
 */
static void put_netlink(const struct show_row *r, struct buf *b)
{
	if (r->look->details & SHOW_DETAILS) {
		int at = r->look->at[AT_GROUPS];
		const uint8_t *bytes = at >= 0 ? sqlite3_column_blob(r->stmt, at) : NULL;
		bool enough = bytes && sqlite3_column_bytes(r->stmt, at) >= 4;
		buf_printf(b, " sk=0 cb=0 groups=0x%08" PRIx32, enough ? get_u32(bytes) : 0);
		put_netns(r, b);
	}
	if (!(r->look->details & SHOW_MEMORY))
		return;
	buf_put_u8(b, '\t');
	put_memory(r, b);
}

void show_put_details(const struct show_row *r, struct buf *b)
{
	static const struct {
		const char *proto;
		void (*put)(const struct show_row *r, struct buf *b);
	} ways[] = {{"unix", put_unix},
		    {"packet", put_packet},
		    {"netlink", put_netlink},
		    {"", put_inet}};
	const char *proto = show_string(r, AT_PROTO);
	size_t begin = b->len, i = 0;
	if (!r->look->details)
		return;
	put_users(r, b);
	put_timer(r, b);
	while (ways[i].proto[0] && strcmp(ways[i].proto, proto) != 0)
		i++;
	ways[i].put(r, b);
	/* The layout puts a blank before the cell. */
	if (!b->failed && b->len > begin && b->bytes[begin] == ' ') {
		memmove(b->bytes + begin, b->bytes + begin + 1, b->len - begin - 1);
		b->len--;
	}
}
