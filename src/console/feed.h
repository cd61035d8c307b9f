/* Events as they happen, to whoever connects to a Unix socket: a line of JSON each. Each consumer
 * has a queue of fixed size; one that does not read loses whole lines and is told how many. */
#ifndef HW_CONSOLE_FEED_H
#define HW_CONSOLE_FEED_H

#include "base/slice.h"
#include "io/loop.h"

#define FEED_CONSUMERS_MAX 8	  /* one more is turned away */
#define FEED_QUEUE_BYTES   262144 /* of each: some 500 events */

struct feed_consumer;

struct feed {
	struct loop *loop;
	int fd; /* it listens; -1 = none */
	struct loop_fd *watch;
	struct feed_consumer *consumer[FEED_CONSUMERS_MAX];
	uint64_t lost; /* lines, of all consumers */
};

void feed_init(struct feed *f, struct loop *loop);
/* Takes over a listening Unix stream socket. -errno, ERR_NOMEM; then it is closed. */
int feed_listen(struct feed *f, int fd) must_check;
/* A line without its end; whole lines are kept or lost, nothing waits. */
void feed_add(struct feed *f, struct slice line);
/* Sends what the consumers take now. */
void feed_flush(struct feed *f);
/* Closes all. */
void feed_done(struct feed *f);

#endif
