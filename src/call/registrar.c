#include "call/registrar.h"

#include "call/registrar_impl.h"
#include "proto/sip/sip_write.h"

static const struct slice no_bytes = {.n = 0};

int registrar_init(struct registrar *r, const struct core_env *env, const struct config *config,
		   struct wheel *wheel, struct txn_layer *txns, struct core_stats *stats,
		   struct screen *screen, struct hash_key key)
{
	size_t max = config->limits.registrations;
	int err;

	*r = (struct registrar){.env = env,
				.config = config,
				.wheel = wheel,
				.txns = txns,
				.key = key,
				.screen = screen,
				.next_number = 1,
				.stats = stats};
	list_init(&r->bindings);
	list_init(&r->pending);
	err = hash_init(&r->by_token, max);
	err = err ? err : hash_init(&r->by_aor, max);
	err = err ? err : hash_init(&r->by_source, max);
	err = err ? err : hash_init(&r->by_address, max);
	if (err)
		registrar_done(r);
	return err;
}

void registrar_done(struct registrar *r)
{
	/* Never set up. */
	if (!r->env)
		return;
	r->leaving = true;
	list_for_each_safe (node, &r->pending)
		reg_pending_free(container_of(node, struct reg_pending, node));
	while (!list_empty(&r->bindings))
		reg_binding_free(container_of(r->bindings.next, struct binding, node));
	hash_done(&r->by_token);
	hash_done(&r->by_aor);
	hash_done(&r->by_source);
	hash_done(&r->by_address);
}

/* The same phone, from the same source, asks for the same. */
static bool repeats(const struct registrar *r, const struct binding *b, const struct reg_request *q,
		    const struct reg_contact *c)
{
	uint64_t credentials = reg_credentials_of(r, q->msg);

	return path_same_source(&b->source, &q->phone.path) &&
	       b->source.conn == q->phone.path.conn &&
	       slice_eq(slice_z(b->contact), c->na.uri_text) &&
	       slice_eq(slice_z(b->call_id), q->msg->call_id) && q->msg->cseq.number > b->cseq &&
	       (!credentials || credentials == b->credentials);
}

/* A refresh that the PBX need not see: nothing changes, more than half of the PBX's grant is left,
 * and it was asked a little while ago. */
static struct binding *fresh_binding(const struct registrar *r, uint64_t now_ms,
				     const struct reg_request *q)
{
	const struct reg_contact *c = &q->contact[0];
	uint64_t half_ms, asked_ms;
	struct binding *b;

	if (q->wildcard || q->contact_count != 1 || c->expires_s == 0)
		return NULL;
	b = reg_binding_find(r, q, c);
	if (!b || !b->natted || b->ask_anew || !repeats(r, b, q, c))
		return NULL;
	half_ms = b->pbx_granted_ms / 2;
	asked_ms = b->pbx_expires_ms - b->pbx_granted_ms;
	return now_ms < asked_ms + (half_ms < REG_CACHE_MS ? half_ms : REG_CACHE_MS) ? b : NULL;
}

static bool method_admitted(const struct config_phones *p)
{
	for (size_t i = 0; i < p->method_count; i++)
		if (slice_eq(p->methods[i], SL("REGISTER")))
			return true;
	return p->method_count == 0;
}

static enum reason check(const struct registrar *r, uint16_t phones, const struct reg_request *q)
{
	bool full = r->by_token.count >= r->by_token.max;

	if (!method_admitted(&r->config->phones[phones]))
		return REASON_method_not_allowed;
	if (q->msg->max_forwards == 0)
		return REASON_too_many_hops;
	for (size_t i = 0; full && i < q->contact_count; i++)
		if (q->contact[i].expires_s && !reg_binding_find(r, q, &q->contact[i]))
			return REASON_registrations_limit;
	return REASON_NONE;
}

/* No transaction could be had: one answer without it. */
static void refuse_stateless(struct registrar *r, const struct path *from,
			     const struct sip_msg *request, enum reason why)
{
	struct out o = out_to(r->txns->scratch, CORE_MESSAGE_MAX);
	struct action a = {.kind = ACT_SEND, .path = *from};

	if (sip_write_response(&o, request, reason_row(why)->status, no_bytes, &from->remote,
			       SL("refused"), no_bytes) == 0) {
		a.bytes = out_slice(&o);
		r->env->act(r->env->ctx, &a);
	}
	reg_report_refused(r, from, why);
}

void registrar_on_register(struct registrar *r, uint64_t now_ms, const struct path *from,
			   uint16_t phones, const struct sip_msg *request)
{
	enum reason why = REASON_NONE;
	struct txn *server = txn_server_new(r->txns, now_ms, from, request, NULL, NULL, &why);
	struct reg_request q;
	struct binding *b;

	if (!server) {
		refuse_stateless(r, from, request, why);
		return;
	}
	why = reg_request_read(r, from, phones, request, &q);
	if (why == REASON_NONE)
		why = check(r, phones, &q);
	if (why == REASON_NONE)
		why = screen_on_register(r->screen, from, q.aor, request, now_ms, &q.attempt);
	b = why == REASON_NONE ? fresh_binding(r, now_ms, &q) : NULL;
	if (b) {
		b->cseq = request->cseq.number;
		reg_binding_renew(b, now_ms, q.contact[0].expires_s);
		reg_answer_ok(r, now_ms, server, &q, NULL);
		return;
	}
	if (why == REASON_NONE)
		why = reg_forward(r, now_ms, server, phones, &q);
	if (why != REASON_NONE)
		reg_refuse(r, now_ms, server, why);
}
