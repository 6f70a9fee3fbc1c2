/* pager.c - see pager.h. */
#include "pager.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Quit if it fits one screen, keep colors, do not clear, do not fold. */
#define LESS_FLAGS "FRSX"

static void become_pager(int read_fd, const char *command)
{
	dup2(read_fd, STDIN_FILENO);
	close(read_fd);
	setenv("LESS", LESS_FLAGS, 0);
	signal(SIGINT, SIG_IGN);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void pager_begin(struct pager *p, const char *command)
{
	int fds[2];
	*p = (struct pager){.out_fd = -1};
	if (!command)
		command = "less";
	if (!command[0] || strcmp(command, "cat") == 0 || pipe(fds) != 0)
		return;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[1]);
		/* No such pager: show it all the same. */
		char line[512];
		int n = snprintf(line, sizeof(line), "%s || cat", command);
		become_pager(fds[0], n > 0 && (size_t)n < sizeof(line) ? line : "cat");
	}
	close(fds[0]);
	if (pid > 0) {
		p->out_fd = dup(STDOUT_FILENO);
		p->pid = pid;
		dup2(fds[1], STDOUT_FILENO);
		/* Leaving the pager early must not kill this program before it tidies up. */
		signal(SIGPIPE, SIG_IGN);
	}
	close(fds[1]);
}

void pager_end(struct pager *p)
{
	if (!p->pid)
		return;
	fflush(stdout);
	dup2(p->out_fd, STDOUT_FILENO);
	close(p->out_fd);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
}
