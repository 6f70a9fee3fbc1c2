/* show_address.c - see show_address.h. */
#include "show_address.h"

#include <string.h>
#include <sys/socket.h>

#include "out_write.h"

void show_put_uint(struct buf *b, uint64_t v)
{
	char text[20];
	size_t at = sizeof(text);
	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_put(b, text + at, sizeof(text) - at);
}

void show_put_host(struct buf *b, const struct names *names, int family, bool v6only,
		   const char *address)
{
	const char *name = names ? names_of(names, address) : NULL;
	if (family == AF_INET6 && !v6only && strcmp(address, "::") == 0)
		buf_put_u8(b, '*');
	else if (name)
		out_harmless(b, name, strlen(name));
	else if (strchr(address, ':'))
		buf_printf(b, "[%s]", address);
	else
		buf_put_str(b, address);
}

void show_put_port(struct buf *b, const char *proto, unsigned port, const struct services *services)
{
	const char *name = port ? services_name(services, proto, port) : "*";
	if (name)
		buf_put_str(b, name);
	else if (services && strcmp(proto, "raw") == 0)
		buf_printf(b, "ipproto-%u", port);
	else
		show_put_uint(b, port);
}

void show_put_dev(struct buf *b, const char *dev)
{
	if (!dev || !dev[0])
		return;
	buf_put_u8(b, '%');
	out_harmless(b, dev, strlen(dev));
}

void show_address(struct buf *b, const char *proto, int family, bool v6only, const char *address,
		  const char *dev, int port, const struct services *services)
{
	show_put_host(b, NULL, family, v6only, address);
	show_put_dev(b, dev);
	buf_put_u8(b, ':');
	show_put_port(b, proto, (unsigned)port, services);
}
