/* link_name.h - names of the protocols of netlink and packet sockets, as ss(8) prints them. */
#ifndef SOCKLAPSE_LINK_NAME_H
#define SOCKLAPSE_LINK_NAME_H

/* Room for any name. */
#define LINK_NAME_BYTES 16

/* "rtnl", "tcpdiag"; the number if it has no name, or if `numeric`. */
void netlink_proto_name(unsigned protocol, int numeric, char ret_name[LINK_NAME_BYTES]);

/* Of an EtherType: "*" for all, "ip", "arp"; "[35021]" if it has no name, or if `numeric`. */
void packet_proto_name(unsigned protocol, int numeric, char ret_name[LINK_NAME_BYTES]);

#endif
