/* The assessor's schedule beside a running gateway: a process with a user of its own that assesses
 * every so often, within its window, and ends with the gateway. */
#ifndef HW_MAIN_ASSESS_SCHEDULE_H
#define HW_MAIN_ASSESS_SCHEDULE_H

#include "model/config.h"

/* Starts it when `c` declares assets; *out_fd is closed to end it (-1: none was started). Makes the
 * state folder its own. Where users cannot be changed it keeps the caller's. -errno. */
int schedule_start(const struct config *c, const char *config_path, const char *run_dir,
		   int *out_fd) must_check;
/* Whether an assessment is due: pure, for tests. Minutes are of the day, in local time. */
bool schedule_is_due(const struct config_assess *a, uint64_t last_ms, uint64_t now_ms,
		     unsigned minute);
/* Whether the minute lies in the window; a window may pass midnight. */
bool schedule_in_window(const struct config_assess *a, unsigned minute);
/* The process: "@assess CONFIG RUN_DIR", its end of the channel at descriptor 3. */
int child_assess(int argc, char **argv);

#endif
