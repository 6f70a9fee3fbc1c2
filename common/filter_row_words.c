/* filter_row_words.c - the words that a row can answer, and why it cannot the others. */
#include <string.h>

#include "columns.h"
#include "filter_row_priv.h"

#define NS_PER_US 1000

static const struct filter_choice timers[] = {
	{"off", ""},
	{"none", ""},
	{"on", "on"},
	{"keepalive", "keepalive"},
	{"timewait", "timewait"},
	{"persist", "persist"},
	{NULL, NULL},
};

static struct filter_row_value integer(uint64_t v)
{
	return (struct filter_row_value){.kind = VALUE_INT, .num = (int64_t)v};
}

static struct filter_row_value text(const char *v)
{
	return (struct filter_row_value){.kind = v ? VALUE_TEXT : VALUE_NONE, .text = v};
}

/* A column that the kernel may not have sent. */
static struct filter_row_value sent(unsigned id, uint64_t v, const struct sock_row *row)
{
	const struct column *c = column_by_id(id);
	if (!column_present(c, row->state.has, row->state.info_bytes))
		return (struct filter_row_value){.kind = VALUE_NONE};
	return integer(v);
}

static struct filter_row_value get_proto(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return text(sock_proto_name(row->member.proto));
}

static struct filter_row_value get_uid(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	if (row->state.has & HAS_NO_UID)
		return (struct filter_row_value){.kind = VALUE_NONE};
	return integer(row->state.uid);
}

static struct filter_row_value get_inode(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return integer(row->state.inode);
}

static struct filter_row_value get_cookie(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return integer(row->member.cookie);
}

static struct filter_row_value get_netns(const struct sock_row *row, const struct filter_about *a)
{
	(void)row;
	return text(a->netns_name);
}

static struct filter_row_value get_timer(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return text(sock_timer_name(row->queue.timer));
}

static struct filter_row_value get_retrans(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return integer(row->queue.retrans);
}

static struct filter_row_value get_backoff(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return sent(COL_ID_backoff, row->evidence.backoff, row);
}

static struct filter_row_value get_rtt(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return sent(COL_ID_rtt_us, row->info.rtt_us, row);
}

static struct filter_row_value get_cwnd(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return sent(COL_ID_cwnd, row->info.cwnd, row);
}

static struct filter_row_value get_recvq(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return integer(row->queue.recvq);
}

static struct filter_row_value get_sendq(const struct sock_row *row, const struct filter_about *a)
{
	(void)a;
	return integer(row->queue.sendq);
}

/* The same order as `getters`. */
static const struct filter_field fields[] = {
	{.name = "proto", .type = FILTER_TEXT},
	{.name = "uid", .type = FILTER_NUMBER},
	{.name = "user", .type = FILTER_USER},
	{.name = "inode", .type = FILTER_NUMBER},
	{.name = "cookie", .type = FILTER_NUMBER},
	{.name = "netns", .type = FILTER_TEXT, .sql_number = "inode"},
	{.name = "timer", .type = FILTER_CHOICE, .choices = timers},
	{.name = "retrans", .type = FILTER_NUMBER},
	{.name = "backoff", .type = FILTER_NUMBER},
	{.name = "rtt", .type = FILTER_DURATION, .unit_ns = NS_PER_US},
	{.name = "cwnd", .type = FILTER_NUMBER},
	{.name = "recvq", .type = FILTER_BYTES},
	{.name = "sendq", .type = FILTER_BYTES},
};

static struct filter_row_value (*const getters[])(const struct sock_row *row,
						  const struct filter_about *about) = {
	get_proto,   get_uid,	  get_uid, get_inode, get_cookie, get_netns, get_timer,
	get_retrans, get_backoff, get_rtt, get_cwnd,  get_recvq,  get_sendq,
};
_Static_assert(LENGTH(fields) == LENGTH(getters), "a getter for each field");

struct filter_row_value filter_row_value(const struct filter_field *field, bool number,
					 const struct sock_row *row,
					 const struct filter_about *about)
{
	return number ? integer(about->netns_inode) : getters[field - fields](row, about);
}

#define OF_PROCESS "is not known while the sockets are recorded, but when they are read"
#define OF_HISTORY "is known of a history only, when it is read"

static const struct filter_refusal refusals[] = {
	{"comm", OF_PROCESS},  {"pid", OF_PROCESS},
	{"exe", OF_PROCESS},   {"cmdline", OF_PROCESS},
	{"owner", OF_PROCESS}, {"container", OF_PROCESS},
	{"dwell", OF_HISTORY}, {"age", OF_HISTORY},
	{"host", OF_HISTORY},  {NULL, NULL},
};

struct filter_env filter_row_env(void)
{
	return (struct filter_env){
		/* Only whether there is such a column is looked at. */
		.columns = filter_socket_env().columns,
		.fields = fields,
		.field_count = LENGTH(fields),
		.refusals = refusals,
		.for_rows = true,
	};
}
