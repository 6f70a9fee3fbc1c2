/*
 * faulty.c - socklapse-record with a fault under it.
 *
 *   faulty run FAULT ARGUMENTS...     a run of the recorder, as socklapse-record ARGUMENTS
 *   faulty sweep FAULT N FILE ARGUMENTS...
 *                                     runs with FAULT:1, FAULT:2, ... (after N ever larger steps),
 *                                     until one is not touched by it; after each the file must be
 *                                     sound, nothing reported may be lost, and the error is a line
 *   faulty list                       the cases of netlink faults
 *
 * A sweep makes every run in a process of its own and prints "ok" or "not ok" lines. With
 * ARGUMENTS it records to FILE; "fresh" as the first of them removes it before each run.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "sound.h"

struct fault fault = {.alloc_left = -1, .write_left = -1};

int record_main(int argc, char **argv);

#define MAX_ARGUMENTS 32

static const struct {
	const char *name;
	int errnum;
} errnos[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}};

static int errno_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].errnum;
	return 0;
}

bool fault_set(const char *text)
{
	char kind[16], name[16];
	long long n, m;
	if (strncmp(text, "netlink:", 8) == 0)
		return (fault.netlink = fault_netlink_case(text + 8)) != NULL;
	if (strncmp(text, "boot:", 5) == 0)
		return *(fault.boot_id = text + 5) != '\0';
	if (sscanf(text, "clock:%lld", &n) == 1) {
		fault.clock_ns = n * 1000000000;
		return true;
	}
	if (sscanf(text, "clock-step:%lld:%lld", &n, &m) == 2) {
		fault.clock_ns = n * 1000000000;
		fault.clock_reads = (long)m;
		return true;
	}
	if (sscanf(text, "alloc%15[-once]:%lld", kind, &n) == 2 ||
	    sscanf(text, "alloc:%lld", &n) == 1) {
		fault.alloc_left = (long)n - 1;
		fault.alloc_once = text[5] == '-';
		return n > 0;
	}
	if (sscanf(text, "kill:%lld", &n) == 1) {
		fault.write_left = (long)n - 1;
		fault.write_kills = true;
		return n > 0;
	}
	if (sscanf(text, "write%15[-once]:%15[A-Z]:%lld", kind, name, &n) == 3 ||
	    sscanf(text, "write:%15[A-Z]:%lld", name, &n) == 2) {
		fault.write_left = (long)n - 1;
		fault.write_once = text[5] == '-';
		fault.write_errno = errno_by_name(name);
		return n > 0 && fault.write_errno;
	}
	return false;
}

/* ------------------------------------------------------------------------------------ sweep */

struct sweep {
	const char *fault;
	const char *file;
	char **arguments;
	int count;
	bool fresh;
	bool *fired;  /* shared with the runs */
	int out, err; /* files that a run writes to */
	int64_t last; /* the last snapshot that was reported */
	unsigned runs, bad;
};

static void text_of(int fd, char ret[4096])
{
	ssize_t n = pread(fd, ret, 4095, 0);
	ret[n > 0 ? n : 0] = '\0';
}

/* One run, with a fault or (NULL) without. Returns what waitpid() says. */
static int run(struct sweep *s, const char *with)
{
	int status;
	*s->fired = false;
	if (ftruncate(s->out, 0) || ftruncate(s->err, 0))
		return -1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(s->out, STDOUT_FILENO);
		dup2(s->err, STDERR_FILENO);
		if (with)
			fault_set(with);
		int code = record_main(s->count, s->arguments);
		*s->fired = fault.fired;
		fflush(stdout);
		exit(code); /* a sanitizer looks for what was not freed */
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -1 : status;
}

static void complain(struct sweep *s, const char *with, const char *why)
{
	char err[4096];
	text_of(s->err, err);
	s->bad++;
	err[strcspn(err, "\n")] = '\0';
	if (s->bad <= 10)
		printf("not ok %s %s: %s (it said '%.200s')\n", s->fault, with, why, err);
}

static void note_reported(struct sweep *s)
{
	char out[4096];
	long long id = 0;
	text_of(s->out, out);
	const char *line = strstr(out, "{\"snapshot\":");
	if (line && strchr(line, '\n') && sscanf(line, "{\"snapshot\":%lld", &id) == 1)
		s->last = id;
}

/* The file after a run: sound, and with the snapshots that were reported. */
static bool look(struct sweep *s, const char *with)
{
	char why[512];
	int64_t last = 0;
	note_reported(s);
	if (access(s->file, F_OK) != 0 && s->last == 0)
		return true; /* nothing could be made yet */
	if (!sound(s->file, s->last, &last, why)) {
		/* Killed before the first transaction was whole: nothing was there, nor reported.
		 */
		if (s->last == 0 && strstr(why, "empty"))
			return true;
		complain(s, with, why);
		return false;
	}
	if (last < s->last || last > s->last + 1) {
		snprintf(why, sizeof(why), "snapshot %lld was reported, the last one is %lld",
			 (long long)s->last, (long long)last);
		complain(s, with, why);
	}
	s->last = last;
	return true;
}

static void check_end(struct sweep *s, const char *with, int status)
{
	char err[4096];
	text_of(s->err, err);
	bool killed = strncmp(s->fault, "kill", 4) == 0 && WIFSIGNALED(status) &&
		      WTERMSIG(status) == SIGKILL;
	if (killed)
		return;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	const char *end = strchr(err, '\n');
	if (code != 0 && code != 1 && code != 75)
		complain(s, with, "it ended badly");
	else if (code && (strncmp(err, "socklapse-record: ", 18) != 0 || !end || end[1]))
		complain(s, with, "no line, or more than one, says why it failed");
}

/* `reader`: somebody opens the file after the fault, before the recorder comes again. */
static void step(struct sweep *s, long n, bool reader)
{
	char with[64];
	snprintf(with, sizeof(with), "%s:%ld", s->fault, n);
	if (s->fresh) {
		unlink(s->file);
		s->last = 0;
	}
	int status = run(s, with);
	/* A process that was killed cannot say that it met the fault. */
	*s->fired |= WIFSIGNALED(status);
	bool fired = *s->fired;
	check_end(s, with, status);
	if (reader)
		look(s, with);
	else
		note_reported(s);
	if (!reader || n % 8 == 0) {
		status = run(s, NULL);
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			complain(s, with, "the next run does not go on");
		look(s, with);
	}
	s->runs++;
	*s->fired = fired;
}

static int sweep(struct sweep *s, long dense)
{
	long n = 1;
	for (;; n += 1 + (n > dense ? n / 12 : 0)) {
		step(s, n, true);
		if (*s->fired)
			step(s, n, false);
		if (!*s->fired || s->bad > 10)
			break;
	}
	printf("%s %s%s: %u runs, up to number %ld\n", s->bad ? "not ok" : "ok", s->fault,
	       s->fresh ? " on a new file" : "", s->runs, n);
	return s->bad ? 1 : 0;
}

static int file_of(const char *path, const char *suffix)
{
	char name[4096];
	snprintf(name, sizeof(name), "%s.%s", path, suffix);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	unlink(name);
	return fd;
}

static int sweep_main(int argc, char **argv)
{
	static char o[] = "-o", stats[] = "--stats", record[] = "socklapse-record";
	char *arguments[MAX_ARGUMENTS] = {record, stats, o, argv[4]};
	struct sweep s = {.fault = argv[2], .file = argv[4], .arguments = arguments, .count = 4};
	int at = 5;
	if (at < argc && strcmp(argv[at], "fresh") == 0) {
		s.fresh = true;
		at++;
	}
	for (; at < argc && s.count < MAX_ARGUMENTS - 1; at++)
		arguments[s.count++] = argv[at];
	s.fired = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	s.out = file_of(s.file, "out");
	s.err = file_of(s.file, "err");
	if (s.fired == MAP_FAILED || s.out < 0 || s.err < 0) {
		perror("faulty");
		return 2;
	}
	if (!s.fresh && (run(&s, NULL) || !look(&s, "the first run")))
		return 2;
	return sweep(&s, strtol(argv[3], NULL, 10));
}

int main(int argc, char **argv)
{
	fault_memory_init();
	sqlite3_initialize();
	fault_files_init();
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		fault_list_netlink();
		return 0;
	}
	if (argc >= 4 && strcmp(argv[1], "run") == 0 && fault_set(argv[2])) {
		argv[2] = argv[0];
		return record_main(argc - 2, argv + 2);
	}
	if (argc >= 5 && strcmp(argv[1], "sweep") == 0)
		return sweep_main(argc, argv);
	fprintf(stderr, "usage: faulty list | run FAULT ARGUMENTS... | sweep FAULT N FILE "
			"[fresh] ARGUMENTS...\n");
	return 2;
}
