/* The record of a registration. */
#include "call/kept.h"
#include "call/registrar_impl.h"

static void pack_binding(struct pack *p, struct binding *b)
{
	const struct config *config = b->registrar->config;
	uint64_t latest_ms = b->registrar->wheel->now_ms + REG_EXPIRES_MAX_S * UINT64_C(1000);

	pack_z(p, b->token, sizeof(b->token));
	pack_z(p, b->aor, sizeof(b->aor));
	pack_z(p, b->user, sizeof(b->user));
	pack_z(p, b->contact, sizeof(b->contact));
	pack_z(p, b->user_agent, sizeof(b->user_agent));
	pack_z(p, b->call_id, sizeof(b->call_id));
	pack_z(p, b->instance, sizeof(b->instance));
	pack_u32(p, &b->cseq);
	pack_u64(p, &b->credentials);
	pack_path(p, &b->path, config);
	pack_path(p, &b->source, config);
	pack_u16(p, &b->phones);
	pack_u16(p, &b->pbx);
	pack_bool(p, &b->natted);
	pack_bool(p, &b->flow_closed);
	pack_bool(p, &b->ask_anew);
	pack_u64(p, &b->registered_ms);
	pack_u64(p, &b->expires_ms);
	pack_u64(p, &b->pbx_granted_ms);
	pack_u64(p, &b->pbx_expires_ms);
	if (p->reading && (b->expires_ms > latest_ms || b->pbx_expires_ms > latest_ms ||
			   b->pbx_granted_ms > REG_EXPIRES_MAX_S * UINT64_C(1000)))
		pack_fail(p, ERR_SYNTAX);
	if (p->reading && (b->phones >= config->phones_count || b->pbx >= config->pbx_count))
		pack_fail(p, ERR_SYNTAX);
}

void kept_binding_write(struct binding *b)
{
	struct registrar *r = b->registrar;
	struct pack p = pack_to(r->txns->scratch, CORE_MESSAGE_MAX);
	struct action a = {.kind = ACT_KEEP, .kept = KEPT_BINDING, .number = b->number};

	pack_u32(&p, &b->number);
	pack_binding(&p, b);
	a.bytes = out_slice(&p.out);
	if (!p.out.err)
		r->env->act(r->env->ctx, &a);
}

void kept_binding_forget(struct binding *b)
{
	struct registrar *r = b->registrar;
	struct action a = {.kind = ACT_FORGET, .kept = KEPT_BINDING, .number = b->number};

	if (!r->leaving && b->number)
		r->env->act(r->env->ctx, &a);
	b->number = 0;
}

int kept_binding_take(struct registrar *r, struct slice record)
{
	struct pack p = pack_of(record, NULL);
	struct binding *b = reg_binding_bare(r);
	uint32_t number;
	int err;

	if (!b)
		return ERR_NOMEM;
	pack_u32(&p, &number);
	pack_binding(&p, b);
	err = p.in.err;
	if (!err && (cur_left(&p.in) || number == 0))
		err = ERR_SYNTAX;
	/* A connection that is no more leads nowhere; the phone makes another one. */
	if (transport_reliable((enum transport)b->path.transport) &&
	    (b->natted || transport_secure((enum transport)b->path.transport)))
		b->flow_closed = true;
	err = err ? err : reg_binding_enter(b);
	if (err) {
		reg_binding_free(b);
		return err;
	}
	b->number = number;
	if (number >= r->next_number)
		r->next_number = number == UINT32_MAX ? 1 : number + 1;
	reg_binding_watch(b);
	kept_binding_write(b);
	return 0;
}
