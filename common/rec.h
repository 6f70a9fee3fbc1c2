/*
 * rec.h - the plain values of a recording that writer and reader share. FORMAT.md section 3.
 */
#ifndef SOCKLAPSE_REC_H
#define SOCKLAPSE_REC_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define REC_APPLICATION_ID 0x536c7073 /* "Slps" */
#define REC_VERSION	   1
#define REC_INCOMPATIBLE   0 /* feature bits that this version can read */

/* Compatible feature bits. */
#define REC_HAS_TURNS 1 /* frames have turn parts: FORMAT.md section 5.7 */

/* A delta chain is never longer than this many frames, its key frame included (FORMAT.md 4). */
#define REC_MAX_CHAIN 240

/* name.error from the snapshot on from which a name is watched no more. */
#define REC_NOT_WATCHED "not watched"

/* snapshot.flags: what is not as it should be. The numbers are in the file. */
#define SNAP_INTERRUPTED  UINT32_C(1)	 /* the kernel said that a dump changed under the reader */
#define SNAP_PARTIAL	  UINT32_C(2)	 /* a dump ended early; sockets are missing */
#define SNAP_DUPLICATES	  UINT32_C(4)	 /* a dump told of a socket twice; the first counts */
#define SNAP_NO_OWNERS	  UINT32_C(8)	 /* processes were not looked at */
#define SNAP_OWNERS_PART  UINT32_C(16)	 /* some processes could not be looked into */
#define SNAP_CUT	  UINT32_C(32)	 /* the deadline cut a part off (costs say which) */
#define SNAP_NETNS_LOST	  UINT32_C(64)	 /* a network namespace vanished while it was read */
#define SNAP_FILTERED	  UINT32_C(128)	 /* only sockets that match the recorder's filter */
#define SNAP_NO_TABLE	  UINT32_C(256)	 /* a socket table is not available in this kernel */
#define SNAP_UNPRIVILEGED UINT32_C(512)	 /* the recorder lacked the rights to see all */
#define SNAP_REBOOT	  UINT32_C(1024) /* first snapshot after a boot */
#define SNAP_SOME_NETNS	  UINT32_C(8192) /* only the network namespaces that were asked for */
#define SNAP_SOME_TABLES  UINT32_C(4096) /* only the socket tables that were asked for */

/* Kinds of costs in a recording, at most. */
#define REC_MAX_COSTS 64u

#define SNAP_NETNS_PART UINT32_C(2048) /* not all network namespaces were looked at */

/* The name of one flag bit, as `list` prints it; NULL if unknown. */
const char *rec_flag_name(uint32_t bit);

struct rec_host {
	const char *boot_id;
	const char *machine_id; /* or NULL */
	const char *hostname;
	const char *kernel;
	const char *arch;
	int64_t hz;	       /* 0: unknown */
	const char *time_zone; /* or NULL */
	int64_t cpus;
	const char *facts; /* JSON object */
};

struct rec_snapshot {
	int64_t id;   /* set by the writer */
	int64_t host; /* row of table host; set by the writer */
	int64_t wall_begin_ns, wall_end_ns;
	int64_t boot_begin_ns, boot_end_ns;
	int64_t mono_begin_ns;
	bool key; /* set by the writer */
	uint32_t flags;
	uint32_t scope;	  /* set by the reader: equal for equal scopes; 0: everything */
	uint32_t sockets; /* set by the writer */
	uint32_t tables;  /* by the reader: bits (1 << PROTO_*) of tables looked at; 0: unknown */
	/*
	 * By the reader: CLOCK_MONOTONIC_COARSE less the kernel's tick, in us modulo 2^32 ms
	 * (FORMAT.md section 5.5); 0: unknown.
	 */
	uint64_t tick_base_us;
	uint64_t bytes;	    /* set by the writer */
	uint64_t encode_us; /* time that encoding took; set by the writer, not in the file */
};

/* Table watermark: what stands for a CPU whose inode is not known. */
#define REC_MARK_OFFLINE UINT32_C(0) /* the CPU was not at work */
#define REC_MARK_MISSED	 UINT32_C(1) /* it was, and could not be marked */

/* A recording has marks of no more CPUs than this. */
#define REC_MAX_CPUS 8192

/* A network namespace. */
struct rec_netns {
	uint64_t inode;	  /* of /proc/PID/ns/net; used again when the namespace is gone */
	uint64_t cookie;  /* SO_NETNS_COOKIE, never used again; 0: unknown (before Linux 5.14) */
	const char *name; /* or NULL */
};

struct rec_process {
	int64_t id; /* set by the writer */
	int64_t pid;
	uint64_t start_ticks;
	int64_t ppid;					/* -1: unknown */
	int64_t uid;					/* -1: unknown */
	const char *comm;				/* any bytes; not NULL */
	const char *exe, *cmdline, *cgroup, *container; /* NULL: unknown or not asked for */
};

#endif
