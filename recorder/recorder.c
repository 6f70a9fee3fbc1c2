/* recorder.c - see recorder.h. */
#include "recorder.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "clocks.h"
#include "lock.h"
#include "pending.h"
#include "retain.h"
#include "rotate.h"

/* A service looks at its directory no more often than this, and when a new file begins. */
#define RETAIN_EVERY_NS (UINT64_C(60) * 1000000000u)

/* A name that is not answered so long is said to be so, even if the deadline is later. */
#define NAMES_PATIENCE_NS (UINT64_C(5) * 1000000000u)

static int add_suffix(const char *base, const char *suffix, char ret[PATH_MAX], struct err *e)
{
	int n = snprintf(ret, PATH_MAX, "%s%s", base, suffix);
	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ERR_LIMIT, "%s: its name is too long", base);
	return 0;
}

static int make_names(struct recorder *s, struct err *e)
{
	const struct options *o = s->options;
	int rc = o->output ? add_suffix(o->output, "", s->base, e) : rotate_make_dir(o->dir, e);
	if (!rc && !o->output)
		rc = rotate_base(o->dir, s->facts.host.hostname, s->base, sizeof(s->base), e);
	if (!rc)
		rc = add_suffix(s->base, ".lock", s->lock_path, e);
	return rc ? rc : add_suffix(s->base, ".pending", s->pending_path, e);
}

int recorder_open(struct recorder *s, const struct options *options, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->options = options;
	s->wall_ns = clocks_wall_ns;
	s->lookup = names_system;
	s->lock_fd = -1;
	int rc = hostfacts_read(&s->facts, "", e);
	if (!rc)
		rc = make_names(s, e);
	if (!rc)
		rc = lock_take(s->lock_path, false, &s->lock_fd, e);
	if (rc == ERR_BUSY && !options->note &&
	    pending_put(s->pending_path, s->wall_ns(), "gap",
			"a run was skipped: the one before it was not done", NULL))
		snprintf(s->notice, sizeof(s->notice), "%s: cannot leave word of the skipped run",
			 s->pending_path);
	return rc;
}

void recorder_close(struct recorder *s)
{
	rec_writer_close(s->writer);
	collect_free(s->collect);
	names_free(s->names);
	hostfacts_fini(&s->facts);
	lock_release(s->lock_path, s->lock_fd);
	s->writer = NULL;
	s->collect = NULL;
	s->names = NULL;
	s->lock_fd = -1;
}

void recorder_reopen(struct recorder *s)
{
	rec_writer_close(s->writer);
	s->writer = NULL;
}

/* Opens or makes the recording; a damaged one is set aside. */
static int open_writer(struct recorder *s, const char *path, struct err *e)
{
	char aside[PATH_MAX];
	int rc = rec_writer_open(path, &s->facts.host, NULL, &s->writer, e);
	if (rc != ERR_CORRUPT)
		return rc;
	struct err why = e ? *e : (struct err){0};
	rc = rec_set_aside(path, aside, sizeof(aside), e);
	if (rc)
		return rc;
	snprintf(s->notice, sizeof(s->notice), "%s; set aside as %s", why.text, aside);
	rc = rec_writer_open(path, &s->facts.host, NULL, &s->writer, e);
	if (rc)
		return rc;
	return rec_writer_event(s->writer, s->wall_ns(), "set-aside", s->notice, e);
}

static void note_removed(void *ctx, const char *text)
{
	struct recorder *s = ctx;
	if (pending_put(s->pending_path, s->wall_ns(), "retention", text, NULL))
		snprintf(s->notice, sizeof(s->notice), "%s", text);
}

/*
 * Removes what --keep and --keep-size say, before the file for this moment is written to, so that
 * a disk that is full of recordings does not stay so. That it failed is worth a word, no more.
 */
static void enforce_retention(struct recorder *s, const char *path)
{
	const struct retain_policy policy = {s->options->keep_ns, s->options->keep_bytes};
	struct err e = {0};
	if (s->options->output || clocks_mono_ns() < s->retain_due_ns)
		return;
	s->retain_due_ns = clocks_mono_ns() + RETAIN_EVERY_NS;
	if (retain_enforce(&policy, s->base, path, s->wall_ns(), note_removed, s, &e))
		snprintf(s->notice, sizeof(s->notice), "%s", e.text);
}

/* Makes `writer` that of the file for this moment. */
static int want_writer(struct recorder *s, struct err *e)
{
	char path[PATH_MAX];
	int rc = s->options->output ? add_suffix(s->base, "", path, e)
				    : rotate_path(s->base, s->wall_ns(), path, sizeof(path), e);
	bool same = !rc && s->writer && strcmp(path, s->path) == 0;
	if (!rc && !same) {
		recorder_reopen(s);
		s->retain_due_ns = 0;
	}
	if (!rc)
		enforce_retention(s, path);
	if (rc || same)
		return rc;
	rc = open_writer(s, path, e);
	s->new_writer = true;
	if (!rc)
		memcpy(s->path, path, sizeof(s->path));
	return rc;
}

static int take_pending(void *ctx, int64_t wall_ns, const char *kind, const char *text,
			struct err *e)
{
	struct recorder *s = ctx;
	if (strcmp(kind, "gap") != 0)
		return rec_writer_event(s->writer, wall_ns, kind, text, e);
	const struct rec_gap gap = {
		.begin_ns = wall_ns, .end_ns = wall_ns, .count = 1, .why = text};
	return rec_writer_gap(s->writer, &gap, e);
}

static int want_collect(struct recorder *s, struct err *e)
{
	const struct collect_options options = {.cmdline = s->options->cmdline,
						.deadline_ns = s->options->deadline_ns,
						.netns = s->options->netns,
						.once = !s->options->interval_ns,
						.protos = s->options->protos,
						.sieve = s->sieve};
	return s->collect ? 0 : collect_new(&options, &s->collect, e);
}

static int want_names(struct recorder *s, struct err *e)
{
	const struct options *o = s->options;
	uint64_t patience_ns = o->deadline_ns < NAMES_PATIENCE_NS ? o->deadline_ns
								  : NAMES_PATIENCE_NS;
	return s->names || !o->watch_count ? 0
					   : names_new(o->watch, o->watch_count, patience_ns,
						       s->lookup, NULL, &s->names, e);
}

static int take_name(void *ctx, const char *name, const char *answer, const char *error,
		     struct err *e)
{
	struct recorder *s = ctx;
	return rec_writer_name(s->writer, name, answer, error, e);
}

static void store_names(struct recorder *s)
{
	struct err e = {0};
	int rc = names_take(s->names, clocks_mono_ns(), s->new_writer, take_name, s, &e);
	if (!rc && s->new_writer)
		rc = rec_writer_names_only(s->writer, s->options->watch, s->options->watch_count,
					   &e);
	if (rc)
		snprintf(s->notice, sizeof(s->notice), "%s", e.text);
	s->new_writer = rc != 0;
}

void recorder_late_names(struct recorder *s)
{
	s->notice[0] = '\0';
	store_names(s);
}

bool recorder_awaits_names(const struct recorder *s)
{
	return names_wait_for(s->names, clocks_mono_ns());
}

/* Where the disk is full or the file is held, it matters which. */
static int name_file(const struct recorder *s, int rc, struct err *e)
{
	if ((rc == ERR_FULL || rc == ERR_BUSY || rc == ERR_DB) && e && *s->path &&
	    strncmp(e->text, s->path, strlen(s->path)) != 0)
		err_context(e, "%s", s->path);
	return rc;
}

int recorder_take(struct recorder *s, struct recorder_snapshot *ret, struct err *e)
{
	s->notice[0] = '\0';
	int rc = want_names(s, e);
	if (!rc)
		names_ask(s->names, clocks_mono_ns());
	if (!rc)
		rc = want_collect(s, e);
	if (!rc)
		rc = want_writer(s, e);
	if (!rc)
		rc = rec_writer_scope(s->writer, s->sieve ? buf_str(&s->sieve->text) : "", e);
	if (!rc)
		rc = pending_take(s->pending_path, take_pending, s, e);
	if (!rc)
		rc = collect_snapshot(s->collect, s->writer, &ret->info, &ret->costs, e);
	if (!rc)
		store_names(s);
	return name_file(s, rc, e);
}

int recorder_event(struct recorder *s, const char *kind, const char *text, struct err *e)
{
	s->notice[0] = '\0';
	if (s->lock_fd < 0)
		return pending_put(s->pending_path, s->wall_ns(), kind, text, e);
	int rc = want_writer(s, e);
	return name_file(s, rc ? rc : rec_writer_event(s->writer, s->wall_ns(), kind, text, e), e);
}

int recorder_gap(struct recorder *s, const struct rec_gap *gap, struct err *e)
{
	s->notice[0] = '\0';
	if (s->lock_fd < 0)
		return err_set(e, ERR_BUSY, "%s: another run holds it", s->lock_path);
	int rc = want_writer(s, e);
	return name_file(s, rc ? rc : rec_writer_gap(s->writer, gap, e), e);
}

/* Cannot fail: the buffer remembers. */
static int put_member(void *ctx, const char *name, uint64_t value, struct err *e)
{
	(void)e;
	buf_printf(ctx, "\"%s\":%llu,", name, (unsigned long long)value);
	return 0;
}

const char *recorder_stats(const struct recorder *s, const struct recorder_snapshot *snap,
			   struct buf *json)
{
	struct rusage usage = {0};
	getrusage(RUSAGE_SELF, &usage);
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"snapshot", (uint64_t)snap->info.id}, {"key", snap->info.key},
		{"flags", snap->info.flags},	       {"sockets", snap->info.sockets},
		{"bytes", snap->info.bytes},	       {"encode_us", snap->costs.encode_us},
		{"commit_us", snap->costs.commit_us},  {"total_us", snap->costs.total_us},
		{"cpu_us", snap->costs.cpu_us},	       {"max_rss_kib", (uint64_t)usage.ru_maxrss},
	};
	buf_clear(json);
	buf_put_str(json, "{");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		(void)put_member(json, members[i].name, members[i].value, NULL);
	(void)collect_costs_each(&snap->costs, put_member, json, NULL);
	buf_put_str(json, "\"file\":\"");
	for (const char *c = s->path; *c; c++)
		buf_printf(json, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	buf_put_str(json, "\"}");
	return buf_str(json);
}
