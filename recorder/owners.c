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
	buf_fini(&o->more);
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

/* All holders of a socket, in the order of the walk. *ret_count of them, at least one. */
static int gather(struct owners *o, struct proc_walk *walk, uint32_t holder,
		  struct rec_writer *writer, uint32_t *ret_count, struct err *e)
{
	uint32_t n = 0;
	for (; holder != PROC_NO_HOLDER && n < MAX_HOLDERS; holder = proc_walk_next(walk, holder)) {
		struct owner_holder *p = array_grow(o->holders, &o->holders_cap, n + 1u,
						    sizeof(*o->holders));
		if (!p)
			return err_set(e, ERR_NOMEM, "owners: out of memory");
		o->holders = p;
		const struct proc_found *f = &walk->processes[walk->holders[holder].process];
		o->holders[n].fd = walk->holders[holder].fd;
		o->holders[n].pid = f->pid;
		o->holders[n].start_ticks = f->start_ticks;
		int rc = process_row(o, walk, walk->holders[holder].process, writer,
				     &o->holders[n].process, e);
		if (rc)
			return rc;
		n++;
	}
	*ret_count = n;
	return 0;
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
	uint32_t holder = inode ? proc_walk_find(walk, inode) : PROC_NO_HOLDER;
	struct row_owner owner;
	uint32_t n = 0;
	if (holder == PROC_NO_HOLDER)
		return 0;
	int rc = gather(o, walk, holder, writer, &n, e);
	if (!rc)
		rc = make_owner(o, n, writer, &owner, e);
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
