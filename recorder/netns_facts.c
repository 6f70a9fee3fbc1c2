/* netns_facts.c - see netns_facts.h. */
#include "netns_facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hostfacts.h"

/* Below /proc/sys/net: what rules about dwell times, ports and tables look at. */
static const char *const sysctls[] = {
	"core/somaxconn",
	"ipv4/ip_local_port_range",
	"ipv4/ip_local_reserved_ports",
	"ipv4/tcp_abort_on_overflow",
	"ipv4/tcp_ehash_entries",
	"ipv4/tcp_fin_timeout",
	"ipv4/tcp_keepalive_intvl",
	"ipv4/tcp_keepalive_probes",
	"ipv4/tcp_keepalive_time",
	"ipv4/tcp_max_syn_backlog",
	"ipv4/tcp_max_tw_buckets",
	"ipv4/tcp_orphan_retries",
	"ipv4/tcp_retries2",
	"ipv4/tcp_syn_linear_timeouts",
	"ipv4/tcp_syn_retries",
	"ipv4/tcp_synack_retries",
	"ipv4/tcp_syncookies",
	"ipv4/tcp_tw_reuse",
};
_Static_assert(sizeof(sysctls) / sizeof(sysctls[0]) == NETNS_FACTS, "as many as there is room for");

static void read_value(int proc_fd, const char *name, char ret[NETNS_FACT_BYTES])
{
	char path[64];
	*ret = '\0';
	snprintf(path, sizeof(path), "sys/net/%s", name);
	int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	ssize_t n = read(fd, ret, NETNS_FACT_BYTES - 1);
	close(fd);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

void netns_facts_read(struct netns_facts *f, int proc_fd)
{
	for (size_t i = 0; i < NETNS_FACTS; i++)
		read_value(proc_fd, sysctls[i], f->value[i]);
}

void netns_facts_json(const struct netns_facts *f, const struct netns_facts *host, struct buf *json)
{
	const char *between = "";
	buf_put_str(json, "{");
	for (size_t i = 0; i < NETNS_FACTS; i++) {
		if (!*f->value[i] || strcmp(f->value[i], host->value[i]) == 0)
			continue;
		buf_printf(json, "%s\"%s\":", between, strchr(sysctls[i], '/') + 1);
		hostfacts_put_value(json, f->value[i]);
		between = ",";
	}
	buf_put_str(json, "}");
}
