/* filter_names.c - see filter_names.h. */
#include "filter_names.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static int test_service(void *ctx, const char *name, uint16_t *ret_port)
{
	static const struct {
		const char *name;
		uint16_t port;
	} services[] = {{"ssh", 22}, {"http", 80}, {"https", 443}, {"domain", 53}};
	(void)ctx;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(name, services[i].name) == 0) {
			*ret_port = services[i].port;
			return 0;
		}
	return ERR_NOT_FOUND;
}

static int test_host(void *ctx, const char *name, int family, unsigned max, struct filter_addr *ret,
		     unsigned *ret_count)
{
	static const struct {
		const char *name;
		const char *addr;
		int family;
	} hosts[] = {
		{"kafka.example", "10.9.9.9", AF_INET},
		{"kafka.example", "192.168.7.7", AF_INET},
		{"dual.example", "10.1.2.3", AF_INET},
		{"dual.example", "2001:db8:1::9", AF_INET6},
	};
	unsigned count = 0;
	(void)ctx;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]) && count < max; i++) {
		if (strcmp(name, hosts[i].name) != 0 ||
		    (family != AF_UNSPEC && family != hosts[i].family))
			continue;
		ret[count] = (struct filter_addr){.family = (uint8_t)hosts[i].family};
		inet_pton(hosts[i].family, hosts[i].addr, ret[count++].bytes);
	}
	*ret_count = count;
	return count ? 0 : ERR_NOT_FOUND;
}

static int test_user(void *ctx, const char *name, uint32_t *ret_uid)
{
	(void)ctx;
	*ret_uid = strcmp(name, "www") == 0 ? 33 : 0;
	return strcmp(name, "www") == 0 || strcmp(name, "root") == 0 ? 0 : ERR_NOT_FOUND;
}

const struct filter_resolver *filter_test_resolver(void)
{
	static const struct filter_resolver resolver = {
		.service = test_service,
		.host = test_host,
		.user = test_user,
	};
	return &resolver;
}
