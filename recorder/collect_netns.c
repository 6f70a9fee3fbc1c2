/*
 * collect_netns.c - which network namespaces a snapshot looks at, one after the other. See
 * collect_internal.h. Own sockets are opened in a namespace only for the time of its dumps: a
 * socket would keep it alive, and its operator from getting rid of it.
 */
#include "collect_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "caps.h"
#include "clocks.h"
#include "netns_enter.h"

/* Settings of a namespace seldom change: a service looks at them once in so long. */
#define FACTS_EVERY_NS (UINT64_C(60) * 1000000000u)

/* How many namespaces were left out, and why; words of --netns that meant one. */
struct netns_left {
	uint32_t gone, denied, late, failed, missing;
	uint64_t met;
};

/* ---------------------------------------------------------------------- what can be in one */

static bool read_file(int proc_fd, const char *path, char *ret, size_t size)
{
	int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = fd < 0 ? -1 : 1;
	while (n > 0 && len < size - 1) {
		n = read(fd, ret + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	ret[len] = '\0';
	return fd >= 0 && n == 0;
}

/* Of the namespace that the thread is in, in which `own` sockets of ours are in no table. */
static struct netns_use read_use(const struct collect *c, unsigned own)
{
	char stat4[2048], stat6[2048], protocols[NETNS_USE_FILE_MAX];
	if (!read_file(c->proc_fd, "thread-self/net/sockstat", stat4, sizeof(stat4)) ||
	    !read_file(c->proc_fd, "thread-self/net/protocols", protocols, sizeof(protocols)))
		return (struct netns_use){0};
	if (!read_file(c->proc_fd, "thread-self/net/sockstat6", stat6, sizeof(stat6)) && *stat6)
		return (struct netns_use){0};
	const struct netns_use_files files = {stat4, stat6, protocols};
	return netns_use_of(&files, own, c->counts_mptcp);
}

/* What is set otherwise than in the host's own namespace. */
static int put_facts(struct snap *s, struct err *e)
{
	struct netns_facts facts;
	CLEANUP(buf_fini) struct buf json = {0};
	netns_facts_read(&facts, s->c->proc_fd);
	netns_facts_json(&facts, &s->c->facts, &json);
	const char *text = buf_str(&json);
	return json.failed ? err_set(e, ERR_NOMEM, "out of memory")
			   : rec_writer_netns_facts(s->w, s->netns_row, text, e);
}

static int look_at(struct snap *s, struct netns_link *n, unsigned own, uint64_t deadline_ns,
		   struct err *e)
{
	s->use = read_use(s->c, own);
	s->costs->netns++;
	s->costs->netns_no_inet += s->use.no_inet;
	const struct rec_netns row = {.inode = n->inode, .cookie = n->cookie, .name = n->name};
	int rc = rec_writer_netns_row(s->w, &row, &s->netns_row, e);
	/* A row that is new has the greatest number so far. */
	if (!rc && (s->facts_due || s->netns_row > s->c->facts_row))
		rc = put_facts(s, e);
	if (s->facts_due || s->netns_row > s->c->facts_row)
		s->c->facts_row = s->netns_row;
	return rc ? rc : collect_netns(s, n, deadline_ns, e);
}

/* ------------------------------------------------------------------------------------ all */

/* One word of those that are asked for. */
static bool is_meant(const char *word, size_t len, const struct netns_link *n,
		     const char *container, bool is_own)
{
	if (len == 4 && memcmp(word, "self", 4) == 0)
		return is_own;
	return netns_is_named(word, len, n->inode, n->name, container);
}

/*
 * Is the namespace asked for? `words`: apart by commas; NULL: all are. Notes in *met which words
 * mean it: bit n, of the first 64.
 */
static bool is_wanted(const char *words, const struct netns_link *n, const char *container,
		      bool is_own, uint64_t *met)
{
	bool wanted = !words;
	unsigned number = 0;
	for (const char *at = words; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		if (is_meant(at, strcspn(at, ","), n, container, is_own)) {
			wanted = true;
			*met |= number < 64 ? UINT64_C(1) << number : 0;
		}
		number++;
	}
	return wanted;
}

/* How many of the first 64 words meant none. */
static uint32_t count_missing(const char *words, uint64_t met)
{
	uint32_t missing = 0;
	unsigned number = 0;
	for (const char *at = words; at && number < 64; number++) {
		missing += !(met >> number & 1);
		at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
	}
	return missing;
}

/* In another namespace than our own. */
static int look_inside(struct snap *s, struct netns_link *n, uint64_t deadline_ns,
		       struct netns_left *left, struct err *e)
{
	struct err why = {0};
	if (nl_dump_open(&n->dump, &why)) {
		left->failed++;
		return 0;
	}
	n->cookie = netns_cookie(nl_dump_fd(n->dump));
	int rc = look_at(s, n, 0, deadline_ns, e);
	nl_dump_close(n->dump);
	return rc;
}

/* Its name, else its container. *ret_container: NULL if it has none. */
static const char *name_of(struct collect *c, const struct netns_found *found,
			   char id[NETNS_CONTAINER_BYTES], const char **ret_container)
{
	const char *name = netns_text(&c->list, found->name);
	*ret_container = netns_container(found, c->proc_fd, id);
	return name ? name : *ret_container;
}

/* Goes into another namespace and comes back. */
static int visit(struct snap *s, const struct netns_found *found, uint64_t deadline_ns,
		 struct netns_left *left, struct err *e)
{
	struct collect *c = s->c;
	char id[NETNS_CONTAINER_BYTES];
	const char *container;
	struct err why = {0};
	struct netns_link n = {.inode = found->inode, .tick = &c->tick};
	n.name = name_of(c, found, id, &container);
	if (!is_wanted(c->options.netns, &n, container, false, &left->met))
		return 0;
	if (deadline_ns && clocks_mono_ns() >= deadline_ns) {
		left->late++;
		return 0;
	}
	int rc = netns_enter(found, &c->list, c->proc_fd, &why);
	if (rc) {
		left->gone += rc == ERR_NOT_FOUND;
		left->denied += rc == ERR_PERM;
		left->failed += rc != ERR_NOT_FOUND && rc != ERR_PERM;
		return 0;
	}
	rc = look_inside(s, &n, deadline_ns, left, e);
	int back = netns_leave(&c->home, rc ? &why : e);
	return rc ? rc : back;
}

static void note_left(struct snap *s, const struct netns_left *left)
{
	const struct {
		uint32_t count, flags;
		const char *why;
	} kinds[] = {
		{left->gone, SNAP_NETNS_LOST, "gone before it was read"},
		{left->denied, SNAP_NETNS_PART, "not permitted (CAP_SYS_ADMIN)"},
		{left->late, SNAP_NETNS_PART | SNAP_CUT | SNAP_PARTIAL, "left to the deadline"},
		{left->failed, SNAP_NETNS_PART | SNAP_PARTIAL, "could not be read"},
		{left->missing, SNAP_NETNS_PART, "of those that were asked for not found"},
	};
	char what[64];
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!kinds[i].count)
			continue;
		s->info->flags |= kinds[i].flags;
		snprintf(what, sizeof(what), "%u %s", kinds[i].count, kinds[i].why);
		collect_problem(s, "network namespaces", what);
	}
}

/* Finds them all; our own gets its name. */
static void find_all(struct snap *s, char own_id[NETNS_CONTAINER_BYTES])
{
	struct collect *c = s->c;
	const char *container;
	struct err why = {0};
	uint64_t begin_ns = clocks_mono_ns();
	int rc = netns_find(&c->list, c->proc_fd, "", &why);
	s->costs->find_us = (clocks_mono_ns() - begin_ns) / 1000;
	if (rc) {
		c->list.count = 0;
		s->info->flags |= SNAP_NETNS_PART;
		collect_problem(s, "network namespaces", err_name(rc));
	}
	/* What may not be looked at may be in yet another one. */
	if (c->list.denied || c->list.cut)
		s->info->flags |= SNAP_NETNS_PART;
	if (c->list.denied)
		collect_problem(s, "network namespaces", "some processes do not show theirs");
	if (c->list.cut)
		collect_problem(s, "network namespaces", "too many of them");
	for (size_t i = 0; i < c->list.count; i++)
		if (c->list.items[i].inode == c->home.inode)
			c->own.name = name_of(c, &c->list.items[i], own_id, &container);
}

int collect_namespaces(struct snap *s, uint64_t deadline_ns, struct err *e)
{
	struct collect *c = s->c;
	struct netns_left left = {0};
	char own_id[NETNS_CONTAINER_BYTES];
	const char *words = c->options.netns;
	bool only_own = c->home.fd < 0 || (words && strcmp(words, "self") == 0);
	uint64_t now_ns = clocks_mono_ns();
	int rc = 0;
	s->facts_due = now_ns >= c->facts_due_ns || s->w != c->facts_writer;
	if (s->facts_due)
		c->facts_due_ns = now_ns + FACTS_EVERY_NS;
	c->facts_writer = s->w;
	c->own.name = NULL;
	if (!only_own)
		find_all(s, own_id);
	if (words || c->home.fd < 0)
		s->info->flags |= SNAP_NETNS_PART;
	if (words)
		s->info->flags |= SNAP_SOME_NETNS;
	if (is_wanted(words, &c->own, NULL, true, &left.met))
		rc = look_at(s, &c->own, 1, deadline_ns, e);
	for (size_t i = 0; !only_own && i < c->list.count && !rc; i++)
		if (c->list.items[i].inode != c->home.inode)
			rc = visit(s, &c->list.items[i], deadline_ns, &left, e);
	c->own.name = NULL; /* it was on our stack */
	left.missing = count_missing(words, left.met);
	note_left(s, &left);
	if (c->options.once)
		caps_forget_sys_admin();
	return rc;
}
