/* queries.h - the stored queries of sql/, embedded by the build. */
#ifndef SOCKLAPSE_QUERIES_H
#define SOCKLAPSE_QUERIES_H

extern const char sql_views[];
extern const char sql_q_diff[];
extern const char sql_q_diff_by[];
extern const char sql_q_events[];
extern const char sql_q_files[];
extern const char sql_q_gaps[];
extern const char sql_q_list[];
extern const char sql_q_moments[];
extern const char sql_q_names[];
extern const char sql_q_problems[];
extern const char sql_q_ports[];
extern const char sql_q_scopes[];
extern const char sql_q_show[];
extern const char sql_q_show_all[];
extern const char sql_q_show_summary[];
extern const char sql_q_show_text[];
extern const char sql_q_trend[];
extern const char sql_q_unseen[];

#endif
