#include "call/identity.h"

#include "call/call.h"
#include "proto/sip/sip_write.h"

/* ---- what goes on ---- */

/* Failed is what was looked at and found wrong; what could not be looked at is not validated. */
const char *identity_verstat(const struct call *k)
{
	const struct identity_view *v = &k->identity.view;

	if (k->identity.policy == IDENTITY_POLICY_OFF)
		return NULL;
	if (v->state == IDENTITY_VERIFIED)
		return "TN-Validation-Passed";
	if (v->state == IDENTITY_FAILED && v->reason != REASON_identity_url &&
	    v->reason != REASON_identity_certificate_away && v->reason != REASON_identity_timeout &&
	    v->reason != REASON_identity_missing && v->reason != REASON_out_of_memory)
		return "TN-Validation-Failed";
	return "No-TN-Validation";
}

/* A header of ours for a trunk; for inside what was attested (TS 24.229 7.2.18, 7.2.19). */
static int line_make(struct call *k, struct slice signed_value)
{
	const struct identity_view *v = &k->identity.view;
	struct out o = out_to(k->core->body, CORE_MESSAGE_MAX);

	if (v->state == IDENTITY_VERIFIED)
		out_fmt(&o, "Attestation-Info: %c\r\nOrigination-Id: %s\r\n", v->attest, v->origid);
	else if (v->state == IDENTITY_SIGNED && signed_value.n)
		sip_write_header_id(&o, SIP_H_IDENTITY, signed_value);
	if (o.n == 0 && !o.err)
		return 0;
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
	char text[IDENTITY_DETAIL_MAX + IDENTITY_ORIGID_MAX + 64];
	struct out o = out_to(text, sizeof(text));

	if (v->attest)
		out_fmt(&o, "attestation %c, number %s, origin %s", v->attest, v->tn, v->origid);
	else
		out_z(&o, detail);
	call_report(k, REPORT_SIP, (enum reason)v->reason,
		    &k->leg[k->identity.sign ? CALLEE : CALLER].side.path, out_slice(&o));
}

static enum reason pass_on(struct call *k, struct exchange *x, uint64_t now_ms, struct slice value)
{
	struct sip_msg invite;

	if (line_make(k, value) == 0 && txn_request(x->server, &invite) == 0 &&
	    call_from_mark(k, &invite) == 0)
		return exchange_resume(x, now_ms);
	exchange_refuse(x, now_ms, REASON_out_of_memory, SL(""));
	return REASON_out_of_memory;
}

/* The answer stands: the call goes on, or ends. */
static void go_on(struct call *k, uint64_t now_ms, struct slice value, const char *detail)
{
	struct exchange *x = waiting_exchange(k);
	enum reason why = (enum reason)k->identity.view.reason;

	timer_stop(&k->identity.wait);
	if (!x || k->state != CALL_EARLY)
		return;
	if (k->identity.view.state == IDENTITY_FAILED &&
	    k->identity.policy == IDENTITY_POLICY_REQUIRE) {
		exchange_refuse(x, now_ms, why, slice_z(detail));
	} else {
		tell(k, detail);
		why = pass_on(k, x, now_ms, value);
	}
	if (why)
		call_end(k, now_ms, why, 2);
}

static void wait_fired(struct timer *t, uint64_t now_ms)
{
	struct call *k = container_of(t, struct call, identity.wait);
	struct identity_view *v = &k->identity.view;

	v->state = k->identity.sign ? IDENTITY_UNSIGNED : IDENTITY_FAILED;
	v->reason =
		(uint16_t)(k->identity.sign ? REASON_identity_unsigned : REASON_identity_timeout);
	go_on(k, now_ms, SL(""), k->identity.sign ? "nobody signed it in time" : "");
}

static void take_answer(struct call *k, const struct identity_answer *a)
{
	struct identity_view *v = &k->identity.view;
	bool good = k->identity.sign ? a->reason == REASON_identity_signed && a->header[0]
				     : a->reason == REASON_identity_verified;

	if (k->identity.sign)
		v->state = good ? IDENTITY_SIGNED : IDENTITY_UNSIGNED;
	else
		v->state = good ? IDENTITY_VERIFIED : IDENTITY_FAILED;
	v->reason = (uint16_t)(good || !k->identity.sign ? a->reason : REASON_identity_unsigned);
	if (!good)
		return;
	v->attest = (uint8_t)a->attest;
	memcpy(v->tn, a->tn, sizeof(v->tn));
	memcpy(v->origid, a->origid, sizeof(v->origid));
}

void core_on_identity(struct core *c, uint64_t now_ms, const struct identity_answer *a)
{
	struct call *k;

	wheel_advance(&c->wheel, now_ms);
	k = call_by_id(c, a->call);
	/* It may have ended, or have waited too long. */
	if (k && identity_waits(k) && (a->work == IDENTITY_SIGN) == k->identity.sign) {
		take_answer(k, a);
		go_on(k, now_ms, slice_z(a->header), a->detail);
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

/* The Identity header to be judged: of several the one of SHAKEN's kind. */
static struct slice header_of(const struct sip_msg *invite)
{
	struct sip_values v = sip_values_of(invite, SIP_H_IDENTITY);
	struct slice one, first = {0};

	while (sip_values_next(&v, &one)) {
		if (slice_find_slice(one, SL("ppt=\"shaken\"")) < one.n ||
		    slice_find_slice(one, SL("ppt=shaken")) < one.n)
			return one;
		first = first.n ? first : one;
	}
	return first;
}

static enum reason nothing_to_judge(struct call *k, const struct sip_msg *invite)
{
	k->identity.view.state = IDENTITY_ABSENT;
	k->identity.view.reason = REASON_identity_missing;
	if (k->identity.policy == IDENTITY_POLICY_REQUIRE)
		return REASON_identity_missing;
	return call_from_mark(k, invite) ? REASON_out_of_memory : REASON_NONE;
}

enum reason identity_look(struct call *k, const struct sip_msg *invite)
{
	const struct config *c = k->core->config;
	const struct config_owner *from = &k->leg[CALLER].side.owner;
	const struct config_owner *to = &k->leg[CALLEE].side.owner;

	if (k->kind != CALL_INVITE)
		return REASON_NONE;
	if (from->kind == OWNER_TRUNK && from->index < c->trunk_count)
		k->identity.policy = c->trunks[from->index].identity;
	else if (to->kind == OWNER_TRUNK && to->index < c->trunk_count)
		k->identity.sign = c->trunks[to->index].identity_certificate[0] != '\0';
	if (k->identity.policy != IDENTITY_POLICY_OFF && header_of(invite).n == 0)
		return nothing_to_judge(k, invite);
	if (k->identity.policy != IDENTITY_POLICY_OFF || k->identity.sign)
		k->identity.view.state = IDENTITY_WAITING;
	return REASON_NONE;
}

bool identity_waits(const struct call *k)
{
	return k->identity.view.state == IDENTITY_WAITING;
}

static const struct config_trunk *trunk_of(const struct call *k, unsigned leg)
{
	const struct config *c = k->core->config;
	const struct config_owner *owner = &k->leg[leg].side.owner;

	return owner->kind == OWNER_TRUNK && owner->index < c->trunk_count
		       ? &c->trunks[owner->index]
		       : NULL;
}

/* Also by the configuration of now, which is what virtual patches go by: the call may be older, or
 * a dead core's. */
bool identity_ends_here(const struct call *k, unsigned from)
{
	const struct config_trunk *asks = trunk_of(k, from), *asked = trunk_of(k, !from);

	return k->identity.policy != IDENTITY_POLICY_OFF || k->identity.sign ||
	       (asks && asks->identity != IDENTITY_POLICY_OFF) ||
	       (asked && asked->identity_certificate[0]);
}

/* What does not fit is no telephone number; what is left of it would be another one. */
static void take_user(struct slice user, char out[static IDENTITY_USER_MAX])
{
	if (!slice_to_z(user, out, IDENTITY_USER_MAX))
		(void)slice_to_z(SL("?"), out, IDENTITY_USER_MAX);
}

/* The users in P-Asserted-Identity. There are two at most (RFC 3325 9.1: a sip: and a tel: one);
 * with more the second is no number. */
static void take_asserted(const struct sip_msg *invite, struct identity_ask *ask)
{
	struct sip_values v = sip_values_of(invite, SIP_H_P_ASSERTED_IDENTITY);
	struct sip_name_addr na;
	struct slice one;
	unsigned n = 0;

	while (sip_values_next(&v, &one)) {
		if (sip_name_addr_parse(one, &na) || na.uri.user.n == 0)
			continue;
		if (n < 2)
			take_user(na.uri.user, n ? ask->asserted_too : ask->asserted);
		else
			(void)slice_to_z(SL("?"), ask->asserted_too, IDENTITY_USER_MAX);
		n++;
	}
}

void identity_ask(struct call *k, const struct sip_msg *invite)
{
	struct core *c = k->core;
	bool sign = k->identity.sign;
	struct identity_ask ask = {.call = k->id,
				   .work = sign ? IDENTITY_SIGN : IDENTITY_VERIFY,
				   .trunk = k->leg[sign ? CALLEE : CALLER].side.owner.index,
				   .dialog = hash_bytes(&c->key, invite->call_id)};
	struct action a = {.kind = ACT_IDENTITY, .call = k->id, .identity = &ask};
	struct out header = out_to(ask.header, sizeof(ask.header) - 1);

	take_user(invite->from.uri.user, ask.from);
	take_asserted(invite, &ask);
	take_user(invite->to.uri.user, ask.to);
	if (!sign)
		sip_write_unfolded(&header, header_of(invite));
	if (header.err) /* longer than any: its judge finds it malformed */
		(void)slice_to_z(SL(".;ppt=shaken"), ask.header, sizeof(ask.header));
	timer_start(&c->wheel, &k->identity.wait, sign ? CALL_SIGN_MS : CALL_IDENTITY_MS);
	c->env->act(c->env->ctx, &a);
}
