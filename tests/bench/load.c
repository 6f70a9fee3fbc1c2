/*
 * load.c - a host full of sockets, on loopback, for measurements.
 *
 *   load SOCKETS [ACTIVE_PERCENT [CHURN_PER_S [LEAK_PER_S [SECONDS [PERIOD_S]]]]]
 *
 * SOCKETS established TCP sockets (both ends count) over as many processes as the limit of open
 * files asks for. ACTIVE_PERCENT of the connections exchange requests and answers of random size
 * at random times, each about every PERIOD_S (default 2) seconds. CHURN_PER_S connections per
 * second live for one request and leave TIME-WAIT. LEAK_PER_S connections per second are closed by
 * the client only: CLOSE-WAIT. Prints "ready" when all are up, ends after SECONDS (default 60), at
 * a signal, or when its parent dies.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAIRS_PER_PROCESS 8000
#define TICK_MS		  10

struct plan {
	unsigned pairs;
	unsigned active_percent;
	double churn_per_s;
	double leak_per_s;
	unsigned seconds;
	double period_s;
};

struct pair {
	int client;
	int server;
};

struct worker {
	struct plan plan;
	struct sockaddr_in address;
	int listener;
	struct pair *pairs;
	uint64_t seed;
	double churn_due;
	double leak_due;
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned below(struct worker *w, unsigned n)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((w->seed >> 33) % n);
}

static struct pair connect_pair(const struct worker *w)
{
	struct pair p = {.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (p.client < 0 ||
	    connect(p.client, (const struct sockaddr *)&w->address, sizeof(w->address)) != 0)
		die("connect");
	p.server = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (p.server < 0)
		die("accept");
	if (fcntl(p.client, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl");
	return p;
}

static void drain(int fd)
{
	char bytes[16384];
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

static void request(struct worker *w, const struct pair *p)
{
	static const char bytes[16384];
	if (write(p->client, bytes, 60 + below(w, 1200)) < 0 && errno != EAGAIN)
		die("write");
	drain(p->server);
	if (write(p->server, bytes, 100 + below(w, 9000)) < 0 && errno != EAGAIN)
		die("write");
	drain(p->client);
}

static void churn(struct worker *w)
{
	w->churn_due += w->plan.churn_per_s * TICK_MS / 1000;
	for (; w->churn_due >= 1; w->churn_due--) {
		struct pair p = connect_pair(w);
		request(w, &p);
		close(p.client);
		close(p.server);
	}
	w->leak_due += w->plan.leak_per_s * TICK_MS / 1000;
	for (; w->leak_due >= 1; w->leak_due--) {
		struct pair p = connect_pair(w);
		request(w, &p);
		close(p.client); /* and the server never notices */
	}
}

static void work(struct worker *w)
{
	unsigned active = w->plan.pairs * w->plan.active_percent / 100;
	double due = 0;
	for (unsigned ms = 0; ms < w->plan.seconds * 1000; ms += TICK_MS) {
		for (due += active * (TICK_MS / 1000.0) / w->plan.period_s; due >= 1; due--)
			request(w, &w->pairs[below(w, active) * w->plan.pairs / active]);
		churn(w);
		poll(NULL, 0, TICK_MS);
	}
}

static void run_worker(const struct plan *plan, unsigned index, int ready)
{
	struct worker w = {.plan = *plan, .seed = index + 1};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	char name[16];
	snprintf(name, sizeof(name), "load-%u", index);
	prctl(PR_SET_NAME, name);
	w.address.sin_family = AF_INET;
	w.address.sin_addr.s_addr = htonl(0x7f010000u + index + 1);
	w.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(w.address);
	if (w.listener < 0 || bind(w.listener, (struct sockaddr *)&w.address, len) != 0 ||
	    listen(w.listener, 4096) != 0 ||
	    getsockname(w.listener, (struct sockaddr *)&w.address, &len) != 0)
		die("listen");
	w.pairs = calloc(plan->pairs + 1, sizeof(*w.pairs));
	if (!w.pairs)
		die("calloc");
	for (unsigned i = 0; i < plan->pairs; i++)
		w.pairs[i] = connect_pair(&w);
	if (write(ready, "r", 1) != 1)
		die("write");
	work(&w);
	exit(0);
}

static double number(int argc, char **argv, int index, double otherwise)
{
	return index < argc ? strtod(argv[index], NULL) : otherwise;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: load SOCKETS [ACTIVE_PERCENT [CHURN_PER_S [LEAK_PER_S "
				"[SECONDS [PERIOD_S]]]]]\n");
		return 2;
	}
	unsigned pairs = (unsigned)number(argc, argv, 1, 0) / 2;
	unsigned workers = (pairs + PAIRS_PER_PROCESS - 1) / PAIRS_PER_PROCESS;
	workers = workers ? workers : 1;
	struct plan plan = {.active_percent = (unsigned)number(argc, argv, 2, 0),
			    .churn_per_s = number(argc, argv, 3, 0) / workers,
			    .leak_per_s = number(argc, argv, 4, 0) / workers,
			    .seconds = (unsigned)number(argc, argv, 5, 60),
			    .period_s = number(argc, argv, 6, 2)};
	int ready[2];
	signal(SIGPIPE, SIG_IGN);
	if (pipe(ready) != 0)
		die("pipe");
	for (unsigned i = 0; i < workers; i++) {
		plan.pairs = pairs / workers + (i < pairs % workers);
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			run_worker(&plan, i, ready[1]);
	}
	close(ready[1]);
	char byte;
	unsigned up = 0;
	while (up < workers && read(ready[0], &byte, 1) == 1)
		up++;
	printf(up == workers ? "ready\n" : "failed\n");
	fflush(stdout);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return up != workers;
}
