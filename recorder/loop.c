/* loop.c - see loop.h. */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const struct {
	int signal;
	enum loop_event event;
} signals[] = {
	{SIGTERM, LOOP_STOP},
	{SIGINT, LOOP_STOP},
	{SIGHUP, LOOP_REOPEN},
	{SIGUSR1, LOOP_NOW},
};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

uint64_t schedule_next(struct schedule *s, uint64_t now_ns, uint64_t *ret_missed)
{
	uint64_t next = s->slot + 1;
	if (now_ns > s->begin_ns) {
		uint64_t passed = (now_ns - s->begin_ns) / s->interval_ns;
		if (passed >= next)
			next = passed + 1;
	}
	*ret_missed = next - s->slot - 1;
	s->slot = next;
	return s->begin_ns + next * s->interval_ns;
}

const char *schedule_why(const struct schedule *s, uint64_t missed, uint64_t took_ns,
			 uint64_t asleep_ns)
{
	if (asleep_ns / s->interval_ns >= (missed + 1) / 2)
		return "the machine was suspended";
	if (took_ns >= s->interval_ns)
		return "the snapshot before took longer than the interval";
	return "the recorder did not get to run in time";
}

uint64_t schedule_first_missed_ns(const struct schedule *s, uint64_t missed)
{
	return s->begin_ns + (s->slot - missed) * s->interval_ns;
}

int loop_open(struct loop *l, struct err *e)
{
	sigset_t set;
	*l = (struct loop){-1, -1};
	sigemptyset(&set);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&set, signals[i].signal);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return err_errno(e, errno, "signals");
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->signal_fd >= 0 && l->timer_fd >= 0)
		return 0;
	int errnum = errno;
	loop_close(l);
	return err_errno(e, errnum, "timer and signals");
}

void loop_close(struct loop *l)
{
	if (l->signal_fd >= 0)
		close(l->signal_fd);
	if (l->timer_fd >= 0)
		close(l->timer_fd);
	*l = (struct loop){-1, -1};
}

/* The event of the next signal that waits; -1 if none does. */
static int take_signal(const struct loop *l)
{
	struct signalfd_siginfo info;
	if (read(l->signal_fd, &info, sizeof(info)) != sizeof(info))
		return -1;
	for (size_t i = 0; i < SIGNALS; i++)
		if ((uint32_t)signals[i].signal == info.ssi_signo)
			return signals[i].event;
	return -1;
}

int loop_wait(struct loop *l, uint64_t until_ns, struct err *e)
{
	/* An all-zero time would switch the timer off. */
	const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(until_ns / 1000000000u),
						   .tv_nsec = (long)(until_ns % 1000000000u) | 1}};
	if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &at, NULL))
		return err_errno(e, errno, "timer");
	for (;;) {
		struct pollfd fds[] = {{.fd = l->signal_fd, .events = POLLIN},
				       {.fd = l->timer_fd, .events = POLLIN}};
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_errno(e, errno, "poll");
		int event = take_signal(l);
		if (event >= 0)
			return event;
		uint64_t expirations;
		if (read(l->timer_fd, &expirations, sizeof(expirations)) == sizeof(expirations))
			return LOOP_DUE;
	}
}
