/* collect.c - see collect.h. */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caps.h"
#include "clocks.h"
#include "counters.h"
#include "diag_inet.h"
#include "diag_table.h"
#include "nl_dump.h"
#include "owners.h"
#include "proc_raw.h"
#include "walker.h"

/* Interfaces that sockets of one namespace are bound to; more are not named. */
#define MAX_INTERFACES 256

/* What is said in the costs about parts that went wrong; more is cut off. */
#define MAX_PROBLEMS 16

/* A network namespace and the sockets that are open in it. */
struct netns_link {
	uint64_t inode;
	const char *name; /* NULL: none */
	struct tick tick;
	struct nl_dump *dump;
};

struct collect {
	struct collect_options options;
	int proc_fd;
	bool sees_all;
	struct netns_link *netns;
	size_t netns_count;
	struct proc_walk walk;
	struct owners owners;
	struct diag_inet diag;
	uint64_t absent; /* diag_tables[] that the kernel refused: bit 1 << index */
};

/* One snapshot under way. */
struct snap {
	struct collect *c;
	struct rec_writer *w;
	struct rec_snapshot *info;
	struct collect_costs *costs;
	const struct diag_table *table;
	uint32_t own_port; /* of the socket that asks, which is not recorded */
	uint32_t no_table; /* tables that the kernel lacks, DIAG_PROTO_BIT()s */
	uint32_t by_proc;  /* tables that were read from /proc/net */
	uint32_t netns_row;
	char cong[32]; /* name and row of the last congestion control seen */
	size_t cong_len;
	uint32_t cong_row;
	uint32_t interfaces[MAX_INTERFACES];
	size_t interfaces_count;
	struct buf problems; /* JSON texts, apart by commas */
	uint32_t problems_count;
};

/* ------------------------------------------------------------------------ opening, closing */

static void netns_close(struct netns_link *n)
{
	tick_close(&n->tick);
	nl_dump_close(n->dump);
}

/* The namespace of the calling thread. */
static int netns_open_own(struct netns_link *n, struct err *e)
{
	struct stat st;
	*n = (struct netns_link){.tick.fd = -1};
	if (stat("/proc/self/ns/net", &st) == 0)
		n->inode = st.st_ino;
	int rc = tick_open(&n->tick, e);
	return rc ? rc : nl_dump_open(&n->dump, e);
}

static int open_all(struct collect *c, struct err *e)
{
	c->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->proc_fd < 0)
		return err_errno(e, errno, "/proc");
	c->netns = calloc(1, sizeof(*c->netns));
	if (!c->netns)
		return err_set(e, ERR_NOMEM, "out of memory");
	c->netns_count = 1;
	return netns_open_own(&c->netns[0], e);
}

int collect_new(const struct collect_options *options, struct collect **ret, struct err *e)
{
	struct collect *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, ERR_NOMEM, "out of memory");
	c->proc_fd = -1;
	c->options = *options;
	c->sees_all = caps_sees_all();
	int rc = open_all(c, e);
	if (rc) {
		collect_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void collect_free(struct collect *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->netns_count; i++)
		netns_close(&c->netns[i]);
	free(c->netns);
	if (c->proc_fd >= 0)
		close(c->proc_fd);
	proc_walk_fini(&c->walk);
	owners_fini(&c->owners);
	diag_inet_fini(&c->diag);
	free(c);
}

/* ---------------------------------------------------------------------------------- sockets */

static void note_problem(struct snap *s, const char *part, const char *what)
{
	if (s->problems_count++ >= MAX_PROBLEMS)
		return;
	buf_printf(&s->problems, "%s\"%s: %s\"", s->problems.len ? "," : "", part, what);
}

static void note_interface(struct snap *s, uint32_t ifindex)
{
	for (size_t i = s->interfaces_count; i-- > 0;)
		if (s->interfaces[i] == ifindex)
			return;
	if (s->interfaces_count < MAX_INTERFACES)
		s->interfaces[s->interfaces_count++] = ifindex;
}

/* The texts of the row as rows of table text. The congestion control seldom changes. */
static int set_texts(struct snap *s, struct diag_inet *d, struct err *e)
{
	int rc = 0;
	if (d->row.state.has & HAS_CONG) {
		if (d->cong_len != s->cong_len || memcmp(d->cong, s->cong, s->cong_len) != 0) {
			s->cong_len = 0;
			rc = rec_writer_text(s->w, d->cong, d->cong_len, &s->cong_row, e);
			if (!rc && d->cong_len <= sizeof(s->cong)) {
				memcpy(s->cong, d->cong, d->cong_len);
				s->cong_len = d->cong_len;
			}
		}
		d->row.option.cong = s->cong_row;
	}
	const struct {
		uint64_t has;
		const void *bytes;
		size_t len;
		uint32_t *id;
	} others[] = {
		{HAS_EXTRA, d->extra.bytes, d->extra.len, &d->row.option.extra},
		{HAS_PATH, d->path, d->path_len, &d->row.unix.path},
		{HAS_ICONS, d->icons.bytes, d->icons.len, &d->row.unix.icons},
		{HAS_GROUPS, d->groups, d->groups_len, &d->row.link.groups},
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && !rc; i++)
		if (d->row.state.has & others[i].has)
			rc = rec_writer_text(s->w, others[i].bytes, others[i].len, others[i].id, e);
	return rc;
}

static int add_row(struct snap *s, struct sock_row *row, const struct dump_fill *fill,
		   struct err *e)
{
	row->member.netns = s->netns_row;
	if (row->state.ifindex)
		note_interface(s, row->state.ifindex);
	int rc = track_add(rec_writer_track(s->w), row, fill->tick_lo_ms, fill->tick_hi_ms, e);
	/* The kernel tells of netlink sockets with groups twice, by their port and by the groups.
	 */
	if (rc == 1 && row->member.proto == PROTO_NETLINK)
		return 0;
	if (rc == 1) {
		s->costs->duplicates++;
		s->info->flags |= SNAP_DUPLICATES;
		return 0;
	}
	return rc;
}

static bool is_own(const struct snap *s, const struct sock_row *row)
{
	return row->member.proto == PROTO_NETLINK && row->link.portid == s->own_port &&
	       row->link.link_proto == NETLINK_SOCK_DIAG;
}

static int take_message(void *ctx, uint16_t type, const uint8_t *payload, size_t len,
			const struct dump_fill *fill, struct err *e)
{
	struct snap *s = ctx;
	struct diag_inet *d = &s->c->diag;
	int rc = type == s->table->type ? s->table->decode(payload, len, s->table->proto, d, e)
					: ERR_KERNEL;
	if (rc == ERR_KERNEL || (rc == 0 && d->malformed)) {
		s->costs->malformed++;
		s->info->flags |= SNAP_PARTIAL;
	}
	if (rc)
		return rc == ERR_KERNEL ? 0 : rc;
	if (is_own(s, &d->row))
		return 0;
	rc = set_texts(s, d, e);
	return rc ? rc : add_row(s, &d->row, fill, e);
}

/* Microseconds after the snapshot's begin, rounded down. */
static uint64_t since_begin_us(const struct snap *s, uint64_t ns)
{
	uint64_t begin = (uint64_t)s->info->mono_begin_ns;
	return ns > begin ? (ns - begin) / 1000 : 0;
}

static int take_batch_end(void *ctx, const struct dump_fill *fill, struct err *e)
{
	struct snap *s = ctx;
	return track_batch(rec_writer_track(s->w), since_begin_us(s, fill->begin_ns),
			   since_begin_us(s, fill->end_ns + 999), e);
}

static void note_facts(struct snap *s, const struct dump_facts *f)
{
	s->costs->datagrams += f->datagrams;
	s->costs->dump_bytes += f->bytes;
	s->costs->malformed += f->malformed;
	if (f->interrupted)
		s->info->flags |= SNAP_INTERRUPTED;
	if (f->whole)
		return;
	s->info->flags |= f->cut ? SNAP_PARTIAL | SNAP_CUT : SNAP_PARTIAL;
	note_problem(s, s->table->name,
		     f->errnum	    ? strerror(f->errnum)
		     : f->cut	    ? "cut off by the deadline"
		     : f->overrun   ? "the kernel lost messages"
		     : f->malformed ? "malformed messages"
				    : "ended early");
}

static int take_lines(struct snap *s, FILE *f, const struct dump_fill *fill, struct err *e)
{
	char line[512];
	while (fgets(line, sizeof(line), f)) {
		struct sock_row row;
		if (!proc_raw_parse(line, strcspn(line, "\n"), s->table->family, &row))
			continue;
		int rc = add_row(s, &row, fill, e);
		if (rc)
			return rc;
	}
	return 0;
}

/* A table that the kernel refused may be told as text: rows are of the time it took to read. */
static int read_fallback(struct snap *s, struct netns_link *n, struct err *e)
{
	const char *path = s->table->fallback;
	int fd = path ? openat(s->c->proc_fd, path, O_RDONLY | O_CLOEXEC) : -1;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f) {
		if (fd >= 0)
			close(fd);
		s->no_table |= DIAG_PROTO_BIT(s->table->proto);
		return 0;
	}
	struct dump_fill fill = {.begin_ns = clocks_mono_ns(),
				 .tick_lo_ms = tick_read_ms(&n->tick)};
	fill.tick_hi_ms = fill.tick_lo_ms;
	int rc = take_lines(s, f, &fill, e);
	fclose(f);
	fill.end_ns = clocks_mono_ns();
	s->by_proc |= DIAG_PROTO_BIT(s->table->proto);
	return rc ? rc : take_batch_end(s, &fill, e);
}

static void note_tables(struct snap *s, uint32_t protos, const char *what)
{
	char names[DIAG_NAMES_BYTES];
	if (diag_protos_names(protos, names))
		note_problem(s, names, what);
}

static int dump_table(struct snap *s, struct netns_link *n, uint64_t deadline_ns, struct err *e)
{
	uint64_t bit = UINT64_C(1) << (s->table - diag_tables);
	if (s->c->absent & bit)
		return read_fallback(s, n, e);
	uint8_t payload[DIAG_REQUEST_MAX];
	struct nl_request request = {.type = s->table->type, .payload = payload};
	request.len = diag_table_request(s->table, payload);
	const struct dump_sink sink = {s, take_message, take_batch_end};
	struct dump_facts facts;
	s->own_port = nl_dump_port(n->dump);
	int rc = nl_dump_run(n->dump, &request, &n->tick, deadline_ns, &sink, &facts, e);
	if (!rc && facts.said_no && diag_is_no_table(facts.errnum)) {
		/* Asking once more would have the kernel look for a module every time. */
		s->c->absent |= bit;
		return read_fallback(s, n, e);
	}
	note_facts(s, &facts);
	return rc;
}

static int name_interfaces(struct snap *s, struct netns_link *n, struct err *e)
{
	for (size_t i = 0; i < s->interfaces_count; i++) {
		struct ifreq r = {.ifr_ifindex = (int)s->interfaces[i]};
		if (ioctl(n->tick.fd, SIOCGIFNAME, &r))
			continue;
		r.ifr_name[IFNAMSIZ - 1] = '\0';
		int rc = rec_writer_interface(s->w, s->netns_row, s->interfaces[i], r.ifr_name, e);
		if (rc)
			return rc;
	}
	s->interfaces_count = 0;
	return 0;
}

static int take_counter(void *ctx, const char *name, int64_t value, struct err *e)
{
	struct snap *s = ctx;
	return rec_writer_counter(s->w, s->netns_row, name, value, e);
}

/* The counters of the calling thread's namespace; a file that is not there is left out. */
static int read_counters(struct snap *s, struct err *e)
{
	static const char *const files[] = {"thread-self/net/snmp", "thread-self/net/netstat"};
	char text[COUNTERS_FILE_MAX];
	int rc = 0;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !rc; i++) {
		int fd = openat(s->c->proc_fd, files[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
		if (fd >= 0)
			close(fd);
		if (n > 0)
			rc = counters_parse(text, (size_t)n, take_counter, s, e);
	}
	return rc;
}

static int dump_netns(struct snap *s, struct netns_link *n, uint64_t deadline_ns, struct err *e)
{
	int rc = rec_writer_netns(s->w, n->inode, n->name, &s->netns_row, e);
	if (!rc)
		rc = read_counters(s, e);
	for (size_t i = 0; i < diag_tables_count && !rc; i++) {
		s->table = &diag_tables[i];
		if (s->c->options.protos &&
		    !(s->c->options.protos & DIAG_PROTO_BIT(s->table->proto)))
			continue;
		rc = dump_table(s, n, deadline_ns, e);
	}
	return rc ? rc : name_interfaces(s, n, e);
}

/* --------------------------------------------------------------------------------- snapshot */

static uint64_t deadline_from_now(const struct collect *c)
{
	return c->options.deadline_ns ? clocks_mono_ns() + c->options.deadline_ns : 0;
}

static uint64_t lap_us(uint64_t *since_ns)
{
	uint64_t now = clocks_mono_ns();
	uint64_t us = (now - *since_ns) / 1000;
	*since_ns = now;
	return us;
}

static int dump_all(struct snap *s, uint64_t deadline_ns, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < s->c->netns_count && !rc; i++)
		rc = dump_netns(s, &s->c->netns[i], deadline_ns, e);
	note_tables(s, s->no_table, "not in this kernel");
	note_tables(s, s->by_proc, "from /proc/net");
	if (s->no_table)
		s->info->flags |= SNAP_NO_TABLE;
	if (s->c->options.protos && s->c->options.protos != diag_protos()) {
		s->info->flags |= SNAP_FILTERED;
		note_tables(s, diag_protos() & ~s->c->options.protos, "not asked for");
	}
	return rc ? rc : track_members(rec_writer_track(s->w), e);
}

static void note_walk(struct snap *s, const struct walker *walker)
{
	const struct proc_walk *w = &s->c->walk;
	s->costs->walk_us = walker->duration_ns / 1000;
	s->costs->fds = w->fds_seen;
	s->costs->processes = w->processes_seen;
	s->costs->holders = w->processes_count;
	s->costs->denied = w->denied;
	if (w->denied)
		s->info->flags |= SNAP_OWNERS_PART;
	if (!s->c->sees_all)
		s->info->flags |= SNAP_UNPRIVILEGED;
	if (w->cut) {
		s->info->flags |= SNAP_OWNERS_PART | SNAP_CUT;
		note_problem(s, "/proc", "cut off by the deadline");
	}
}

/* Dumps and walk side by side, then together. */
static int gather(struct snap *s, struct err *e)
{
	struct walker walker;
	struct err walk_err = {0};
	uint64_t since_ns = clocks_mono_ns();
	uint64_t deadline_ns = deadline_from_now(s->c);
	walker_start(&walker, &s->c->walk, s->c->proc_fd, s->c->options.cmdline);
	int rc = dump_all(s, deadline_ns, e);
	s->costs->dump_us = lap_us(&since_ns);
	int walk_rc = walker_finish(&walker, rc ? 1 : deadline_ns, &walk_err);
	s->costs->wait_us = lap_us(&since_ns);
	if (rc)
		return rc;
	note_walk(s, &walker);
	if (walk_rc) {
		s->info->flags |= SNAP_NO_OWNERS;
		note_problem(s, "/proc", err_name(walk_rc));
		return walk_rc == ERR_NOMEM ? err_set(e, walk_rc, "%s", walk_err.text) : 0;
	}
	rc = owners_assign(&s->c->owners, &s->c->walk, s->w, e);
	s->costs->owners_us = lap_us(&since_ns);
	return rc;
}

static uint64_t cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int write_out(struct snap *s, struct err *e)
{
	CLEANUP(buf_fini) struct buf json = {0};
	uint64_t since_ns = clocks_mono_ns();
	buf_put_str(&json, "{");
	collect_costs_json(s->costs, &json);
	buf_printf(&json, ",\"problems\":[%s]}", buf_str(&s->problems));
	if (json.failed || s->problems.failed)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->info->wall_end_ns = clocks_wall_ns();
	s->info->boot_end_ns = clocks_boot_ns();
	int rc = rec_writer_commit(s->w, s->info, buf_str(&json), e);
	s->costs->encode_us = s->info->encode_us;
	s->costs->commit_us = lap_us(&since_ns) - s->costs->encode_us;
	return rc;
}

int collect_snapshot(struct collect *c, struct rec_writer *w, struct rec_snapshot *ret_info,
		     struct collect_costs *ret_costs, struct err *e)
{
	uint64_t cpu_before = cpu_us(), begin_ns = clocks_mono_ns();
	*ret_costs = (struct collect_costs){0};
	*ret_info = (struct rec_snapshot){.wall_begin_ns = clocks_wall_ns(),
					  .boot_begin_ns = clocks_boot_ns(),
					  .mono_begin_ns = (int64_t)begin_ns};
	struct snap s = {.c = c, .w = w, .info = ret_info, .costs = ret_costs};
	int rc = rec_writer_begin(w, e);
	if (rc)
		return rc;
	rc = gather(&s, e);
	if (rc)
		rec_writer_abandon(w);
	else
		rc = write_out(&s, e);
	buf_fini(&s.problems);
	ret_costs->total_us = (clocks_mono_ns() - begin_ns) / 1000;
	ret_costs->cpu_us = cpu_us() - cpu_before;
	return rc;
}
