/* VL-07: what switches and phones tell on a data port. */
#include <errno.h>

#include "assess/checks/link_tells.h"
#include "assess/checks/table.h"
#include "assess/place.h"
#include "io/clock.h"

#define LISTEN_MS 65000 /* CDP is sent every 60 s, LLDP every 30 s */
#define FRAMES	  512	/* who sends more in that time hides something, or is broken */

static enum verdict one_frame(struct visit *v, struct slice frame)
{
	char text[1024];
	struct out o = out_to(text, sizeof(text) - 1);

	link_tells(frame, &o);
	if (o.n == 0)
		return VERDICT_CLEAN;
	text[o.n] = '\0';
	return visit_found(v, &(struct found){0}, "heard at place data: %s", text);
}

enum verdict vl07_announced(struct visit *v)
{
	uint64_t until = clock_ms() + LISTEN_MS, now;
	char frame[PLACE_BYTES_MAX];
	struct place *p;
	int heard = 0, n = visit_place(v, "data", &p);

	if (n)
		return visit_no_place(v, "data", n);
	while (heard < FRAMES && (now = clock_ms()) < until) {
		n = place_listen(p, frame, (uint32_t)(until - now));
		if (n == -ETIMEDOUT)
			return VERDICT_CLEAN;
		if (n == -EPERM)
			return visit_untested(v, "hornwork may not listen at place data: it needs "
						 "CAP_NET_RAW there");
		if (n < 0)
			return visit_failed(v, "listening at place data", n);
		if (one_frame(v, slice_of(frame, (size_t)n)) == VERDICT_FOUND)
			return VERDICT_FOUND;
		heard++;
	}
	if (heard == FRAMES)
		return visit_untested(v,
				      "place data heard %d frames that tell nothing, and did not "
				      "listen to the end",
				      heard);
	return VERDICT_CLEAN;
}
