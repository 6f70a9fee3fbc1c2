/* session.c - see session.h. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void warn(void *arg, const char *text)
{
	(void)arg;
	fflush(stdout);
	fprintf(stderr, "socklapse: warning: %s\n", text);
}

/* The reason stands behind the first colon: several scans leave out the same snapshots. */
static void warn_once(void *arg, const char *text)
{
	struct session *s = arg;
	const char *why = strchr(text, ':');
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (why = why ? why : text; *why; why++)
		hash = (hash ^ (unsigned char)*why) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < s->told_count; i++)
		if (s->told[i] == hash)
			return;
	if (s->told_count == SESSION_MAX_TOLD)
		return;
	s->told[s->told_count++] = hash;
	warn(NULL, text);
}

static int open_history(const struct cmd *c, struct session *s, struct err *e)
{
	size_t n = 0;
	const char **paths = calloc(c->args.given_count + 1, sizeof(*paths));
	if (!paths)
		return err_set(e, ERR_NOMEM, "history: memory ran out");
	for (size_t i = 0; i < c->args.given_count; i++)
		if (c->args.given[i].id == OPT_FILE)
			paths[n++] = c->args.given[i].value;
	int rc = history_open(paths, n, &s->history, e);
	free(paths);
	if (rc)
		return rc;
	const char *const *warnings = history_warnings(s->history, &n);
	for (size_t i = 0; i < n; i++)
		warn(NULL, warnings[i]);
	if (history_left_out(s->history) && c->left_out)
		*c->left_out = true;
	s->snapshots = history_snapshots(s->history, &s->count);
	return 0;
}

/* The zone of the host's last snapshot; what it says is not trusted to exist here. */
static const char *host_zone(const struct session *s)
{
	size_t boots;
	const struct history_boot *all = history_boots(s->history, &boots);
	const struct history_boot *last = s->count ? &all[s->snapshots[s->count - 1].boot]
					  : boots  ? &all[boots - 1]
						   : NULL;
	return last ? last->time_zone : NULL;
}

static int use_zone(struct session *s, struct err *e)
{
	const char *asked = args_value(&s->cmd->args, OPT_TZ);
	if (asked && strcmp(asked, "host") != 0) {
		s->zone = asked;
		return zone_use(asked, e);
	}
	s->zone = host_zone(s);
	if (s->zone && zone_use(s->zone, NULL) == 0)
		return 0;
	if (s->zone)
		warn(NULL, "the host's time zone is not known here: times are UTC");
	s->zone = "UTC";
	return zone_use(s->zone, e);
}

static int snapshot_time(const void *history, int64_t number, int64_t *ret_ns)
{
	const struct session *s = history;
	if (number < 1 || (uint64_t)number > s->count)
		return ERR_NOT_FOUND;
	*ret_ns = session_time(s, (size_t)number - 1);
	return 0;
}

static void fill_ref(struct session *s)
{
	s->ref = (struct time_ref){
		.now_ns = s->cmd->now_ns,
		.has_history = s->count > 0,
		.snapshot_time = snapshot_time,
		.history = s,
	};
	if (!s->count)
		return;
	s->ref.start_ns = s->ref.end_ns = session_time(s, 0);
	for (size_t i = 1; i < s->count; i++) {
		int64_t t = session_time(s, i);
		s->ref.start_ns = t < s->ref.start_ns ? t : s->ref.start_ns;
		s->ref.end_ns = t > s->ref.end_ns ? t : s->ref.end_ns;
	}
}

int session_open(const struct cmd *c, struct session *ret, struct err *e)
{
	*ret = (struct session){.cmd = c};
	int rc = open_history(c, ret, e);
	if (!rc)
		rc = use_zone(ret, e);
	if (!rc) {
		fill_ref(ret);
		ret->context = (struct vt_context){
			.history = ret->history, .warn = warn_once, .arg = ret};
		rc = db_open(&ret->context, &ret->db, e);
	}
	if (!rc)
		rc = out_new(&c->out, &ret->out, e);
	if (rc)
		session_close(ret);
	return rc;
}

void session_close(struct session *s)
{
	out_free(s->out);
	sqlite3_close(s->db);
	history_close(s->history);
	*s = (struct session){0};
}

static int option_time(const struct session *s, int option, const char *name, int64_t *ret_ns,
		       struct err *e)
{
	const char *text = args_value(&s->cmd->args, option);
	struct time_point p;
	if (!text)
		return 0;
	if (time_parse(text, &s->ref, &p, e))
		return err_context(e, "--%s", name);
	*ret_ns = p.wall_ns;
	return 0;
}

int session_range(const struct session *s, int64_t *ret_from_ns, int64_t *ret_to_ns, struct err *e)
{
	int64_t from = INT64_MIN, to = INT64_MAX, last;
	const char *text = args_value(&s->cmd->args, OPT_LAST);
	int rc = option_time(s, OPT_TO, "to", &to, e);
	if (!rc && text) {
		if (args_has(&s->cmd->args, OPT_FROM))
			return err_set(e, ERR_USAGE, "--last and --from: only one of them");
		if (duration_parse(text, &last, e))
			return err_context(e, "--last");
		int64_t end = to < s->ref.end_ns ? to : s->ref.end_ns;
		from = end < INT64_MIN + last ? INT64_MIN : end - last;
	}
	if (!rc)
		rc = option_time(s, OPT_FROM, "from", &from, e);
	if (!rc && from > to)
		rc = err_set(e, ERR_USAGE, "--from is later than --to");
	if (rc)
		return rc;
	*ret_from_ns = from;
	*ret_to_ns = to;
	return 0;
}

/* How far outside the history a time may lie: a minute, or two mean intervals. */
static int64_t tolerance_ns(const struct session *s, const struct history_host *h)
{
	int64_t mean = h->count < 2 ? 0
				    : (session_time(s, h->first + h->count - 1) -
				       session_time(s, h->first)) /
					      (int64_t)(h->count - 1);
	return 2 * mean > NS_PER_MIN ? 2 * mean : NS_PER_MIN;
}

static int nearest(const struct session *s, uint32_t host, int64_t wall_ns, size_t *ret_index,
		   struct err *e)
{
	size_t hosts;
	const struct history_host *h = &history_hosts(s->history, &hosts)[host];
	size_t before = history_before(s->history, host, wall_ns);
	size_t after = history_after(s->history, host, wall_ns);
	int64_t to_before = INT64_MAX, to_after = INT64_MAX;
	if (before != HISTORY_NONE)
		to_before = wall_ns - session_time(s, before);
	if (after != HISTORY_NONE)
		to_after = session_time(s, after) - wall_ns;
	bool inside = before != HISTORY_NONE && after != HISTORY_NONE;
	int64_t least = to_before <= to_after ? to_before : to_after;
	if (!inside && least > tolerance_ns(s, h)) {
		char at[TIME_TEXT_BYTES], from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
		time_format(wall_ns, at);
		if (!h->count)
			return err_set(e, ERR_NOT_FOUND, "%s: no snapshots", h->name);
		time_format(session_time(s, h->first), from);
		time_format(session_time(s, h->first + h->count - 1), to);
		return err_set(e, ERR_NOT_FOUND, "%s: no snapshot of %s: its history is %s to %s",
			       at, h->name, from, to);
	}
	*ret_index = to_before <= to_after ? before : after;
	return 0;
}

int session_at(const struct session *s, uint32_t host, const char *text, size_t *ret_index,
	       struct err *e)
{
	struct time_point p;
	size_t hosts;
	const struct history_host *h = &history_hosts(s->history, &hosts)[host];
	if (!s->count || host >= hosts || !h->count)
		return err_set(e, ERR_NOT_FOUND, "no snapshots");
	if (!text || strcmp(text, "end") == 0) {
		*ret_index = h->first + h->count - 1;
		return 0;
	}
	int rc = time_parse(text, &s->ref, &p, e);
	if (rc)
		return rc;
	if (p.snapshot) {
		*ret_index = (size_t)p.snapshot - 1;
		return 0;
	}
	return nearest(s, host, p.wall_ns, ret_index, e);
}

int session_top(const struct session *s, int64_t otherwise, int64_t *ret, struct err *e)
{
	const char *text = args_value(&s->cmd->args, OPT_TOP);
	char *end;
	if (!text) {
		*ret = otherwise;
		return 0;
	}
	long long n = strtoll(text, &end, 10);
	if (end == text || *end || n < 1)
		return err_set(e, ERR_USAGE, "--top: %.32s: not a number of rows", text);
	*ret = n;
	return 0;
}
