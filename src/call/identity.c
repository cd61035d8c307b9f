#include "call/identity.h"

#include "call/call.h"
#include "proto/sip/sip_write.h"

/* ---- what goes on ---- */

static int line_make(struct call *k, struct slice value)
{
	struct out o = out_to(k->core->body, CORE_MESSAGE_MAX);

	if (value.n == 0)
		return 0;
	sip_write_header_id(&o, SIP_H_IDENTITY, value);
	return o.err ? o.err : arena_copy(&k->arena, out_slice(&o), &k->identity.line);
}

static struct exchange *waiting_exchange(const struct call *k)
{
	struct exchange *x = exchange_pending_invite(k);

	return x && !x->dialog && !x->client && x->server ? x : NULL;
}

static void tell(struct call *k, const char *detail)
{
	const struct identity_view *v = &k->identity.view;
	bool is_signed = v->state == IDENTITY_SIGNED;
	char text[IDENTITY_DETAIL_MAX + IDENTITY_ORIGID_MAX + 64];
	struct out o = out_to(text, sizeof(text));

	if (is_signed)
		out_fmt(&o, "attestation %c, number %s, origin %s", v->attest, v->tn, v->origid);
	else
		out_z(&o, detail);
	call_report(k, REPORT_SIP, is_signed ? REASON_identity_signed : REASON_identity_unsigned,
		    &k->leg[CALLEE].side.path, out_slice(&o));
}

/* Signed or not: the call goes on. */
static void go_on(struct call *k, uint64_t now_ms, struct slice value, const char *detail)
{
	struct exchange *x = waiting_exchange(k);
	enum reason why;

	timer_stop(&k->identity.wait);
	if (!x || k->state != CALL_EARLY)
		return;
	tell(k, detail);
	why = line_make(k, value) ? REASON_out_of_memory : REASON_NONE;
	if (why)
		exchange_refuse(x, now_ms, why);
	else
		why = exchange_resume(x, now_ms);
	if (why)
		call_end(k, now_ms, why, 2);
}

static void wait_fired(struct timer *t, uint64_t now_ms)
{
	struct call *k = container_of(t, struct call, identity.wait);

	k->identity.view.state = IDENTITY_UNSIGNED;
	go_on(k, now_ms, SL(""), "nobody signed it in time");
}

void core_on_identity(struct core *c, uint64_t now_ms, const struct identity_answer *a)
{
	bool good = a->reason == REASON_identity_signed && a->header[0];
	struct call *k;

	wheel_advance(&c->wheel, now_ms);
	k = call_by_id(c, a->call);
	/* It may have ended, or have waited too long. */
	if (k && identity_waits(k)) {
		struct identity_view *v = &k->identity.view;

		v->state = good ? IDENTITY_SIGNED : IDENTITY_UNSIGNED;
		if (good) {
			v->attest = (uint8_t)a->attest;
			memcpy(v->tn, a->tn, sizeof(v->tn));
			memcpy(v->origid, a->origid, sizeof(v->origid));
		}
		go_on(k, now_ms, good ? slice_z(a->header) : SL(""), a->detail);
	}
	core_sweep(c);
}

/* ---- what is asked ---- */

void identity_init(struct call *k)
{
	timer_init(&k->identity.wait, wait_fired);
}

void identity_done(struct call *k)
{
	timer_stop(&k->identity.wait);
}

void identity_look(struct call *k)
{
	const struct config *c = k->core->config;
	const struct config_owner *to = &k->leg[CALLEE].side.owner;

	if (k->kind == CALL_INVITE && to->kind == OWNER_TRUNK && to->index < c->trunk_count &&
	    c->trunks[to->index].identity_certificate[0])
		k->identity.view.state = IDENTITY_WAITING;
}

bool identity_waits(const struct call *k)
{
	return k->identity.view.state == IDENTITY_WAITING;
}

bool identity_ends_here(const struct call *k)
{
	return k->identity.view.state != IDENTITY_NOT_ASKED;
}

/* The first address of P-Asserted-Identity that has a user (RFC 3325 9.1: a sip: and a tel: one).
 */
static struct slice asserted_user(const struct sip_msg *invite)
{
	struct sip_values v = sip_values_of(invite, SIP_H_P_ASSERTED_IDENTITY);
	struct sip_name_addr na;
	struct slice one;

	while (sip_values_next(&v, &one))
		if (sip_name_addr_parse(one, &na) == 0 && na.uri.user.n)
			return na.uri.user;
	return SL("");
}

/* What does not fit is no telephone number; what is left of it would be another one. */
static void take_user(struct slice user, char out[static IDENTITY_USER_MAX])
{
	if (!slice_to_z(user, out, IDENTITY_USER_MAX))
		(void)slice_to_z(SL("?"), out, IDENTITY_USER_MAX);
}

void identity_ask(struct call *k, const struct sip_msg *invite)
{
	struct core *c = k->core;
	struct identity_ask ask = {.call = k->id, .trunk = k->leg[CALLEE].side.owner.index};
	struct action a = {.kind = ACT_IDENTITY, .call = k->id, .identity = &ask};

	take_user(invite->from.uri.user, ask.from);
	take_user(asserted_user(invite), ask.asserted);
	take_user(invite->to.uri.user, ask.to);
	timer_start(&c->wheel, &k->identity.wait, CALL_SIGN_MS);
	c->env->act(c->env->ctx, &a);
}
