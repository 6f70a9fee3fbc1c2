/*
 * bare.c - the least that the kernel asks for what a snapshot needs, the results thrown away.
 *
 *   bare dump    every socket table that the recorder asks for, by its own requests, 32 KiB at a
 *                time; nothing is decoded
 *   bare walk    every link in /proc/PID/fd is read; nothing is kept
 *
 * Prints "WHAT wall_us cpu_us count bytes": sockets and netlink bytes, or links and processes.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "diag_table.h"

#define RECV_BYTES 32768

struct sums {
	uint64_t count;
	uint64_t bytes;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Messages of one datagram. Returns false at the end of the dump. */
static bool count_messages(const char *bytes, size_t len, struct sums *sums)
{
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= len;) {
		struct nlmsghdr h;
		memcpy(&h, bytes + at, sizeof(h));
		if (h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR ||
		    h.nlmsg_len < sizeof(h))
			return false;
		sums->count++;
		at += NLMSG_ALIGN((size_t)h.nlmsg_len);
	}
	return true;
}

static void dump_table(int fd, const struct diag_table *table, struct sums *sums)
{
	static char bytes[RECV_BYTES];
	uint8_t payload[DIAG_REQUEST_MAX];
	struct nlmsghdr h = {.nlmsg_type = table->type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
	size_t len = diag_table_request(table, payload);
	h.nlmsg_len = (uint32_t)(sizeof(h) + len);
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), payload, len);
	if (send(fd, bytes, h.nlmsg_len, 0) < 0)
		die("send");
	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_TRUNC);
		if (n <= 0)
			die("recv");
		sums->bytes += (uint64_t)n;
		if (!count_messages(bytes, (size_t)n, sums))
			return;
	}
}

static void dump(struct sums *sums)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		die("socket");
	for (size_t i = 0; i < diag_tables_count; i++)
		dump_table(fd, &diag_tables[i], sums);
	close(fd);
}

static void read_links(int dir, struct sums *sums)
{
	static char names[RECV_BYTES] __attribute__((aligned(8)));
	char link[64];
	long len;
	while ((len = syscall(SYS_getdents64, dir, names, sizeof(names))) > 0)
		for (long at = 0; at < len;) {
			const struct dirent64 *entry = (const void *)(names + at);
			at += entry->d_reclen;
			if (isdigit((unsigned char)entry->d_name[0]) &&
			    readlinkat(dir, entry->d_name, link, sizeof(link)) > 0)
				sums->count++;
		}
}

static void walk(struct sums *sums)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	if (!proc)
		die("/proc");
	while ((entry = readdir(proc))) {
		char path[300];
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fd", entry->d_name);
		int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		sums->bytes++;
		read_links(dir, sums);
		close(dir);
	}
	closedir(proc);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct sums *sums);
	} modes[] = {{"dump", dump}, {"walk", walk}};
	for (size_t i = 0; i < 2; i++) {
		struct sums sums = {0};
		if (argc != 2 || strcmp(argv[1], modes[i].name) != 0)
			continue;
		uint64_t wall = wall_us(), cpu = cpu_us();
		modes[i].run(&sums);
		printf("%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", modes[i].name,
		       wall_us() - wall, cpu_us() - cpu, sums.count, sums.bytes);
		return 0;
	}
	fprintf(stderr, "usage: bare dump|walk\n");
	return 2;
}
