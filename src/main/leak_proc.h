/* The watch process's one context, for the leak_proc*.c files alone: it sees frames, has no right,
 * and tells what does not belong on a link. */
#ifndef HW_MAIN_LEAK_PROC_H
#define HW_MAIN_LEAK_PROC_H

#include "io/loop.h"
#include "main/answer.h"
#include "main/child_link.h"
#include "main/config_wire.h"
#include "main/event_batch.h"
#include "main/leak.h"

#define LEAK_LINKS_MAX	       16    /* links by their names in zones, each with its tables */
#define LEAK_FRAMES_PER_SECOND 20000 /* of all interfaces together, an equal share for each */
#define LEAK_TURN_FRAMES       256   /* of one interface; then others get their turn */
#define LEAK_TICKS	       4     /* shares are given out so often in a second */
#define LEAK_FORGET_MS	       3600000
#define LEAK_FRAME_BYTES       2048 /* more than the filter ever lets through */

struct leak_proc;

struct leak_link {
	char of[CONFIG_IFNAME_MAX]; /* "" = a free place */
	struct leaks leaks;
};

struct leak_tap {
	struct leak_proc *proc;
	struct leak_link *link; /* NULL = a free place */
	int fd;
	struct loop_fd *watch;
	char interface[CONFIG_IFNAME_MAX];
	uint64_t frames, missed; /* looked at; of interest, but not looked at */
	uint32_t left;		 /* frames in this tick */
	bool told;		 /* that frames are missed */
};

struct leak_proc {
	struct loop *loop;
	struct child_link warden, console;
	struct proc_msg msg;
	struct config *config;
	struct config_intake intake;
	struct hash_key key;
	struct leak_link link[LEAK_LINKS_MAX];
	struct leak_tap tap[PROC_TAPS_MAX];
	struct loop_timer *tick, *event_timer;
	struct event_batch events;
	bool locked_in;
};

/* The answer to a question of the console, as JSON or text for metrics. Returns its status. */
unsigned leak_proc_fill(struct leak_proc *p, struct answer *a, const struct proc_query_msg *q);

#endif
