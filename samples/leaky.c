/*
 * leaky.c - a small service with a common fault, for the demo: it forgets to close some of the
 * connections that its clients have closed.
 *
 *   leaky [CONNECTIONS_PER_SECOND]
 *
 * Runs as two processes on loopback, "leaky-server" and "leaky-client", until it is ended. The
 * client keeps a few connections open and makes new ones all the time: it asks, reads the answer
 * and closes three questions later. The server closes, too, but every fourth connection it
 * forgets: that one stays in CLOSE-WAIT as long as the server lives.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FORGET_EVERY   4
#define KEPT_OPEN      3
#define CLOSE_LATER    3
#define CONNECTION_MAX 4096

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "leaky: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_on_loopback(struct sockaddr_in *ret_at)
{
	socklen_t len = sizeof(*ret_at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	*ret_at = (struct sockaddr_in){.sin_family = AF_INET};
	ret_at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)ret_at, len) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)ret_at, &len))
		die("listen");
	return fd;
}

/* Answers, or learns that the client has closed. Returns whether the connection is still of use. */
static int serve(int fd, unsigned number)
{
	char question[64];
	ssize_t got = recv(fd, question, sizeof(question), 0);
	if (got > 0)
		return send(fd, "hello\n", 6, MSG_NOSIGNAL) == 6;
	if (number % FORGET_EVERY == 0)
		return 0; /* the fault: its fd is forgotten, not closed */
	close(fd);
	return 0;
}

static _Noreturn void server_main(int listener)
{
	static struct pollfd fds[CONNECTION_MAX];
	static unsigned numbers[CONNECTION_MAX];
	unsigned count = 1, next_number = 1;
	prctl(PR_SET_NAME, "leaky-server");
	fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
	for (;;) {
		if (poll(fds, count, -1) < 0)
			die("poll");
		for (unsigned i = count; i-- > 1;) {
			if (!fds[i].revents || serve(fds[i].fd, numbers[i]))
				continue;
			fds[i] = fds[--count];
			numbers[i] = numbers[count];
		}
		if (!fds[0].revents || count == CONNECTION_MAX)
			continue;
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		numbers[count] = next_number++;
		fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
}

/* Asks once and returns the connection. Ends with the service. */
static int ask(const struct sockaddr_in *at)
{
	char answer[64];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof(*at)) ||
	    send(fd, "who?\n", 5, MSG_NOSIGNAL) != 5 || recv(fd, answer, sizeof(answer), 0) <= 0)
		_exit(0);
	return fd;
}

static _Noreturn void client_main(const struct sockaddr_in *at, unsigned per_second)
{
	struct timespec pause = {per_second == 1, 1000000000 / per_second % 1000000000};
	int open_fds[CLOSE_LATER];
	prctl(PR_SET_NAME, "leaky-client");
	for (unsigned i = 0; i < KEPT_OPEN; i++)
		ask(at);
	for (unsigned i = 0;; i++) {
		if (i >= CLOSE_LATER)
			close(open_fds[i % CLOSE_LATER]);
		open_fds[i % CLOSE_LATER] = ask(at);
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at;
	unsigned per_second = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
	if (per_second < 1 || per_second > 1000) {
		fprintf(stderr, "usage: leaky [CONNECTIONS_PER_SECOND], 1 to 1000\n");
		return 2;
	}
	int listener = listen_on_loopback(&at);
	pid_t parent = getpid(), client = fork();
	if (client < 0)
		die("fork");
	if (client == 0) {
		close(listener);
		/* Ends with the server, whatever becomes of that. */
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent)
			return 1;
		client_main(&at, per_second);
	}
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	server_main(listener);
}
