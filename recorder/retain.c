/* retain.c - see retain.h. */
#include "retain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "duration.h"
#include "rec.h"
#include "rotate.h"

#define DAMAGED	     ".damaged-"
#define DAMAGED_MAX  10000u
#define HEADER_BYTES 72
#define APP_ID_AT    68 /* https://sqlite.org/fileformat.html, 1.3 */

/* ------------------------------------------------------------------------------------ names */

/* YYYYMMDD as days since the epoch; false if there is no such day. */
static bool day_of(uint32_t ymd, int64_t *ret)
{
	struct tm tm = {.tm_year = (int)(ymd / 10000) - 1900,
			.tm_mon = (int)(ymd / 100 % 100) - 1,
			.tm_mday = (int)(ymd % 100)};
	struct tm same = tm;
	time_t seconds = timegm(&same); /* moves the 31st of February into March */
	if (same.tm_year != tm.tm_year || same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday)
		return false;
	*ret = (int64_t)seconds / 86400;
	return seconds >= 0;
}

/* Exactly `digits` of them. */
static bool take_digits(const char **at, unsigned digits, uint32_t *ret)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < digits; i++, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		v = v * 10 + (uint32_t)(**at - '0');
	}
	*ret = v;
	return true;
}

bool retain_parse(const char *name, const char *host, struct retain_file *ret)
{
	struct retain_file f = {0};
	size_t len = strlen(host);
	if (strncmp(name, host, len) != 0 || name[len] != '-')
		return false;
	const char *at = name + len + 1;
	if (!take_digits(&at, 8, &f.ymd) || !day_of(f.ymd, &f.day) ||
	    strncmp(at, ROTATE_SUFFIX, strlen(ROTATE_SUFFIX)) != 0)
		return false;
	at += strlen(ROTATE_SUFFIX);
	if (*at) {
		if (strncmp(at, DAMAGED, strlen(DAMAGED)) != 0)
			return false;
		at += strlen(DAMAGED);
		unsigned digits = (unsigned)strlen(at);
		if (digits == 0 || digits > 4 || *at == '0' ||
		    !take_digits(&at, digits, &f.damaged))
			return false;
	}
	*ret = f;
	return true;
}

static void write_name(const char *host, const struct retain_file *f, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%s-%08u" ROTATE_SUFFIX, host, f->ymd);
	if (f->damaged && n > 0 && (size_t)n < size)
		snprintf(ret + n, size - (size_t)n, DAMAGED "%u", f->damaged);
}

/* --------------------------------------------------------------------------------- decision */

/* By day; of one day, what was set aside was written before what was not. */
static int older_first(const void *a, const void *b)
{
	const struct retain_file *x = a;
	const struct retain_file *y = b;
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	uint32_t nx = x->damaged ? x->damaged : DAMAGED_MAX;
	uint32_t ny = y->damaged ? y->damaged : DAMAGED_MAX;
	return nx < ny ? -1 : nx > ny;
}

/*
 * A file is old when its day ended `keep_ns` ago, by the clock, and when as many days as that are
 * recorded after it. The second half is for clocks that are wrong: one that jumped a year ahead
 * makes every file old at once, but it takes a new day's recording to remove an old one, which
 * is what a right clock does. Files of days that are yet to come are not old and prove nothing.
 */
static void mark_old(uint64_t keep_ns, int64_t now_ns, const struct retain_file *files,
		     size_t count, enum retain_why *why)
{
	uint64_t days = keep_ns / (uint64_t)NS_PER_DAY;
	uint64_t after = 0; /* recorded days after that of files[i - 1] */
	int64_t today = now_ns / NS_PER_DAY;
	int64_t last = INT64_MAX;
	if (!days)
		days = 1;
	for (size_t i = count; i-- > 0;) {
		const struct retain_file *f = &files[i];
		if (f->day > today)
			continue;
		if (f->day != last)
			after += last != INT64_MAX;
		last = f->day;
		int64_t end_ns = (f->day + 1) * NS_PER_DAY;
		if (after >= days && now_ns >= end_ns && (uint64_t)(now_ns - end_ns) >= keep_ns)
			why[i] = RETAIN_OLD;
	}
}

static void mark_excess(uint64_t keep_bytes, int64_t current_day, const struct retain_file *files,
			size_t count, enum retain_why *why)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		if (why[i] == RETAIN_KEEP && __builtin_add_overflow(sum, files[i].bytes, &sum))
			sum = UINT64_MAX;
	for (size_t i = 0; i < count && sum > keep_bytes; i++) {
		if (why[i] != RETAIN_KEEP || (files[i].day == current_day && !files[i].damaged))
			continue;
		why[i] = RETAIN_EXCESS;
		sum -= files[i].bytes;
	}
}

void retain_decide(const struct retain_policy *policy, int64_t now_ns, int64_t current_day,
		   struct retain_file *files, size_t count, enum retain_why *why)
{
	qsort(files, count, sizeof(*files), older_first);
	for (size_t i = 0; i < count; i++)
		why[i] = RETAIN_KEEP;
	if (policy->keep_ns)
		mark_old(policy->keep_ns, now_ns, files, count, why);
	if (policy->keep_bytes)
		mark_excess(policy->keep_bytes, current_day, files, count, why);
}

/* -------------------------------------------------------------------------------- directory */

struct sweep {
	int dir_fd;
	const char *host;
	const char *current; /* name without directory */
	struct retain_file *files;
	size_t count, cap;
	retain_fn removed;
	void *ctx;
};

static void list_fini(struct sweep *s)
{
	free(s->files);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
}

static int add_file(struct sweep *s, const char *name, struct err *e)
{
	struct retain_file f;
	struct stat st;
	if (s->count >= RETAIN_FILES_MAX || !retain_parse(name, s->host, &f) ||
	    fstatat(s->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return 0;
	struct retain_file *grown = array_grow(s->files, &s->cap, s->count + 1, sizeof(*s->files));
	if (!grown)
		return err_set(e, ERR_NOMEM, "out of memory");
	f.bytes = (uint64_t)st.st_size;
	s->files = grown;
	s->files[s->count++] = f;
	return 0;
}

static int list_files(struct sweep *s, struct err *e)
{
	int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int rc = 0;
	if (!dir) {
		int errnum = errno;
		if (fd >= 0)
			close(fd);
		return err_errno(e, errnum, "directory of recordings");
	}
	for (struct dirent *d; !rc && (d = readdir(dir));)
		rc = add_file(s, d->d_name, e);
	closedir(dir);
	return rc;
}

/* Does it begin as a recording of ours does? A link, a device or a pipe is none. */
static bool is_ours(int dir_fd, const char *name)
{
	static const char magic[16] = "SQLite format 3";
	uint8_t head[HEADER_BYTES];
	struct stat st;
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool whole = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		     read(fd, head, sizeof(head)) == (ssize_t)sizeof(head);
	close(fd);
	if (!whole || memcmp(head, magic, sizeof(magic)) != 0)
		return false;
	uint32_t id = (uint32_t)head[APP_ID_AT] << 24 | (uint32_t)head[APP_ID_AT + 1] << 16 |
		      (uint32_t)head[APP_ID_AT + 2] << 8 | head[APP_ID_AT + 3];
	return id == REC_APPLICATION_ID;
}

/* 1: removed; 0: it was not to be; negative: it could not be. */
static int remove_file(struct sweep *s, const struct retain_file *f, enum retain_why why,
		       struct err *e)
{
	char name[NAME_MAX + 1], journal[NAME_MAX + 16], text[NAME_MAX + 128];
	write_name(s->host, f, name, sizeof(name));
	if (strcmp(name, s->current) == 0 || !is_ours(s->dir_fd, name))
		return 0;
	/* The journal goes last: it is of no use to anybody but the file, which may need it. */
	if (unlinkat(s->dir_fd, name, 0))
		return err_errno(e, errno, "%s: cannot be removed", name);
	snprintf(journal, sizeof(journal), "%s-journal", name);
	unlinkat(s->dir_fd, journal, 0);
	snprintf(text, sizeof(text), "removed %s, %llu bytes: %s", name,
		 (unsigned long long)f->bytes,
		 why == RETAIN_OLD ? "older than --keep" : "beyond --keep-size");
	s->removed(s->ctx, text);
	return 1;
}

static bool any_due(const struct sweep *s, const enum retain_why *why)
{
	for (size_t i = 0; i < s->count; i++)
		if (why[i] != RETAIN_KEEP)
			return true;
	return false;
}

static void drop_foreign(struct sweep *s)
{
	char name[NAME_MAX + 1];
	size_t kept = 0;
	for (size_t i = 0; i < s->count; i++) {
		write_name(s->host, &s->files[i], name, sizeof(name));
		if (is_ours(s->dir_fd, name))
			s->files[kept++] = s->files[i];
	}
	s->count = kept;
}

static int remove_due(struct sweep *s, const enum retain_why *why, struct err *e)
{
	unsigned removed = 0;
	int rc = 0;
	for (size_t i = 0; i < s->count && removed < RETAIN_REMOVALS_MAX; i++) {
		int done = why[i] == RETAIN_KEEP ? 0 : remove_file(s, &s->files[i], why[i], e);
		if (done < 0)
			rc = done;
		else
			removed += (unsigned)done;
	}
	return rc;
}

static int sweep(struct sweep *s, const struct retain_policy *policy, int64_t now_ns, struct err *e)
{
	struct retain_file current = {.day = -1};
	int rc = list_files(s, e);
	if (rc || !s->count)
		return rc;
	enum retain_why *why = calloc(s->count, sizeof(*why));
	if (!why)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (!retain_parse(s->current, s->host, &current))
		current.day = -1;
	retain_decide(policy, now_ns, current.day, s->files, s->count, why);
	if (any_due(s, why)) {
		/* Only now is it worth opening them: what is not ours does not count. */
		drop_foreign(s);
		retain_decide(policy, now_ns, current.day, s->files, s->count, why);
		rc = remove_due(s, why, e);
	}
	free(why);
	return rc;
}

int retain_enforce(const struct retain_policy *policy, const char *base, const char *current,
		   int64_t now_ns, retain_fn removed, void *ctx, struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(base, '/');
	size_t len = slash ? (size_t)(slash - base) : 0;
	if ((!policy->keep_ns && !policy->keep_bytes) || !slash || len >= sizeof(dir))
		return 0;
	memcpy(dir, base, len);
	dir[len] = '\0';
	const char *name = strrchr(current, '/');
	struct sweep s = {.host = slash + 1, .removed = removed, .ctx = ctx};
	s.current = name ? name + 1 : current;
	s.dir_fd = open(len ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = s.dir_fd < 0 ? err_errno(e, errno, "%s", dir) : sweep(&s, policy, now_ns, e);
	list_fini(&s);
	return rc;
}
