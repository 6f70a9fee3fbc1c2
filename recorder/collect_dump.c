/* collect_dump.c - see collect_internal.h. */
#include "collect_internal.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clocks.h"
#include "counters.h"
#include "proc_raw.h"

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
	if (track_rows(rec_writer_track(s->w)) >= SOCKSET_MAX_ROWS) {
		s->info->flags |= SNAP_PARTIAL; /* the writer takes no more; sockets says so */
		return 0;
	}
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

static bool read_dev(const struct netns_link *n, uint32_t ifindex, char ret_name[IFNAMSIZ])
{
	struct ifreq r = {.ifr_ifindex = (int)ifindex};
	if (ioctl(nl_dump_fd(n->dump), SIOCGIFNAME, &r))
		return false;
	memcpy(ret_name, r.ifr_name, IFNAMSIZ);
	ret_name[IFNAMSIZ - 1] = '\0';
	return true;
}

static const char *dev_of(void *ctx, uint32_t ifindex)
{
	struct snap *s = ctx;
	_Static_assert(sizeof(s->dev) == IFNAMSIZ, "room for a name");
	return read_dev(s->link, ifindex, s->dev) ? s->dev : NULL;
}

static bool takes(const struct snap *s, const struct sock_row *row)
{
	return !s->c->options.sieve || sieve_takes(s->c->options.sieve, row, &s->about);
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
	int malformed = rc == ERR_KERNEL || (rc == 0 && d->malformed);
	if (rc)
		return malformed ? malformed : rc;
	s->about.path = d->path;
	s->about.path_len = d->path_len;
	if (is_own(s, &d->row) || !takes(s, &d->row))
		return malformed;
	rc = set_texts(s, d, e);
	if (!rc && (d->row.state.has & HAS_CGROUP))
		rc = collect_note_cgroup(s, d->row.option.cgroup_id, e);
	if (!rc)
		rc = add_row(s, &d->row, fill, e);
	return rc ? rc : malformed;
}

static int take_batch_end(void *ctx, const struct dump_fill *fill, struct err *e)
{
	struct snap *s = ctx;
	return track_batch(rec_writer_track(s->w), collect_since_begin_us(s, fill->begin_ns),
			   collect_since_begin_us(s, fill->end_ns + 999), e);
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
	collect_problem(s, s->table->name, dump_why(f));
}

static int take_lines(struct snap *s, FILE *f, const struct dump_fill *fill, struct err *e)
{
	char line[512];
	while (fgets(line, sizeof(line), f)) {
		struct sock_row row;
		if (!proc_raw_parse(line, strcspn(line, "\n"), s->table->family, &row) ||
		    !takes(s, &row))
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
	struct dump_fill fill = {.begin_ns = clocks_mono_ns(), .tick_lo_ms = tick_read_ms(n->tick)};
	fill.tick_hi_ms = fill.tick_lo_ms;
	int rc = take_lines(s, f, &fill, e);
	fclose(f);
	fill.end_ns = clocks_mono_ns();
	s->by_proc |= DIAG_PROTO_BIT(s->table->proto);
	return rc ? rc : take_batch_end(s, &fill, e);
}

/* The request for the table, narrowed down to what the sieve can take of it. */
static int make_request(struct snap *s, bool narrow, struct buf *payload, struct err *e)
{
	uint8_t *bytes = buf_reserve(payload, DIAG_REQUEST_MAX);
	if (!bytes)
		return err_set(e, ERR_NOMEM, "out of memory");
	payload->len += diag_table_request(s->table, bytes);
	if (narrow)
		sieve_narrow(s->c->options.sieve, s->table, payload);
	if (s->use.all_active)
		diag_table_leave_out_bound(s->table, payload->bytes);
	return payload->failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

static int run_request(struct snap *s, struct netns_link *n, bool narrow, uint64_t deadline_ns,
		       struct dump_facts *ret_facts, struct err *e)
{
	CLEANUP(buf_fini) struct buf payload = {0};
	const struct dump_sink sink = {s, take_message, take_batch_end};
	int rc = make_request(s, narrow, &payload, e);
	if (rc)
		return rc;
	const struct nl_request request = {
		.type = s->table->type, .payload = payload.bytes, .len = payload.len};
	s->own_port = nl_dump_port(n->dump);
	return nl_dump_run(n->dump, &request, n->tick, deadline_ns, &sink, ret_facts, e);
}

static int dump_table(struct snap *s, struct netns_link *n, uint64_t deadline_ns, struct err *e)
{
	uint64_t bit = UINT64_C(1) << (s->table - diag_tables);
	if (s->c->absent & bit)
		return read_fallback(s, n, e);
	struct dump_facts facts;
	bool narrow = s->c->options.sieve && !s->c->no_narrowing &&
		      sieve_can_narrow(s->c->options.sieve, s->table);
	int rc = run_request(s, n, narrow, deadline_ns, &facts, e);
	if (!rc && narrow && facts.said_no) {
		/* A kernel that does not know the code: the sieve does it alone from now on. */
		s->c->no_narrowing = true;
		rc = run_request(s, n, false, deadline_ns, &facts, e);
	}
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
		char name[IFNAMSIZ];
		if (!read_dev(n, s->interfaces[i], name))
			continue;
		int rc = rec_writer_interface(s->w, s->netns_row, s->interfaces[i], name, e);
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

/* Is the table asked for, and can it have a socket here? */
static bool is_wanted(const struct snap *s, const struct diag_table *t)
{
	if (s->c->options.protos && !(s->c->options.protos & DIAG_PROTO_BIT(t->proto)))
		return false;
	if (s->c->options.sieve && !sieve_wants_table(s->c->options.sieve, t))
		return false;
	if (t->family == AF_INET || t->family == AF_INET6)
		return !s->use.no_inet && !(s->use.no_mptcp && t->proto == PROTO_MPTCP);
	return true;
}

int collect_netns(struct snap *s, struct netns_link *n, uint64_t deadline_ns, struct err *e)
{
	s->link = n;
	s->about = (struct filter_about){
		.netns_name = n->name, .netns_inode = n->inode, .dev = dev_of, .ctx = s};
	int rc = read_counters(s, e);
	for (size_t i = 0; i < diag_tables_count && !rc; i++) {
		s->table = &diag_tables[i];
		if (is_wanted(s, s->table))
			rc = dump_table(s, n, deadline_ns, e);
	}
	return rc ? rc : name_interfaces(s, n, e);
}
