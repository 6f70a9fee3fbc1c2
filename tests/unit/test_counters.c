/* test_counters.c - the text of /proc/net/snmp and netstat. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"

struct seen {
	char text[4096];
	unsigned count;
	int fail;
};

static int note(void *ctx, const char *name, int64_t value, struct err *e)
{
	struct seen *s = ctx;
	if (s->fail)
		return err_set(e, ERR_FULL, "full");
	size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof(s->text) - n, "%s=%lld ", name, (long long)value);
	s->count++;
	return 0;
}

static const char *parse(struct seen *s, const char *text, size_t len)
{
	char *exact = malloc(len ? len : 1);
	memset(s, 0, sizeof(*s));
	memcpy(exact, text, len);
	cr_assert_eq(counters_parse(exact, len, note, s, NULL), 0);
	free(exact);
	return s->text;
}

Test(counters, cases)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"Tcp: RtoMin ActiveOpens PassiveOpens\nTcp: 200 7 8\n",
		 "Tcp.ActiveOpens=7 Tcp.PassiveOpens=8 "},
		{"Ip: InSegs\nIp: 5\nTcp: InSegs\nTcp: 6\n", "Tcp.InSegs=6 "},
		{"Udp: NoPorts\nUdp: -3\nTcpExt: TW ListenDrops\nTcpExt: 1 2\n",
		 "Udp.NoPorts=-3 TcpExt.TW=1 TcpExt.ListenDrops=2 "},
		{"Tcp: InSegs OutSegs\nTcp: 1\n", "Tcp.InSegs=1 "},
		{"Tcp: InSegs\nTcp: 1 2 3\n", "Tcp.InSegs=1 "},
		{"Tcp: InSegs OutSegs\nTcp: x 2\n", "Tcp.OutSegs=2 "},
		{"Tcp: InSegs\nUdp: 1\n", ""},
		{"Tcp: InSegs\nTcp: 1", ""}, /* cut off: could be the 1 of 17 */
		{"Tcp: InSegs\n", ""},
		{"\n\n\n\n", ""},
		{":\n:\n", ""},
		{"", ""},
	};
	struct seen s;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_str_eq(parse(&s, cases[i].text, strlen(cases[i].text)), cases[i].want,
				 "%zu", i);
}

Test(counters, cut_at_every_byte)
{
	static const char text[] = "Tcp: InSegs OutSegs\nTcp: 17 18\nUdp: NoPorts\nUdp: 19\n";
	struct seen s;
	for (size_t n = 0; n < sizeof(text); n++) {
		parse(&s, text, n);
		cr_assert(s.count == 0 || s.count == 2 || s.count == 3);
	}
	cr_assert_str_eq(s.text, "Tcp.InSegs=17 Tcp.OutSegs=18 Udp.NoPorts=19 ");
}

Test(counters, an_error_is_passed_on)
{
	struct seen s = {.fail = 1};
	static const char text[] = "Tcp: InSegs\nTcp: 17\n";
	cr_assert_eq(counters_parse(text, sizeof(text) - 1, note, &s, NULL), ERR_FULL);
}

/* Every wanted name that this kernel has is found, so that the table's order is right. */
Test(counters, of_this_kernel)
{
	static char text[COUNTERS_FILE_MAX];
	struct seen s;
	unsigned found = 0;
	static const char *const files[] = {"/proc/self/net/snmp", "/proc/self/net/netstat"};
	for (size_t i = 0; i < 2; i++) {
		int fd = open(files[i], O_RDONLY);
		ssize_t n = read(fd, text, sizeof(text));
		close(fd);
		cr_assert_gt(n, 0);
		parse(&s, text, (size_t)n);
		found += s.count;
	}
	cr_assert_geq(found, 40, "%u", found);
}
