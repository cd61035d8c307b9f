/* The last refusals of each source, for `explain IP`: a ring, oldest overwritten. */
#ifndef HW_MAIN_REFUSALS_H
#define HW_MAIN_REFUSALS_H

#include "base/ip.h"
#include "base/reason.h"

#define REFUSALS_MAX	     4096
#define REFUSAL_DETAIL_BYTES 96

struct refusal {
	struct ip_endpoint source; /* of a connection: the last one's */
	enum reason reason;
	uint32_t call;
	uint32_t count; /* the same again and again: of a virtual patch, the same rule */
	uint64_t last_ms;
	char detail[REFUSAL_DETAIL_BYTES];
};

struct refusals {
	struct refusal *ring;
	size_t next, count;
};

/* ERR_NOMEM. */
int refusals_init(struct refusals *r) must_check;
void refusals_done(struct refusals *r);
void refusals_add(struct refusals *r, const struct ip_endpoint *source, enum reason reason,
		  uint32_t call, struct slice detail, uint64_t now_ms);
/* A connection was refused, not a message: its port is its own. */
bool refusal_of_connection(enum reason reason) must_check;
/* From the newest to the oldest: the n-th, or NULL. */
const struct refusal *refusals_at(const struct refusals *r, size_t n);

#endif
