/* Patterns of many calls in the core: whom guard/r2_crowd counts as caller and callee, and what
 * becomes of a call that is one too many. */
#ifndef HW_CALL_CROWD_H
#define HW_CALL_CROWD_H

#include "guard/r2_crowd.h"
#include "proto/sip/sip_msg.h"

struct call;

/* Within a call. */
struct call_crowd {
	uint64_t caller;	/* 0: whom it calls is not counted for anybody */
	struct r2_party callee; /* as the caller's table knows it */
};

/* May the call begin? REASON_NONE, or why limits { call-patterns = refuse } has it refused. */
enum reason crowd_enter(struct call *k, const struct sip_msg *msg, uint64_t now_ms) must_check;
/* The call is over, and its times tell whether they talked. */
void crowd_ended(const struct call *k);

#endif
