/*
 * main.c - socklapse-record: options, then snapshots until enough, then an exit code. The only
 * file of the recorder that prints or exits.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "caps.h"
#include "clocks.h"
#include "loop.h"
#include "recorder.h"

/* sysexits.h: EX_TEMPFAIL */
#define EXIT_BUSY 75

/* How often a run looks whether the names that it watches are resolved. */
#define NAMES_LOOK_NS 10000000u

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

/* What the snapshot lacks, by the names of its flags. */
static void print_lacks(const struct recorder_snapshot *snap)
{
	const char *before = "; ";
	for (uint32_t bit = 1; bit; bit <<= 1) {
		const char *name = snap->info.flags & bit ? rec_flag_name(bit) : NULL;
		if (!name)
			continue;
		fprintf(stderr, "%s%s", before, name);
		before = ", ";
	}
	if (snap->costs.denied)
		fprintf(stderr, "%s%u processes not to be looked into", before, snap->costs.denied);
	fputs("\n", stderr);
}

/* Says on stdout and stderr what was asked for about a snapshot. */
static int report(const struct recorder *s, const struct recorder_snapshot *snap, struct err *e)
{
	if (s->options->verbose) {
		fprintf(stderr,
			"socklapse-record: %s: snapshot %lld, %u socket%s, %llu bytes, %.1f ms",
			s->path, (long long)snap->info.id, snap->info.sockets,
			snap->info.sockets == 1 ? "" : "s", (unsigned long long)snap->info.bytes,
			(double)snap->costs.total_us / 1000.0);
		print_lacks(snap);
	}
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

/*
 * One snapshot. It is written when the names are not resolved yet, so that a dead name server holds
 * nothing up but the end of the run, and that for its patience at most; a signal ends the wait.
 */
static int take_once(struct recorder *s, struct loop *loop, struct err *e)
{
	int rc = take(s, e);
	if (rc || !recorder_awaits_names(s))
		return rc;
	while (recorder_awaits_names(s)) {
		int event = loop_wait(loop, (uint64_t)clocks_boot_ns() + NAMES_LOOK_NS, e);
		if (event < 0)
			return event;
		if (event == LOOP_STOP)
			break;
	}
	recorder_late_names(s);
	print_notice(s);
	return 0;
}

/* A run of the service. */
struct service {
	struct recorder *recorder;
	struct loop loop;
	struct schedule schedule;
	uint64_t asleep_ns; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC when last looked at */
	/* Snapshots that could not be written, until that can be written; count 0: none. */
	struct rec_gap lost;
	struct err lost_why;
};

/* What may pass by itself: the service tries again when the next snapshot is due. */
static bool may_pass(int rc)
{
	return rc == ERR_FULL || rc == ERR_BUSY || rc == ERR_NOMEM;
}

static void note_lost(struct service *v, uint64_t count, const struct err *why)
{
	v->lost.end_ns = clocks_wall_ns();
	if (v->lost.count == 0) {
		v->lost.begin_ns = v->lost.end_ns;
		v->lost_why = *why;
		fprintf(stderr, "socklapse-record: %s; trying again at every interval\n",
			why->text);
	}
	v->lost.count += (int64_t)count;
}

/* It can be written again: what could not be, and why. */
static int tell_lost(struct service *v, struct err *e)
{
	char why[sizeof(v->lost_why.text) + 32];
	if (!v->lost.count)
		return 0;
	snprintf(why, sizeof(why), "could not be written: %s", v->lost_why.text);
	v->lost.why = why;
	int rc = recorder_gap(v->recorder, &v->lost, e);
	if (!rc)
		v->lost.count = 0;
	return may_pass(rc) ? 0 : rc;
}

static int take_or_lose(struct service *v, bool first, struct err *e)
{
	int rc = take(v->recorder, e);
	if (!rc)
		return tell_lost(v, e);
	if (first || !may_pass(rc))
		return rc;
	note_lost(v, 1, e);
	return 0;
}

/* Moments that went by since the last one that was met. */
static int note_missed(struct service *v, uint64_t missed, uint64_t took_ns, struct err *e)
{
	uint64_t boot_ns = (uint64_t)clocks_boot_ns();
	uint64_t asleep_ns = boot_ns - clocks_mono_ns();
	uint64_t slept_ns = asleep_ns > v->asleep_ns ? asleep_ns - v->asleep_ns : 0;
	v->asleep_ns = asleep_ns;
	if (!missed)
		return 0;
	uint64_t first_ns = schedule_first_missed_ns(&v->schedule, missed);
	int64_t now_ns = clocks_wall_ns();
	const struct rec_gap gap = {.begin_ns = now_ns - (int64_t)(boot_ns - first_ns),
				    .end_ns = now_ns,
				    .count = (int64_t)missed,
				    .why = schedule_why(&v->schedule, missed, took_ns, slept_ns)};
	if (v->recorder->options->verbose)
		fprintf(stderr, "socklapse-record: %llu snapshots were not taken: %s\n",
			(unsigned long long)missed, gap.why);
	int rc = recorder_gap(v->recorder, &gap, e);
	if (!may_pass(rc))
		return rc;
	note_lost(v, missed, e);
	return 0;
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
static int serve(struct service *v, struct err *e)
{
	const struct options *o = v->recorder->options;
	uint64_t due_ns = 0, begin_ns = v->schedule.begin_ns;
	bool was_due = true;
	for (uint64_t n = 1;; n++) {
		int rc = take_or_lose(v, n == 1, e);
		if (rc || n == o->count)
			return rc;
		if (was_due) {
			uint64_t missed, now_ns = (uint64_t)clocks_boot_ns();
			due_ns = schedule_next(&v->schedule, now_ns, &missed);
			rc = note_missed(v, missed, now_ns - begin_ns, e);
		}
		if (!rc)
			rc = wait_for_next(v->recorder, &v->loop, due_ns, &was_due, e);
		if (rc <= 0)
			return rc;
		begin_ns = (uint64_t)clocks_boot_ns();
	}
}

static int run_service(struct service *v, struct err *e)
{
	const struct options *o = v->recorder->options;
	char text[64];
	snprintf(text, sizeof(text), "socklapse-record " SOCKLAPSE_VERSION ", every %g s",
		 (double)o->interval_ns / 1e9);
	v->schedule = (struct schedule){.begin_ns = (uint64_t)clocks_boot_ns(),
					.interval_ns = o->interval_ns};
	v->asleep_ns = v->schedule.begin_ns - clocks_mono_ns();
	int rc = recorder_event(v->recorder, "start", text, e);
	print_notice(v->recorder);
	if (!rc)
		rc = serve(v, e);
	if (!rc && v->lost.count) {
		*e = v->lost_why;
		return e->code;
	}
	return rc ? rc
		  : recorder_event(v->recorder, "stop", "socklapse-record " SOCKLAPSE_VERSION, e);
}

static int run(const struct options *o, struct sieve *sieve, struct err *e)
{
	struct recorder s;
	struct service service = {.recorder = &s};
	int rc = caps_drop(o->marks, !o->netns || strcmp(o->netns, "self") != 0, e);
	if (!rc)
		rc = loop_open(&service.loop, e);
	if (rc)
		return rc;
	umask(027);
	rc = recorder_open(&s, o, e);
	s.sieve = sieve;
	if (o->note && (rc == 0 || rc == ERR_BUSY))
		rc = recorder_event(&s, "note", o->note, e);
	else if (!rc)
		rc = o->interval_ns ? run_service(&service, e) : take_once(&s, &service.loop, e);
	if (rc == ERR_BUSY)
		print_notice(&s);
	recorder_close(&s);
	loop_close(&service.loop);
	return rc;
}

/*
 * The arrays of a snapshot grow by mremap, without a copy, and what is given back is free at once.
 * Left to itself malloc raises this threshold and keeps them.
 */
#define MMAP_FROM_BYTES (256 * 1024)

int main(int argc, char **argv)
{
	struct options o;
	struct err e = {0};
	mallopt(M_MMAP_THRESHOLD, MMAP_FROM_BYTES);
	int rc = options_parse(argc, argv, &o, &e);
	if (rc)
		return exit_code(rc, &e);
	if (o.help || o.version) {
		fputs(o.help ? options_help : "socklapse-record " SOCKLAPSE_VERSION "\n", stdout);
		return fflush(stdout) ? 1 : 0;
	}
	CLEANUP(buf_fini) struct buf caret = {0};
	CLEANUP(sieve_close) struct sieve sieve;
	rc = sieve_open(&sieve, &o, &caret, &e);
	if (!rc)
		rc = run(&o, &sieve, &e);
	rc = exit_code(rc, &e);
	fputs(buf_str(&caret), stderr);
	return rc;
}
