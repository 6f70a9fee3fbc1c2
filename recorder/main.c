/*
 * main.c - socklapse-record: options, then snapshots until enough, then an exit code. The only
 * file of the recorder that prints or exits.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "caps.h"
#include "clocks.h"
#include "loop.h"
#include "recorder.h"

/* sysexits.h: EX_TEMPFAIL */
#define EXIT_BUSY 75

static void print_notice(const struct recorder *s)
{
	if (*s->notice && !s->options->quiet)
		fprintf(stderr, "socklapse-record: %s\n", s->notice);
}

static int exit_code(int rc, const struct err *e)
{
	if (rc == 0)
		return 0;
	fprintf(stderr, "socklapse-record: %s\n", e->text[0] ? e->text : err_name(rc));
	return rc == ERR_USAGE ? 2 : rc == ERR_BUSY ? EXIT_BUSY : 1;
}

/* Says on stdout and stderr what was asked for about a snapshot. */
static int report(const struct recorder *s, const struct recorder_snapshot *snap, struct err *e)
{
	if (s->options->verbose)
		fprintf(stderr,
			"socklapse-record: %s: snapshot %lld, %u sockets, %llu bytes, %.1f ms\n",
			s->path, (long long)snap->info.id, snap->info.sockets,
			(unsigned long long)snap->info.bytes,
			(double)snap->costs.total_us / 1000.0);
	if (!s->options->stats)
		return 0;
	CLEANUP(buf_fini) struct buf json = {0};
	puts(recorder_stats(s, snap, &json));
	if (json.failed || fflush(stdout))
		return err_set(e, ERR_IO, "stdout: cannot write");
	return 0;
}

static int take(struct recorder *s, struct err *e)
{
	struct recorder_snapshot snap;
	int rc = recorder_take(s, &snap, e);
	print_notice(s);
	return rc ? rc : report(s, &snap, e);
}

static int note_missed(struct recorder *s, uint64_t missed, struct err *e)
{
	char text[128];
	if (!missed)
		return 0;
	snprintf(text, sizeof(text),
		 "%llu snapshots were not taken: one took too long, or the host slept",
		 (unsigned long long)missed);
	if (s->options->verbose)
		fprintf(stderr, "socklapse-record: %s\n", text);
	return recorder_event(s, "gap", text, e);
}

/* Waits for the reason to take a snapshot. 1: there is one; 0: the end has come. */
static int wait_for_next(struct recorder *s, struct loop *loop, uint64_t due_ns, bool *ret_due,
			 struct err *e)
{
	for (;;) {
		int event = loop_wait(loop, due_ns, e);
		if (event == LOOP_STOP)
			return 0;
		if (event != LOOP_REOPEN) {
			*ret_due = event == LOOP_DUE;
			return event < 0 ? event : 1;
		}
		recorder_reopen(s);
	}
}

/* Snapshots on schedule until there are enough of them or a signal ends it. */
static int serve(struct recorder *s, struct loop *loop, struct err *e)
{
	struct schedule schedule = {.begin_ns = (uint64_t)clocks_boot_ns(),
				    .interval_ns = s->options->interval_ns};
	uint64_t due_ns = 0;
	bool was_due = true;
	for (uint64_t n = 1;; n++) {
		int rc = take(s, e);
		if (rc || n == s->options->count)
			return rc;
		if (was_due) {
			uint64_t missed;
			due_ns = schedule_next(&schedule, (uint64_t)clocks_boot_ns(), &missed);
			rc = note_missed(s, missed, e);
		}
		if (!rc)
			rc = wait_for_next(s, loop, due_ns, &was_due, e);
		if (rc <= 0)
			return rc;
	}
}

static int run_service(struct recorder *s, struct loop *loop, struct err *e)
{
	char text[64];
	snprintf(text, sizeof(text), "socklapse-record " SOCKLAPSE_VERSION ", every %g s",
		 (double)s->options->interval_ns / 1e9);
	int rc = recorder_event(s, "start", text, e);
	print_notice(s);
	if (!rc)
		rc = serve(s, loop, e);
	if (rc)
		return rc;
	return recorder_event(s, "stop", "socklapse-record " SOCKLAPSE_VERSION, e);
}

static int run(const struct options *o, struct err *e)
{
	struct recorder s;
	struct loop loop;
	int rc = caps_drop(o->marks, e);
	if (!rc)
		rc = loop_open(&loop, e);
	if (rc)
		return rc;
	umask(027);
	rc = recorder_open(&s, o, e);
	if (o->note && (rc == 0 || rc == ERR_BUSY))
		rc = recorder_event(&s, "note", o->note, e);
	else if (!rc)
		rc = o->interval_ns ? run_service(&s, &loop, e) : take(&s, e);
	if (rc == ERR_BUSY)
		print_notice(&s);
	recorder_close(&s);
	loop_close(&loop);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = {0};
	int rc = options_parse(argc, argv, &o, &e);
	if (rc)
		return exit_code(rc, &e);
	if (o.help || o.version) {
		fputs(o.help ? options_help : "socklapse-record " SOCKLAPSE_VERSION "\n", stdout);
		return fflush(stdout) ? 1 : 0;
	}
	return exit_code(run(&o, &e), &e);
}
