/* The assessor's schedule beside a running gateway: a process with a user of its own that assesses
 * every so often, within its window, and ends with the gateway. */
#ifndef HW_MAIN_ASSESS_SCHEDULE_H
#define HW_MAIN_ASSESS_SCHEDULE_H

#include "model/config.h"

/* Starts it; while `c` declares no asset it waits, with no more than the rights to become what it
 * is to be. *out_fd is closed to end it. Makes the state folder its own. Where users cannot be
 * changed it keeps the caller's. -errno. */
int schedule_start(const struct config *c, const char *config_path, const char *run_dir,
		   int *out_fd) must_check;
/* The first asset was declared: one that waits goes on. Once. */
void schedule_wake(int fd);
/* Whether an assessment is due: pure, for tests. Minutes are of the day, in local time. */
bool schedule_is_due(const struct config_assess *a, uint64_t last_ms, uint64_t now_ms,
		     unsigned minute);
/* Whether the minute lies in the window; a window may pass midnight. */
bool schedule_in_window(const struct config_assess *a, unsigned minute);
/* The process: "@assess CONFIG RUN_DIR", its end of the channel at descriptor 3. */
int child_assess(int argc, char **argv);
/* "@assess-wait CONFIG RUN_DIR": becomes the other one. */
int child_assess_wait(int argc, char **argv);

#endif
