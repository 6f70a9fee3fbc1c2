/* cmd_linger.c - `socklapse linger`: how long sockets have been in their states. */
#include "cmd_linger.h"
#include "cmds.h"

#include <string.h>

#define TOP_DEFAULT 20

static int read_evidence(const struct session *s, enum linger_evidence *ret, struct err *e)
{
	static const char *const words[] = {"auto", "always", "never"};
	const char *text = args_value(&s->cmd->args, OPT_EVIDENCE);
	if (!text)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], text) == 0) {
			*ret = (enum linger_evidence)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--evidence: %.32s: auto, always or never", text);
}

static int read_options(struct session *s, struct linger_options *ret, struct err *e)
{
	const char *by = args_value(&s->cmd->args, OPT_BY);
	const char *min = args_value(&s->cmd->args, OPT_MIN);
	int64_t top = 0, min_ns = 0;
	int rc = session_range(s, &ret->from_ns, &ret->to_ns, e);
	if (!rc)
		rc = session_top(s, TOP_DEFAULT, &top, e);
	if (!rc)
		rc = read_evidence(s, &ret->evidence, e);
	if (!rc && min && duration_parse(min, &min_ns, e))
		rc = err_context(e, "--min");
	if (!rc)
		rc = spell_keys_parse(by ? by : "state", &ret->keys, e);
	ret->top = (size_t)top;
	ret->min_ms = (min_ns + NS_PER_MS - 1) / NS_PER_MS;
	return rc;
}

static int linger(struct session *s, struct err *e)
{
	struct linger_options options = {0};
	struct spell_ask ask;
	int rc = read_options(s, &options, e);
	if (!rc)
		rc = spell_ask_open(s->db, &s->context, s->cmd->args.words,
				    s->cmd->args.words_count, &ask, e);
	if (rc)
		return rc;
	options.by_rest = ask.scope.names_states;
	struct linger_result l;
	rc = linger_run(s->history, &options, &ask, &s->context, &l, e);
	if (!rc) {
		rc = linger_put(s, &l, &options, e);
		linger_fini(&l);
	}
	spell_ask_close(&ask);
	return rc;
}

int cmd_linger(struct cmd *c, struct err *e)
{
	struct session s;
	int rc = session_open(c, &s, e);
	if (rc)
		return rc;
	rc = linger(&s, e);
	session_close(&s);
	return rc;
}
