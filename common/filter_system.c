/*
 * filter_system.c - names as this machine knows them. What it answers is true here and now, which
 * need not be what the recorded host believed; filter_resolved() tells which names were asked.
 */
#include "filter.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#include "late.h"

#define NSS_BYTES  16384
#define HOST_BYTES 256

/* A name server that is down costs no more than this. */
#define HOST_TIMEOUT_MS 5000

static int system_service(void *ctx, const char *name, uint16_t *ret_port)
{
	static const char *const protos[] = {"tcp", "udp"};
	(void)ctx;
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		char bytes[NSS_BYTES];
		struct servent entry;
		struct servent *found = NULL;
		if (getservbyname_r(name, protos[i], &entry, bytes, sizeof(bytes), &found) == 0 &&
		    found) {
			*ret_port = ntohs((uint16_t)found->s_port);
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

static bool copy_addr(const struct addrinfo *ai, struct filter_addr *ret)
{
	*ret = (struct filter_addr){.family = (uint8_t)ai->ai_family};
	if (ai->ai_family == AF_INET && ai->ai_addrlen >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in sin;
		memcpy(&sin, ai->ai_addr, sizeof(sin));
		memcpy(ret->bytes, &sin.sin_addr, 4);
		return true;
	}
	if (ai->ai_family == AF_INET6 && ai->ai_addrlen >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 sin6;
		memcpy(&sin6, ai->ai_addr, sizeof(sin6));
		memcpy(ret->bytes, &sin6.sin6_addr, 16);
		return true;
	}
	return false;
}

/* One question to the name servers, and its answer. */
struct host_question {
	char name[HOST_BYTES];
	int family;
	unsigned max, count;
	struct filter_addr addrs[FILTER_NAME_ADDR_MAX];
};

static void ask_host(void *item)
{
	struct host_question *q = item;
	struct addrinfo hints = {.ai_family = q->family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	if (getaddrinfo(q->name, NULL, &hints, &list))
		return;
	for (struct addrinfo *ai = list; ai && q->count < q->max; ai = ai->ai_next)
		q->count += copy_addr(ai, &q->addrs[q->count]);
	freeaddrinfo(list);
}

static int system_host(void *ctx, const char *name, int family, unsigned max,
		       struct filter_addr *ret, unsigned *ret_count)
{
	struct host_question q = {.family = family, .max = max};
	size_t missing = 0;
	(void)ctx;
	if (strlen(name) >= sizeof(q.name))
		return ERR_NOT_FOUND;
	memcpy(q.name, name, strlen(name) + 1);
	if (q.max > FILTER_NAME_ADDR_MAX)
		q.max = FILTER_NAME_ADDR_MAX;
	if (late_run(ask_host, &q, 1, sizeof(q), HOST_TIMEOUT_MS, &missing))
		return ERR_NOMEM;
	if (missing)
		return ERR_TIMEOUT;
	memcpy(ret, q.addrs, q.count * sizeof(*ret));
	*ret_count = q.count;
	return q.count ? 0 : ERR_NOT_FOUND;
}

static int system_user(void *ctx, const char *name, uint32_t *ret_uid)
{
	char bytes[NSS_BYTES];
	struct passwd entry;
	struct passwd *found = NULL;
	(void)ctx;
	if (getpwnam_r(name, &entry, bytes, sizeof(bytes), &found) || !found)
		return ERR_NOT_FOUND;
	*ret_uid = (uint32_t)found->pw_uid;
	return 0;
}

const struct filter_resolver *filter_system_resolver(void)
{
	static const struct filter_resolver resolver = {
		.service = system_service,
		.host = system_host,
		.user = system_user,
	};
	return &resolver;
}
