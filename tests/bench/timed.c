/*
 * timed.c - what a command costs.
 *
 *   timed RUNS COMMAND [ARGUMENT...]
 *
 * Runs it RUNS times, its output thrown away, and prints "wall_ms cpu_ms user_ms peak_KiB": the
 * least of the times, the most of the memory. Exits as the command does if that is not 0.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct cost {
	double wall_ms, cpu_ms, user_ms;
	long peak_kib;
};

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms_of(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static struct cost run(char **command)
{
	struct cost c = {.wall_ms = -now_ms()};
	struct rusage u;
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		if (null < 0 || dup2(null, 1) < 0)
			_exit(126);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) != pid) {
		perror("timed");
		exit(126);
	}
	c.wall_ms += now_ms();
	c.user_ms = ms_of(u.ru_utime);
	c.cpu_ms = c.user_ms + ms_of(u.ru_stime);
	c.peak_kib = u.ru_maxrss;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
	return c;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? atoi(argv[1]) : 0;
	if (runs < 1) {
		fprintf(stderr, "usage: timed RUNS COMMAND [ARGUMENT...]\n");
		return 2;
	}
	struct cost best = run(argv + 2);
	while (--runs) {
		struct cost c = run(argv + 2);
		best.wall_ms = least(best.wall_ms, c.wall_ms);
		best.cpu_ms = least(best.cpu_ms, c.cpu_ms);
		best.user_ms = least(best.user_ms, c.user_ms);
		best.peak_kib = best.peak_kib > c.peak_kib ? best.peak_kib : c.peak_kib;
	}
	printf("%.1f %.1f %.1f %ld\n", best.wall_ms, best.cpu_ms, best.user_ms, best.peak_kib);
	return 0;
}
