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
	{"info", "", "which recordings, hosts and times there are", 0, info_options, cmd_info,
	 NULL},
	{"list", "", "one line a snapshot", CMD_RANGE | CMD_TOP, NULL, cmd_list,
	 "ESTAB, LISTEN, TIME-WAIT and CLOSE-WAIT count TCP sockets, Sockets those of all "
	 "tables.\n"},
	{"linger", "[FILTER]",
	 "how long sockets have been in their states: summary and the longest",
	 CMD_RANGE | CMD_BY | CMD_TOP | CMD_MIN | CMD_SPELLS, linger_options, cmd_linger,
	 "At least .. at most; >= at least. Open: there in the last snapshot; early: already in "
	 "the "
	 "first.\nPer hour: how many more open ones at the end than at the begin, by the hour. "
	 "Unread: "
	 "in\nCLOSE-WAIT, and input or the end of it has not been read.\n"},
	{"trace", "FILTER", "the life of each connection that matches, on one timeline",
	 CMD_RANGE | CMD_TOP | CMD_SPELLS, NULL, cmd_trace, NULL},
	{"trend", "[FILTER]", "how many there were over time, and how fast they grow",
	 CMD_RANGE | CMD_BY | CMD_TOP | CMD_SPELLS, trend_options, cmd_trend, NULL},
	{"ports", "[FILTER]",
	 "ephemeral ports in use per source, destination and port, and by whom",
	 CMD_AT | CMD_TOP | CMD_SOCKETS, NULL, cmd_ports,
	 "Mostly by: of the processes that are known, the one with most of them; Its: how many.\n"},
	{"show", "[FILTER]", "one snapshot as ss prints it",
	 CMD_AT | CMD_TOP | CMD_SS | CMD_SOCKETS, show_options, cmd_show,
	 "Options are those of ss(8). history:(...) is who held a socket that nobody holds any "
	 "more,\n"
	 "listener:(...) who listens for a connection that nobody has accepted yet, cgroup:(...) "
	 "where "
	 "no\nprocess is known.\n"},
	{"diff", "A B [FILTER]",
	 "what is different between two times: appeared, gone, changed, stuck",
	 CMD_BY | CMD_TOP | CMD_SOCKETS | CMD_TIMES, show_table_options, cmd_diff,
	 "A and B are times; a connection counts if it matches in A or in B.\n"
	 "Owner: held by another process; stuck: what ought to move does not; passed: came and "
	 "went\nbetween A and B. More: how many more there are in B.\n"},
	{"sql", "[SQL]", "SQL over all of it: one-off, or line by line from standard input",
	 CMD_ASKS, NULL, cmd_sql,
	 "tables: socket differing owner spell transition snapshot tally process process_files "
	 "host\n"
	 "        netns interface cgroup counter name event and more, and views: .tables\n"
	 "columns: .schema TABLE\n"},
	{0},
};
