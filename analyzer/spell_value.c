/* spell_value.c - see spell_value.h. One table of fields; most are members of struct spell. */
#include "spell_value.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

typedef int spell_get_fn(struct spell_look *look, struct spell_value *ret, struct err *e);

enum field_how {
	HOW_U8,
	HOW_BOOL,
	HOW_U16,
	HOW_U32,
	HOW_U64,
	HOW_I64,     /* SPELL_UNKNOWN is NULL */
	HOW_NUMBER,  /* index of a snapshot; shown as its number */
	HOW_PROCESS, /* const char * member of struct history_process */
	HOW_FUNCTION,
};

struct spell_field {
	const char *name;
	const char *type;
	const char *doc;
	enum field_how how;
	size_t offset;
	spell_get_fn *get;
};

void spell_look_at(struct spell_look *look, const struct spell *spell)
{
	look->spell = spell;
	look->process = NULL;
	look->process_known = false;
}

int spell_look_process(struct spell_look *look, const struct history_process **ret, struct err *e)
{
	const struct spell_owner *o = &look->spell->owner;
	if (!look->process_known) {
		look->process = NULL;
		int rc = o->process ? history_process(look->history, o->file, o->process,
						      &look->process, e)
				    : 0;
		if (rc)
			return rc;
		look->process_known = true;
	}
	*ret = look->process;
	return 0;
}

static struct spell_value null_value(void)
{
	return (struct spell_value){.kind = SPELL_NULL};
}

static struct spell_value int_value(int64_t number)
{
	return (struct spell_value){.kind = SPELL_INT, .number = number};
}

static struct spell_value text_value(const char *text)
{
	if (!text)
		return null_value();
	return (struct spell_value){.kind = SPELL_TEXT, .text = text, .len = strlen(text)};
}

static int get_host(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	size_t count;
	*ret = text_value(history_hosts(look->history, &count)[look->spell->host].name);
	return 0;
}

static int get_boot(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	size_t count;
	*ret = text_value(history_boots(look->history, &count)[look->spell->boot].boot_id);
	return 0;
}

static int get_netns_name(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	const struct history_netns *netns;
	const struct spell *s = look->spell;
	int rc = history_netns(look->history, s->file, s->id.netns, &netns, e);
	if (!rc)
		*ret = text_value(netns ? netns->name : NULL);
	return rc;
}

static int get_proto(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	*ret = text_value(sock_proto_name(look->spell->id.proto));
	return 0;
}

static int get_address(struct spell_look *look, const union addr_bytes *addr,
		       struct spell_value *ret)
{
	unsigned family = look->spell->id.family;
	*ret = null_value();
	if (family == AF_INET || family == AF_INET6) {
		sock_addr_format(addr, family, look->text);
		*ret = text_value(look->text);
	}
	return 0;
}

const char *spell_path(struct spell_look *look)
{
	const struct spell *s = look->spell;
	size_t len = s->path_len < sizeof(look->text) ? s->path_len : sizeof(look->text) - 1;
	if (!len)
		return NULL;
	for (size_t i = 0; i < len; i++)
		look->text[i] = s->path[i] || s->path[0] ? s->path[i] : '@';
	look->text[len] = 0;
	return look->text;
}

static int get_local(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	if (look->spell->id.family == AF_UNIX) {
		*ret = text_value(spell_path(look));
		return 0;
	}
	return get_address(look, &look->spell->id.local, ret);
}

static int get_peer(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	return get_address(look, &look->spell->id.peer, ret);
}

static int get_state_name(struct spell_look *look, unsigned state, struct spell_value *ret)
{
	const char *name = state ? sock_state_name(state) : NULL;
	if (state && !name) { /* of a kernel newer than this program */
		snprintf(look->text, sizeof(look->text), "state-%u", state);
		name = look->text;
	}
	*ret = text_value(name);
	return 0;
}

static int get_state(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	return get_state_name(look, look->spell->state, ret);
}

static int get_before(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	return get_state_name(look, look->spell->before, ret);
}

static int get_after(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	return get_state_name(look, look->spell->after, ret);
}

static int get_pid(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	const struct history_process *p;
	int rc = spell_look_process(look, &p, e);
	if (!rc)
		*ret = p ? int_value(p->pid) : null_value();
	return rc;
}

static int get_fd(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	const struct spell_owner *o = &look->spell->owner;
	*ret = o->process ? int_value(o->fd) : null_value();
	return 0;
}

/* Of the process, or what is known without one. */
static int get_place(struct spell_look *look, bool container, struct spell_value *ret,
		     struct err *e)
{
	const struct history_process *p;
	const struct history_cgroup *g = look->spell->cgroup;
	int rc = spell_look_process(look, &p, e);
	if (rc)
		return rc;
	if (g)
		*ret = text_value(container ? g->container : g->path);
	else
		*ret = text_value(!p ? NULL : container ? p->container : p->cgroup);
	return 0;
}

static int get_cgroup(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	return get_place(look, false, ret, e);
}

static int get_container(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	return get_place(look, true, ret, e);
}

static int get_owner_source(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	*ret = text_value(owner_source_name(look->spell->owner.source));
	return 0;
}

static int get_entered_source(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	spell_source_text(&look->spell->entered, look->text);
	*ret = text_value(look->text);
	return 0;
}

static int get_left_source(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	spell_source_text(&look->spell->left, look->text);
	*ret = look->spell->open ? null_value() : text_value(look->text);
	return 0;
}

static int get_assumption(struct spell_look *look, struct spell_value *ret, struct err *e)
{
	(void)e;
	const char *a = look->spell->assumption, *b = look->spell->assumption_left;
	if (a && b && strcmp(a, b) != 0) {
		snprintf(look->text, sizeof(look->text), "%s; %s", a, b);
		a = look->text;
	}
	*ret = text_value(a);
	return 0;
}

#define OF(member) offsetof(struct spell, member)
#define BY(member) offsetof(struct history_process, member)
#define CALL(name) HOW_FUNCTION, 0, get_##name

static const struct spell_field spell_fields[] = {
	{"host", "TEXT", "name of the host", CALL(host)},
	{"boot", "TEXT", "boot id", CALL(boot)},
	{"netns", "INTEGER", "inode of the network namespace", HOW_U64, OF(netns), NULL},
	{"netns_name", "TEXT", "its name", CALL(netns_name)},
	{"cookie", "INTEGER", "socket cookie", HOW_U64, OF(id.cookie), NULL},
	{"proto", "TEXT", "socket table", CALL(proto)},
	{"family", "INTEGER", "address family", HOW_U8, OF(id.family), NULL},
	{"local", "TEXT", "local address, or a UNIX socket's path", CALL(local)},
	{"local_port", "INTEGER", "local port", HOW_U16, OF(id.local_port), NULL},
	{"peer", "TEXT", "peer address", CALL(peer)},
	{"peer_port", "INTEGER", "peer port", HOW_U16, OF(id.peer_port), NULL},
	{"state", "TEXT", "as ss prints it", CALL(state)},
	{"comm", "TEXT", "owner's name", HOW_PROCESS, BY(comm), NULL},
	{"pid", "INTEGER", "owner's process id", CALL(pid)},
	{"fd", "INTEGER", "owner's file descriptor", CALL(fd)},
	{"owner_source", "TEXT", "fd, history, listener or cgroup", CALL(owner_source)},
	{"exe", "TEXT", "owner's program", HOW_PROCESS, BY(exe), NULL},
	{"cmdline", "TEXT", "owner's arguments", HOW_PROCESS, BY(cmdline), NULL},
	{"cgroup", "TEXT", "owner's cgroup", CALL(cgroup)},
	{"container", "TEXT", "owner's container", CALL(container)},
	{"uid", "INTEGER", "user of the socket", HOW_U32, OF(uid), NULL},
	{"inode", "INTEGER", "of the socket's file; 0: no process holds it", HOW_U32, OF(inode),
	 NULL},
	{"first_snapshot", "INTEGER", "the first that saw it in this state", HOW_NUMBER, OF(first),
	 NULL},
	{"last_snapshot", "INTEGER", "the last", HOW_NUMBER, OF(last), NULL},
	{"entered_lo_ns", "INTEGER", "state entered, not before", HOW_I64, OF(entered.lo_ns), NULL},
	{"entered_hi_ns", "INTEGER", "nor after", HOW_I64, OF(entered.hi_ns), NULL},
	{"left_lo_ns", "INTEGER", "state left, not before", HOW_I64, OF(left.lo_ns), NULL},
	{"left_hi_ns", "INTEGER", "nor after", HOW_I64, OF(left.hi_ns), NULL},
	{"at_least_ms", "INTEGER", "it lasted; while open: so far", HOW_I64, OF(at_least_ms), NULL},
	{"at_most_ms", "INTEGER", "NULL while open", HOW_I64, OF(at_most_ms), NULL},
	{"estimate_ms", "INTEGER", "if the assumption holds", HOW_I64, OF(estimate_ms), NULL},
	{"assumption", "TEXT", "of the estimate", CALL(assumption)},
	{"entered_source", "TEXT", "what the bounds rest on", CALL(entered_source)},
	{"left_source", "TEXT", "what the bounds rest on", CALL(left_source)},
	{"open", "INTEGER", "1: still there in the last snapshot", HOW_BOOL, OF(open), NULL},
	{"early", "INTEGER", "1: already there in the first one", HOW_BOOL, OF(early), NULL},
	{"recvq", "INTEGER", "at its last sight; NULL without evidence", HOW_I64, OF(recvq), NULL},
	{"sendq", "INTEGER", "the same", HOW_I64, OF(sendq), NULL},
	{"retrans", "INTEGER", "retransmissions, the same", HOW_I64, OF(retrans), NULL},
	{"made_lo_ns", "INTEGER", "the socket's file was made not before (by its inode)", HOW_I64,
	 OF(made_lo_ns), NULL},
	{"made_hi_ns", "INTEGER", "nor after", HOW_I64, OF(made_hi_ns), NULL},
	{"killed", "INTEGER", "1: gone before its timer could have run out", HOW_BOOL, OF(killed),
	 NULL},
	{"rearmed", "INTEGER", "1: its timer was seen set anew", HOW_BOOL, OF(rearmed), NULL},
	{"missed", "INTEGER", "snapshots between that lack it", HOW_U32, OF(missed), NULL},
	{"state_before", "TEXT", "the connection's state before", CALL(before)},
	{"state_after", "TEXT", "and after", CALL(after)},
	{"age_most_ms", "INTEGER", "age at its last sight, at most", HOW_I64, OF(age_most_ms),
	 NULL},
	{"seen_least_ms", "INTEGER", "age at its first sight, at least", HOW_I64, OF(seen_least_ms),
	 NULL},
	{"seen_most_ms", "INTEGER", "and at most", HOW_I64, OF(seen_most_ms), NULL},
};
const unsigned spell_fields_count = sizeof(spell_fields) / sizeof(spell_fields[0]);

const char *spell_field_name(unsigned field)
{
	return spell_fields[field].name;
}

const char *spell_field_type(unsigned field)
{
	return spell_fields[field].type;
}

const char *spell_field_doc(unsigned field)
{
	return spell_fields[field].doc;
}

int spell_field_by_name(const char *name)
{
	for (unsigned i = 0; i < spell_fields_count; i++)
		if (strcmp(spell_fields[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Unsigned or signed, of any width. */
static int64_t load_number(enum field_how how, const void *at)
{
	union {
		uint8_t u8;
		bool b;
		uint16_t u16;
		uint32_t u32;
		int64_t i64;
		size_t size;
	} v;
	switch (how) {
	case HOW_U8:
		memcpy(&v.u8, at, sizeof(v.u8));
		return v.u8;
	case HOW_BOOL:
		memcpy(&v.b, at, sizeof(v.b));
		return v.b;
	case HOW_U16:
		memcpy(&v.u16, at, sizeof(v.u16));
		return v.u16;
	case HOW_U32:
		memcpy(&v.u32, at, sizeof(v.u32));
		return v.u32;
	case HOW_NUMBER:
		memcpy(&v.size, at, sizeof(v.size));
		return (int64_t)v.size + 1;
	default:
		memcpy(&v.i64, at, sizeof(v.i64));
		return v.i64;
	}
}

static struct spell_value load_text(const void *record, size_t offset)
{
	const char *text = NULL;
	if (record)
		memcpy(&text, (const char *)record + offset, sizeof(text));
	return text_value(text);
}

int spell_field_get(struct spell_look *look, unsigned field, struct spell_value *ret, struct err *e)
{
	const struct spell_field *f = &spell_fields[field];
	if (f->how == HOW_FUNCTION)
		return f->get(look, ret, e);
	if (f->how == HOW_PROCESS) {
		const struct history_process *p;
		int rc = spell_look_process(look, &p, e);
		if (!rc)
			*ret = load_text(p, f->offset);
		return rc;
	}
	*ret = int_value(load_number(f->how, (const char *)look->spell + f->offset));
	if (f->how == HOW_I64 && ret->number == SPELL_UNKNOWN)
		*ret = null_value();
	return 0;
}
