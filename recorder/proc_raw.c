/* proc_raw.c - see proc_raw.h. */
#include "proc_raw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* No line of the kernel is longer. */
#define MAX_LINE 256

/* Hexadecimal words of 32 bits, each printed as the machine holds it, become an address. */
static bool take_address(const char *text, unsigned family, union addr_bytes *ret)
{
	unsigned words = family == AF_INET ? 1 : 4;
	if (strlen(text) != 8u * words)
		return false;
	for (unsigned i = 0; i < words; i++)
		if (sscanf(text + (size_t)8 * i, "%8" SCNx32, &ret->w[i]) != 1)
			return false;
	return true;
}

bool proc_raw_parse(const char *line, size_t len, unsigned family, struct sock_row *ret)
{
	char text[MAX_LINE], local[33], peer[33];
	unsigned local_port, peer_port, state;
	uint32_t sendq, recvq, uid, inode, drops;
	struct sock_row row;
	if (len >= sizeof(text))
		return false;
	memcpy(text, line, len);
	text[len] = '\0';
	/* sl local rem st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops */
	if (sscanf(text,
		   " %*u: %32[0-9A-F]:%4x %32[0-9A-F]:%4x %2x %8" SCNx32 ":%8" SCNx32
		   " %*x:%*x %*x %" SCNu32 " %*u %" SCNu32 " %*d %*s %" SCNu32,
		   local, &local_port, peer, &peer_port, &state, &sendq, &recvq, &uid, &inode,
		   &drops) != 10)
		return false;
	memset(&row, 0, sizeof(row));
	if (!take_address(local, family, &row.member.local) ||
	    !take_address(peer, family, &row.member.peer))
		return false;
	row.member.proto = PROTO_RAW;
	row.member.family = (uint8_t)family;
	row.member.cookie = UINT64_C(1) << 63 | inode;
	row.member.local_port = (uint16_t)local_port;
	row.member.peer_port = (uint16_t)peer_port;
	row.state.has = HAS_TUPLE | HAS_PROC | HAS_DROPS;
	row.state.state = (uint8_t)state;
	row.state.uid = uid;
	row.state.inode = inode;
	row.queue.sendq = sendq;
	row.queue.recvq = recvq;
	row.memory.sk_drops = drops;
	*ret = row;
	return true;
}
