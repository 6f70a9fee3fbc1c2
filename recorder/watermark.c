/* watermark.c - see watermark.h. */
#include "watermark.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clocks.h"

/* The thread does next to nothing; its stack need not be the usual 8 MiB. */
#define STACK_BYTES ((size_t)128 * 1024)

/* A CPU that is still to be visited. */
#define WANTED UINT32_MAX

/* How long to wait before a stuck thread is called back once more. */
#define CALL_BACK_EVERY_NS (UINT64_C(10) * 1000000u)

/* Number of digits at *at, which is moved behind it. False if there is none. */
static bool take_number(const char **at, unsigned long *ret)
{
	char *end;
	if (**at < '0' || **at > '9')
		return false;
	*ret = strtoul(*at, &end, 10);
	*at = end;
	return true;
}

bool watermark_parse_cpus(const char *text, cpu_set_t *ret)
{
	unsigned long first, last;
	CPU_ZERO(ret);
	while (*text && *text != '\n') {
		if (!take_number(&text, &first))
			return false;
		last = first;
		if (*text == '-' && (text++, !take_number(&text, &last) || last < first))
			return false;
		for (unsigned long i = first; i <= last && i < WATERMARK_MAX_CPUS; i++)
			CPU_SET(i, ret);
		if (*text == ',')
			text++;
		else if (*text && *text != '\n')
			return false;
	}
	return true;
}

static bool read_cpus(int sys_fd, const char *name, cpu_set_t *ret)
{
	char text[4096];
	CPU_ZERO(ret);
	int fd = openat(sys_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	return watermark_parse_cpus(text, ret);
}

/*
 * The inode of a socket made on the CPU that the thread is on. Of netlink, because such a socket
 * stands in no table until it is bound: no snapshot sees it.
 */
static uint32_t throw_away(void)
{
	struct stat st;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 4 /* NETLINK_SOCK_DIAG */);
	if (fd < 0)
		return REC_MARK_MISSED;
	bool known = fstat(fd, &st) == 0 && st.st_ino <= UINT32_MAX;
	close(fd);
	return known ? (uint32_t)st.st_ino : REC_MARK_MISSED;
}

/* A CPU that went off line, or from which the thread was called back, is not marked. */
static uint32_t mark_cpu(int cpu)
{
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET((unsigned)cpu, &here);
	if (sched_setaffinity(0, sizeof(here), &here) || sched_getcpu() != cpu)
		return REC_MARK_MISSED;
	uint32_t inode = throw_away();
	return sched_getcpu() == cpu ? inode : REC_MARK_MISSED;
}

static void *visit(void *arg)
{
	struct watermark *m = arg;
	for (size_t i = 0; i < m->cpus && !atomic_load(&m->stop); i++)
		if (m->inodes[i] == WANTED)
			m->inodes[i] = mark_cpu((int)i);
	m->end_ns = clocks_mono_ns();
	return NULL;
}

/* What is to be visited: all CPUs at work but for those that are kept free. */
static void plan(struct watermark *m, int sys_fd)
{
	cpu_set_t online, isolated, tickless;
	if (!read_cpus(sys_fd, "online", &online))
		return;
	read_cpus(sys_fd, "isolated", &isolated);
	/* "(null)" and the like where the kernel has none. */
	if (!read_cpus(sys_fd, "nohz_full", &tickless))
		CPU_ZERO(&tickless);
	for (unsigned i = 0; i < WATERMARK_MAX_CPUS; i++) {
		if (!CPU_ISSET(i, &online))
			continue;
		bool free = CPU_ISSET(i, &isolated) || CPU_ISSET(i, &tickless);
		m->inodes[i] = free ? REC_MARK_MISSED : WANTED;
		m->cpus = i + 1;
	}
}

void watermark_start(struct watermark *m, int sys_fd)
{
	pthread_attr_t attr;
	memset(m, 0, sizeof(*m));
	plan(m, sys_fd);
	m->begin_ns = m->end_ns = clocks_mono_ns();
	if (pthread_attr_init(&attr))
		return;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	m->running = m->cpus && pthread_create(&m->thread, &attr, visit, m) == 0;
	pthread_attr_destroy(&attr);
}

static bool ended_by(pthread_t thread, uint64_t mono_ns)
{
	const struct timespec until = {.tv_sec = (time_t)(mono_ns / 1000000000u),
				       .tv_nsec = (long)(mono_ns % 1000000000u)};
	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/* The thread waits for a CPU that does not take it: let it run where we run. */
static void call_back(const struct watermark *m)
{
	cpu_set_t ours;
	if (sched_getaffinity(0, sizeof(ours), &ours) == 0)
		pthread_setaffinity_np(m->thread, sizeof(ours), &ours);
}

void watermark_finish(struct watermark *m)
{
	bool ended = !m->running || ended_by(m->thread, m->begin_ns + WATERMARK_LIMIT_NS);
	while (!ended) {
		atomic_store(&m->stop, true);
		call_back(m);
		ended = ended_by(m->thread, clocks_mono_ns() + CALL_BACK_EVERY_NS);
	}
	m->running = false;
	for (size_t i = 0; i < m->cpus; i++) {
		if (m->inodes[i] == WANTED)
			m->inodes[i] = REC_MARK_MISSED;
		m->missed += m->inodes[i] == REC_MARK_MISSED;
	}
}
