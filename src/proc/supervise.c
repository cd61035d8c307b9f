#include "proc/supervise.h"

void supervise_on_start(struct supervise *s, uint64_t now_ms)
{
	s->started_ms = now_ms;
}

uint32_t supervise_on_exit(struct supervise *s, uint64_t now_ms)
{
	uint32_t delay = s->delay_ms;

	if (delay == 0 || now_ms - s->started_ms >= SUPERVISE_HEALTHY_MS)
		delay = SUPERVISE_DELAY_MIN_MS;
	s->delay_ms = delay < SUPERVISE_DELAY_MAX_MS / 2 ? delay * 2 : SUPERVISE_DELAY_MAX_MS;
	s->restarts++;
	return delay;
}
