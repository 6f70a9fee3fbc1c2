/*
 * test_owners_known.c - holders that are taken over from the snapshot before are those that a walk
 * which knows nothing finds: sockets of this process are opened, closed, replaced, duplicated,
 * inherited and passed on, at random, with a snapshot after each.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bytes.h"
#include "collect.h"
#include "diag_table.h"
#include "rec_read.h"
#include "tmpdir.h"

#define FDS	40
#define STEPS	40
#define HOLDERS 256

static const struct rec_host host = {
	.boot_id = "b", .hostname = "h", .kernel = "k", .arch = "a", .facts = "{}"};

static const struct collect_options options = {.cmdline = CMDLINE_NONE,
					       .protos = DIAG_PROTO_BIT(PROTO_TCP)};

/* A recorder: one that stays, or one that is made for each snapshot. */
struct recorder_under_test {
	const char *path;
	struct collect *c;
	struct rec_writer *w;
	bool stays;
	uint64_t trusted;
};

static void take(struct recorder_under_test *r)
{
	struct rec_snapshot info;
	struct collect_costs costs;
	struct err e = {0};
	if (!r->c)
		cr_assert_eq(collect_new(&options, &r->c, &e), 0, "%s", e.text);
	if (!r->w)
		cr_assert_eq(rec_writer_open(r->path, &host, NULL, &r->w, &e), 0, "%s", e.text);
	cr_assert_eq(collect_snapshot(r->c, r->w, &info, &costs, &e), 0, "%s", e.text);
	r->trusted += costs.fds_trusted;
	if (r->stays)
		return;
	rec_writer_close(r->w);
	collect_free(r->c);
	r->w = NULL;
	r->c = NULL;
}

struct holder {
	uint32_t inode;
	int64_t pid;
	uint32_t fd;
};

static int by_all(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

static int64_t number_of(sqlite3 *db, const char *sql, int64_t arg, struct buf *ret_blob)
{
	sqlite3_stmt *stmt;
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_int64(stmt, 1, arg);
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW, "%s", sql);
	int64_t v = sqlite3_column_int64(stmt, 0);
	if (ret_blob)
		buf_put(ret_blob, sqlite3_column_blob(stmt, 0),
			(size_t)sqlite3_column_bytes(stmt, 0));
	sqlite3_finalize(stmt);
	return v;
}

/* Holders of the last snapshot, of the sockets that this process made: those of port 1 of ::1. */
static size_t holders_in(const char *path, const uint32_t *inodes, size_t count,
			 struct holder ret[HOLDERS])
{
	static const char pid_of[] = "SELECT pid FROM process WHERE id = ?";
	struct rec *rec;
	struct rec_walk *walk;
	struct err e = {0};
	size_t snapshots, n = 0;
	cr_assert_eq(rec_open(path, &rec, &e), 0, "%s", e.text);
	cr_assert_eq(rec_walk_new(rec, GRP_ALL, true, &walk, &e), 0, "%s", e.text);
	rec_snapshots(rec, &snapshots);
	cr_assert_eq(rec_walk_to(walk, snapshots - 1, &e), 0, "%s", e.text);
	const struct sockset *set = rec_walk_set(walk);
	for (uint32_t i = 0; i < set->rows; i++) {
		uint32_t inode = SLOT_GROUP(set, set->order[i], state)->inode;
		const struct row_owner *o = SLOT_GROUP(set, set->order[i], owner);
		size_t k = 0;
		while (k < count && inodes[k] != inode)
			k++;
		if (k == count || !o->owner_process)
			continue;
		CLEANUP(buf_fini) struct buf more = {0};
		if (o->owner_more)
			number_of(rec_db(rec), "SELECT bytes FROM text WHERE id = ?", o->owner_more,
				  &more);
		struct span s = span_of(more.bytes, more.len);
		uint64_t row = o->owner_process, fd = o->owner_fd;
		for (;;) {
			cr_assert_lt(n, HOLDERS);
			ret[n++] = (struct holder){
				inode, number_of(rec_db(rec), pid_of, (int64_t)row, NULL),
				(uint32_t)fd};
			if (!span_left(&s))
				break;
			row = span_varint(&s);
			fd = span_varint(&s);
		}
	}
	rec_walk_free(walk);
	rec_close(rec);
	qsort(ret, n, sizeof(*ret), by_all);
	return n;
}

static uint64_t below(uint64_t *random, uint64_t n)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return (*random >> 33) % n;
}

static int listener(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(fd >= 0 && bind(fd, (void *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0);
	return fd;
}

struct world {
	uint64_t random;
	int fds[FDS]; /* -1: closed */
	pid_t child;
	bool stays;
	unsigned lags; /* snapshots for which a duplicate may still be unnoticed */
};

static void replace(struct world *w, unsigned i)
{
	int fd = w->fds[i];
	close(fd);
	int other = listener(); /* has the same number if that is the lowest */
	if (other != fd) {
		cr_assert_eq(dup2(other, fd), fd);
		close(other);
	}
}

static void toggle_child(struct world *w)
{
	if (w->child) {
		kill(w->child, SIGKILL);
		waitpid(w->child, NULL, 0);
		w->child = 0;
		return;
	}
	/* The pipe ends when the child holds what it is to hold, however busy the machine is. */
	int ready[2];
	char none;
	cr_assert_eq(pipe(ready), 0);
	w->child = fork();
	if (w->child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = 0; i < FDS; i += 2)
			if (w->fds[i] >= 0)
				close(w->fds[i]);
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &none, 1), 0);
	close(ready[0]);
}

static void step(struct world *w)
{
	w->lags -= w->lags > 0;
	unsigned i = (unsigned)below(&w->random, FDS), k = (unsigned)below(&w->random, FDS);
	switch (below(&w->random, 6)) {
	case 0:
		toggle_child(w);
		break;
	case 1: /* as many descriptors as before, at the same numbers */
	case 2:
		if (w->fds[i] >= 0)
			replace(w, i);
		break;
	case 3:
		if (w->fds[i] >= 0 && w->fds[k] >= 0 && i != k)
			w->lags = PROC_REREAD_EVERY;
		if (w->lags == PROC_REREAD_EVERY)
			cr_assert_eq(dup2(w->fds[i], w->fds[k]), w->fds[k]);
		break;
	default:
		/*
		 * The recorder is this process, and opens and closes descriptors while it looks:
		 * now and then there are as many as before, in spite of this one.
		 */
		if (w->stays)
			w->lags = PROC_REREAD_EVERY;
		if (w->fds[i] >= 0) {
			close(w->fds[i]);
			w->fds[i] = -1;
		} else {
			w->fds[i] = w->fds[k] >= 0 && k % 2 ? dup(w->fds[k]) : listener();
		}
	}
}

static size_t inodes_of(const struct world *w, uint32_t ret[FDS])
{
	struct stat st;
	size_t n = 0;
	for (unsigned i = 0; i < FDS; i++)
		if (w->fds[i] >= 0 && fstat(w->fds[i], &st) == 0)
			ret[n++] = (uint32_t)st.st_ino;
	return n;
}

static void run(bool stays)
{
	struct tmpdir dir = tmpdir_make();
	struct world w = {.random = stays ? 7 : 8, .stays = stays};
	char known[512], fresh[512];
	snprintf(known, sizeof(known), "%s", tmpdir_path(&dir, "known.socklapse"));
	struct recorder_under_test knows = {.path = known, .stays = stays};
	for (unsigned i = 0; i < FDS; i++)
		w.fds[i] = listener();
	take(&knows);
	for (unsigned n = 0; n < STEPS; n++) {
		struct holder a[HOLDERS], b[HOLDERS];
		uint32_t inodes[FDS];
		step(&w);
		size_t count = inodes_of(&w, inodes);
		snprintf(fresh, sizeof(fresh), "%s", tmpdir_path(&dir, "fresh-%u.socklapse", n));
		struct recorder_under_test naive = {.path = fresh};
		take(&knows);
		take(&naive);
		cr_assert_eq(naive.trusted, 0);
		size_t in_a = holders_in(known, inodes, count, a);
		size_t in_b = holders_in(fresh, inodes, count, b);
		bool same = in_a == in_b;
		for (size_t i = 0; i < in_a && same; i++)
			same = by_all(&a[i], &b[i]) == 0;
		cr_assert(same || w.lags, "step %u", n);
		for (size_t i = 0; i < in_b; i++) { /* but no socket is without a holder */
			size_t k = 0;
			while (k < in_a && a[k].inode != b[i].inode)
				k++;
			cr_assert_lt(k, in_a, "step %u: inode %u", n, b[i].inode);
		}
	}
	cr_assert_gt(knows.trusted, STEPS * FDS / 8, "nothing was taken over");
	if (w.child)
		toggle_child(&w);
	rec_writer_close(knows.w);
	collect_free(knows.c);
	tmpdir_remove(&dir);
}

Test(owners_known, of_a_recorder_that_stays)
{
	run(true);
}

Test(owners_known, of_one_made_for_each_snapshot)
{
	run(false);
}
