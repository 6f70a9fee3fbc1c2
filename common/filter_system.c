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

#define NSS_BYTES 16384

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

static int system_host(void *ctx, const char *name, int family, unsigned max,
		       struct filter_addr *ret, unsigned *ret_count)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	unsigned count = 0;
	(void)ctx;
	if (getaddrinfo(name, NULL, &hints, &list))
		return ERR_NOT_FOUND;
	for (struct addrinfo *ai = list; ai && count < max; ai = ai->ai_next)
		count += copy_addr(ai, &ret[count]);
	freeaddrinfo(list);
	*ret_count = count;
	return count ? 0 : ERR_NOT_FOUND;
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
