/* A child's way to another process of the gateway: the channel, and the loop's watch of it. */
#ifndef HW_MAIN_CHILD_LINK_H
#define HW_MAIN_CHILD_LINK_H

#include "io/loop.h"
#include "proc/channel.h"

struct child_link {
	struct proc_channel channel;
	struct loop_fd *watch; /* NULL = nobody is heard on it */
};

/* `ready` is called when something waits to be read or can be written. As loop_fd_add. */
int child_link_watch(struct child_link *l, struct loop *loop,
		     void (*ready)(void *ctx, unsigned events), void *ctx) must_check;
/* Asks the loop for what the channel needs now; to be called behind every proc_send. */
void child_link_rewatch(struct child_link *l);
/* Closes both; a link that is closed already stays so. */
void child_link_done(struct child_link *l);

/* What `ready` is for: sends what waits and hands each message that came, some at a time, to
 * `on_message`, which finds it in *msg. Returns 0, or the error that ends the link: the channel's
 * (-EPIPE: the other side is gone) or the negative one of `on_message`; the caller closes it. A
 * link that `on_message` closed is no error. */
int child_link_turn(struct child_link *l, unsigned events, struct proc_msg *msg,
		    int (*on_message)(void *ctx), void *ctx) must_check;

/* The way to the warden ended: the process says why, if it is its own doing, and stops. */
void child_give_up(struct loop *loop, const char *process, int err);

#endif
