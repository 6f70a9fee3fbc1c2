/* cmds.h - the functions of the commands; commands.c lists them. */
#ifndef SOCKLAPSE_CMDS_H
#define SOCKLAPSE_CMDS_H

#include "cmd.h"

int cmd_linger(struct cmd *c, struct err *e) MUST_CHECK;
/* Options that stand beside code of their own (show_ask.c). */
extern const struct arg_option show_options[];
extern const struct arg_option show_table_options[];

int cmd_diff(struct cmd *c, struct err *e) MUST_CHECK;
int cmd_info(struct cmd *c, struct err *e) MUST_CHECK;
int cmd_list(struct cmd *c, struct err *e) MUST_CHECK;
int cmd_ports(struct cmd *c, struct err *e) MUST_CHECK;
int cmd_show(struct cmd *c, struct err *e) MUST_CHECK;
int cmd_sql(struct cmd *c, struct err *e) MUST_CHECK;
int cmd_trace(struct cmd *c, struct err *e) MUST_CHECK;
int cmd_trend(struct cmd *c, struct err *e) MUST_CHECK;

#endif
