/*
 * test_netns.c - network namespaces: what a fake /proc and /run tell of them, what the kernel's
 * counts leave possible in one, which of them a word of --netns means, and, where the test may,
 * going into one and coming back.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "diag_table.h"
#include "netns_enter.h"
#include "netns_facts.h"
#include "netns_use.h"
#include "tmpdir.h"

/* ---------------------------------------------------------------------------------- finding */

static void put_process(const struct tmpdir *dir, int pid, const char *target)
{
	cr_assert_eq(mkdir(tmpdir_path(dir, "%d", pid), 0755), 0);
	cr_assert_eq(mkdir(tmpdir_path(dir, "%d/ns", pid), 0755), 0);
	cr_assert_eq(symlink(target, tmpdir_path(dir, "%d/ns/net", pid)), 0);
}

static int find(struct netns_list *l, const struct tmpdir *dir)
{
	int fd = open(dir->path, O_RDONLY | O_DIRECTORY);
	int rc = netns_find(l, fd, dir->path, NULL);
	close(fd);
	return rc;
}

Test(netns, each_is_found_once)
{
	struct tmpdir dir = tmpdir_make();
	struct netns_list l = {0};
	for (int i = 0; i < 2; i++) {
		if (i == 0) {
			put_process(&dir, 1, "net:[900]");
			put_process(&dir, 20, "net:[300]");
			put_process(&dir, 30, "net:[900]");
			put_process(&dir, 40, "net:[500]");
			put_process(&dir, 50, "net:[nonsense]");
			put_process(&dir, 60, "mnt:[7]");
			cr_assert_eq(mkdir(tmpdir_path(&dir, "70"), 0755), 0);
			cr_assert_eq(mkdir(tmpdir_path(&dir, "net"), 0755), 0);
		}
		cr_assert_eq(find(&l, &dir), 0);
		cr_assert_eq(l.count, 3);
		cr_assert(l.items[0].inode == 300 && l.items[0].pid == 20 && !l.items[0].other_pid);
		cr_assert(l.items[1].inode == 500 && l.items[2].inode == 900);
		cr_assert_eq(l.items[2].pid + l.items[2].other_pid, 31, "both processes");
		cr_assert_null(netns_text(&l, l.items[0].name));
		cr_assert(!l.denied && !l.cut);
	}
	netns_list_fini(&l);
	tmpdir_remove(&dir);
}

Test(netns, there_may_be_too_many)
{
	struct tmpdir dir = tmpdir_make();
	struct netns_list l = {0};
	char target[32];
	for (int i = 0; i < NETNS_MAX + 3; i++) {
		snprintf(target, sizeof(target), "net:[%d]", 100000 + i);
		put_process(&dir, i + 1, target);
	}
	cr_assert_eq(find(&l, &dir), 0);
	cr_assert(l.count == NETNS_MAX && l.cut);
	netns_list_fini(&l);
	tmpdir_remove(&dir);
}

Test(netns, a_namespace_that_is_gone_and_a_proc_that_cannot_be_read)
{
	struct tmpdir dir = tmpdir_make();
	struct netns_list l = {0};
	struct err e = {0};
	put_process(&dir, 20, "net:[300]");
	int fd = open(dir.path, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(netns_find(&l, fd, dir.path, &e), 0);
	cr_assert_eq(netns_enter(&l.items[0], &l, fd, &e), ERR_NOT_FOUND);
	/* The pid is of another process by now, in another namespace. */
	cr_assert_eq(unlink(tmpdir_path(&dir, "20/ns/net")), 0);
	tmpdir_write(tmpdir_path(&dir, "20/ns/net"), "", 0);
	cr_assert_eq(netns_enter(&l.items[0], &l, fd, &e), ERR_NOT_FOUND);
	close(fd);
	cr_assert_eq(netns_find(&l, -1, "", &e), ERR_IO);
	netns_list_fini(&l);
	tmpdir_remove(&dir);
}

Test(netns, words_of_the_option)
{
	static const char *const id =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct {
		const char *word;
		bool with_name, with_container;
	} cases[] = {
		{"blue", true, false},
		{"blu", false, false},
		{"blue2", false, false},
		{"self", false, false},
		{"4026532177", true, true},
		{"402653217", false, false},
		{"0123456789ab", false, true},
		{"0123456789a", false, false},
		{"", false, false},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *w = cases[i].word;
		cr_assert_eq(netns_is_named(w, strlen(w), 4026532177, "blue", NULL),
			     cases[i].with_name, "'%s'", w);
		cr_assert_eq(netns_is_named(w, strlen(w), 4026532177, NULL, id),
			     cases[i].with_container, "'%s'", w);
	}
	cr_assert(netns_is_named("web", 3, 1, NULL, "web"), "a short name of a container, whole");
	cr_assert(netns_is_named("blue,red", 4, 1, "blue", NULL));
}

/* ---------------------------------------------------------------------- what can be in one */

#define HEAD "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in\n"
#define LINE(name, sockets)                                                                        \
	name " 1152 " sockets "      -1   NI       0   yes  kernel      y  n  n  n  n  n\n"
#define STAT(used, tcp, tw, udp)                                                                   \
	"sockets: used " used "\nTCP: inuse " tcp " orphan 3 tw " tw " alloc 933 mem 737\n"        \
	"UDP: inuse " udp " mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n"
#define STAT6(tcp)                                                                                 \
	"TCP6: inuse " tcp "\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0\n"

Test(netns, what_the_counts_leave_possible)
{
	static const struct {
		const char *what;
		struct netns_use_files files;
		unsigned own;
		struct netns_use want; /* no_inet, no_mptcp, all_active */
	} cases[] = {
		{"empty",
		 {STAT("0", "0", "0", "0"), STAT6("0"), HEAD LINE("TCP", "0")},
		 0,
		 {1, 1, 1}},
		{"no IPv6", {STAT("0", "0", "0", "0"), "", HEAD LINE("TCP", "0")}, 0, {1, 1, 1}},
		{"unix and netlink only",
		 {STAT("5", "0", "0", "0"), STAT6("0"),
		  HEAD LINE("UNIX", "2") LINE("UNIX-STREAM", "1") LINE("NETLINK", "1")
			  LINE("PACKET", "1") LINE("RAW", "0")},
		 0,
		 {1, 1, 1}},
		{"one is counted nowhere else: bound but inactive, perhaps",
		 {STAT("1", "0", "0", "0"), STAT6("0"), HEAD LINE("TCP", "0")},
		 0,
		 {0, 1, 0}},
		{"but it is our own",
		 {STAT("1", "0", "0", "0"), STAT6("0"), HEAD LINE("TCP", "0")},
		 1,
		 {1, 1, 1}},
		{"TIME-WAIT alone",
		 {STAT("0", "0", "1", "0"), STAT6("0"), HEAD LINE("TCP", "0")},
		 0,
		 {0, 1, 1}},
		{"a connection",
		 {STAT("2", "2", "0", "0"), STAT6("0"), HEAD LINE("TCP", "2")},
		 0,
		 {0, 1, 1}},
		{"IPv6 alone",
		 {STAT("1", "0", "0", "0"), STAT6("1"), HEAD LINE("TCPv6", "1")},
		 0,
		 {0, 1, 1}},
		{"the files do not agree: a socket came between",
		 {STAT("1", "0", "0", "0"), STAT6("1"), HEAD LINE("UNIX", "1")},
		 0,
		 {0, 1, 1}},
		{"a kernel's own socket",
		 {STAT("0", "0", "0", "1"), STAT6("0"), HEAD LINE("UDP", "1")},
		 0,
		 {0, 1, 1}},
		{"MPTCP",
		 {STAT("4", "2", "0", "0"), STAT6("0"), HEAD LINE("MPTCP", "2") LINE("TCP", "2")},
		 0,
		 {0, 0, 0}},
		{"a protocol that we do not know",
		 {STAT("1", "0", "0", "0"), STAT6("0"), HEAD LINE("SMC", "1")},
		 0,
		 {0, 1, 0}},
		{"a protocol without a count",
		 {STAT("0", "0", "0", "0"), STAT6("0"), HEAD LINE("ODD", "-1")},
		 0,
		 {1, 1, 1}},
		{"nothing", {"", "", ""}, 0, {0, 0, 0}},
		{"no such line", {"sockets: used 0\n", "", HEAD}, 0, {0, 1, 1}},
		{"cut off", {STAT("0", "0", "0", "0"), STAT6("0"), HEAD "TCP 11"}, 0, {0, 0, 0}},
		{"not numbers", {"sockets: used many\n", "", HEAD}, 0, {0, 0, 0}},
		{"another file", {STAT("0", "0", "0", "0"), "", "hello\n"}, 0, {0, 0, 0}},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct netns_use u = netns_use_of(&cases[i].files, cases[i].own, true);
		const struct netns_use *w = &cases[i].want;
		cr_assert(u.no_inet == w->no_inet && u.no_mptcp == w->no_mptcp &&
				  u.all_active == w->all_active,
			  "%s: %d %d %d", cases[i].what, u.no_inet, u.no_mptcp, u.all_active);
	}
	const struct netns_use_files with_tcp = {STAT("1", "1", "0", "0"), STAT6("0"),
						 HEAD LINE("TCP", "1")};
	cr_assert(!netns_use_of(&with_tcp, 0, false).no_mptcp, "an older kernel counts none");
}

Test(netns, releases_of_the_kernel)
{
	cr_assert(netns_kernel_is("6.2.0-arch1", 6, 2) && netns_kernel_is("6.18.44-fc", 6, 2) &&
		  netns_kernel_is("7.0", 6, 2) && netns_kernel_is("6.8", 6, 8));
	cr_assert(!netns_kernel_is("6.1.99", 6, 2) && !netns_kernel_is("5.15", 6, 2) &&
		  !netns_kernel_is("", 6, 2) && !netns_kernel_is("linux", 6, 2));
}

Test(netns, bound_sockets_are_left_out_of_a_request_for_tcp_alone)
{
	for (unsigned i = 0; i < diag_tables_count; i++) {
		uint8_t a[DIAG_REQUEST_MAX] = {0}, b[DIAG_REQUEST_MAX] = {0};
		diag_table_request(&diag_tables[i], a);
		memcpy(b, a, sizeof(a));
		diag_table_leave_out_bound(&diag_tables[i], b);
		bool is_tcp = diag_tables[i].proto == PROTO_TCP;
		cr_assert_eq(memcmp(a, b, sizeof(a)) != 0, is_tcp, "%s", diag_tables[i].name);
		if (is_tcp)
			cr_assert_eq(a[53] ^ b[53], 0x20, "bit 13 of idiag_states");
	}
}

/* ------------------------------------------------------------------------------- settings */

static void put_sysctl(const struct tmpdir *dir, const char *name, const char *value)
{
	mkdir(tmpdir_path(dir, "sys"), 0755);
	mkdir(tmpdir_path(dir, "sys/net"), 0755);
	mkdir(tmpdir_path(dir, "sys/net/core"), 0755);
	mkdir(tmpdir_path(dir, "sys/net/ipv4"), 0755);
	tmpdir_write(tmpdir_path(dir, "sys/net/%s", name), value, strlen(value));
}

static void read_facts(const struct tmpdir *dir, struct netns_facts *f)
{
	int fd = open(dir->path, O_RDONLY | O_DIRECTORY);
	netns_facts_read(f, fd);
	close(fd);
}

Test(netns, settings_that_differ_from_the_hosts)
{
	static struct netns_facts host, other;
	struct tmpdir dir = tmpdir_make();
	CLEANUP(buf_fini) struct buf json = {0};
	put_sysctl(&dir, "core/somaxconn", "4096\n");
	put_sysctl(&dir, "ipv4/tcp_fin_timeout", "60\n");
	put_sysctl(&dir, "ipv4/tcp_max_tw_buckets", "1000\n");
	read_facts(&dir, &host);
	netns_facts_json(&host, &host, &json);
	cr_assert_str_eq(buf_str(&json), "{}");
	put_sysctl(&dir, "ipv4/tcp_fin_timeout", "15\n");
	put_sysctl(&dir, "ipv4/tcp_ehash_entries", "-262144\n");
	put_sysctl(&dir, "ipv4/ip_local_port_range", "1024\t65000\n");
	cr_assert_eq(unlink(tmpdir_path(&dir, "sys/net/ipv4/tcp_max_tw_buckets")), 0);
	read_facts(&dir, &other);
	buf_clear(&json);
	netns_facts_json(&other, &host, &json);
	cr_assert_str_eq(buf_str(&json), "{\"ip_local_port_range\":[1024,65000],"
					 "\"tcp_ehash_entries\":-262144,\"tcp_fin_timeout\":15}");
	tmpdir_remove(&dir);
}

/* ------------------------------------------------------------------------------- entering */

/* A process in a namespace of its own; 0: that is not permitted here. */
static pid_t apart(void)
{
	int ready[2];
	char c;
	cr_assert_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	bool there = read(ready[0], &c, 1) == 1;
	close(ready[0]);
	if (!there)
		waitpid(pid, NULL, 0);
	return there ? pid : 0;
}

Test(netns, in_and_back)
{
	struct netns_list l = {0};
	struct netns_home home, now;
	struct err e = {0};
	struct stat st;
	pid_t pid = apart();
	if (!pid)
		cr_skip_test("namespaces cannot be made here");
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY);
	cr_assert_eq(stat(tmpdir_path(&(struct tmpdir){"/proc"}, "%d/ns/net", (int)pid), &st), 0);
	netns_home_open(&home, proc_fd);
	cr_assert_eq(netns_find(&l, proc_fd, "", &e), 0, "%s", e.text);
	size_t i = 0;
	while (i < l.count && l.items[i].inode != st.st_ino)
		i++;
	cr_assert_lt(i, l.count, "it is found");
	cr_assert_eq((pid_t)l.items[i].pid, pid);

	int here = socket(AF_NETLINK, SOCK_RAW, 4);
	cr_assert_eq(netns_enter(&l.items[i], &l, proc_fd, &e), 0, "%s", e.text);
	netns_home_open(&now, proc_fd);
	cr_assert_eq(now.inode, st.st_ino);
	netns_home_close(&now);
	int there = socket(AF_NETLINK, SOCK_RAW, 4);
	cr_assert(netns_cookie(there) == 0 || netns_cookie(there) != netns_cookie(here));
	close(there);
	cr_assert_eq(netns_leave(&home, &e), 0, "%s", e.text);
	netns_home_open(&now, proc_fd);
	cr_assert_eq(now.inode, home.inode);

	/* When its last process is gone, so is it: nothing of ours keeps it. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_assert_eq(netns_enter(&l.items[i], &l, proc_fd, &e), ERR_NOT_FOUND);
	cr_assert_eq(netns_cookie(-1), 0);
	close(here);
	close(proc_fd);
	netns_home_close(&now);
	netns_home_close(&home);
	netns_list_fini(&l);
}
