/*
 * netns_use.h - what kinds of sockets a network namespace can have, by the kernel's own counts.
 *
 * Namespaces share the kernel's hash tables: to tell of no TCP socket at all in an empty namespace
 * it walks 262,144 buckets, and over the sockets of all others. Three small files of /proc/net
 * count the sockets of one namespace and cost a hundredth of that. Pure: their text in, what need
 * not be asked for out.
 *
 * What the counts cover (net/core/sock.c, net/ipv4/proc.c; tried on Linux 6.18):
 *   "sockets: used" every socket that a process made, whatever its family, orphans too, but neither
 *                   TIME-WAIT nor SYN-RECV nor the kernel's own sockets
 *   "TCP: tw"       TIME-WAIT, and orphans in FIN-WAIT-2 (before Linux 5.19 of all namespaces)
 *   protocols       sockets by protocol: of unix, packet and netlink all, of inet those in a hash
 *                   table: bound but inactive TCP sockets are in none of them
 * SYN-RECV is counted nowhere, but it holds its listener, which is "used" even when it was closed.
 */
#ifndef SOCKLAPSE_NETNS_USE_H
#define SOCKLAPSE_NETNS_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer file is not understood: then everything is asked for. */
#define NETNS_USE_FILE_MAX 16384

struct netns_use {
	bool no_inet;	 /* no socket of TCP, UDP, raw, MPTCP, SCTP, DCCP */
	bool no_mptcp;	 /* none of MPTCP */
	bool all_active; /* no TCP socket that is bound but inactive */
};

/* Texts of /proc/net/sockstat, sockstat6 (may be empty: no IPv6) and protocols. */
struct netns_use_files {
	const char *sockstat, *sockstat6, *protocols;
};

/*
 * `own`: TCP sockets of the caller's in this namespace that are in no table. `counts_mptcp`: the
 * kernel counts MPTCP sockets (Linux 6.2 on). What makes no sense means that all must be asked for.
 */
struct netns_use netns_use_of(const struct netns_use_files *files, unsigned own, bool counts_mptcp);

/* Is the kernel of this release at least MAJOR.MINOR? Pure. */
bool netns_kernel_is(const char *release, unsigned major, unsigned minor);

#endif
