/* sieve.c - see sieve.h. */
#include "sieve.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "diag_filter.h"

/* Those that have a name. */
#define ALL_STATES ((UINT32_C(1) << STATE_COUNT) - 2)

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Where cgroup v2 is, on a host that has v1 too. */
#define CGROUP_UNIFIED "/sys/fs/cgroup/unified"

static void put_tables(uint32_t protos, struct buf *text)
{
	const char *before = "-A ";
	if (!protos || protos == diag_protos())
		return;
	for (unsigned p = 1; p < PROTO_COUNT; p++)
		if (protos & DIAG_PROTO_BIT(p)) {
			buf_printf(text, "%s%s", before, sock_proto_name(p));
			before = ",";
		}
}

/* The words of the command line as one text. */
static void put_words(const struct options *o, struct buf *text)
{
	for (int i = 0; i < o->filter_count; i++)
		buf_printf(text, "%s%s", i ? " " : "", o->filter[i]);
}

static void read_port_range(struct filter_env *env)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned lo, hi;
	if (f && fscanf(f, "%u %u", &lo, &hi) == 2 && lo <= hi && hi <= UINT16_MAX) {
		env->auto_port_lo = (uint16_t)lo;
		env->auto_port_hi = (uint16_t)hi;
	}
	if (f)
		fclose(f);
}

static int parse(struct sieve *s, const char *text, struct buf *caret, struct err *e)
{
	struct filter_env env = filter_row_env();
	struct filter_place place = {0};
	env.resolver = filter_system_resolver();
	read_port_range(&env);
	int rc = filter_parse(text, &env, &s->filter, &place, e);
	if (rc) {
		filter_caret(text, place, caret);
		return rc == ERR_LIMIT ? ERR_USAGE : rc;
	}
	s->scope = filter_scope(s->filter);
	rc = filter_rows_new(s->filter, &s->rows, e);
	return rc ? rc : diag_filter_code(s->rows, &s->code, e);
}

int sieve_open(struct sieve *s, const struct options *options, struct buf *caret, struct err *e)
{
	CLEANUP(buf_fini) struct buf words = {0};
	*s = (struct sieve){.filter = NULL};
	put_tables(options->protos, &s->text);
	put_words(options, &words);
	const char *text = buf_str(&words);
	if (text[strspn(text, " \t\n")]) {
		int rc = parse(s, text, caret, e);
		if (rc)
			return rc;
		buf_printf(&s->text, "%s%s", s->text.len ? " " : "", text);
	}
	return s->text.failed || words.failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

void sieve_close(struct sieve *s)
{
	filter_rows_free(s->rows);
	filter_free(s->filter);
	buf_fini(&s->text);
	buf_fini(&s->code);
	s->rows = NULL;
	s->filter = NULL;
}

/* The id of a cgroup of v2 is the inode of its directory (kernfs). */
static uint64_t cgroup_id(void *ctx, const char *path)
{
	static const char *const roots[] = {CGROUP_ROOT, CGROUP_UNIFIED};
	char full[4096];
	struct stat st;
	(void)ctx;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		int n = snprintf(full, sizeof(full), "%s%s", roots[i], path);
		if (n > 0 && (size_t)n < sizeof(full) && stat(full, &st) == 0 &&
		    S_ISDIR(st.st_mode))
			return st.st_ino;
	}
	return 0;
}

void sieve_refresh(struct sieve *s)
{
	if (s->rows)
		filter_rows_cgroups(s->rows, cgroup_id, NULL);
}

bool sieve_wants_table(const struct sieve *s, const struct diag_table *table)
{
	uint64_t families = UINT64_C(1) << table->family;
	if (table->proto == PROTO_TCP) /* one request for both */
		families = UINT64_C(1) << AF_INET | UINT64_C(1) << AF_INET6;
	return !s->filter || (s->scope.families & families);
}

bool sieve_can_narrow(const struct sieve *s, const struct diag_table *table)
{
	return s->filter && diag_filter_suits(table) &&
	       (s->code.len || ~s->scope.states & ALL_STATES);
}

void sieve_narrow(const struct sieve *s, const struct diag_table *table, struct buf *payload)
{
	/* No known state is left out: then those that later kernels may add are not, either. */
	uint32_t states = s->scope.states & ALL_STATES;
	diag_filter_apply(table, states == ALL_STATES ? UINT32_MAX : states, &s->code, payload);
}

bool sieve_takes(const struct sieve *s, const struct sock_row *row,
		 const struct filter_about *about)
{
	return !s->rows || filter_rows_match(s->rows, row, about);
}
