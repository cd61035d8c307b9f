/* The matrix of the zones in words, as JSON: for `hornwork policy` and the API. */
#ifndef HW_MAIN_POLICY_VIEW_H
#define HW_MAIN_POLICY_VIEW_H

#include "base/json.h"
#include "model/config.h"
#include "model/segment.h"

/* Packets dropped so far; of a zone those at its edge. */
struct policy_zone_counts {
	uint64_t dropped, spoofed, tagged, forged;
};

/* False: not known. */
struct policy_counts {
	bool (*denied)(void *ctx, uint16_t from, uint16_t to, uint64_t *packets);
	bool (*zone)(void *ctx, uint16_t zone, struct policy_zone_counts *out);
	void *ctx;
};

/* Bytes that are enough for policy_view_matrix. */
size_t policy_view_bytes(const struct config *c);
/* An array with one object: zones, pairs. `counts` may be NULL. */
void policy_view_matrix(struct json *j, const struct config *c, const struct segment_policy *p,
			const struct policy_counts *counts);
/* "FROM TO PORT": zones, addresses or "gateway"; a port as "tcp:22", or a number alone for both
 * transports. An array with an object for each. ERR_SYNTAX: the question is none, and `why` says
 * so. */
int policy_view_explain(struct json *j, const struct config *c, const struct segment_policy *p,
			struct slice question, struct out *why) must_check;

#endif
