/* test_proc_parse.c - the text of /proc/PID, hostile names and paths of many container tools. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc_parse.h"

#define REST " S 42 100 100 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 987654 1000 200"

static bool piece_is(struct text_piece p, const char *want)
{
	return want ? p.at && p.len == strlen(want) && memcmp(p.at, want, p.len) == 0 : !p.at;
}

Test(proc_parse, stat_with_any_name)
{
	static const char *const names[] = {"bash",    "a b",	   "a) S 1 1 (b", ")",
					    "((((",    "",	   "\n",	  "x\ny)\n",
					    ") S 7 7", "\xff\xfe", "Web Content"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[256];
		int n = snprintf(text, sizeof(text), "4711 (%s)" REST "\n", names[i]);
		struct proc_stat s;
		cr_assert(proc_parse_stat(text, (size_t)n, &s), "%zu", i);
		cr_assert(piece_is(s.comm, names[i]), "%zu", i);
		cr_assert_eq(s.pid, 4711);
		cr_assert_eq(s.ppid, 42);
		cr_assert_eq(s.start_ticks, 987654);
	}
}

Test(proc_parse, stat_cut_at_every_byte)
{
	static const char text[] = "4711 (na me)" REST;
	const char *start = strstr(text, "987654");
	for (size_t n = 0; n < sizeof(text); n++) {
		char *exact = malloc(n ? n : 1);
		memcpy(exact, text, n);
		struct proc_stat s = {.pid = -7};
		bool whole = proc_parse_stat(exact, n, &s);
		cr_assert_eq(whole, text + n > start, "%zu", n);
		cr_assert_eq(s.pid, whole ? 4711 : -7);
		free(exact);
	}
}

Test(proc_parse, what_is_no_stat)
{
	static const char *const texts[] = {
		"x (a)" REST,
		"-1 (a)" REST,
		"1 a)" REST,
		"1 (a" REST,
		"99999999999999999999999 (a)" REST,
		"4294967296 (a)" REST,
		"1 (a) S -5 100 100 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 987654 1000 200",
		"1 (a) S 5 100 100 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 x 1000 200",
		"",
	};
	struct proc_stat s;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_not(proc_parse_stat(texts[i], strlen(texts[i]), &s), "%s", texts[i]);
}

Test(proc_parse, effective_uid)
{
	static const struct {
		const char *text;
		int64_t uid;
	} cases[] = {
		{"Name:\tx\nUmask:\t0022\nUid:\t1000\t33\t0\t1\nGid:\t5\t6\t7\t8\n", 33},
		{"Uid:\t0\t4294967295\t0\t0\n", 4294967295},
		{"Uid:\t0\t4294967296\t0\t0\n", -1},
		{"Name:\tUid:\t5\t6\nUid:\t1\t2\t3\t4\n", 2},
		{"Uid:\t1\n", -1},
		{"Uid:\t1\t", -1},
		{"Uid:\t1\tx", -1},
		{"Uid:", -1},
		{"Gid:\t1\t2\n", -1},
		{"", -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(proc_parse_uid(cases[i].text, strlen(cases[i].text)), cases[i].uid,
			     "%zu", i);
}

Test(proc_parse, cgroup_of_several_hierarchies)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"0::/system.slice/a.service\n", "/system.slice/a.service"},
		{"0::/\n", "/"},
		{"0::/x", "/x"},
		{"0::/a:b:c\n", "/a:b:c"},
		{"9:name=systemd:/s\n4:memory:/longer/path\n0::/\n", "/s"},
		{"9:name=systemd:/\n4:memory:/docker/abc\n1:cpu:/\n0::/\n", "/docker/abc"},
		{"9:name=systemd:/\n4:memory:/\n0::/\n", "/"},
		{"4:memory:/\n", "/"},
		{"4:cpu,cpuacct:/m\n", "/m"},
		{"nonsense\n1:x\n", NULL},
		{"", NULL},
		{"\n\n", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert(piece_is(proc_parse_cgroup(cases[i].text, strlen(cases[i].text)),
				   cases[i].path),
			  "%zu", i);
}

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

Test(proc_parse, containers)
{
	static const struct {
		const char *cgroup, *container;
	} cases[] = {
		{"/docker/" ID, ID},
		{"/system.slice/docker-" ID ".scope", ID},
		{"/kubepods.slice/kubepods-burstable.slice/cri-containerd-" ID ".scope", ID},
		{"/kubepods/besteffort/pod1234/" ID, ID},
		{"/machine.slice/libpod-" ID ".scope/container", ID},
		{"/crio-" ID "/sub", ID},
		{"/docker/" ID "/docker/" ID2, ID2},
		{"/a" ID, NULL}, /* 65 digits are no id */
		{"/docker/" ID "0", NULL},
		{"/lxc.payload.web1/system.slice", "web1"},
		{"/lxc/web2/init.scope", "web2"},
		{"/machine.slice/machine-web3.scope", "web3"},
		{"/machine.slice/machine-web3", NULL},
		{"/lxc/", NULL},
		{"/system.slice/sshd.service", NULL},
		{"/", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_piece cgroup = {cases[i].cgroup, strlen(cases[i].cgroup)};
		cr_assert(piece_is(proc_parse_container(cgroup), cases[i].container), "%s",
			  cases[i].cgroup);
	}
	cr_assert(piece_is(proc_parse_container((struct text_piece){0}), NULL));
}

Test(proc_parse, cmdline_becomes_one_line)
{
	static const struct {
		char text[32];
		size_t len;
		const char *line;
	} cases[] = {
		{"a\0b\0c", 6, "a b c"}, {"a\0\0b", 4, "a  b"}, {"\0\0", 2, ""}, {"", 0, ""},
		{"one\0", 4, "one"},	 {"cut", 3, "cut"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];
		memcpy(text, cases[i].text, sizeof(text));
		size_t n = proc_parse_cmdline(text, cases[i].len);
		cr_assert(n == strlen(cases[i].line) && !memcmp(text, cases[i].line, n), "%zu", i);
	}
}

Test(proc_parse, links)
{
	static const struct {
		const char *target;
		uint64_t inode;
	} cases[] = {
		{"socket:[12345]", 12345},
		{"socket:[4294967295]", 4294967295},
		{"socket:[18446744073709551616]", 0},
		{"socket:[]", 0},
		{"socket:[12345", 0},
		{"socket:[12345]x", 0},
		{"socket:12345]", 0},
		{"socket:[-1]", 0},
		{"pipe:[12345]", 0},
		{"socket", 0},
		{"/socket:[12345]", 0},
		{"", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(proc_parse_link(cases[i].target, strlen(cases[i].target), "socket"),
			     cases[i].inode, "%s", cases[i].target);
}

Test(proc_parse, numbers)
{
	uint32_t v = 7;
	cr_assert(proc_parse_number("4294967295", &v) && v == UINT32_MAX);
	cr_assert(proc_parse_number("0", &v) && v == 0);
	static const char *const others[] = {"", "4294967296", "1x", "x1", "-1", "+1", " 1", "."};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_assert_not(proc_parse_number(others[i], &v), "%s", others[i]);
}

Test(proc_parse, limit_of_open_files)
{
	static const struct {
		const char *text;
		uint64_t limit;
	} cases[] = {
		{"Max open files            1024                 524288               files\n",
		 1024},
		{"Limit  Soft\nMax cpu time  5\nMax open files 7", 7},
		{"Max open files            unlimited            unlimited            files\n", 0},
		{"Max open files            99999999999999999999 1 files\n", 0},
		{"Max open files ", 0},
		{"max open files 3\n", 0},
		{"", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(proc_parse_files_limit(cases[i].text, strlen(cases[i].text)),
			     cases[i].limit, "case %zu", i);
}
