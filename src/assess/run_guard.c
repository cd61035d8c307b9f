/* When a device is left alone because of a call. */
#include "assess/run_impl.h"

#include <time.h>

#define IN_CALL_STEP_MS 5000
#define IN_CALL_TRIES	12 /* a minute: a longer call is left alone */

/* A PBX or a gateway is hardly ever without a call, and made for many packets. */
int run_in_call(struct run *r, const struct target *t)
{
	int answer;

	if (!r->wish.in_call || t->asset->kind != ASSET_PHONE)
		return 0;
	pthread_mutex_lock(&r->lock);
	answer = r->wish.in_call(r->wish.ctx, &t->address);
	pthread_mutex_unlock(&r->lock);
	return answer;
}

const char *run_wait_idle(struct run *r, const struct target *t)
{
	const struct timespec step = {.tv_sec = IN_CALL_STEP_MS / 1000};

	for (int i = 0; i < IN_CALL_TRIES && !atomic_load(&r->cancel); i++) {
		int busy = run_in_call(r, t);

		if (busy == 0)
			return NULL;
		if (busy < 0)
			return "the gateway does not say whether it is in a call";
		nanosleep(&step, NULL);
	}
	return atomic_load(&r->cancel) ? "the run was ended" : "it was in a call";
}
