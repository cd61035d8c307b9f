/* Floods from many sources in a capture: guard/r2_swarm's judgement by what a spectator sees. */
#include "base/mem.h"
#include "main/watch_attack.h"

#define TEXT_MAX 640 /* bytes of an event's words */

int watch_swarm_init(struct watch_attacks *a)
{
	const struct config *c = a->config;
	int err = r2_swarm_init(&a->swarm, &a->w->key);

	a->flood_sources = c ? c->limits.flood_sources : WATCH_FLOOD_SOURCES;
	a->served = mem_zalloc(WATCH_SERVED_MAX, sizeof(*a->served));
	return err || a->served ? err : ERR_NOMEM;
}

void watch_swarm_done(struct watch_attacks *a)
{
	r2_swarm_done(&a->swarm);
	mem_free(a->served);
	a->served = NULL;
}

/* ---- who was served ---- */

static uint64_t served_name(const struct watch_attacks *a, const struct ip_addr *source)
{
	const char *bytes = (const char *)source->bytes;

	return hash_bytes(&a->w->key, slice_of(bytes, sizeof(source->bytes))) | 1;
}

static bool served(const struct watch_attacks *a, const struct ip_addr *source)
{
	uint64_t name = served_name(a, source);

	return a->served[name / 2 % WATCH_SERVED_MAX] == name;
}

/* Whom a phone system serves is a user of it: it may have registered before the capture began. */
static bool is_denial(unsigned status)
{
	return status == 100 || status == 401 || status == 403 || status == 404 || status == 407 ||
	       status >= 500;
}

static bool proven(void *ctx, const struct ip_addr *source, uint16_t place)
{
	const struct watch_attacks *a = ctx;
	const struct ip_endpoint who = {.addr = *source};

	(void)place; /* all is one place */
	return served(a, source) || watch_attacks_has_phones(a, &who);
}

/* ---- requests and answers ---- */

static void enter(struct watch_attacks *a, const struct watch_at *at,
		  const struct r2_pattern *pattern, const struct sip_msg *request)
{
	const struct r2_swarm_event e = {
		.pattern = pattern, .source = at->src.addr, .now_ms = a->now_ms};
	const struct r2_swarm_rules rules = {
		.sources = a->flood_sources, .ctx = a, .proven = proven};
	struct r2_swarm_size size;
	char text[TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	if (!r2_swarm_enter(&a->swarm, &e, &rules, &size))
		return;
	r2_swarm_write_size(&o, &size);
	if (request) {
		out_z(&o, "; the last one: ");
		r2_swarm_write_traits(&o, request);
	}
	watch_attacks_tell(a, at, REASON_distributed_flood, out_slice(&o));
}

void watch_swarm_on_request(struct watch_attacks *a, struct watch_try *t)
{
	const struct sip_msg *m = a->w->msg;

	t->pattern = r2_swarm_pattern(&a->swarm, m);
	if (m->method != SIP_REGISTER && !proven(a, &t->at.src.addr, 0))
		enter(a, &t->at, &t->pattern, m);
}

void watch_swarm_on_response(struct watch_attacks *a, const struct watch_try *t)
{
	const struct sip_msg *m = a->w->msg;
	uint64_t name = served_name(a, &t->at.src.addr);

	if (!is_denial(m->status))
		a->served[name / 2 % WATCH_SERVED_MAX] = name;
	else if (m->method == SIP_REGISTER && m->status > 100 && m->status < 500 &&
		 !proven(a, &t->at.src.addr, 0))
		enter(a, &t->at, &t->pattern, NULL);
}
