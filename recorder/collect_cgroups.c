/* collect_cgroups.c - the paths of the cgroups that sockets name. See collect_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "collect_internal.h"
#include "proc_parse.h"

/* Longer names of containers are left out. */
#define CONTAINER_BYTES 256

int collect_note_cgroup(struct snap *s, uint64_t id, struct err *e)
{
	if (id == s->cgroup)
		return 0;
	s->cgroup = id;
	if (rec_writer_knows_cgroup(s->w, id) || intern_find(&s->cgroups, &id, sizeof(id)) ||
	    s->cgroups.count >= CGROUPS_MAX_WANTED)
		return 0;
	return intern_add(&s->cgroups, &id, sizeof(id), 1)
		       ? 0
		       : err_set(e, ERR_NOMEM, "cgroups: out of memory");
}

static int put(struct snap *s, const struct cgroup_wanted *w, struct err *e)
{
	char name[CONTAINER_BYTES];
	struct text_piece container = {NULL, 0};
	if (w->path)
		container = proc_parse_container((struct text_piece){w->path, strlen(w->path)});
	bool known = container.at && container.len < sizeof(name);
	if (known) {
		memcpy(name, container.at, container.len);
		name[container.len] = '\0';
	}
	return rec_writer_cgroup(s->w, w->id, w->path, known ? name : NULL, e);
}

int collect_cgroups(struct snap *s, struct err *e)
{
	size_t count = s->cgroups.count;
	if (!count || s->c->cgroups.mount_fd < 0)
		return 0;
	struct cgroup_wanted *wanted = calloc(count, sizeof(*wanted));
	if (!wanted)
		return err_set(e, ERR_NOMEM, "cgroups: out of memory");
	for (size_t i = 0; i < count; i++)
		memcpy(&wanted[i].id, s->cgroups.keys.bytes + s->cgroups.entries[i].at,
		       sizeof(wanted[i].id));
	int rc = cgroups_find(&s->c->cgroups, wanted, count, e);
	for (size_t i = 0; i < count; i++) {
		if (!rc)
			rc = put(s, &wanted[i], e);
		free(wanted[i].path);
	}
	free(wanted);
	return rc;
}
