/*
 * filter_func.c - the SQL functions of a filter: addr_in(), glob_match() and holder_is().
 */
#include "filter.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOLDER_FIELDS 5 /* pid comm exe cmdline container */

struct prefix {
	int family;
	unsigned bits;
	uint8_t bytes[16];
};

/* "ADDRESS[/BITS]"; false if it is none. */
static bool read_prefix(const char *text, struct prefix *ret)
{
	char addr[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = 0;
	if (inet_pton(AF_INET, addr, ret->bytes) == 1)
		ret->family = AF_INET;
	else if (inet_pton(AF_INET6, addr, ret->bytes) == 1)
		ret->family = AF_INET6;
	else
		return false;
	unsigned max = ret->family == AF_INET ? 32 : 128;
	ret->bits = max;
	if (!text[len])
		return true;
	const char *bits = text + len + 1;
	size_t digits = strspn(bits, "0123456789");
	if (digits == 0 || digits > 3 || bits[digits])
		return false;
	ret->bits = (unsigned)strtoul(bits, NULL, 10);
	return ret->bits <= max;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned rest = bits % 8;
	if (memcmp(a, b, whole) != 0)
		return false;
	return !rest || ((a[whole] ^ b[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

/*
 * As ss: an IPv4 prefix holds the IPv4-mapped addresses of v6 sockets too, but an IPv4-mapped
 * prefix holds no plain IPv4 address. 0 if `addr` is no address.
 */
static bool addr_in_prefix(const char *addr, const struct prefix *p)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint8_t bytes[16];
	if (!strchr(addr, ':'))
		return p->family == AF_INET && inet_pton(AF_INET, addr, bytes) == 1 &&
		       same_bits(bytes, p->bytes, p->bits);
	if (inet_pton(AF_INET6, addr, bytes) != 1)
		return false;
	if (p->family == AF_INET6)
		return same_bits(bytes, p->bytes, p->bits);
	return memcmp(bytes, mapped, sizeof(mapped)) == 0 &&
	       same_bits(bytes + sizeof(mapped), p->bytes, p->bits);
}

int filter_addr_in(const char *addr, const char *prefix)
{
	struct prefix p;
	struct prefix a;
	if (!read_prefix(prefix, &p) || strchr(addr, '/') || !read_prefix(addr, &a))
		return -1;
	return addr_in_prefix(addr, &p);
}

/* The prefix is mostly a constant of the statement: SQLite keeps what was read of it. */
static const struct prefix *cached_prefix(sqlite3_context *ctx, sqlite3_value *value)
{
	const struct prefix *kept = sqlite3_get_auxdata(ctx, 1);
	if (kept)
		return kept;
	const char *text = (const char *)sqlite3_value_text(value);
	struct prefix read;
	if (!text || !read_prefix(text, &read)) {
		sqlite3_result_error(ctx, "addr_in: the second argument is not ADDRESS/BITS", -1);
		return NULL;
	}
	struct prefix *p = sqlite3_malloc(sizeof(*p));
	if (!p) {
		sqlite3_result_error_nomem(ctx);
		return NULL;
	}
	*p = read;
	sqlite3_set_auxdata(ctx, 1, p, sqlite3_free);
	kept = sqlite3_get_auxdata(ctx, 1);
	if (!kept)
		sqlite3_result_error_nomem(ctx);
	return kept;
}

static void sql_addr_in(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
	    sqlite3_value_type(argv[1]) == SQLITE_NULL)
		return;
	const struct prefix *p = cached_prefix(ctx, argv[1]);
	if (!p)
		return;
	const char *addr = (const char *)sqlite3_value_text(argv[0]);
	if (!addr)
		sqlite3_result_error_nomem(ctx);
	else
		sqlite3_result_int(ctx, addr_in_prefix(addr, p));
}

/* glob_match(TEXT, GLOB [, ANY_CASE]) */
static void sql_glob_match(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
	    sqlite3_value_type(argv[1]) == SQLITE_NULL)
		return;
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	const char *glob = (const char *)sqlite3_value_text(argv[1]);
	bool any_case = argc > 2 && sqlite3_value_int(argv[2]) != 0;
	if (!text || !glob)
		sqlite3_result_error_nomem(ctx);
	else
		sqlite3_result_int(ctx, filter_glob_match(glob, text, any_case));
}

/* A process's field compared with a number, or with a text, or with a glob. */
static bool field_is(const char *field, const char *op, sqlite3_value *value)
{
	if (sqlite3_value_type(value) == SQLITE_INTEGER) {
		int64_t a = strtoll(field, NULL, 10), b = sqlite3_value_int64(value);
		if (op[0] == '=')
			return a == b;
		if (strcmp(op, "<>") == 0)
			return a != b;
		return (op[1] == '=' && a == b) || (op[0] == '<' ? a < b : a > b);
	}
	const char *text = (const char *)sqlite3_value_text(value);
	if (!text)
		return false;
	return op[0] == 'g' ? filter_glob_match(text, field, false) : strcmp(text, field) == 0;
}

/* holder_is(HOLDERS, FIELD, OP, VALUE): HOLDERS as in filter.h; "" is what is not known. */
static void sql_holder_is(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	const char *list = sqlite3_value_blob(argv[0]);
	int len = list ? sqlite3_value_bytes(argv[0]) : 0;
	const char *op = (const char *)sqlite3_value_text(argv[2]);
	int wanted = sqlite3_value_int(argv[1]), place = 0;
	/* The last field is ended, too: so no field is read beyond the list. */
	if (!len || !op || !op[0] || list[len - 1])
		return;
	for (int at = 0; at < len; at += (int)strlen(list + at) + 1) {
		place = place % HOLDER_FIELDS + 1;
		if (place == wanted && list[at] && field_is(list + at, op, argv[3])) {
			sqlite3_result_int(ctx, 1);
			return;
		}
	}
	sqlite3_result_int(ctx, 0);
}

int filter_register(sqlite3 *db)
{
	static const struct {
		const char *name;
		int args;
		void (*fn)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {
		{"addr_in", 2, sql_addr_in},
		{"glob_match", 2, sql_glob_match},
		{"glob_match", 3, sql_glob_match},
		{"holder_is", 4, sql_holder_is},
	};
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	int rc = SQLITE_OK;
	for (size_t i = 0; rc == SQLITE_OK && i < sizeof(functions) / sizeof(functions[0]); i++)
		rc = sqlite3_create_function_v2(db, functions[i].name, functions[i].args, flags,
						NULL, functions[i].fn, NULL, NULL, NULL);
	return rc;
}
