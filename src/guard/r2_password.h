/* What answers to passwords tell: wrong ones, and names asked for without ever trying one. Feeds
 * guard/r2_detect; pure. The gateway judges by it, and `watch` what passes by. */
#ifndef HW_GUARD_R2_PASSWORD_H
#define HW_GUARD_R2_PASSWORD_H

#include "guard/r2_detect.h"
#include "proto/sip/sip_msg.h"

/* A REGISTER on its way, for the judgement of the answer. */
struct r2_try {
	bool password; /* it has credentials */
	bool fresh;    /* made for a challenge of just now */
	bool replayed; /* its credentials were another address': they are taken out */
};

/* What was asked. */
struct r2_asked {
	struct ip_endpoint flow;   /* from where */
	struct slice name;	   /* as whom: the address of record */
	struct slice account;	   /* whose password was tried; empty = none. Not of a REGISTER */
	uint64_t now_ms, guard_ms; /* when, and how long an account is guarded */
};

/* The request carries credentials. */
bool r2_has_password(const struct sip_msg *request);
/* What was answered to a REGISTER. REASON_NONE, or the offence that it shows. */
enum reason r2_on_register_answer(struct r2_detect *d, const struct r2_asked *asked,
				  const struct r2_try *attempt, const struct sip_msg *response);
/* What was answered to another request. REASON_NONE, or the offence that it shows. A success proves
 * `name` alone. */
enum reason r2_on_answer(struct r2_detect *d, const struct r2_asked *asked,
			 const struct sip_msg *response);

#endif
