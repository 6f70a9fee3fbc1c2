/*
 * truth_trace.c - the kernel's own account of TCP states, from its tracepoint.
 *
 * What the tracepoint does not tell: when a half-open connection was born (the driver's connect()
 * does), and when the remnant of a socket that the application had closed went from FIN-WAIT-2 to
 * TIME-WAIT (between the peer's LAST-ACK and its end).
 */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "truth.h"

/* Printed times are rounded to microseconds. */
#define ROUND_NS 1000

#define PATH_BYTES 512

#define EVENT "/events/sock/inet_sock_set_state"
#define OURS  "sport == 7777 || dport == 7777 || sport == 7778 || dport == 7778"

static void instance_path(const char *tracing, const char *file, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/instances/slt-%d%s", tracing, (int)getpid(), file);
}

static bool put(const char *tracing, const char *file, const char *text)
{
	char path[PATH_BYTES];
	instance_path(tracing, file, path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

bool truth_trace_begin(const char *tracing)
{
	char path[PATH_BYTES];
	instance_path(tracing, "", path);
	if (mkdir(path, 0700))
		return false;
	if (put(tracing, "/trace_clock", "mono") && put(tracing, "/buffer_size_kb", "8192") &&
	    put(tracing, EVENT "/filter", OURS) && put(tracing, EVENT "/enable", "1"))
		return true;
	rmdir(path);
	return false;
}

static const struct {
	const char *name;
	uint8_t state;
} names[] = {
	{"TCP_ESTABLISHED", TCP_ESTABLISHED}, {"TCP_SYN_SENT", TCP_SYN_SENT},
	{"TCP_SYN_RECV", TCP_SYN_RECV},	      {"TCP_FIN_WAIT1", TCP_FIN_WAIT1},
	{"TCP_FIN_WAIT2", TCP_FIN_WAIT2},     {"TCP_CLOSE", TCP_CLOSE},
	{"TCP_CLOSE_WAIT", TCP_CLOSE_WAIT},   {"TCP_LAST_ACK", TCP_LAST_ACK},
	{"TCP_LISTEN", TCP_LISTEN},	      {"TCP_CLOSING", TCP_CLOSING},
};

static unsigned state_of(const char *name)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].state;
	return 0;
}

static struct end *find(struct play *plays, unsigned count, unsigned port, unsigned peer_port)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < 2; j++)
			if (plays[i].end[j].port == port && plays[i].end[j].peer_port == peer_port)
				return &plays[i].end[j];
	return NULL;
}

static void take_change(struct end *end, unsigned from, unsigned to, int64_t at_ns, int64_t mono_ns)
{
	bool remnant = to == TCP_CLOSE && (from == TCP_FIN_WAIT2 || from == TCP_CLOSING);
	if (to == TCP_SYN_RECV || to == from) /* close() after shutdown() sets the state anew */
		return;
	if (remnant && from == TCP_FIN_WAIT2 && end->closed_mono_ns &&
	    end->closed_mono_ns - ROUND_NS < mono_ns)
		return; /* still FIN-WAIT-2, but without a full socket */
	truth_note(end, remnant ? TCP_TIME_WAIT : to, at_ns - ROUND_NS, at_ns + ROUND_NS);
}

/* "  comm-123 [001] d.s.. 12345.678901: inet_sock_set_state: family=AF_INET ... sport=1 ..." */
static void take_line(const char *line, struct play *plays, unsigned count, int64_t real_ns)
{
	const char *event = strstr(line, ": inet_sock_set_state:");
	unsigned port, peer_port;
	char from[32], to[32];
	const char *ports = event ? strstr(event, "sport=") : NULL;
	const char *states = event ? strstr(event, "oldstate=") : NULL;
	if (!ports || !states || sscanf(ports, "sport=%u dport=%u", &port, &peer_port) != 2 ||
	    sscanf(states, "oldstate=%31s newstate=%31s", from, to) != 2)
		return;
	while (event > line && event[-1] != ' ')
		event--;
	char *dot;
	int64_t at_ns = strtoll(event, &dot, 10) * INT64_C(1000000000);
	at_ns += strtoll(dot + 1, NULL, 10) * 1000;
	struct end *end = find(plays, count, port, peer_port);
	const char *address = strstr(line, "saddr=");
	size_t len = strlen(truth_address);
	if (end && address && strncmp(address + 6, truth_address, len) == 0 &&
	    address[6 + len] == ' ')
		take_change(end, state_of(from), state_of(to), at_ns + real_ns, at_ns);
}

/* What the driver saw is replaced, but for the birth of half-open connections. */
static void forget_polled(struct play *plays, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		plays[i].end[0].count = 0;
		struct end *server = &plays[i].end[1];
		server->count = server->count && server->moments[0].state == TCP_SYN_RECV;
	}
}

static const struct moment *moment_of(const struct end *end, unsigned state)
{
	for (unsigned i = 0; i < end->count; i++)
		if (end->moments[i].state == state)
			return &end->moments[i];
	return NULL;
}

/* What is left of an end that was closed in FIN-WAIT-2 waits so long, then it is reaped. */
#define FIN_TIMEOUT_NS (INT64_C(60) * 1000000000)
/* Whoever is not acknowledged gives up in the end, but not so soon. */
#define GIVE_UP_NS (INT64_C(5) * 1000000000)
#define LATE_NS	   (INT64_C(2200) * 1000000)

/*
 * How FIN-WAIT-2 went on for an end whose application had closed it, from its peer's last moments:
 * it became TIME-WAIT if the peer's FIN came in time. If that was close nobody knows.
 */
static void infer_end(struct end *end, const struct end *peer)
{
	const struct moment *last_ack = moment_of(peer, TCP_LAST_ACK);
	const struct moment *gone = moment_of(peer, TCP_CLOSE);
	if (!end->count || end->moments[end->count - 1].state != TCP_FIN_WAIT2)
		return;
	/* Without LAST-ACK the two closed at once, or the peer has not closed: nobody knows. */
	if (!end->closed_ns || !last_ack)
		return;
	int64_t since_ns = end->moments[end->count - 1].lo_ns;
	since_ns = end->closed_ns > since_ns ? end->closed_ns : since_ns;
	int64_t lo_ns = since_ns + FIN_TIMEOUT_NS - LATE_NS;
	int64_t hi_ns = since_ns + FIN_TIMEOUT_NS + LATE_NS;
	int64_t fin_hi_ns = gone ? gone->hi_ns : truth_now_ns();
	bool came = gone && fin_hi_ns - last_ack->lo_ns < GIVE_UP_NS;
	bool never = gone && fin_hi_ns < end->closed_ns; /* the peer gave up before */
	if (never)
		truth_note(end, TCP_CLOSE, lo_ns, hi_ns);
	else if (came && fin_hi_ns < lo_ns)
		truth_note(end, TCP_TIME_WAIT, last_ack->lo_ns, fin_hi_ns);
	else if (last_ack->lo_ns > hi_ns)
		truth_note(end, TCP_CLOSE, lo_ns, hi_ns);
	else
		truth_note(end, TCP_CLOSE, last_ack->lo_ns < lo_ns ? last_ack->lo_ns : lo_ns,
			   fin_hi_ns > hi_ns ? fin_hi_ns : hi_ns);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool read_trace(const char *tracing, struct play *plays, unsigned count)
{
	char path[PATH_BYTES], line[1024];
	instance_path(tracing, "/trace", path);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	int64_t real_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	bool whole = true;
	forget_polled(plays, count);
	while (fgets(line, sizeof(line), file)) {
		unsigned long kept, written;
		const char *counts = strstr(line, "entries-written: ");
		if (counts && sscanf(counts, "entries-written: %lu/%lu", &kept, &written) == 2)
			whole = kept == written;
		take_line(line, plays, count, real_ns);
	}
	fclose(file);
	for (unsigned i = 0; i < count; i++) {
		infer_end(&plays[i].end[0], &plays[i].end[1]);
		infer_end(&plays[i].end[1], &plays[i].end[0]);
	}
	return whole;
}

bool truth_trace_end(const char *tracing, struct play *plays, unsigned count)
{
	char path[PATH_BYTES];
	put(tracing, EVENT "/enable", "0");
	bool whole = read_trace(tracing, plays, count);
	instance_path(tracing, "", path);
	rmdir(path);
	return whole;
}
