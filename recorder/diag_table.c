/* diag_table.c - see diag_table.h. */
#include "diag_table.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tipc_sockets_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>
#include <linux/xdp_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "diag_link.h"
#include "diag_tipc.h"
#include "diag_unix.h"

/* Newer than some libc's <netinet/in.h>. */
#define PROTOCOL_DCCP  33
#define PROTOCOL_MPTCP 262

#define WANT(attr) (1u << ((attr)-1))

/*
 * Sent without being asked for: SHUTDOWN, SKV6ONLY, PROTOCOL (raw), CGROUP_ID, SOCKOPT, ULP_INFO,
 * and MARK to those with CAP_NET_ADMIN. MEMINFO is not asked for: SKMEMINFO says the same and more.
 */
#define EXTENSIONS                                                                                 \
	(WANT(INET_DIAG_INFO) | WANT(INET_DIAG_VEGASINFO) /* and DCTCPINFO, BBRINFO */             \
	 | WANT(INET_DIAG_CONG) | WANT(INET_DIAG_TOS) | WANT(INET_DIAG_TCLASS) /* and CLASS_ID */  \
	 | WANT(INET_DIAG_SKMEMINFO))

/* INFO of SCTP is another struct, which has no columns and changes all the time. */
#define EXTENSIONS_NO_INFO (EXTENSIONS & ~WANT(INET_DIAG_INFO))

/* Every state, those too that later kernels may add; bound but inactive sockets are bit 13. */
#define ALL_STATES UINT32_MAX

/* The families' requests are structs of the kernel, put into the payload as they are. */
#define REQUEST(function, ...)                                                                     \
	static size_t function(const struct diag_table *t, uint8_t ret_payload[DIAG_REQUEST_MAX])  \
	{                                                                                          \
		const struct __VA_ARGS__;                                                          \
		_Static_assert(sizeof(r) <= DIAG_REQUEST_MAX, "DIAG_REQUEST_MAX is too small");    \
		memcpy(ret_payload, &r, sizeof(r));                                                \
		return sizeof(r);                                                                  \
	}

REQUEST(old_inet, inet_diag_req r = {.idiag_family = t->family,
				     .idiag_ext = EXTENSIONS,
				     .idiag_states = ALL_STATES})
REQUEST(inet, inet_diag_req_v2 r = {.sdiag_family = t->family,
				    .sdiag_protocol = (uint8_t)t->protocol,
				    .idiag_ext = EXTENSIONS,
				    .idiag_states = ALL_STATES})
REQUEST(inet_no_info, inet_diag_req_v2 r = {.sdiag_family = t->family,
					    .sdiag_protocol = (uint8_t)t->protocol,
					    .idiag_ext = EXTENSIONS_NO_INFO,
					    .idiag_states = ALL_STATES})
REQUEST(unix_sockets,
	unix_diag_req r = {.sdiag_family = t->family,
			   .udiag_states = ALL_STATES,
			   .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER |
					 UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN | UDIAG_SHOW_MEMINFO |
					 UDIAG_SHOW_UID})
REQUEST(packet, packet_diag_req r = {.sdiag_family = t->family,
				     .pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MCLIST |
						   PACKET_SHOW_RING_CFG | PACKET_SHOW_FANOUT |
						   PACKET_SHOW_MEMINFO | PACKET_SHOW_FILTER})
REQUEST(netlink, netlink_diag_req r = {.sdiag_family = t->family,
				       .sdiag_protocol = (uint8_t)t->protocol,
				       .ndiag_show = NDIAG_SHOW_MEMINFO | NDIAG_SHOW_GROUPS |
						     NDIAG_SHOW_FLAGS})
REQUEST(vsock, vsock_diag_req r = {.sdiag_family = t->family, .vdiag_states = ALL_STATES})
REQUEST(xdp, xdp_diag_req r = {.sdiag_family = t->family,
			       .xdiag_show = XDP_SHOW_INFO | XDP_SHOW_RING_CFG | XDP_SHOW_UMEM |
					     XDP_SHOW_MEMINFO})

REQUEST(tipc, tipc_sock_diag_req r = {.sdiag_family = t->family, .tidiag_states = ALL_STATES})

/*
 * A protocol above 255 stands in an attribute. A kernel that does not know the attribute must not
 * take the request for one of TCP: so the field says 0, which is no protocol.
 */
static size_t mptcp(const struct diag_table *t, uint8_t ret_payload[DIAG_REQUEST_MAX])
{
	const uint32_t protocol = t->protocol;
	const struct nlattr a = {.nla_len = sizeof(a) + sizeof(protocol),
				 .nla_type = INET_DIAG_REQ_PROTOCOL};
	const struct inet_diag_req_v2 r = {
		.sdiag_family = t->family, .idiag_ext = EXTENSIONS, .idiag_states = ALL_STATES};
	_Static_assert(sizeof(r) + sizeof(a) + sizeof(protocol) <= DIAG_REQUEST_MAX, "too small");
	memcpy(ret_payload, &r, sizeof(r));
	memcpy(ret_payload + sizeof(r), &a, sizeof(a));
	memcpy(ret_payload + sizeof(r) + sizeof(a), &protocol, sizeof(protocol));
	return sizeof(r) + sizeof(a) + sizeof(protocol);
}

#define NEW SOCK_DIAG_BY_FAMILY
#define BOTH_FAMILIES(name, protocol, proto, request, text4, text6)                                \
	{name " IPv4", NEW, AF_INET, protocol, proto, request, diag_inet_decode, text4},           \
	{                                                                                          \
		name " IPv6", NEW, AF_INET6, protocol, proto, request, diag_inet_decode, text6     \
	}

const struct diag_table diag_tables[] = {
	{"tcp", TCPDIAG_GETSOCK, AF_INET, IPPROTO_TCP, PROTO_TCP, old_inet, diag_inet_decode, NULL},
	BOTH_FAMILIES("udp", IPPROTO_UDP, PROTO_UDP, inet, NULL, NULL),
	BOTH_FAMILIES("udplite", IPPROTO_UDPLITE, PROTO_UDPLITE, inet, NULL, NULL),
	BOTH_FAMILIES("raw", IPPROTO_RAW, PROTO_RAW, inet, "thread-self/net/raw",
		      "thread-self/net/raw6"),
	BOTH_FAMILIES("mptcp", PROTOCOL_MPTCP, PROTO_MPTCP, mptcp, NULL, NULL),
	BOTH_FAMILIES("sctp", IPPROTO_SCTP, PROTO_SCTP, inet_no_info, NULL, NULL),
	BOTH_FAMILIES("dccp", PROTOCOL_DCCP, PROTO_DCCP, inet, NULL, NULL),
	{"unix", NEW, AF_UNIX, 0, PROTO_UNIX, unix_sockets, diag_unix_decode, NULL},
	{"packet", NEW, AF_PACKET, 0, PROTO_PACKET, packet, diag_packet_decode, NULL},
	{"netlink", NEW, AF_NETLINK, NDIAG_PROTO_ALL, PROTO_NETLINK, netlink, diag_netlink_decode,
	 NULL},
	{"vsock", NEW, AF_VSOCK, 0, PROTO_VSOCK, vsock, diag_vsock_decode, NULL},
	{"xdp", NEW, AF_XDP, 0, PROTO_XDP, xdp, diag_xdp_decode, NULL},
	{"tipc", NEW, AF_TIPC, 0, PROTO_TIPC, tipc, diag_tipc_decode, NULL},
};
const size_t diag_tables_count = sizeof(diag_tables) / sizeof(diag_tables[0]);

size_t diag_table_request(const struct diag_table *table, uint8_t ret_payload[DIAG_REQUEST_MAX])
{
	return table->request(table, ret_payload);
}

void diag_table_leave_out_bound(const struct diag_table *table, uint8_t payload[DIAG_REQUEST_MAX])
{
	struct inet_diag_req r;
	if (table->type != TCPDIAG_GETSOCK)
		return;
	memcpy(&r, payload, sizeof(r));
	r.idiag_states &= ~(UINT32_C(1) << STATE_BOUND_INACTIVE);
	memcpy(payload, &r, sizeof(r));
}

uint32_t diag_protos(void)
{
	uint32_t protos = 0;
	for (size_t i = 0; i < diag_tables_count; i++)
		protos |= DIAG_PROTO_BIT(diag_tables[i].proto);
	return protos;
}

bool diag_protos_names(uint32_t protos, char ret_names[DIAG_NAMES_BYTES])
{
	size_t len = 0;
	for (unsigned p = 1; p < PROTO_COUNT; p++)
		if (protos & DIAG_PROTO_BIT(p))
			len += (size_t)snprintf(ret_names + len, DIAG_NAMES_BYTES - len, "%s%s",
						len ? ", " : "", sock_proto_name(p));
	return len != 0;
}

bool diag_is_no_table(int errnum)
{
	return errnum == ENOENT || errnum == EINVAL || errnum == EOPNOTSUPP ||
	       errnum == EPROTONOSUPPORT || errnum == EAFNOSUPPORT;
}

/* The tables that one word of a list names; 0: none. */
static uint32_t protos_by_name(const char *name)
{
	if (strcmp(name, "all") == 0)
		return diag_protos();
	if (strcmp(name, "inet") == 0)
		return DIAG_PROTO_BIT(PROTO_TCP) | DIAG_PROTO_BIT(PROTO_UDP) |
		       DIAG_PROTO_BIT(PROTO_UDPLITE) | DIAG_PROTO_BIT(PROTO_RAW) |
		       DIAG_PROTO_BIT(PROTO_MPTCP) | DIAG_PROTO_BIT(PROTO_SCTP) |
		       DIAG_PROTO_BIT(PROTO_DCCP);
	unsigned proto = sock_proto_by_name(name);
	return proto ? DIAG_PROTO_BIT(proto) & diag_protos() : 0;
}

int diag_protos_parse(const char *list, uint32_t *ret_protos, struct err *e)
{
	uint32_t protos = 0;
	for (const char *at = list;; at++) {
		char name[16] = "";
		bool without = *at == '!';
		at += without;
		size_t len = strcspn(at, ",");
		if (len < sizeof(name))
			memcpy(name, at, len);
		uint32_t named = protos_by_name(name);
		if (!named)
			return err_set(e, ERR_USAGE, "%.*s: no such socket table",
				       len < 64 ? (int)len : 64, at);
		/* A list that begins with what is not wanted means all the others. */
		if (without && at == list + 1)
			protos = diag_protos();
		protos = without ? protos & ~named : protos | named;
		at += len;
		if (!*at)
			break;
	}
	if (!protos)
		return err_set(e, ERR_USAGE, "%s: no socket table is left", list);
	*ret_protos = protos;
	return 0;
}
