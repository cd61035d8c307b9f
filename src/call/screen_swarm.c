/* Floods whose sources each have a small share: what the core does of guard/r2_swarm's judgement.
 */
#include "call/registrar.h"
#include "call/screen.h"

#define TEXT_MAX 640 /* bytes of an event's words */

static bool proven(void *ctx, const struct ip_addr *source, uint16_t place)
{
	const struct screen *s = ctx;
	const struct path from = {.listener = place, .remote = {.addr = *source}};

	return place < s->config->listener_count && registrar_has_address(s->registrar, &from);
}

static void tell(const struct screen *s, const struct path *from, const struct sip_msg *msg,
		 const struct r2_swarm_size *size)
{
	char text[TEXT_MAX];
	struct out o = out_to(text, sizeof(text));
	struct action a = {.kind = ACT_REPORT,
			   .type = REPORT_ALERT,
			   .reason = REASON_distributed_flood,
			   .path = *from};

	r2_swarm_write_size(&o, size);
	out_z(&o, "; the last one: ");
	r2_swarm_write_traits(&o, msg);
	a.bytes = out_slice(&o);
	s->env->act(s->env->ctx, &a);
}

static void enter(struct screen *s, const struct path *from, const struct sip_msg *msg,
		  const struct r2_pattern *pattern, uint64_t now_ms)
{
	const struct r2_swarm_event e = {.pattern = pattern,
					 .source = from->remote.addr,
					 .place = from->listener,
					 .now_ms = now_ms};
	const struct r2_swarm_rules rules = {
		.sources = s->config->limits.flood_sources, .ctx = s, .proven = proven};
	struct r2_swarm_size size;

	if (r2_swarm_enter(&s->swarm, &e, &rules, &size))
		tell(s, from, msg, &size);
}

/* Without any phone registered at its address. */
static bool stranger(const struct screen *s, const struct path *from)
{
	return s->config->limits.flood_sources && !screen_never_banned(s, from) &&
	       !registrar_has_address(s->registrar, from);
}

bool screen_in_swarm(struct screen *s, const struct path *from, const struct sip_msg *msg,
		     uint64_t now_ms)
{
	bool registers = msg->method == SIP_REGISTER;
	struct r2_pattern pattern;

	if (msg->to.tag.n || msg->method == SIP_CANCEL || !stranger(s, from))
		return false;
	pattern = r2_swarm_pattern(&s->swarm, msg);
	if (!registers)
		enter(s, from, msg, &pattern, now_ms);
	/* Who answers a challenge is about to prove himself. */
	if (registers && r2_has_password(msg) && r2_detect_awaited(&s->detect, &from->remote))
		return false;
	return !r2_swarm_admit(&s->swarm, &pattern,
			       registers ? s->config->limits.flood_registers : 0, now_ms);
}

void screen_on_unproven(struct screen *s, const struct path *from, const struct sip_msg *request,
			const struct sip_msg *response, uint64_t now_ms)
{
	unsigned status = response->status;
	struct r2_pattern pattern;

	/* Anything else is a PBX in trouble. */
	if ((status != 401 && status != 403 && status != 404 && status != 407) ||
	    !stranger(s, from))
		return;
	pattern = r2_swarm_pattern(&s->swarm, request);
	enter(s, from, request, &pattern, now_ms);
}
