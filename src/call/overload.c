/* What is put off when messages wait too long, or tables fill up. */
#include "call/call.h"

#define RETRY_MIN_S    2 /* the load is looked at ten times a second */
#define RETRY_SPREAD_S 8 /* so that not all come again at once */

void overload_retry_header(const struct core *c, const struct sip_msg *msg, struct out *o)
{
	uint64_t draw = hash_bytes(&c->key, msg->call_id);

	out_fmt(o, "Retry-After: %u\r\n", RETRY_MIN_S + (unsigned)(draw % RETRY_SPREAD_S));
}

bool overload_is_reason(enum reason why)
{
	return why == REASON_overload || why == REASON_transactions_limit ||
	       why == REASON_registrations_limit || why == REASON_distributed_flood;
}

static void tell(struct core *c, enum r2_overload_news news)
{
	char text[96];
	struct out o = out_to(text, sizeof(text));
	struct action a = {.kind = ACT_REPORT,
			   .type = REPORT_LOAD,
			   .path = {.listener = CONFIG_NONE},
			   .reason = news == R2_OVERLOAD_BEGAN ? REASON_overload
							       : REASON_overload_over};

	if (news == R2_OVERLOAD_SAME)
		return;
	if (news == R2_OVERLOAD_BEGAN)
		out_fmt(&o, "messages wait %u ms", c->load.delay_ms);
	else
		out_fmt(&o, "%llu requests were put off",
			(unsigned long long)(c->stats.refused[REASON_overload] -
					     c->put_off_before));
	if (news == R2_OVERLOAD_BEGAN)
		c->put_off_before = c->stats.refused[REASON_overload];
	a.bytes = out_slice(&o);
	c->env->act(c->env->ctx, &a);
}

static void pass(struct core *c, uint64_t now_ms)
{
	tell(c, r2_overload_pass(&c->load, now_ms, c->config->limits.signalling_delay_ms));
	if (c->load.level && !timer_armed(&c->load_timer))
		timer_start(&c->wheel, &c->load_timer, R2_OVERLOAD_INTERVAL_MS);
}

void overload_on_timer(struct timer *t, uint64_t now_ms)
{
	pass(container_of(t, struct core, load_timer), now_ms);
}

void core_on_waited(struct core *c, uint64_t now_ms, uint64_t waited_ms)
{
	r2_overload_sample(&c->load, waited_ms);
	pass(c, now_ms);
}

/* A request without To tag that is no CANCEL begins something. */
static enum r2_rank rank_of(const struct core *c, const struct path *from,
			    struct config_owner owner, const struct sip_msg *msg)
{
	if (msg->to.tag.n || msg->method == SIP_CANCEL)
		return R2_RANK_URGENT;
	if (owner.kind == OWNER_PHONES && !registrar_by_source(&c->registrar, from, SL("")))
		/* A phone whose NAT gave it another port registers again beside the others. */
		return msg->method == SIP_REGISTER && registrar_has_address(&c->registrar, from)
			       ? R2_RANK_KNOWN
			       : R2_RANK_STRANGER;
	if (msg->method == SIP_INVITE &&
	    r2_fraud_is_emergency(&c->config->fraud, msg->uri.user, owner.kind == OWNER_PHONES))
		return R2_RANK_URGENT;
	/* Whether we are there is asked by whom calls come from. */
	return msg->method == SIP_INVITE || msg->method == SIP_OPTIONS ? R2_RANK_CALL
								       : R2_RANK_KNOWN;
}

enum reason overload_look(struct core *c, const struct path *from, struct config_owner owner,
			  const struct sip_msg *msg)
{
	uint64_t draw = hash_bytes(&c->key, msg->via.branch.n ? msg->via.branch : msg->call_id);

	return r2_overload_admit(&c->load, rank_of(c, from, owner, msg), draw, txn_count(&c->txns),
				 c->txns.max);
}
