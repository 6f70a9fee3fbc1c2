/* diag_table.c - see diag_table.h. */
#include "diag_table.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

const struct diag_table diag_tables[] = {
	{"tcp", TCPDIAG_GETSOCK, AF_INET, IPPROTO_TCP, PROTO_TCP},
	{"udp IPv4", SOCK_DIAG_BY_FAMILY, AF_INET, IPPROTO_UDP, PROTO_UDP},
	{"udp IPv6", SOCK_DIAG_BY_FAMILY, AF_INET6, IPPROTO_UDP, PROTO_UDP},
};
const size_t diag_tables_count = sizeof(diag_tables) / sizeof(diag_tables[0]);

#define WANT(attr) (1u << ((attr)-1))

/*
 * Sent without being asked for: SHUTDOWN, SKV6ONLY, PROTOCOL (raw), CGROUP_ID, SOCKOPT, ULP_INFO,
 * and MARK to those with CAP_NET_ADMIN. MEMINFO is not asked for: SKMEMINFO says the same and more.
 */
#define EXTENSIONS                                                                                 \
	(WANT(INET_DIAG_INFO) | WANT(INET_DIAG_VEGASINFO) /* and DCTCPINFO, BBRINFO */             \
	 | WANT(INET_DIAG_CONG) | WANT(INET_DIAG_TOS) | WANT(INET_DIAG_TCLASS) /* and CLASS_ID */  \
	 | WANT(INET_DIAG_SKMEMINFO))

/* Every state, those too that later kernels may add; bound but inactive sockets are bit 13. */
#define ALL_STATES UINT32_MAX

size_t diag_table_request(const struct diag_table *table, uint8_t ret_payload[DIAG_REQUEST_MAX])
{
	const struct inet_diag_req old = {
		.idiag_family = table->family, .idiag_ext = EXTENSIONS, .idiag_states = ALL_STATES};
	const struct inet_diag_req_v2 v2 = {.sdiag_family = table->family,
					    .sdiag_protocol = table->ipproto,
					    .idiag_ext = EXTENSIONS,
					    .idiag_states = ALL_STATES};
	bool is_old = table->type == TCPDIAG_GETSOCK;
	size_t len = is_old ? sizeof(old) : sizeof(v2);
	memcpy(ret_payload, is_old ? (const void *)&old : (const void *)&v2, len);
	return len;
}
