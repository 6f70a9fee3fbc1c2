/*
 * watermark.h - how far each CPU has come in giving out inode numbers.
 *
 * The kernel takes the inodes of sockets from one counter, in batches of 1024 for each CPU
 * (fs/inode.c, get_next_ino()). One throw-away socket made on every CPU tells of any other socket,
 * by its inode alone, whether it was made before or after (EVIDENCE section 3). A thread of its own
 * visits the CPUs, so that nobody else's affinity is touched; CPUs that the host keeps free of
 * other work (isolcpus, nohz_full) are not visited.
 */
#ifndef SOCKLAPSE_WATERMARK_H
#define SOCKLAPSE_WATERMARK_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "rec.h"

/* CPUs beyond this are not marked. */
#define WATERMARK_MAX_CPUS CPU_SETSIZE

/* A visit to all CPUs is given up after so long: one of them may never let go of a busy thread. */
#define WATERMARK_LIMIT_NS (UINT64_C(500) * 1000000u)

struct watermark {
	uint32_t inodes[WATERMARK_MAX_CPUS]; /* rec.h: REC_MARK_* */
	size_t cpus;			     /* of them; 0: nothing is known */
	uint32_t missed;		     /* CPUs at work that have no mark */
	uint64_t begin_ns, end_ns;	     /* CLOCK_MONOTONIC, around all of it */

	pthread_t thread;
	bool running;
	atomic_bool stop;
};

/*
 * Starts the visit, in a thread; watermark_finish() must follow. `sys_fd` is a directory like
 * /sys/devices/system/cpu. Without a thread or without a list of CPUs nothing is known.
 */
void watermark_start(struct watermark *m, int sys_fd) NONNULL(1);

/* Waits for its end, at most until WATERMARK_LIMIT_NS after its begin. */
void watermark_finish(struct watermark *m) NONNULL(1);

/*
 * Reads a list of CPUs such as "0-3,8", as /sys/devices/system/cpu has them; "" is the empty set.
 * False if it is none. CPUs beyond WATERMARK_MAX_CPUS are left out. Pure.
 */
bool watermark_parse_cpus(const char *text, cpu_set_t *ret) MUST_CHECK NONNULL(1, 2);

#endif
