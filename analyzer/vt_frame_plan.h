/* vt_frame_plan.h - constraints handed down to the cursor over frames. Only for vt_frame*.c. */
#ifndef SOCKLAPSE_VT_FRAME_PLAN_H
#define SOCKLAPSE_VT_FRAME_PLAN_H

#include "vt_frame.h"

/* Reads the plan that frame_best_index() made, and its values, into the cursor's range and tests.
 */
void frame_plan_apply(struct frame_cursor *c, const char *plan, int argc, sqlite3_value **argv);

#endif
