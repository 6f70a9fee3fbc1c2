/* hostfacts.c - see hostfacts.h. */
#include "hostfacts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX 1024

/* The whole of a small file as one line, without white space at its end. False: cannot be read. */
static bool read_line(const char *root, const char *path, char *ret, size_t size)
{
	char full[PATH_MAX];
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= PATH_MAX)
		return false;
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, ret, size - 1);
	close(fd);
	if (n < 0)
		return false;
	ret[n] = '\0';
	n = (ssize_t)strcspn(ret, "\n");
	while (n > 0 && (ret[n - 1] == ' ' || ret[n - 1] == '\t'))
		n--;
	ret[n] = '\0';
	return n > 0;
}

/* Values of /proc/sys/net: one number, or several apart by white space. */
static const char *const sysctls[] = {
	"ipv4/ip_local_port_range",
	"ipv4/ip_local_reserved_ports",
	"ipv4/tcp_abort_on_overflow",
	"ipv4/tcp_child_ehash_entries",
	"ipv4/tcp_congestion_control",
	"ipv4/tcp_ehash_entries",
	"ipv4/tcp_fin_timeout",
	"ipv4/tcp_keepalive_intvl",
	"ipv4/tcp_keepalive_probes",
	"ipv4/tcp_keepalive_time",
	"ipv4/tcp_max_orphans",
	"ipv4/tcp_max_syn_backlog",
	"ipv4/tcp_max_tw_buckets",
	"ipv4/tcp_orphan_retries",
	"ipv4/tcp_retries1",
	"ipv4/tcp_retries2",
	"ipv4/tcp_rmem",
	"ipv4/tcp_rto_max_ms",
	"ipv4/tcp_rto_min_us",
	"ipv4/tcp_syn_linear_timeouts",
	"ipv4/tcp_syn_retries",
	"ipv4/tcp_synack_retries",
	"ipv4/tcp_syncookies",
	"ipv4/tcp_timestamps",
	"ipv4/tcp_tw_reuse",
	"ipv4/tcp_tw_reuse_delay",
	"ipv4/tcp_wmem",
	"core/somaxconn",
};

/* A JSON string; bytes that could end it or are no text are left out. */
static void put_json_text(struct buf *json, const char *text)
{
	buf_put_u8(json, '"');
	for (; *text; text++)
		if (*text >= ' ' && *text != '"' && *text != '\\' && *text != 0x7f)
			buf_put_u8(json, (uint8_t)*text);
	buf_put_u8(json, '"');
}

/* See hostfacts.h. "60" as 60, "4096 131072 6291456" as [4096,131072,6291456], anything else as a
 * text. */
void hostfacts_put_value(struct buf *json, const char *value)
{
	bool many = strpbrk(value, " \t") != NULL;
	if (value[strspn(value, "-0123456789 \t")] != '\0') {
		put_json_text(json, value);
		return;
	}
	buf_put_str(json, many ? "[" : "");
	for (const char *between = ""; *value; between = ",") {
		char *end;
		buf_printf(json, "%s%lld", between, strtoll(value, &end, 10));
		value = end == value ? "" : end + strspn(end, " \t");
	}
	buf_put_str(json, many ? "]" : "");
}

static void put_facts(struct buf *json, const char *root)
{
	char path[128], value[VALUE_MAX];
	buf_printf(json, "{\"user_hz\":%ld", sysconf(_SC_CLK_TCK));
	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/%s", sysctls[i]);
		if (!read_line(root, path, value, sizeof(value)))
			continue;
		buf_printf(json, ",\"%s\":", strchr(sysctls[i], '/') + 1);
		hostfacts_put_value(json, value);
	}
	buf_put_str(json, "}");
}

/* The IANA name behind /etc/localtime, or what /etc/timezone says. "" if neither tells. */
static void read_time_zone(const char *root, char *ret, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	*ret = '\0';
	if (snprintf(path, sizeof(path), "%s/etc/localtime", root) >= PATH_MAX)
		return;
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	const char *name = strstr(target, "zoneinfo/");
	if (name)
		snprintf(ret, size, "%s", name + strlen("zoneinfo/"));
	else if (!read_line(root, "/etc/timezone", ret, size))
		*ret = '\0';
}

int64_t hostfacts_hz(long coarse_ns)
{
	return coarse_ns >= 100000 && coarse_ns <= 100000000
		       ? (1000000000 + coarse_ns / 2) / coarse_ns
		       : 0;
}

static int64_t kernel_hz(void)
{
	struct timespec tick;
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec)
		return 0;
	return hostfacts_hz(tick.tv_nsec);
}

int hostfacts_read(struct hostfacts *f, const char *root, struct err *e)
{
	if (!read_line(root, "/proc/sys/kernel/random/boot_id", f->boot_id, sizeof(f->boot_id)))
		return err_set(e, ERR_IO, "/proc: no boot id (is /proc mounted?)");
	if (uname(&f->name))
		return err_errno(e, errno, "uname");
	bool machine = read_line(root, "/etc/machine-id", f->machine_id, sizeof(f->machine_id));
	read_time_zone(root, f->time_zone, sizeof(f->time_zone));
	buf_clear(&f->facts);
	put_facts(&f->facts, root);
	f->host = (struct rec_host){
		.boot_id = f->boot_id,
		.machine_id = machine ? f->machine_id : NULL,
		.hostname = f->name.nodename,
		.kernel = f->name.release,
		.arch = f->name.machine,
		.hz = kernel_hz(),
		.time_zone = *f->time_zone ? f->time_zone : NULL,
		.cpus = sysconf(_SC_NPROCESSORS_ONLN),
		.facts = buf_str(&f->facts),
	};
	return f->facts.failed ? err_set(e, ERR_NOMEM, "host facts: out of memory") : 0;
}

void hostfacts_fini(struct hostfacts *f)
{
	buf_fini(&f->facts);
}
