/* filter_rows_of.c - see filter_rows_of.h. */
#include "filter_rows_of.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char normal[] =
	"UPDATE socket SET retrans = coalesce(retrans, 0);"
	"UPDATE socket SET backoff = NULL, cwnd = NULL WHERE rtt_us IS NULL;"
	"UPDATE socket SET peer = NULL, peer_port = NULL WHERE family IN (1, 16, 17);"
	"UPDATE socket SET local_port = inode WHERE family = 1;"
	"UPDATE socket SET local_port = NULL WHERE family = 17;";

uint64_t test_rows_cgroup(void *ctx, const char *path)
{
	uint64_t h = 1469598103934665603u; /* FNV-1a */
	(void)ctx;
	for (; *path; path++)
		h = (h ^ (uint8_t)*path) * 1099511628211u;
	return h | 1;
}

static const char *test_dev(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	return ifindex == 1 ? "lo" : ifindex == 2 ? "eth0" : NULL;
}

enum column {
	C_N,
	C_PROTO,
	C_FAMILY,
	C_STATE,
	C_LOCAL,
	C_LOCAL_PORT,
	C_PEER,
	C_PEER_PORT,
	C_RECVQ,
	C_SENDQ,
	C_TIMER,
	C_RETRANS,
	C_BACKOFF,
	C_RTT,
	C_CWND,
	C_UID,
	C_INODE,
	C_COOKIE,
	C_CGROUP,
	C_NETNS,
	C_NETNS_NAME,
	C_IFINDEX,
	C_MARK,
};
static const char columns_sql[] =
	"SELECT n, proto, family, state, local, local_port, peer, peer_port, recvq, sendq, timer, "
	"retrans, backoff, rtt_us, cwnd, uid, inode, cookie, cgroup, netns, netns_name, ifindex, "
	"mark FROM socket ORDER BY n";

static const char *text(sqlite3_stmt *s, int c)
{
	const char *t = (const char *)sqlite3_column_text(s, c);
	return t ? t : "";
}

static bool known(sqlite3_stmt *s, int c)
{
	return sqlite3_column_type(s, c) != SQLITE_NULL;
}

static void read_address(sqlite3_stmt *s, struct test_row *t)
{
	struct sock_row *r = &t->row;
	const char *local = text(s, C_LOCAL);
	uint32_t port = (uint32_t)sqlite3_column_int64(s, C_LOCAL_PORT);
	switch (r->member.family) {
	case AF_INET:
	case AF_INET6:
		r->state.has |= HAS_TUPLE;
		sock_addr_parse(local, &r->member.local);
		sock_addr_parse(text(s, C_PEER), &r->member.peer);
		r->member.local_port = (uint16_t)port;
		r->member.peer_port = (uint16_t)sqlite3_column_int(s, C_PEER_PORT);
		break;
	case AF_UNIX:
		r->state.has |= *local ? HAS_PATH : 0;
		memcpy(t->path, local, strlen(local));
		t->path[0] = (char)(*local == '@' ? 0 : *local);
		t->about.path = (const uint8_t *)t->path;
		t->about.path_len = strlen(local);
		break;
	case AF_NETLINK:
		r->state.has |= HAS_NETLINK | HAS_LINK;
		r->link.link_proto = strcmp(local, "genl") == 0 ? 16 : 0;
		r->link.portid = port;
		break;
	case AF_PACKET:
		r->state.has |= HAS_LINK;
		r->link.link_proto = 0x0806;
		break;
	default:
		r->state.has |= HAS_VSOCK;
		r->link.local_cid = (uint32_t)atoi(local);
		r->link.local_vport = port;
		r->link.peer_cid = (uint32_t)atoi(text(s, C_PEER));
		r->link.peer_vport = (uint32_t)sqlite3_column_int64(s, C_PEER_PORT);
	}
}

static unsigned timer_by_name(const char *name)
{
	for (unsigned t = TIMER_OFF; t <= TIMER_PERSIST; t++)
		if (strcmp(sock_timer_name(t), name) == 0)
			return t;
	return TIMER_OFF;
}

static void read_rest(sqlite3_stmt *s, struct test_row *t)
{
	struct sock_row *r = &t->row;
	r->state.state = (uint8_t)sock_state_by_name(text(s, C_STATE));
	r->state.inode = (uint32_t)sqlite3_column_int64(s, C_INODE);
	r->state.uid = (uint32_t)sqlite3_column_int64(s, C_UID);
	r->state.ifindex = (uint32_t)sqlite3_column_int64(s, C_IFINDEX);
	r->state.has |= known(s, C_UID) ? 0 : HAS_NO_UID;
	r->queue.recvq = (uint32_t)sqlite3_column_int64(s, C_RECVQ);
	r->queue.sendq = (uint32_t)sqlite3_column_int64(s, C_SENDQ);
	r->queue.retrans = (uint8_t)sqlite3_column_int(s, C_RETRANS);
	r->queue.timer = (uint8_t)timer_by_name(text(s, C_TIMER));
	if (known(s, C_RTT)) {
		r->state.has |= HAS_INFO;
		r->state.info_bytes = 232;
		r->info.rtt_us = (uint32_t)sqlite3_column_int64(s, C_RTT);
		r->info.cwnd = (uint32_t)sqlite3_column_int64(s, C_CWND);
		r->evidence.backoff = (uint8_t)sqlite3_column_int(s, C_BACKOFF);
	}
	if (known(s, C_MARK)) {
		r->state.has |= HAS_MARK;
		r->option.mark = (uint32_t)sqlite3_column_int64(s, C_MARK);
	}
	if (known(s, C_CGROUP)) {
		r->state.has |= HAS_CGROUP;
		r->option.cgroup_id = test_rows_cgroup(NULL, text(s, C_CGROUP));
	}
	t->about.dev = test_dev;
	t->about.netns_inode = (uint64_t)sqlite3_column_int64(s, C_NETNS);
	snprintf(t->netns_name, sizeof(t->netns_name), "%s", text(s, C_NETNS_NAME));
	t->about.netns_name = known(s, C_NETNS_NAME) ? t->netns_name : NULL;
}

unsigned test_rows_read(sqlite3 *db, struct test_row rows[TEST_ROWS_MAX])
{
	unsigned count = 0;
	sqlite3_stmt *s = NULL;
	if (sqlite3_exec(db, normal, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, columns_sql, -1, &s, NULL) != SQLITE_OK)
		return 0;
	while (count < TEST_ROWS_MAX && sqlite3_step(s) == SQLITE_ROW) {
		struct test_row *t = &rows[count++];
		memset(t, 0, sizeof(*t));
		t->n = sqlite3_column_int(s, C_N);
		t->row.member.proto = (uint8_t)sock_proto_by_name(text(s, C_PROTO));
		t->row.member.family = (uint8_t)sqlite3_column_int(s, C_FAMILY);
		t->row.member.cookie = (uint64_t)sqlite3_column_int64(s, C_COOKIE);
		read_address(s, t);
		read_rest(s, t);
	}
	sqlite3_finalize(s);
	return count;
}
