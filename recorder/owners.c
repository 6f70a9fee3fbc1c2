/* owners.c - see owners.h. */
#include "owners.h"

#include <stdlib.h>
#include <string.h>

/* FORMAT.md section 6. */
#define MAX_HOLDERS 65536

struct owner_holder {
	uint64_t start_ticks;
	int64_t pid;
	uint32_t process; /* row of table process */
	uint32_t fd;
};

void owners_fini(struct owners *o)
{
	free(o->process_row);
	free(o->holders);
	free(o->doubts);
	buf_fini(&o->more);
	buf_fini(&o->former_more);
	*o = (struct owners){0};
}

/* The row of table process for a process of the walk; made when it is first asked for. */
static int process_row(struct owners *o, struct proc_walk *walk, uint32_t index,
		       struct rec_writer *writer, uint32_t *ret, struct err *e)
{
	if (!o->process_row[index]) {
		const struct proc_found *f = &walk->processes[index];
		struct rec_process p = {
			.pid = f->pid,
			.start_ticks = f->start_ticks,
			.ppid = f->ppid,
			.uid = f->uid,
			.comm = proc_walk_text(walk, f->comm),
			.exe = proc_walk_text(walk, f->exe),
			.cmdline = proc_walk_text(walk, f->cmdline),
			.cgroup = proc_walk_text(walk, f->cgroup),
			.container = proc_walk_text(walk, f->container),
		};
		if (!p.comm)
			p.comm = "";
		int rc = rec_writer_process(writer, &p, &o->process_row[index], e);
		if (rc)
			return rc;
	}
	*ret = o->process_row[index];
	return 0;
}

static int add_holder(struct owners *o, struct proc_walk *walk, uint32_t process, uint32_t fd,
		      struct rec_writer *writer, struct err *e)
{
	if (o->count >= MAX_HOLDERS)
		return 0;
	if (ARRAY_NEED(o->holders, o->holders_cap, (size_t)o->count + 1))
		return err_set(e, ERR_NOMEM, "owners: out of memory");
	const struct proc_found *f = &walk->processes[process];
	struct owner_holder *h = &o->holders[o->count];
	*h = (struct owner_holder){.start_ticks = f->start_ticks, .pid = f->pid, .fd = fd};
	int rc = process_row(o, walk, process, writer, &h->process, e);
	if (!rc)
		o->count++;
	return rc;
}

/* What an owner that was taken over stands for now. */
struct gathering {
	struct owners *o;
	struct proc_walk *walk;
	struct rec_writer *writer;
};

static int take_former(void *ctx, uint32_t row, uint32_t fd, struct err *e)
{
	struct gathering *g = ctx;
	const struct known_process *k = owners_trusted(&g->walk->known, row, fd);
	return k ? add_holder(g->o, g->walk, k->found, fd, g->writer, e) : 0;
}

/* All holders of a socket: those that the walk read, and those that it took over. */
static int gather(struct owners *o, struct proc_walk *walk, uint32_t position, uint32_t holder,
		  struct rec_writer *writer, struct err *e)
{
	struct gathering g = {o, walk, writer};
	int rc = 0;
	o->count = 0;
	for (; holder != PROC_NO_HOLDER && !rc; holder = proc_walk_next(walk, holder)) {
		const struct proc_holder *h = &walk->holders[holder];
		rc = add_holder(o, walk, h->process, h->fd, writer, e);
	}
	if (rc || !walk->known.on)
		return rc;
	const struct row_owner *former = owners_former(rec_writer_track(writer), position);
	return owners_each(o, former, writer, take_former, &g, e);
}

/*
 * The one that started first comes first. Not by the row of table process: a process whose parent
 * ends gets a new row, and would seem to have handed its sockets to another holder.
 */
static int by_process_and_fd(const void *a, const void *b)
{
	const struct owner_holder *x = a, *y = b;
	if (x->start_ticks != y->start_ticks)
		return x->start_ticks < y->start_ticks ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* holders[0..n-1] as the row's columns. */
static int make_owner(struct owners *o, uint32_t n, struct rec_writer *writer,
		      struct row_owner *ret, struct err *e)
{
	if (n > 1)
		qsort(o->holders, n, sizeof(*o->holders), by_process_and_fd);
	/* All of it: padding takes part in comparisons. */
	memset(ret, 0, sizeof(*ret));
	ret->owner_process = o->holders[0].process;
	ret->owner_fd = o->holders[0].fd;
	if (n == 1)
		return 0;
	buf_clear(&o->more);
	for (uint32_t i = 1; i < n; i++) {
		buf_put_varint(&o->more, o->holders[i].process);
		buf_put_varint(&o->more, o->holders[i].fd);
	}
	if (o->more.failed)
		return err_set(e, ERR_NOMEM, "owners: out of memory");
	return rec_writer_text(writer, o->more.bytes, o->more.len, &ret->owner_more, e);
}

static int assign_one(struct owners *o, struct proc_walk *walk, uint32_t position,
		      struct rec_writer *writer, struct err *e)
{
	struct track *track = rec_writer_track(writer);
	uint32_t inode = track_state(track, position)->inode;
	struct row_owner owner;
	if (!inode)
		return 0;
	int rc = gather(o, walk, position, proc_walk_find(walk, inode), writer, e);
	if (rc || !o->count)
		return rc;
	rc = make_owner(o, o->count, writer, &owner, e);
	return rc ? rc : track_owner(track, position, &owner, e);
}

/* Open files of those that have many. */
static int note_files(const struct owners *o, const struct proc_walk *walk,
		      struct rec_writer *writer, struct err *e)
{
	int rc = 0;
	for (uint32_t i = 0; !rc && i < walk->processes_count; i++) {
		const struct proc_found *f = &walk->processes[i];
		if (o->process_row[i] && f->files >= PROC_MANY_FILES)
			rc = rec_writer_files(writer, o->process_row[i], f->files, f->files_limit,
					      e);
	}
	return rc;
}

int owners_assign(struct owners *o, struct proc_walk *walk, struct rec_writer *writer,
		  struct err *e)
{
	uint32_t *rows = array_grow(o->process_row, &o->process_row_cap, walk->processes_count,
				    sizeof(*o->process_row));
	if (!rows)
		return err_set(e, ERR_NOMEM, "owners: out of memory");
	o->process_row = rows;
	memset(o->process_row, 0, walk->processes_count * sizeof(*o->process_row));
	uint32_t sockets = track_rows(rec_writer_track(writer));
	for (uint32_t position = 0; position < sockets; position++) {
		int rc = assign_one(o, walk, position, writer, e);
		if (rc)
			return rc;
	}
	return note_files(o, walk, writer, e);
}
