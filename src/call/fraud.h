/* Toll fraud in the core: which calls guard/r2_fraud judges, under which account, and what becomes
 * of one that breaks a rule. */
#ifndef HW_CALL_FRAUD_H
#define HW_CALL_FRAUD_H

#include "base/pack.h"
#include "base/wheel.h"
#include "guard/r2_fraud.h"
#include "proto/sip/sip_msg.h"

struct call;

/* Within a call. */
struct call_fraud {
	struct r2_caller *caller; /* NULL: the call is not judged. It has a call, so it stays */
	struct slice account;	  /* of a call taken over, until it is counted; in its arena */
	uint64_t answered_ms;	  /* 0 = not yet */
	struct timer minutes;	  /* when the account's minutes are used up */
};

void fraud_init(struct call *k);
/* May the call begin? REASON_NONE, and then it is counted; or why it must be refused. What `action`
 * wants is done. */
enum reason fraud_enter(struct call *k, const struct sip_msg *msg, uint64_t now_ms) must_check;
void fraud_answered(struct call *k, uint64_t now_ms);
/* The part of a call's record that says for whom it counts. */
void fraud_pack(struct pack *p, struct call_fraud *f);
/* A call that was read from its record counts again, its minutes as well. 0 when nobody judges it;
 * ERR_NOMEM, ERR_SYNTAX (it was answered in the future). */
int fraud_take_over(struct call *k, uint64_t now_ms) must_check;
/* The call is over; idempotent. */
void fraud_done(struct call *k, uint64_t now_ms);

#endif
