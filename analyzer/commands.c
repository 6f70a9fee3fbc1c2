/* commands.c - the table of commands, in the order in which help lists them. */
#include "cmds.h"

static const struct arg_option info_options[] = {
	{OPT_EVENTS, "events", NULL,
	 "every event, gap and change of a name (default: the last ones)"},
	{0},
};

static const struct arg_option linger_options[] = {
	{OPT_HIST, "hist", NULL, "a histogram of lengths, too"},
	{OPT_EVIDENCE, "evidence", "auto|always|never",
	 "narrow bounds by the kernel's timers and stamps (auto: unless that takes long)"},
	{0},
};

static const struct arg_option trend_options[] = {
	{OPT_EVERY, "every", "DURATION", "a point every so often (default: 60 points)"},
	{0},
};

const struct command commands[] = {
	{"info", "", "which recordings, hosts and times there are", 0, info_options, cmd_info},
	{"list", "", "one line a snapshot", CMD_RANGE | CMD_TOP, NULL, cmd_list},
	{"linger", "[FILTER]",
	 "how long sockets have been in their states: summary and the longest",
	 CMD_RANGE | CMD_BY | CMD_TOP | CMD_MIN, linger_options, cmd_linger},
	{"trace", "FILTER", "the life of each connection that matches, on one timeline",
	 CMD_RANGE | CMD_TOP, NULL, cmd_trace},
	{"trend", "[FILTER]", "how many there were over time, and how fast they grow",
	 CMD_RANGE | CMD_BY | CMD_TOP, trend_options, cmd_trend},
	{"ports", "[FILTER]",
	 "ephemeral ports in use per source, destination and port, and by whom", CMD_AT | CMD_TOP,
	 NULL, cmd_ports},
	{"show", "[FILTER]", "one snapshot as ss prints it", CMD_AT | CMD_TOP | CMD_SS,
	 show_options, cmd_show},
	{"diff", "A B [FILTER]",
	 "what is different between two times: appeared, gone, changed, stuck", CMD_BY | CMD_TOP,
	 NULL, cmd_diff},
	{"sql", "[SQL]", "SQL over all of it: one-off, or line by line from standard input",
	 CMD_ASKS, NULL, cmd_sql},
	{0},
};
