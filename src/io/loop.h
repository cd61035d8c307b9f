/* The event loop of one process: descriptors, timers, signals. The only file that knows libuv is
 * loop.c. Callbacks run one at a time, in the loop's thread. */
#ifndef HW_IO_LOOP_H
#define HW_IO_LOOP_H

#include "base/err.h"

#include <stdint.h>

struct loop;
struct loop_fd;
struct loop_timer;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* ERR_NOMEM, -errno. Needs to open descriptors: before the sandbox. */
int loop_new(struct loop **out) must_check;
/* Everything added must have been removed. Accepts NULL. */
void loop_free(struct loop *l);
/* Until loop_stop. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* Called after the callbacks of a turn, before the loop waits again; one per loop. */
void loop_on_turn_end(struct loop *l, void (*turn_end)(void *ctx), void *ctx);

/* Milliseconds since this turn's events were known: what is dealt with now has waited as long. */
uint64_t loop_turn_age_ms(const struct loop *l);

/* Watches a descriptor, which stays the caller's. An error on it shows as both events. */
int loop_fd_add(struct loop *l, int fd, unsigned events, void (*ready)(void *ctx, unsigned events),
		void *ctx, struct loop_fd **out) must_check;
/* Other events from now on; 0 = none. */
void loop_fd_want(struct loop_fd *f, unsigned events);
/* After this the descriptor may be closed. Accepts NULL. */
void loop_fd_remove(struct loop_fd *f);

int loop_timer_new(struct loop *l, void (*fire)(void *ctx), void *ctx,
		   struct loop_timer **out) must_check;
/* Once, after delay_ms; replaces what was set. */
void loop_timer_start(struct loop_timer *t, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *t);
/* Accepts NULL. */
void loop_timer_free(struct loop_timer *t);

/* Lets a thread do what may block (a name server that does not answer); `done` runs in the loop's
 * thread afterwards. `work` must touch nothing that the loop's thread touches meanwhile. */
int loop_work(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx),
	      void *ctx) must_check;

int loop_signal_add(struct loop *l, int signum, void (*caught)(void *ctx, int signum), void *ctx,
		    struct loop_signal **out) must_check;
/* Accepts NULL. */
void loop_signal_remove(struct loop_signal *s);

#endif
