/*
 * show_address.h - addresses, ports and devices as ss(8) writes them. Pure. `services` and `names`
 * may be NULL: then ports and addresses are numbers.
 */
#ifndef SOCKLAPSE_SHOW_ADDRESS_H
#define SOCKLAPSE_SHOW_ADDRESS_H

#include <stdbool.h>

#include "buf.h"
#include "names.h"
#include "services.h"

/* Decimal digits; much cheaper than buf_printf(). */
void show_put_uint(struct buf *b, uint64_t v);

/* "10.0.0.1", "[::1]", a name; "*" for :: of a socket that takes IPv4, too. */
void show_put_host(struct buf *b, const struct names *names, int family, bool v6only,
		   const char *address);

/* "%eth0"; nothing for NULL or "". */
void show_put_dev(struct buf *b, const char *dev);

/* "80", "http", "*" for 0; `proto` ("tcp", "raw", ...) is that of the name. */
void show_put_port(struct buf *b, const char *proto, unsigned port,
		   const struct services *services);

/* All of it: "10.0.0.1:80", "[::1]:https", "*:*". */
void show_address(struct buf *b, const char *proto, int family, bool v6only, const char *address,
		  const char *dev, int port, const struct services *services);

#endif
