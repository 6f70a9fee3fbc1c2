/* names_system.c - the addresses of a host as this machine's resolver tells them. See names.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "names.h"

/* What of a resolver's answer is looked at at all. */
#define LOOK_MAX 4096

struct address {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t bytes[16];
};

static int compare(const void *a, const void *b)
{
	const struct address *x = a;
	const struct address *y = b;
	if (x->family != y->family)
		return x->family == AF_INET ? -1 : 1;
	return memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

static bool read_address(const struct addrinfo *ai, struct address *ret)
{
	*ret = (struct address){.family = (uint8_t)ai->ai_family};
	if (ai->ai_family == AF_INET && ai->ai_addrlen >= sizeof(struct sockaddr_in)) {
		memcpy(ret->bytes,
		       (const uint8_t *)ai->ai_addr + offsetof(struct sockaddr_in, sin_addr), 4);
		return true;
	}
	if (ai->ai_family == AF_INET6 && ai->ai_addrlen >= sizeof(struct sockaddr_in6)) {
		memcpy(ret->bytes,
		       (const uint8_t *)ai->ai_addr + offsetof(struct sockaddr_in6, sin6_addr), 16);
		return true;
	}
	return false;
}

static void put_sorted(struct address *all, size_t count, struct buf *answer)
{
	size_t put = 0;
	qsort(all, count, sizeof(*all), compare);
	for (size_t i = 0; i < count && put < NAMES_ADDRESSES_MAX; i++) {
		char text[INET6_ADDRSTRLEN];
		if ((i && compare(&all[i], &all[i - 1]) == 0) ||
		    !inet_ntop(all[i].family, all[i].bytes, text, sizeof(text)))
			continue;
		buf_printf(answer, "%s%s", put++ ? " " : "", text);
	}
}

void names_system(void *ctx, const char *host, struct buf *answer, struct buf *error)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	size_t count = 0;
	(void)ctx;
	int rc = getaddrinfo(host, NULL, &hints, &list);
	if (rc) {
		buf_put_str(error, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return;
	}
	struct address *all = calloc(LOOK_MAX, sizeof(*all));
	for (const struct addrinfo *ai = list; all && ai && count < LOOK_MAX; ai = ai->ai_next)
		count += read_address(ai, &all[count]);
	freeaddrinfo(list);
	if (count)
		put_sorted(all, count, answer);
	else
		buf_put_str(error, all ? "no address of IPv4 or IPv6" : "out of memory");
	free(all);
}
