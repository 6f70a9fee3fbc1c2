/*
 * test_filter_fault.c - memory that runs out at the n-th allocation, for every n: reading and
 * writing a filter fails with ERR_NOMEM, or gives what it gives otherwise, and leaves nothing
 * behind (sanitizers and valgrind look). The linker puts __wrap_* in the place of the allocators.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "filter_names.h"

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static long left = -1; /* allocations that succeed yet; < 0: all */

static bool runs_out(void)
{
	if (left < 0)
		return false;
	return left == 0 || left-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return runs_out() ? NULL : __real_realloc(p, size);
}

/* The SQL of a filter into *sql; returns what failed. */
static int translate(const char *text, struct buf *sql)
{
	struct filter_env env = filter_socket_env();
	struct filter *f = NULL;
	struct filter_args args = {0};
	struct err e = {0};
	env.resolver = filter_test_resolver();
	int rc = filter_parse(text, &env, &f, NULL, &e);
	if (rc) {
		cr_expect_null(f);
		cr_expect_eq(rc, e.code, "%s", text);
		return rc;
	}
	rc = filter_to_sql(f, sql, &args, &e);
	filter_args_fini(&args);
	filter_free(f);
	return rc;
}

/* Returns at how many allocations it failed. */
static long fail_everywhere(const char *text)
{
	struct buf whole = {0};
	cr_assert_eq(translate(text, &whole), 0, "%s", text);
	const char *expected = buf_str(&whole);
	long n = 0;
	for (bool failed = true; failed; n++) {
		struct buf sql = {0};
		left = n;
		int rc = translate(text, &sql);
		left = -1;
		failed = rc != 0;
		cr_assert(rc == 0 || rc == ERR_NOMEM, "%s: %d", text, rc);
		if (!failed)
			cr_assert_str_eq(buf_str(&sql), expected);
		buf_fini(&sql);
	}
	buf_fini(&whole);
	return n - 1;
}

Test(filter_fault, memory_that_runs_out_anywhere)
{
	static const char *const texts[] = {
		"state established",
		"dst kafka.example:ssh or user = root",
		"not (sport = :22 dport = :80 or src [fe80::]/10 dst 10/8) and comm = a\\*b",
		"src unix:/run/* or src link:arp:eth0 or src netlink:rtnl:kernel or src vsock:3",
		"cgroup /sys/fs/cgroup fwmark 1/3 autobound timer = off rtt > 20ms recvq > 1.5k",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_gt(fail_everywhere(texts[i]), 3, "%s", texts[i]);
}

Test(filter_fault, memory_that_runs_out_of_a_long_filter)
{
	struct buf text = {0};
	buf_put_str(&text, "comm = x");
	for (int i = 0; i < 300; i++)
		buf_printf(&text, " or dst 10.0.%d.1:%d and comm = \"a name of some length %d\"",
			   i % 256, i, i);
	cr_expect_gt(fail_everywhere(buf_str(&text)), 15);
	buf_fini(&text);
}
