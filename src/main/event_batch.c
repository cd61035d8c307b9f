#include "main/event_batch.h"

int event_batch_flush(struct event_batch *b, struct proc_channel *console)
{
	size_t n = b->n;

	b->n = 0;
	b->urgent = false;
	if (n == 0 || !proc_channel_open(console))
		return 0;
	return proc_send(console, PROC_EVENT, b->bytes, n, NULL, 0);
}

void event_batch_add(struct event_batch *b, struct proc_channel *console, const struct event *e)
{
	struct out o = out_to(b->bytes + b->n, sizeof(b->bytes) - b->n);

	if (!proc_channel_open(console))
		return;
	if (sizeof(b->bytes) - b->n < PROC_EVENT_MAX) {
		if (event_batch_flush(b, console) != 0)
			b->lost++;
		o = out_to(b->bytes, sizeof(b->bytes));
	}
	if (event_write(&o, e) != 0 || o.n >= PROC_EVENT_MAX) {
		b->lost++;
		return;
	}
	out_char(&o, '\n');
	b->n += o.n;
	if ((e->name ? e->severity : reason_row(e->reason)->severity) > SEV_INFO)
		b->urgent = true;
}
