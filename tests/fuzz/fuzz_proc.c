/*
 * fuzz_proc.c - text of /proc: every parser on every input. Pieces must lie within the text.
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "fuzz.h"
#include "proc_parse.h"

static void check_piece(struct text_piece p, const char *text, size_t len)
{
	if (p.at && (p.at < text || p.at + p.len > text + len))
		abort();
	if (!p.at && p.len)
		abort();
}

static int check_counter(void *ctx, const char *name, int64_t value, struct err *e)
{
	(void)ctx, (void)value, (void)e;
	return strchr(name, '.') ? 0 : ERR_CORRUPT;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	struct proc_stat stat;
	if (proc_parse_stat(text, len, &stat)) {
		check_piece(stat.comm, text, len);
		if (stat.pid < 0 || stat.ppid < 0)
			abort();
	}
	(void)proc_parse_files_limit(text, len);
	if (proc_parse_uid(text, len) < -1)
		abort();
	struct text_piece cgroup = proc_parse_cgroup(text, len);
	check_piece(cgroup, text, len);
	check_piece(proc_parse_container(cgroup), text, len);
	check_piece(proc_parse_container((struct text_piece){text, len}), text, len);
	if (proc_parse_link(text, len, "socket") && !memchr(text, ']', len))
		abort();
	if (counters_parse(text, len, check_counter, NULL, NULL))
		abort();
	char *copy = malloc(len + 1);
	if (!copy)
		return 0;
	memcpy(copy, text, len);
	if (proc_parse_cmdline(copy, len) > len)
		abort();
	free(copy);
	return 0;
}
