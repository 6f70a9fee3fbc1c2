/* names.c - see names.h. */
#include "names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "buf.h"
#include "late.h"
#include "sock.h"

#define NAME_BYTES 256

struct name {
	union addr_bytes address;
	unsigned family;
	char text[NAME_BYTES]; /* "": none */
};

struct names {
	struct name *list; /* ascending by family and address once asked for */
	size_t cap, count;
	size_t left_out;
	bool sorted, full;
};

static int compare(const void *va, const void *vb)
{
	const struct name *a = va, *b = vb;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(&a->address, &b->address, sizeof(a->address));
}

int names_new(struct names **ret, struct err *e)
{
	struct names *n = calloc(1, sizeof(*n));
	if (!n)
		return err_set(e, ERR_NOMEM, "names: memory ran out");
	*ret = n;
	return 0;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	free(n->list);
	free(n);
}

static void sort(struct names *n)
{
	size_t kept = 0;
	if (n->count)
		qsort(n->list, n->count, sizeof(*n->list), compare);
	for (size_t i = 0; i < n->count; i++)
		if (!kept || compare(&n->list[kept - 1], &n->list[i]) != 0)
			n->list[kept++] = n->list[i];
	n->count = kept;
	n->sorted = true;
}

int names_want(struct names *n, const char *address, struct err *e)
{
	struct name want = {0};
	want.family = sock_addr_parse(address, &want.address);
	if (!want.family)
		return 0;
	if (n->count && compare(&n->list[n->count - 1], &want) == 0)
		return 0;
	/* Twice the room: most addresses come again and again. */
	if (n->count >= (size_t)2 * NAMES_MAX) {
		sort(n);
		n->full = n->count > NAMES_MAX;
	}
	if (n->full) {
		n->left_out += !bsearch(&want, n->list, n->count, sizeof(want), compare);
		return 0;
	}
	if (ARRAY_NEED(n->list, n->cap, n->count + 1))
		return err_set(e, ERR_NOMEM, "names: memory ran out");
	n->list[n->count++] = want;
	n->sorted = false;
	return 0;
}

/* An address without a name is no failure. */
static void look_up(void *item)
{
	struct name *n = item;
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	bool is_v4 = n->family == AF_INET;
	memcpy(&in.sin_addr, n->address.b, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, n->address.b, sizeof(in6.sin6_addr));
	if (getnameinfo(is_v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
			is_v4 ? sizeof(in) : sizeof(in6), n->text, sizeof(n->text), NULL, 0,
			NI_NAMEREQD))
		n->text[0] = 0;
}

int names_ask(struct names *n, int64_t timeout_ms, size_t *ret_missing, struct err *e)
{
	size_t missing = 0;
	sort(n);
	size_t asked = n->count < NAMES_MAX ? n->count : NAMES_MAX;
	if (late_run(look_up, n->list, asked, sizeof(*n->list), timeout_ms, &missing))
		return err_set(e, ERR_NOMEM, "names: memory ran out");
	*ret_missing = missing + (n->count - asked) + n->left_out;
	return 0;
}

const char *names_of(const struct names *n, const char *address)
{
	struct name key = {0};
	key.family = sock_addr_parse(address, &key.address);
	if (!key.family || !n->sorted || !n->count)
		return NULL;
	const struct name *found = bsearch(&key, n->list, n->count, sizeof(key), compare);
	return found && found->text[0] ? found->text : NULL;
}
