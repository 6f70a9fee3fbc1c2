/* counters.c - see counters.h. */
#include "counters.h"

#include <stdlib.h>
#include <string.h>

#include "proc_parse.h"

#define NAME_MAX_BYTES 64

/*
 * In the order of strcmp(). What tells of connections that no snapshot saw, of attempts refused
 * and dropped, of retransmits and aborts, of memory. A counter that stands still costs nothing.
 */
static const char *const wanted[] = {
	"Tcp.ActiveOpens",
	"Tcp.AttemptFails",
	"Tcp.EstabResets",
	"Tcp.InErrs",
	"Tcp.InSegs",
	"Tcp.OutRsts",
	"Tcp.OutSegs",
	"Tcp.PassiveOpens",
	"Tcp.RetransSegs",
	"TcpExt.EmbryonicRsts",
	"TcpExt.ListenDrops",
	"TcpExt.ListenOverflows",
	"TcpExt.PruneCalled",
	"TcpExt.RcvPruned",
	"TcpExt.SyncookiesFailed",
	"TcpExt.SyncookiesRecv",
	"TcpExt.SyncookiesSent",
	"TcpExt.TCPAbortFailed",
	"TcpExt.TCPAbortOnClose",
	"TcpExt.TCPAbortOnData",
	"TcpExt.TCPAbortOnLinger",
	"TcpExt.TCPAbortOnMemory",
	"TcpExt.TCPAbortOnTimeout",
	"TcpExt.TCPBacklogDrop",
	"TcpExt.TCPFromZeroWindowAdv",
	"TcpExt.TCPKeepAlive",
	"TcpExt.TCPMemoryPressures",
	"TcpExt.TCPMemoryPressuresChrono",
	"TcpExt.TCPMigrateReqFailure",
	"TcpExt.TCPOFODrop",
	"TcpExt.TCPRcvQDrop",
	"TcpExt.TCPReqQFullDoCookies",
	"TcpExt.TCPReqQFullDrop",
	"TcpExt.TCPRetransFail",
	"TcpExt.TCPSynRetrans",
	"TcpExt.TCPTimeWaitOverflow",
	"TcpExt.TCPTimeouts",
	"TcpExt.TCPToZeroWindowAdv",
	"TcpExt.TCPZeroWindowDrop",
	"TcpExt.TW",
	"TcpExt.TWKilled",
	"TcpExt.TWRecycled",
	"Udp.InDatagrams",
	"Udp.InErrors",
	"Udp.MemErrors",
	"Udp.NoPorts",
	"Udp.OutDatagrams",
	"Udp.RcvbufErrors",
	"Udp.SndbufErrors",
};

static int by_name(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

/* The next word of the line, behind spaces. False at the end. */
static bool next_word(struct text_piece *line, struct text_piece *ret)
{
	while (line->len && *line->at == ' ') {
		line->at++;
		line->len--;
	}
	const char *space = memchr(line->at, ' ', line->len);
	*ret = (struct text_piece){line->at, space ? (size_t)(space - line->at) : line->len};
	line->at += ret->len;
	line->len -= ret->len;
	return ret->len > 0;
}

static bool next_line(struct text_piece *rest, struct text_piece *ret)
{
	const char *nl = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
	if (!nl)
		return false; /* a line without an end was cut off */
	*ret = (struct text_piece){rest->at, (size_t)(nl - rest->at)};
	rest->at += ret->len + 1;
	rest->len -= ret->len + 1;
	return true;
}

/* A whole number, perhaps below zero. */
static bool number_of(struct text_piece word, int64_t *ret)
{
	char text[24], *end;
	if (word.len >= sizeof(text))
		return false;
	memcpy(text, word.at, word.len);
	text[word.len] = '\0';
	*ret = strtoll(text, &end, 10);
	return end != text && *end == '\0';
}

/* "PREFIX.NAME", where `prefix` still has its colon; NULL if it is not recorded. */
static const char *find_wanted(struct text_piece prefix, struct text_piece name)
{
	char key[NAME_MAX_BYTES];
	if (prefix.len < 2 || prefix.len + name.len >= sizeof(key))
		return NULL;
	memcpy(key, prefix.at, prefix.len);
	key[prefix.len - 1] = '.';
	memcpy(key + prefix.len, name.at, name.len);
	key[prefix.len + name.len] = '\0';
	const char *const *found = bsearch(key, wanted, sizeof(wanted) / sizeof(wanted[0]),
					   sizeof(wanted[0]), by_name);
	return found ? *found : NULL;
}

static int take_pair(struct text_piece names, struct text_piece values, counters_fn fn, void *ctx,
		     struct err *e)
{
	struct text_piece prefix, same, name, value;
	int64_t v;
	if (!next_word(&names, &prefix) || !next_word(&values, &same) || prefix.len != same.len ||
	    memcmp(prefix.at, same.at, prefix.len) != 0)
		return 0;
	while (next_word(&names, &name) && next_word(&values, &value)) {
		const char *known = find_wanted(prefix, name);
		int rc = known && number_of(value, &v) ? fn(ctx, known, v, e) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

int counters_parse(const char *text, size_t len, counters_fn fn, void *ctx, struct err *e)
{
	struct text_piece rest = {text, len}, names, values;
	int rc = 0;
	while (!rc && next_line(&rest, &names) && next_line(&rest, &values))
		rc = take_pair(names, values, fn, ctx, e);
	return rc;
}
