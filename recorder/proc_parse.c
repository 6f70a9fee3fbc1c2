/* proc_parse.c - see proc_parse.h. */
#include "proc_parse.h"

#include <string.h>

#define CONTAINER_ID_LEN 64

/* Takes decimal digits at *at. False if there are none or they pass 64 bits. */
static bool take_number(const char **at, const char *end, uint64_t *ret)
{
	const char *p = *at;
	uint64_t v = 0;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	if (p == *at)
		return false;
	*at = p;
	*ret = v;
	return true;
}

/* The start of field `n`, where `at` is that of field `from`; fields are apart by one space. */
static const char *skip_fields(const char *at, const char *end, unsigned from, unsigned n)
{
	for (; at && from < n; from++) {
		at = memchr(at, ' ', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	return at;
}

/* "1234 (name) S 1 ..." - the name ends at the last parenthesis, because no later field has one. */
bool proc_parse_stat(const char *text, size_t len, struct proc_stat *ret)
{
	const char *at = text, *end = text + len;
	uint64_t pid, ppid, start;
	if (!take_number(&at, end, &pid) || end - at < 2 || memcmp(at, " (", 2) != 0)
		return false;
	const char *close = memrchr(at, ')', (size_t)(end - at));
	if (!close || end - close < 3)
		return false;
	const char *field = skip_fields(close + 2, end, 3, 4);
	if (!field || !take_number(&field, end, &ppid))
		return false;
	field = skip_fields(close + 2, end, 3, 22);
	if (!field || !take_number(&field, end, &start))
		return false;
	if (pid > INT32_MAX || ppid > INT32_MAX)
		return false;
	*ret = (struct proc_stat){.comm = {at + 2, (size_t)(close - at) - 2},
				  .pid = (int64_t)pid,
				  .ppid = (int64_t)ppid,
				  .start_ticks = start};
	return true;
}

/* The next line of *rest, without its newline. False at the end. */
static bool next_line(struct text_piece *rest, struct text_piece *ret)
{
	if (!rest->len)
		return false;
	const char *nl = memchr(rest->at, '\n', rest->len);
	*ret = (struct text_piece){rest->at, nl ? (size_t)(nl - rest->at) : rest->len};
	size_t step = nl ? ret->len + 1 : ret->len;
	rest->at += step;
	rest->len -= step;
	return true;
}

/* "Uid:\treal\teffective\tsaved\tfilesystem"; a newline in the name is escaped by the kernel. */
int64_t proc_parse_uid(const char *text, size_t len)
{
	struct text_piece rest = {text, len}, line;
	while (next_line(&rest, &line)) {
		if (line.len < 5 || memcmp(line.at, "Uid:\t", 5) != 0)
			continue;
		const char *at = line.at + 5, *end = line.at + line.len;
		uint64_t uid;
		if (!take_number(&at, end, &uid) || at == end || *at++ != '\t' ||
		    !take_number(&at, end, &uid) || uid > UINT32_MAX)
			return -1;
		return (int64_t)uid;
	}
	return -1;
}

uint64_t proc_parse_files_limit(const char *text, size_t len)
{
	static const char name[] = "Max open files ";
	struct text_piece rest = {text, len}, line;
	while (next_line(&rest, &line)) {
		if (line.len < sizeof(name) || memcmp(line.at, name, sizeof(name) - 1) != 0)
			continue;
		const char *at = line.at + sizeof(name) - 1, *end = line.at + line.len;
		uint64_t limit;
		while (at < end && *at == ' ')
			at++;
		return take_number(&at, end, &limit) ? limit : 0;
	}
	return 0;
}

static bool is_root(struct text_piece path)
{
	return path.len <= 1;
}

/* Lines are "ID:CONTROLLERS:PATH"; the unified hierarchy is "0::PATH". */
struct text_piece proc_parse_cgroup(const char *text, size_t len)
{
	struct text_piece rest = {text, len}, line;
	struct text_piece unified = {0}, systemd = {0}, longest = {0};
	while (next_line(&rest, &line)) {
		const char *end = line.at + line.len;
		const char *name = memchr(line.at, ':', line.len);
		const char *path = name ? memchr(name + 1, ':', (size_t)(end - name - 1)) : NULL;
		if (!path)
			continue;
		size_t name_len = (size_t)(path - ++name);
		struct text_piece p = {path + 1, (size_t)(end - path - 1)};
		if (!name_len)
			unified = p;
		else if (name_len == 12 && memcmp(name, "name=systemd", 12) == 0)
			systemd = p;
		if (p.len > longest.len)
			longest = p;
	}
	if (!is_root(unified))
		return unified;
	if (!is_root(systemd))
		return systemd;
	return is_root(longest) && unified.at ? unified : longest;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static struct text_piece container_id(struct text_piece s)
{
	size_t run = 0;
	for (size_t i = s.len; i-- > 0;) {
		run = is_hex(s.at[i]) ? run + 1 : 0;
		bool begins = i == 0 || !is_hex(s.at[i - 1]);
		if (run == CONTAINER_ID_LEN && begins)
			return (struct text_piece){s.at + i, CONTAINER_ID_LEN};
	}
	return (struct text_piece){0};
}

/* What follows `before`, up to `after` or, if that is "", a slash or the end. */
static struct text_piece between(struct text_piece s, const char *before, const char *after)
{
	const char *at = memmem(s.at, s.len, before, strlen(before));
	if (!at)
		return (struct text_piece){0};
	at += strlen(before);
	const char *end = s.at + s.len;
	const char *slash = memchr(at, '/', (size_t)(end - at));
	end = slash ? slash : end;
	if (*after) {
		const char *stop = memmem(at, (size_t)(end - at), after, strlen(after));
		if (!stop)
			return (struct text_piece){0};
		end = stop;
	}
	return end > at ? (struct text_piece){at, (size_t)(end - at)} : (struct text_piece){0};
}

struct text_piece proc_parse_container(struct text_piece cgroup)
{
	static const struct {
		const char *before, *after;
	} names[] = {{"lxc.payload.", ""}, {"/lxc/", ""}, {"/machine-", ".scope"}};
	if (!cgroup.at)
		return cgroup;
	struct text_piece found = container_id(cgroup);
	for (size_t i = 0; !found.at && i < sizeof(names) / sizeof(names[0]); i++)
		found = between(cgroup, names[i].before, names[i].after);
	return found;
}

size_t proc_parse_cmdline(char *text, size_t len)
{
	while (len && text[len - 1] == '\0')
		len--;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	return len;
}

uint64_t proc_parse_link(const char *target, size_t len, const char *kind)
{
	size_t n = strlen(kind);
	const char *end = target + len;
	uint64_t v;
	if (len < n + 3 || memcmp(target, kind, n) != 0 || target[n] != ':' || target[n + 1] != '[')
		return 0;
	const char *at = target + n + 2;
	return take_number(&at, end, &v) && end - at == 1 && *at == ']' ? v : 0;
}

bool proc_parse_number(const char *name, uint32_t *ret)
{
	const char *at = name, *end = name + strlen(name);
	uint64_t v;
	if (!take_number(&at, end, &v) || at != end || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}
