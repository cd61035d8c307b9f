/* Events on their way to the console: many travel in one message, so that a busy gateway does not
 * wake the console for each. */
#ifndef HW_MAIN_EVENT_BATCH_H
#define HW_MAIN_EVENT_BATCH_H

#include "main/event.h"
#include "proc/channel.h"

#define EVENT_WAIT_MS 50 /* how long mere information may wait for others */

struct event_batch {
	bool waiting; /* a timer runs that will flush it */
	bool urgent;  /* one of them is more than information: it waits for nothing */
	size_t n;
	uint64_t lost; /* did not fit, or the console did not keep up */
	char bytes[PROC_PAYLOAD_MAX];
};

/* Writes the event; sends what is there first when it is full. Events are lost, never waited for.
 */
void event_batch_add(struct event_batch *b, struct proc_channel *console, const struct event *e);
/* Sends what is there; drops it when there is no console. As proc_send. */
int event_batch_flush(struct event_batch *b, struct proc_channel *console) must_check;

#endif
