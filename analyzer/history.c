/* history.c - see history.h: opens the files and joins their hosts, boots and snapshots. */
#include "history.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "history_priv.h"

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "history: out of memory");
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* The number of the host of a boot, entered if it is new. */
static int host_of(struct history *h, const struct history_boot *b, uint32_t *ret, struct err *e)
{
	for (size_t i = 0; i < h->hosts_count; i++) {
		const struct history_host *known = &h->hosts[i];
		if (same_text(known->name, b->hostname) &&
		    same_text(known->machine_id, b->machine_id)) {
			*ret = (uint32_t)i;
			return 0;
		}
	}
	struct history_host *all = array_grow(h->hosts, &h->hosts_cap, h->hosts_count + 1,
					      sizeof(*all));
	if (!all)
		return no_memory(e);
	h->hosts = all;
	all[h->hosts_count] = (struct history_host){.name = b->hostname,
						    .machine_id = b->machine_id};
	*ret = (uint32_t)h->hosts_count++;
	return 0;
}

/*
 * Containers have the boot id of their kernel, and a name and sockets of their own: they are not
 * one host. A host may be given another name while it runs: that its machine id tells.
 */
static bool same_boot(const struct history_boot *a, const struct history_boot *b)
{
	return strcmp(a->boot_id, b->boot_id) == 0 && same_text(a->machine_id, b->machine_id) &&
	       (a->machine_id || same_text(a->hostname, b->hostname));
}

/* The number of a boot, entered if it is new. An empty boot id is never the same as another. */
static int boot_of(struct history *h, const struct history_boot *b, uint32_t *ret, struct err *e)
{
	for (size_t i = 0; b->boot_id[0] && i < h->boots_count; i++) {
		if (same_boot(&h->boots[i], b)) {
			*ret = (uint32_t)i;
			return 0;
		}
	}
	struct history_boot *all = array_grow(h->boots, &h->boots_cap, h->boots_count + 1,
					      sizeof(*all));
	if (!all)
		return no_memory(e);
	h->boots = all;
	all[h->boots_count] = *b;
	int rc = host_of(h, b, &all[h->boots_count].host, e);
	if (!rc)
		*ret = (uint32_t)h->boots_count++;
	return rc;
}

/* The number of the boot that row `row` of table host stands for, or -1. */
static int64_t boot_by_row(const struct history_host_row *rows, const uint32_t *boots, size_t count,
			   int64_t row)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].row == row)
			return boots[i];
	return -1;
}

static int add_snapshots(struct history *h, uint32_t file, const struct history_host_row *rows,
			 const uint32_t *boots, size_t row_count, struct err *e)
{
	struct rec *rec = h->files[file].rec;
	size_t count;
	const struct rec_snapshot *s = rec_snapshots(rec, &count);
	if (count > HISTORY_MAX_SNAPSHOTS - h->snapshots_count)
		return err_set(e, ERR_LIMIT, "%s: snapshots: more than this program reads",
			       rec_path(rec));
	struct history_snapshot *all = array_grow(h->snapshots, &h->snapshots_cap,
						  h->snapshots_count + count + 1, sizeof(*all));
	if (!all)
		return no_memory(e);
	h->snapshots = all;
	for (size_t i = 0; i < count; i++) {
		int64_t boot = boot_by_row(rows, boots, row_count, s[i].host);
		if (boot < 0)
			return err_set(e, ERR_CORRUPT, "%s: snapshot %lld: its host is missing",
				       rec_path(rec), (long long)s[i].id);
		all[h->snapshots_count + i] = (struct history_snapshot){
			.rec = &s[i],
			.file = file,
			.index = (uint32_t)i,
			.boot = (uint32_t)boot,
			.host = h->boots[boot].host,
		};
	}
	h->snapshots_count += count;
	return 0;
}

/* Enters hosts, boots and snapshots of the last file. */
static int add_content(struct history *h, struct err *e)
{
	uint32_t file = (uint32_t)(h->files_count - 1);
	struct history_host_row *rows;
	size_t count;
	int rc = history_file_hosts(&h->files[file], &rows, &count, e);
	if (rc)
		return rc;
	uint32_t *boots = calloc(count + 1, sizeof(*boots));
	if (!boots)
		rc = no_memory(e);
	for (size_t i = 0; !rc && i < count; i++)
		rc = boot_of(h, &rows[i].boot, &boots[i], e);
	if (!rc)
		rc = add_snapshots(h, file, rows, boots, count, e);
	free(boots);
	free(rows);
	return rc;
}

static int add_file(struct history *h, const char *path, struct err *e)
{
	if (h->files_count >= HISTORY_MAX_FILES)
		return err_set(e, ERR_LIMIT, "%s: more than %u recordings at once", path,
			       HISTORY_MAX_FILES);
	struct history_file *all = array_grow(h->files, &h->files_cap, h->files_count + 1,
					      sizeof(*all));
	if (!all)
		return no_memory(e);
	h->files = all;
	struct rec *rec;
	int rc = rec_open(path, &rec, e);
	if (rc)
		return rc;
	history_file_init(&all[h->files_count++], rec);
	size_t boots = h->boots_count, hosts = h->hosts_count;
	rc = add_content(h, e);
	if (rc) { /* as if it had never been opened */
		h->boots_count = boots;
		h->hosts_count = hosts;
		history_file_fini(&h->files[--h->files_count]);
	}
	return rc;
}

static int add_warning(struct history *h, const char *text, struct err *e)
{
	const char **all = array_grow(h->warnings, &h->warnings_cap, h->warnings_count + 1,
				      sizeof(*all));
	if (!all)
		return no_memory(e);
	h->warnings = all;
	all[h->warnings_count] = strpool_put(&h->strings, text, strlen(text));
	if (!all[h->warnings_count])
		return no_memory(e);
	h->warnings_count++;
	return 0;
}

static int is_recording(const struct dirent *d)
{
	size_t len = strlen(d->d_name), suffix = strlen(HISTORY_SUFFIX);
	return len > suffix && strcmp(d->d_name + len - suffix, HISTORY_SUFFIX) == 0;
}

/* One file of a directory: what is wrong with it becomes a warning, unless memory ran out. */
static int add_found(struct history *h, const char *dir, const char *name, struct err *e)
{
	struct buf path = {0};
	size_t len = strlen(dir);
	buf_printf(&path, "%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", name);
	struct err why = {0};
	int rc = path.failed ? no_memory(e) : add_file(h, buf_str(&path), &why);
	buf_fini(&path);
	if (!rc || why.code == ERR_NONE)
		return rc;
	if (rc == ERR_NOMEM)
		return no_memory(e);
	return add_warning(h, why.text, e);
}

static int add_dir(struct history *h, const char *dir, struct err *e)
{
	struct dirent **names;
	int count = scandir(dir, &names, is_recording, alphasort);
	if (count < 0)
		return err_errno(e, errno, "%s", dir);
	size_t files = h->files_count, warnings = h->warnings_count;
	int rc = 0;
	for (int i = 0; i < count; i++) {
		if (!rc)
			rc = add_found(h, dir, names[i]->d_name, e);
		free(names[i]);
	}
	free(names);
	if (rc || h->files_count > files)
		return rc;
	if (h->warnings_count > warnings)
		return err_set(e, ERR_NOT_FOUND, "%s: no usable recording: %s", dir,
			       h->warnings[warnings]);
	return err_set(e, ERR_NOT_FOUND, "%s: no recordings (*%s) in this directory", dir,
		       HISTORY_SUFFIX);
}

static int add_path(struct history *h, const char *path, struct err *e)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return err_errno(e, errno, "%s", path);
	return S_ISDIR(st.st_mode) ? add_dir(h, path, e) : add_file(h, path, e);
}

int history_open(const char *const *paths, size_t count, struct history **ret, struct err *e)
{
	static const char *const default_paths[] = {HISTORY_DEFAULT_DIR};
	struct history *h = calloc(1, sizeof(*h));
	if (!h)
		return no_memory(e);
	if (!count) {
		paths = default_paths;
		count = 1;
	}
	int rc = 0;
	for (size_t i = 0; !rc && i < count; i++) {
		rc = add_path(h, paths[i], e);
		if (rc && rc != ERR_NOMEM && count > 1 && h->paths_left_out + 1 < count) {
			h->paths_left_out++;
			rc = add_warning(h, e->text, e);
		}
	}
	if (!rc)
		rc = history_order(h, e);
	if (rc)
		history_close(h);
	else
		*ret = h;
	return rc;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->files_count; i++)
		history_file_fini(&h->files[i]);
	free(h->files);
	free(h->boots);
	free(h->hosts);
	free(h->snapshots);
	free(h->warnings);
	strpool_fini(&h->strings);
	free(h);
}

size_t history_left_out(const struct history *h)
{
	return h->paths_left_out;
}

const char *const *history_warnings(const struct history *h, size_t *ret_count)
{
	*ret_count = h->warnings_count;
	return h->warnings;
}

const struct history_snapshot *history_snapshots(const struct history *h, size_t *ret_count)
{
	*ret_count = h->snapshots_count;
	return h->snapshots;
}

const struct history_boot *history_boots(const struct history *h, size_t *ret_count)
{
	*ret_count = h->boots_count;
	return h->boots;
}

const struct history_host *history_hosts(const struct history *h, size_t *ret_count)
{
	*ret_count = h->hosts_count;
	return h->hosts;
}

size_t history_files(const struct history *h)
{
	return h->files_count;
}

struct rec *history_rec(const struct history *h, uint32_t file)
{
	return h->files[file].rec;
}

int history_process(struct history *h, uint32_t file, uint32_t id,
		    const struct history_process **ret, struct err *e)
{
	return history_file_process(&h->files[file], id, ret, e);
}

int history_netns(struct history *h, uint32_t file, uint32_t id, const struct history_netns **ret,
		  struct err *e)
{
	return history_file_netns(&h->files[file], id, ret, e);
}

static int compare_cgroups(const void *va, const void *vb)
{
	const struct history_cgroup *a = va, *b = vb;
	if (a->host != b->host)
		return a->host < b->host ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

int history_cgroup(struct history *h, size_t index, uint64_t id, const struct history_cgroup **ret,
		   struct err *e)
{
	const struct history_snapshot *s = &h->snapshots[index];
	struct history_file *f = &h->files[s->file];
	int rc = history_file_cgroups(f, e);
	if (rc)
		return rc;
	const struct history_cgroup key = {.host = s->rec->host, .id = (int64_t)id};
	*ret = !f->cgroups_count
		       ? NULL
		       : bsearch(&key, f->cgroups, f->cgroups_count, sizeof(key), compare_cgroups);
	return 0;
}

int history_has_cgroups(struct history *h, bool *ret, struct err *e)
{
	int rc = 0;
	*ret = false;
	for (size_t i = 0; !rc && !*ret && i < h->files_count; i++) {
		rc = history_file_cgroups(&h->files[i], e);
		*ret = !rc && h->files[i].cgroups_count;
	}
	return rc;
}

int history_text(struct history *h, uint32_t file, uint32_t id, const char **ret_bytes,
		 size_t *ret_len, struct err *e)
{
	return history_file_text(&h->files[file], id, ret_bytes, ret_len, e);
}

/* Not by bisection: a wall clock that was set back is not in ascending order. */
size_t history_before(const struct history *h, uint32_t host, int64_t wall_ns)
{
	const struct history_host *range = &h->hosts[host];
	for (size_t i = range->first + range->count; i-- > range->first;)
		if (h->snapshots[i].rec->wall_begin_ns <= wall_ns)
			return i;
	return HISTORY_NONE;
}

size_t history_after(const struct history *h, uint32_t host, int64_t wall_ns)
{
	const struct history_host *range = &h->hosts[host];
	for (size_t i = range->first; i < range->first + range->count; i++)
		if (h->snapshots[i].rec->wall_begin_ns >= wall_ns)
			return i;
	return HISTORY_NONE;
}

size_t history_by_id(const struct history *h, uint32_t file, int64_t id)
{
	for (size_t i = 0; i < h->snapshots_count; i++)
		if (h->snapshots[i].file == file && h->snapshots[i].rec->id == id)
			return i;
	return HISTORY_NONE;
}
