/*
 * moments.c - ends recorders at random moments and looks at what they leave.
 *
 *   moments RECORD FILE one-shot|service TERM|KILL COUNT SEED
 *
 * After each: the file is sound, nothing that was reported (a line of --stats, exit code 0) is
 * lost, and the next run goes on. Prints a line "ok" or "not ok". With KEEP=DIR in the environment
 * the file and its journal, as they were before anybody opened them, are copied there when
 * something is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sound.h"

/* A service is given so long at most, and takes a snapshot so often. */
#define SERVICE_US 150000
#define INTERVAL   "10ms"

struct test {
	const char *record;
	const char *file;
	const char *mode;
	bool service;
	int signal;
	unsigned count;
	uint64_t seed;
	uint64_t span_us; /* moments lie within it */
	int out, err;
	int64_t reported; /* last snapshot that was */
	int64_t there;	  /* last one in the file */
	unsigned hit;	  /* runs that were still under way */
	unsigned wrote;	  /* snapshots reported by runs that were ended */
};

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static uint64_t below(struct test *t, uint64_t n)
{
	t->seed = t->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (t->seed >> 33) % (n ? n : 1);
}

static void copy(const char *from, const char *dir, const char *suffix)
{
	char path[4096], bytes[65536];
	const char *base = strrchr(from, '/');
	snprintf(path, sizeof(path), "%s/%s%s", dir, base ? base + 1 : from, suffix);
	char source[4096];
	snprintf(source, sizeof(source), "%s%s", from, suffix);
	int in = open(source, O_RDONLY), out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;
	if (in < 0)
		unlink(path);
	while (in >= 0 && out >= 0 && (n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			break;
	close(in);
	close(out);
}

static void keep(const struct test *t)
{
	const char *dir = getenv("KEEP");
	if (!dir)
		return;
	copy(t->file, dir, "");
	copy(t->file, dir, "-journal");
}

static int fail(const struct test *t, unsigned i, const char *why)
{
	printf("not ok %u %s runs ended by SIG%s: at number %u: %s\n", t->count, t->mode,
	       t->signal == SIGKILL ? "KILL" : "TERM", i, why);
	return 1;
}

/* Starts a recorder; `service` as the test has it. */
static pid_t start(const struct test *t, bool service)
{
	if (ftruncate(t->out, 0) || ftruncate(t->err, 0))
		return -1;
	pid_t pid = fork();
	if (pid)
		return pid;
	dup2(t->out, STDOUT_FILENO);
	dup2(t->err, STDERR_FILENO);
	execl(t->record, "socklapse-record", "-q", "--stats", "-o", t->file,
	      service ? "-i" : (char *)NULL, INTERVAL, (char *)NULL);
	_exit(127);
}

/* Reads whole lines of --stats: the last snapshot that the run reported. */
static void take_reports(struct test *t)
{
	char line[4096];
	FILE *f = fdopen(dup(t->out), "r");
	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		long long id;
		if (!strchr(line, '\n') || sscanf(line, "{\"snapshot\":%lld", &id) != 1)
			continue;
		t->reported = id;
		t->wrote++;
	}
	fclose(f);
}

static bool said_something(const struct test *t, char ret[256])
{
	ssize_t n = pread(t->err, ret, 255, 0);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return n > 0;
}

static bool look(struct test *t, char why[512])
{
	int64_t last = 0;
	keep(t);
	bool good = sound(t->file, t->there, &last, why);
	if (!good && !t->reported && (strstr(why, "empty") || strstr(why, "No such file")))
		return true; /* killed before the first snapshot */
	if (good && last < t->reported) {
		snprintf(why, 512, "snapshot %lld was reported, the last is %lld",
			 (long long)t->reported, (long long)last);
		good = false;
	}
	t->there = last;
	return good;
}

/* A run that nobody ends. */
static bool go_on(struct test *t, char why[512])
{
	int status;
	char said[256];
	pid_t pid = start(t, false);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		said_something(t, said);
		snprintf(why, 512, "the next run does not go on: %s", said);
		return false;
	}
	int64_t before = t->there;
	take_reports(t);
	if (!look(t, why))
		return false;
	if (t->there == before + 1)
		return true;
	snprintf(why, 512, "after snapshot %lld came %lld", (long long)before, (long long)t->there);
	return false;
}

static bool end_one(struct test *t, char why[512])
{
	int status;
	char said[256];
	pid_t pid = start(t, t->service);
	usleep((useconds_t)below(t, t->span_us));
	bool alive = waitpid(pid, &status, WNOHANG) == 0;
	t->hit += alive;
	/* How long a run takes changes with what else the machine does. */
	if (!t->service)
		t->span_us = alive ? t->span_us + t->span_us / 32 : t->span_us - t->span_us / 8;
	if (alive) {
		kill(pid, t->signal);
		waitpid(pid, &status, 0);
	}
	take_reports(t);
	bool by_signal = WIFSIGNALED(status) && WTERMSIG(status) == t->signal;
	if (said_something(t, said) ||
	    !(by_signal || (WIFEXITED(status) && !WEXITSTATUS(status)))) {
		snprintf(why, 512, "status %x, it said '%s'", (unsigned)status, said);
		return false;
	}
	return look(t, why);
}

static int run(struct test *t)
{
	char why[512] = "cannot be started";
	uint64_t begin = now_us();
	if (!go_on(t, why))
		return fail(t, 0, why);
	t->span_us = t->service ? SERVICE_US : (now_us() - begin) * 6 / 5;
	t->wrote = 0;
	for (unsigned i = 1; i <= t->count; i++) {
		if (!end_one(t, why))
			return fail(t, i, why);
		unsigned wrote = t->wrote;
		/* Services are often; runs between them now and then will do. */
		if ((!t->service || i % 10 == 0) && !go_on(t, why))
			return fail(t, i, why);
		t->wrote = wrote;
	}
	if (t->hit < t->count / 2)
		return fail(t, t->count, "most runs were over before they were ended");
	printf("ok %u %s runs ended by SIG%s within %.0f ms: %u still at work, %u snapshots "
	       "reported by them, %lld in the file\n",
	       t->count, t->mode, t->signal == SIGKILL ? "KILL" : "TERM", (double)t->span_us / 1000,
	       t->hit, t->wrote, (long long)t->there);
	return 0;
}

static int scratch(const char *file, const char *suffix)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s.%s", file, suffix);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	unlink(path);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		fprintf(stderr,
			"usage: moments RECORD FILE one-shot|service TERM|KILL COUNT SEED\n");
		return 2;
	}
	struct test t = {.record = argv[1],
			 .file = argv[2],
			 .mode = argv[3],
			 .service = strcmp(argv[3], "service") == 0,
			 .signal = strcmp(argv[4], "KILL") == 0 ? SIGKILL : SIGTERM,
			 .count = (unsigned)strtoul(argv[5], NULL, 10),
			 .seed = strtoul(argv[6], NULL, 10)};
	t.out = scratch(t.file, "out");
	t.err = scratch(t.file, "err");
	if (t.out < 0 || t.err < 0) {
		perror("moments");
		return 2;
	}
	return run(&t);
}
