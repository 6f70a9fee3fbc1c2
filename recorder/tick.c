/* tick.c - see tick.h. */
#include "tick.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clocks.h"

/* tcpi_last_data_sent in struct tcp_info, include/uapi/linux/tcp.h. */
#define INFO_LAST_DATA_SENT 44
#define TCP_INFO_OPTION	    11

int tick_open(struct tick *t, struct err *e)
{
	t->last_ms = UINT64_C(1) << 32;
	t->base_us = 0;
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (t->fd < 0) /* a kernel without IPv4 */
		t->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	return t->fd < 0 ? err_errno(e, errno, "TCP socket") : 0;
}

void tick_close(struct tick *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

void tick_begin(struct tick *t)
{
	t->base_us = 0;
}

uint64_t tick_base(uint64_t base_us, uint64_t coarse_ns, uint32_t reading)
{
	const uint64_t turn_us = (UINT64_C(1) << 32) * 1000;
	uint64_t us = (coarse_ns / 1000 % turn_us + turn_us - UINT64_C(1000) * reading) % turn_us;
	bool later = (us + turn_us - base_us) % turn_us < turn_us / 2;
	return !base_us || later ? us : base_us;
}

uint64_t tick_extend(uint64_t last_ms, uint32_t reading)
{
	uint32_t ahead = reading - (uint32_t)last_ms;
	return ahead < UINT32_C(1) << 31 ? last_ms + ahead : last_ms;
}

uint64_t tick_read_ms(struct tick *t)
{
	uint8_t info[INFO_LAST_DATA_SENT + 4];
	socklen_t len = sizeof(info);
	uint32_t reading;
	uint64_t coarse_ns = clocks_read_ns(CLOCK_MONOTONIC_COARSE);
	if (getsockopt(t->fd, IPPROTO_TCP, TCP_INFO_OPTION, info, &len) || len < sizeof(info))
		return t->last_ms;
	memcpy(&reading, info + INFO_LAST_DATA_SENT, sizeof(reading));
	t->base_us = tick_base(t->base_us, coarse_ns, reading);
	/* The first reading is taken as it is, so that it may lie anywhere on the circle. */
	if (t->last_ms == UINT64_C(1) << 32)
		t->last_ms += reading;
	else
		t->last_ms = tick_extend(t->last_ms, reading);
	return t->last_ms;
}
