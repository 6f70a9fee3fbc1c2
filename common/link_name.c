/* link_name.c - see link_name.h. Names as iproute2 has them in lib/ll_proto.c and etc/nl_protos. */
#include "link_name.h"

#include <stddef.h>
#include <stdio.h>

/* <linux/netlink.h> NETLINK_*. */
static const char *const netlink_names[] = {
	[0] = "rtnl",	     [2] = "usersock",	 [3] = "fw",	     [4] = "tcpdiag",
	[5] = "nflog",	     [6] = "xfrm",	 [7] = "selinux",    [8] = "iscsi",
	[9] = "audit",	     [10] = "fiblookup", [11] = "connector", [12] = "nft",
	[13] = "ip6fw",	     [14] = "dec-rt",	 [15] = "uevent",    [16] = "genl",
	[18] = "scsi-trans", [19] = "ecryptfs",	 [20] = "rdma",	     [21] = "crypto",
};

static const struct {
	unsigned protocol; /* <linux/if_ether.h> ETH_P_* */
	const char *name;
} packet_names[] = {
	{0x0800, "ip"},	    {0x0806, "arp"},	  {0x86dd, "ipv6"},    {0x8035, "rarp"},
	{0x8100, "802.1Q"}, {0x88a8, "802.1ad"},  {0x8847, "mpls_uc"}, {0x8848, "mpls_mc"},
	{0x88cc, "LLDP"},   {0x8863, "ppp_disc"}, {0x8864, "ppp_ses"}, {0x0004, "802_2"},
	{0x0001, "802_3"},
};

void netlink_proto_name(unsigned protocol, int numeric, char ret_name[LINK_NAME_BYTES])
{
	const char *name = NULL;
	if (!numeric && protocol < sizeof(netlink_names) / sizeof(netlink_names[0]))
		name = netlink_names[protocol];
	if (name)
		snprintf(ret_name, LINK_NAME_BYTES, "%s", name);
	else
		snprintf(ret_name, LINK_NAME_BYTES, "%u", protocol);
}

void packet_proto_name(unsigned protocol, int numeric, char ret_name[LINK_NAME_BYTES])
{
	const char *name = protocol == 3 ? "*" : NULL;
	for (size_t i = 0; i < sizeof(packet_names) / sizeof(packet_names[0]) && !numeric; i++)
		if (packet_names[i].protocol == protocol)
			name = packet_names[i].name;
	if (name)
		snprintf(ret_name, LINK_NAME_BYTES, "%s", name);
	else
		snprintf(ret_name, LINK_NAME_BYTES, "[%u]", protocol);
}
