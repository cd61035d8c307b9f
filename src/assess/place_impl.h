/* Between place.c and place_link.c. */
#ifndef HW_ASSESS_PLACE_IMPL_H
#define HW_ASSESS_PLACE_IMPL_H

#include <sys/types.h>

#include "assess/agent.h"
#include "assess/place.h"

#define INPUT_BYTES                                                                                \
	(8 * (AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES)) /* there is always room for one */

struct queued {
	struct place_datagram datagram;
	struct queued *next;
};

struct place {
	const struct config_place *section;
	int fd; /* to the agent */
	pid_t pid;
	struct ip_endpoint at[PLACE_SOCKETS_MAX]; /* its sockets; port 0 = free */
	struct queued *first, **last;
	size_t queue_length;
	char input[INPUT_BYTES];
	size_t have;
	bool ended;	  /* the agent is gone */
	uint32_t dropped; /* datagrams of this visit for which there was no room */
};

/* Starts its agent, here or by SSH. -errno. */
int place_start(struct place *p, const char *state_dir) must_check;
/* The next frame's body as a copy into `body`; a datagram is put into the queue as well. Its op;
 * -ETIMEDOUT, ERR_PEER. */
int place_next(struct place *p, char *body, size_t size, size_t *n, uint32_t timeout_ms) must_check;
int place_tell(struct place *p, uint8_t op, uint8_t socket, struct slice body) must_check;
/* Asks and waits for the answer's error; what sockets received meanwhile is kept. `more` may be
 * NULL. */
int place_ask(struct place *p, uint8_t op, uint8_t socket, struct slice body, uint32_t timeout_ms,
	      uint16_t *more) must_check;
/* The first datagram of the queue, for mem_free; NULL. */
struct queued *place_dequeue(struct place *p);

#endif
