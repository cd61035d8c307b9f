#include "main/child_link.h"

#include <errno.h>

#include "io/log.h"

#define MESSAGES_PER_TURN 64 /* then others of the loop get their turn */

int child_link_watch(struct child_link *l, struct loop *loop,
		     void (*ready)(void *ctx, unsigned events), void *ctx)
{
	return loop_fd_add(loop, l->channel.fd, LOOP_READ, ready, ctx, &l->watch);
}

void child_link_rewatch(struct child_link *l)
{
	if (l->watch)
		loop_fd_want(l->watch,
			     LOOP_READ | (proc_wants_write(&l->channel) ? LOOP_WRITE : 0u));
}

void child_link_done(struct child_link *l)
{
	loop_fd_remove(l->watch);
	l->watch = NULL;
	proc_channel_done(&l->channel);
}

int child_link_turn(struct child_link *l, unsigned events, struct proc_msg *msg,
		    int (*on_message)(void *ctx), void *ctx)
{
	int got = (events & LOOP_WRITE) ? proc_flush(&l->channel) : 0;

	for (int i = 0; i < MESSAGES_PER_TURN && got >= 0; i++) {
		got = proc_receive(&l->channel, msg);
		if (got <= 0)
			break;
		got = on_message(ctx);
		if (!l->watch)
			return 0;
	}
	if (got < 0)
		return got;
	child_link_rewatch(l);
	return 0;
}

void child_give_up(struct loop *loop, const char *process, int err)
{
	if (err != -EPIPE)
		log_line(SEV_CRITICAL, "%s gives up: %s", process, err_text(err));
	loop_stop(loop);
}
