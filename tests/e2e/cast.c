/*
 * cast.c - processes and sockets that are hard to attribute, for namespaces.sh.
 *
 *   cast scene       a socket pair of which a child has the other end; a listener shared by three
 *                    forked workers; a listener that was passed to a child and is held by nobody
 *                    else. Prints, each on a line: "pair PID INODE PID INODE", "shared PORT PID
 *                    PID PID PID", "passed PORT PID", "ready"; stays until a signal or its
 *                    parent's end.
 *   cast crowd N     N children, each with a listener in a network namespace of its own. Prints
 *                    "ready"; when it ends so do they.
 *   cast flicker     children that open sockets and exit at once, for ever.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 3

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A child that dies with us. 0 in the child, which has the name. */
static pid_t spawn(const char *name)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
	}
	return pid;
}

static void stay(void)
{
	for (;;)
		pause();
}

static unsigned long inode_of(int fd)
{
	struct stat st;
	if (fstat(fd, &st))
		die("fstat");
	return st.st_ino;
}

static int listener(unsigned *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (void *)&a, sizeof(a)) || listen(fd, 5) ||
	    getsockname(fd, (void *)&a, &len))
		die("listener");
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void pair(void)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		die("socketpair");
	pid_t pid = spawn("cast-end");
	if (pid == 0) {
		close(fds[0]);
		stay();
	}
	printf("pair %d %lu %d %lu\n", (int)getpid(), inode_of(fds[0]), (int)pid, inode_of(fds[1]));
	close(fds[1]);
}

static void shared(void)
{
	unsigned port;
	pid_t pids[WORKERS];
	listener(&port);
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = spawn("cast-worker");
		if (pids[i] == 0)
			stay();
	}
	printf("shared %u %d", port, (int)getpid());
	for (int i = 0; i < WORKERS; i++)
		printf(" %d", (int)pids[i]);
	printf("\n");
}

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void send_fd(int to, int fd)
{
	union control c = {{0}};
	struct iovec v = {.iov_base = (char[1]){0}, .iov_len = 1};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c.bytes)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	*h = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	if (sendmsg(to, &m, 0) != 1)
		die("sendmsg");
}

static void receive_fd(int from)
{
	union control c = {{0}};
	struct iovec v = {.iov_base = (char[1]){0}, .iov_len = 1};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = &c,
			   .msg_controllen = sizeof(c.bytes)};
	if (recvmsg(from, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		die("recvmsg");
	if (write(from, "", 1) != 1)
		die("write");
}

static void passed(void)
{
	int way[2];
	unsigned port;
	char done;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, way))
		die("socketpair");
	pid_t pid = spawn("cast-heir");
	if (pid == 0) {
		close(way[0]);
		receive_fd(way[1]);
		stay();
	}
	int fd = listener(&port);
	send_fd(way[0], fd);
	if (read(way[0], &done, 1) != 1)
		die("read");
	close(fd);
	close(way[1]);
	printf("passed %u %d\n", port, (int)pid);
}

static void crowd(int n)
{
	int ready[2];
	char c;
	unsigned port;
	if (pipe(ready))
		die("pipe");
	for (int i = 0; i < n; i++) {
		if (spawn("cast-crowd") == 0) {
			if (unshare(CLONE_NEWNET))
				die("unshare");
			listener(&port);
			if (write(ready[1], "", 1) != 1)
				die("write");
			stay();
		}
	}
	close(ready[1]);
	for (int i = 0; i < n; i++)
		if (read(ready[0], &c, 1) != 1)
			die("a child");
}

static void flicker(void)
{
	for (;;) {
		unsigned port;
		if (spawn("cast-flicker") == 0) {
			for (int i = 0; i < 20; i++)
				listener(&port);
			_exit(0);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		usleep(2000);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setlinebuf(stdout);
	if (strcmp(what, "scene") == 0) {
		/* First the heir: what is opened later it must not inherit. */
		passed();
		pair();
		shared();
	} else if (strcmp(what, "crowd") == 0 && argc > 2) {
		crowd(atoi(argv[2]));
	} else if (strcmp(what, "flicker") == 0) {
		flicker();
	} else {
		fprintf(stderr, "usage: cast scene | crowd N | flicker\n");
		return 2;
	}
	puts("ready");
	stay();
}
