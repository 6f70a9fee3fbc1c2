/* services.c - see services.h. */
#include "services.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "strpool.h"

/* Ports that the kernel gives out by itself mean nothing: ss leaves them numbers, too. */
#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_LAST	60999

struct service {
	const char *name, *proto;
	unsigned port;
};

struct services {
	struct strpool strings;
	struct service *list; /* ascending by port, proto */
	size_t cap, count;
};

static int compare(const void *va, const void *vb)
{
	const struct service *a = va, *b = vb;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return strcmp(a->proto, b->proto);
}

static int add(struct services *s, const char *name, const char *proto, unsigned port)
{
	struct service *p = array_grow(s->list, &s->cap, s->count + 1, sizeof(*p));
	if (!p)
		return -1;
	s->list = p;
	name = strpool_put(&s->strings, name, strlen(name));
	proto = strpool_put(&s->strings, proto, strlen(proto));
	if (!name || !proto)
		return -1;
	p[s->count++] = (struct service){.name = name, .proto = proto, .port = port};
	return 0;
}

int services_load(struct services **ret, struct err *e)
{
	struct services *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : -1;
	const struct servent *entry;
	setservent(1);
	while (!rc && (entry = getservent()) != NULL)
		rc = add(s, entry->s_name, entry->s_proto, ntohs((uint16_t)entry->s_port));
	endservent();
	/* The port of a raw socket is its protocol. */
	const struct protoent *protocol;
	setprotoent(1);
	while (!rc && (protocol = getprotoent()) != NULL)
		rc = add(s, protocol->p_name, "raw", (unsigned)protocol->p_proto);
	endprotoent();
	if (rc) {
		services_free(s);
		return err_set(e, ERR_NOMEM, "names of services: memory ran out");
	}
	if (s->count)
		qsort(s->list, s->count, sizeof(*s->list), compare);
	*ret = s;
	return 0;
}

void services_free(struct services *s)
{
	if (!s)
		return;
	strpool_fini(&s->strings);
	free(s->list);
	free(s);
}

const char *services_name(const struct services *s, const char *proto, unsigned port)
{
	const struct service key = {.port = port, .proto = proto};
	bool is_ephemeral = port >= EPHEMERAL_FIRST && port <= EPHEMERAL_LAST;
	if (!s || !s->count || (is_ephemeral && strcmp(proto, "raw") != 0))
		return NULL;
	const struct service *found = bsearch(&key, s->list, s->count, sizeof(*s->list), compare);
	return found ? found->name : NULL;
}
