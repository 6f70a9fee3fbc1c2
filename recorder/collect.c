/* collect.c - see collect.h. */
#include "collect_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "caps.h"
#include "clocks.h"
#include "walker.h"

/* What is said in the costs about parts that went wrong; more is cut off. */
#define MAX_PROBLEMS 16

/* ------------------------------------------------------------------------ opening, closing */

/* The namespace of the calling thread. */
static int open_own(struct collect *c, struct err *e)
{
	struct utsname name;
	netns_home_open(&c->home, c->proc_fd);
	c->counts_mptcp = uname(&name) == 0 && netns_kernel_is(name.release, 6, 2);
	c->own = (struct netns_link){.inode = c->home.inode, .tick = &c->tick};
	int rc = tick_open(&c->tick, e);
	if (!rc)
		rc = nl_dump_open(&c->own.dump, e);
	if (!rc)
		c->own.cookie = netns_cookie(c->tick.fd);
	netns_facts_read(&c->facts, c->proc_fd);
	return rc;
}

static int open_all(struct collect *c, struct err *e)
{
	c->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->proc_fd < 0)
		return err_errno(e, errno, "/proc");
	cgroups_open(&c->cgroups, "");
	c->cpu_fd = open("/sys/devices/system/cpu", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return open_own(c, e);
}

int collect_new(const struct collect_options *options, struct collect **ret, struct err *e)
{
	struct collect *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, ERR_NOMEM, "out of memory");
	c->proc_fd = c->cpu_fd = c->cgroups.mount_fd = c->home.fd = c->tick.fd = -1;
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
	tick_close(&c->tick);
	nl_dump_close(c->own.dump);
	netns_home_close(&c->home);
	cgroups_close(&c->cgroups);
	netns_list_fini(&c->list);
	if (c->proc_fd >= 0)
		close(c->proc_fd);
	if (c->cpu_fd >= 0)
		close(c->cpu_fd);
	proc_walk_fini(&c->walk);
	owners_fini(&c->owners);
	diag_inet_fini(&c->diag);
	free(c);
}

/* --------------------------------------------------------------------------------- snapshot */

void collect_problem(struct snap *s, const char *part, const char *what)
{
	if (s->problems_count++ >= MAX_PROBLEMS)
		return;
	buf_printf(&s->problems, "%s\"%s: %s\"", s->problems.len ? "," : "", part, what);
}

void collect_problem_tables(struct snap *s, uint32_t protos, const char *what)
{
	char names[DIAG_NAMES_BYTES];
	if (diag_protos_names(protos, names))
		collect_problem(s, names, what);
}

uint64_t collect_since_begin_us(const struct snap *s, uint64_t ns)
{
	uint64_t begin = (uint64_t)s->info->mono_begin_ns;
	return ns > begin ? (ns - begin) / 1000 : 0;
}

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
	if (s->c->options.sieve)
		sieve_refresh(s->c->options.sieve);
	tick_begin(&s->c->tick);
	int rc = collect_namespaces(s, deadline_ns, e);
	s->costs->tick_base_us = s->c->tick.base_us;
	collect_problem_tables(s, s->no_table, "not in this kernel");
	collect_problem_tables(s, s->by_proc, "from /proc/net");
	if (s->no_table)
		s->info->flags |= SNAP_NO_TABLE;
	if (s->c->options.sieve && s->c->options.sieve->filter)
		s->info->flags |= SNAP_FILTERED;
	if (s->c->options.protos && s->c->options.protos != diag_protos()) {
		s->info->flags |= SNAP_SOME_TABLES;
		collect_problem_tables(s, diag_protos() & ~s->c->options.protos, "not asked for");
	}
	s->costs->tables = (s->c->options.protos ? s->c->options.protos : diag_protos()) &
			   ~s->no_table;
	return rc ? rc : track_members(rec_writer_track(s->w), e);
}

static void note_walk(struct snap *s, const struct walker *walker)
{
	const struct proc_walk *w = &s->c->walk;
	s->costs->walk_us = walker->duration_ns / 1000;
	s->costs->processes = w->processes_seen;
	s->costs->denied = w->denied;
	if (w->denied)
		s->info->flags |= SNAP_OWNERS_PART;
	if (!s->c->sees_all)
		s->info->flags |= SNAP_UNPRIVILEGED;
	if (w->cut) {
		s->info->flags |= SNAP_OWNERS_PART | SNAP_CUT;
		collect_problem(s, "/proc", "cut off by the deadline");
	}
}

static void note_fds(struct snap *s)
{
	s->costs->fds = s->c->walk.fds_seen;
	s->costs->fds_trusted = s->c->walk.fds_trusted;
	s->costs->holders = s->c->walk.processes_count;
}

static int put_marks(struct snap *s, struct err *e)
{
	const struct watermark *m = &s->c->marks;
	char what[64];
	if (m->missed || !m->cpus) {
		snprintf(what, sizeof(what), m->cpus ? "%u CPUs were not reached" : "no CPUs",
			 m->missed);
		collect_problem(s, "watermark", what);
	}
	if (m->missed == m->cpus)
		return 0;
	return rec_writer_watermark(s->w, collect_since_begin_us(s, m->begin_ns),
				    collect_since_begin_us(s, m->end_ns + 999), m->inodes, m->cpus,
				    e);
}

/* Dumps and walk side by side, then together. */
static int gather(struct snap *s, struct err *e)
{
	struct walker walker;
	struct err walk_err = {0};
	uint64_t since_ns = clocks_mono_ns();
	uint64_t deadline_ns = deadline_from_now(s->c);
	int rc = owners_recall(&s->c->owners, &s->c->walk, s->w, e);
	if (rc)
		return rc;
	watermark_start(&s->c->marks, s->c->cpu_fd);
	walker_start(&walker, &s->c->walk, s->c->proc_fd, s->c->options.cmdline);
	rc = dump_all(s, deadline_ns, e);
	s->costs->dump_us = lap_us(&since_ns);
	int walk_rc = walker_finish(&walker, rc ? 1 : deadline_ns, &walk_err);
	watermark_finish(&s->c->marks);
	s->costs->wait_us = lap_us(&since_ns);
	if (!rc)
		rc = put_marks(s, e);
	if (!rc)
		rc = collect_cgroups(s, e);
	if (rc)
		return rc;
	note_walk(s, &walker);
	if (walk_rc) {
		s->info->flags |= SNAP_NO_OWNERS;
		collect_problem(s, "/proc", err_name(walk_rc));
		return walk_rc == ERR_NOMEM ? err_set(e, walk_rc, "%s", walk_err.text) : 0;
	}
	rc = owners_refresh(&s->c->owners, &s->c->walk, s->w, s->c->proc_fd, s->c->options.cmdline,
			    e);
	note_fds(s);
	if (!rc)
		rc = owners_assign(&s->c->owners, &s->c->walk, s->w, e);
	proc_walk_done(&s->c->walk);
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

static int put_cost(void *ctx, const char *name, uint64_t value, struct err *e)
{
	return rec_writer_cost(ctx, name, value, e);
}

static int write_out(struct snap *s, struct err *e)
{
	CLEANUP(buf_fini) struct buf json = {0};
	uint64_t since_ns = clocks_mono_ns();
	if (s->problems.len)
		buf_printf(&json, "[%s]", buf_str(&s->problems));
	s->info->wall_end_ns = clocks_wall_ns();
	s->info->boot_end_ns = clocks_boot_ns();
	int rc = json.failed || s->problems.failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
	if (!rc)
		rc = collect_costs_each(s->costs, put_cost, s->w, e);
	if (rc)
		rec_writer_abandon(s->w);
	else
		rc = rec_writer_commit(s->w, s->info, json.len ? buf_str(&json) : NULL, e);
	s->costs->encode_us = s->info->encode_us;
	s->costs->commit_us = lap_us(&since_ns) - s->costs->encode_us;
	return rc;
}

/* Readings of clocks that lie no farther apart are of one moment. */
#define ONE_MOMENT_NS 20000u
#define MOMENT_TRIES  8

/*
 * The three clocks at one moment: rows are dated by CLOCK_MONOTONIC and told on CLOCK_BOOTTIME, so
 * that a pause between the readings (other tasks, a hypervisor) would shift all bounds.
 */
static void read_begin(struct rec_snapshot *ret)
{
	uint64_t least_ns = UINT64_MAX;
	for (int i = 0; i < MOMENT_TRIES && least_ns > ONE_MOMENT_NS; i++) {
		uint64_t mono_ns = clocks_mono_ns();
		int64_t boot_ns = clocks_boot_ns(), wall_ns = clocks_wall_ns();
		uint64_t took_ns = clocks_mono_ns() - mono_ns;
		if (took_ns >= least_ns)
			continue;
		least_ns = took_ns;
		ret->mono_begin_ns = (int64_t)mono_ns;
		ret->boot_begin_ns = boot_ns;
		ret->wall_begin_ns = wall_ns;
	}
}

int collect_snapshot(struct collect *c, struct rec_writer *w, struct rec_snapshot *ret_info,
		     struct collect_costs *ret_costs, struct err *e)
{
	uint64_t cpu_before = cpu_us(), begin_ns = clocks_mono_ns();
	*ret_costs = (struct collect_costs){0};
	*ret_info = (struct rec_snapshot){0};
	read_begin(ret_info);
	struct snap s = {.c = c, .w = w, .info = ret_info, .costs = ret_costs};
	int rc = rec_writer_begin(w, e);
	if (rc)
		return rc;
	rc = gather(&s, e);
	if (!rc)
		rc = write_out(&s, e);
	if (rc) {
		rec_writer_abandon(w);
		proc_walk_forget(&c->walk);
	}
	buf_fini(&s.problems);
	intern_fini(&s.cgroups);
	ret_costs->total_us = (clocks_mono_ns() - begin_ns) / 1000;
	ret_costs->cpu_us = cpu_us() - cpu_before;
	return rc;
}
