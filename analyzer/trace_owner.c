/*
 * trace_owner.c - who holds a traced connection: every process, in the course of time (fork and
 * SCM_RIGHTS add holders, close and exit take them away).
 */
#include "bounds.h"
#include "bytes.h"
#include "trace.h"

#include <inttypes.h>
#include <string.h>

/* So many holders are told by name. */
#define HOLDERS_TOLD 6u

static int put_holder(struct history *h, uint32_t file, uint64_t process, uint64_t fd,
		      struct buf *text, struct err *e)
{
	const struct history_process *p = NULL;
	int rc = process <= UINT32_MAX ? history_process(h, file, (uint32_t)process, &p, e) : 0;
	if (!rc && p)
		buf_printf(text, "%s%s,pid=%" PRId64 ",fd=%" PRIu64, text->len ? " " : "", p->comm,
			   p->pid, fd);
	return rc;
}

/* "nginx,pid=10,fd=7 nginx,pid=11,fd=7 and 3 more"; empty: nobody. */
static int holders_text(struct history *h, uint32_t file, const struct row_owner *o,
			struct buf *text, struct err *e)
{
	const char *bytes = "";
	size_t len = 0;
	unsigned more = 0;
	if (!o->owner_process)
		return 0;
	int rc = put_holder(h, file, o->owner_process, o->owner_fd, text, e);
	if (!rc && o->owner_more)
		rc = history_text(h, file, o->owner_more, &bytes, &len, e);
	struct span list = span_of(bytes, len);
	for (unsigned i = 1; !rc && span_left(&list) && !list.bad; i++) {
		uint64_t process = span_varint(&list), fd = span_varint(&list);
		if (list.bad)
			break;
		if (i < HOLDERS_TOLD)
			rc = put_holder(h, file, process, fd, text, e);
		else
			more++;
	}
	if (more)
		buf_printf(text, " and %u more", more);
	return rc;
}

/* An established connection that never was in a file has not been accepted; others were let go. */
static const char *nobody(const struct sockset *set, uint32_t slot, const char *former)
{
	static const char unaccepted[] = "not accepted yet: nobody holds it";
	const struct sock_row row = {.member = *SLOT_GROUP(set, slot, member),
				     .state = *SLOT_GROUP(set, slot, state)};
	if ((!former || strcmp(former, unaccepted) == 0) && bounds_is_unaccepted(&row) == 1)
		return unaccepted;
	return former ? "nobody holds it any more" : "";
}

/* Whoever holds the closed socket of a TIME-WAIT has not let go of the connection. */
static uint32_t held_slot(const struct trace_connection *c, const struct sockset *set)
{
	bool held = SLOT_GROUP(set, c->slot, owner)->owner_process;
	return held || c->shell == UINT32_MAX ? c->slot : c->shell;
}

int trace_look_at_owner(struct history *h, struct trace *t, unsigned number,
			const struct sockset *set, size_t index, struct err *e)
{
	struct trace_connection *c = &t->connections[number];
	struct buf text CLEANUP(buf_fini) = {0};
	size_t count;
	const struct history_snapshot *s = &history_snapshots(h, &count)[index];
	int rc = holders_text(h, s->file, SLOT_GROUP(set, held_slot(c, set), owner), &text, e);
	if (rc)
		return rc;
	if (!text.len)
		buf_put_str(&text, nobody(set, c->slot, c->holders));
	if (text.failed)
		return err_set(e, ERR_NOMEM, "trace: out of memory");
	bool told = c->holders && strcmp(c->holders, buf_str(&text)) == 0;
	if (told || (!c->holders && !text.len))
		return 0;
	const struct trace_event event = {.connection = number,
					  .kind = TRACE_OWNER,
					  .lo_ns = s->rec->wall_begin_ns,
					  .hi_ns = s->rec->wall_end_ns,
					  .snapshot = index};
	rc = trace_put(t, &event, buf_str(&text), e);
	if (!rc)
		c->holders = t->events[t->events_count - 1].text;
	return rc;
}
