/* Requests outside any dialog: where they go, who may send them, and the call they begin. */
#include "call/call.h"

#include "proto/sip/sip_write.h"

#define ALLOWED_METHODS                                                                            \
	"INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS, INFO, MESSAGE, SUBSCRIBE, NOTIFY, "     \
	"REFER, REGISTER, PUBLISH"

struct route {
	struct side from, to;
	char uri_text[SIP_URI_BYTES_MAX];
	struct slice uri;
};

/* ---- where to ---- */

static void user_write(struct out *o, const struct sip_uri *uri)
{
	out_z(o, uri->scheme == SIP_SCHEME_SIPS ? "sips:" : "sip:");
	if (uri->user.n) {
		out_bytes(o, uri->user);
		out_char(o, '@');
	}
}

static enum reason route_to_pbx(const struct core *c, uint16_t pbx, const struct sip_msg *msg,
				struct route *r)
{
	struct out o = out_to(r->uri_text, sizeof(r->uri_text));
	struct config_owner owner = {.kind = OWNER_PBX, .index = pbx};
	struct cross x;

	if (side_to_peer(c->config, owner, &r->to))
		return REASON_peer_unreachable;
	cross_init(&x, &r->from, &r->to, msg);
	if (msg->uri.scheme == SIP_SCHEME_TEL) {
		user_write(&o, &msg->uri);
		side_write_host(&o, &r->to);
	} else {
		cross_uri(&x, &o, &msg->uri, msg->uri_text);
	}
	r->uri = out_slice(&o);
	return o.err ? REASON_sip_request_uri : REASON_NONE;
}

/* A phone that registered a sip: Contact is not reached by sips:; one with a sips: Contact is by
 * either, and then asked under the caller's scheme (RFC 5630 5.3). */
static enum reason route_to_phone(const struct core *c, const struct binding *b,
				  const struct sip_msg *msg, struct route *r)
{
	struct config_owner owner = {.kind = OWNER_PHONES, .index = b->phones};
	struct out o = out_to(r->uri_text, sizeof(r->uri_text));
	struct slice contact = slice_z(b->contact);
	bool sips = slice_starts_nocase(contact, SL("sips:"));

	if (msg->uri.scheme == SIP_SCHEME_SIPS && !sips)
		return REASON_sips_not_possible;

	if (b->flow_closed)
		return REASON_flow_closed;
	if (side_make(c->config, &b->path, owner, &r->to))
		return REASON_not_registered;
	if (sips && msg->uri.scheme != SIP_SCHEME_SIPS) {
		out_z(&o, "sip:");
		contact = slice_from(contact, 5);
	}
	out_bytes(&o, contact);
	r->uri = out_slice(&o);
	return o.err ? REASON_sip_request_uri : REASON_NONE;
}

static enum reason route_to_trunk(const struct core *c, uint16_t trunk, const struct sip_msg *msg,
				  struct route *r)
{
	struct out o = out_to(r->uri_text, sizeof(r->uri_text));
	struct config_owner owner = {.kind = OWNER_TRUNK, .index = trunk};

	if (!r2_fraud_is_emergency(&c->config->fraud, msg->uri.user, false) &&
	    !r1_dial_allowed(&c->config->trunks[trunk], msg->uri.user))
		return REASON_dial_denied;
	if (side_to_peer(c->config, owner, &r->to))
		return REASON_peer_unreachable;
	user_write(&o, &msg->uri);
	side_write_host(&o, &r->to);
	r->uri = out_slice(&o);
	return o.err ? REASON_sip_request_uri : REASON_NONE;
}

/* A PBX may call a phone by its address-of-record, at its own domain or at our address. */
static const struct binding *phone_named(const struct core *c, uint16_t pbx,
					 const struct sip_msg *msg, const struct side *from)
{
	struct slice host = side_is_us(from, msg->uri.host) ? from->peer_host : msg->uri.host;
	char aor[CALL_TEXT_MAX];
	struct out o = out_to(aor, sizeof(aor));

	out_bytes(&o, msg->uri.user);
	out_char(&o, '@');
	for (size_t i = 0; i < host.n; i++)
		out_char(&o, ascii_lower(host.p[i]));
	return o.err ? NULL : registrar_by_aor(&c->registrar, pbx, out_slice(&o));
}

static enum reason route_from_pbx(const struct core *c, uint16_t pbx, const struct sip_msg *msg,
				  struct route *r)
{
	const struct binding *b = registrar_by_token(&c->registrar, msg->uri.user);
	uint16_t trunk = c->config->pbxs[pbx].outbound;

	if (!b)
		b = phone_named(c, pbx, msg, &r->from);
	if (b)
		return route_to_phone(c, b, msg, r);
	/* A phone that is gone is no number for the provider. */
	if (trunk == CONFIG_NONE || msg->uri.user.n == 0 || registrar_is_token(msg->uri.user))
		return REASON_not_registered;
	return route_to_trunk(c, trunk, msg, r);
}

static enum reason route_from_phone(const struct core *c, uint16_t phones, const struct path *from,
				    const struct sip_msg *msg, struct route *r)
{
	const struct binding *b = registrar_by_source(&c->registrar, from, msg->from.uri.user);
	enum reason why;

	if (!b)
		return REASON_caller_not_registered;
	why = password_on_request(c, c->wheel.now_ms, from, b->aor, msg);
	if (why)
		return why;
	return route_to_pbx(c, c->config->phones[phones].to, msg, r);
}

static enum reason route_by_owner(const struct core *c, const struct path *from,
				  struct config_owner owner, const struct sip_msg *msg,
				  struct route *r)
{
	switch ((enum owner_kind)owner.kind) {
	case OWNER_PBX:
		return route_from_pbx(c, owner.index, msg, r);
	case OWNER_TRUNK:
		return route_to_pbx(c, c->config->trunks[owner.index].to, msg, r);
	case OWNER_PHONES:
		return route_from_phone(c, owner.index, from, msg, r);
	}
	return REASON_source_unknown;
}

static enum reason route_find(const struct core *c, const struct path *from,
			      struct config_owner owner, const struct sip_msg *msg, struct route *r)
{
	bool sips = msg->uri.scheme == SIP_SCHEME_SIPS;
	enum reason why;

	if (side_make(c->config, from, owner, &r->from))
		return REASON_source_unknown;
	why = route_by_owner(c, from, owner, msg, r);
	if (why)
		return why;
	r->from.sips = r->to.sips = sips;
	return sips && !transport_secure((enum transport)r->to.path.transport)
		       ? REASON_sips_not_possible
		       : REASON_NONE;
}

/* ---- the two legs ---- */

static int copy_name_addr(struct call *k, const struct sip_name_addr *na, struct slice *out)
{
	struct out o = out_to(k->core->body, CORE_MESSAGE_MAX);

	if (na->display.n) {
		out_char(&o, '"');
		sip_write_unfolded(&o, na->display);
		out_z(&o, "\" ");
	}
	out_char(&o, '<');
	out_bytes(&o, na->uri_text);
	out_char(&o, '>');
	return o.err ? o.err : arena_copy(&k->arena, out_slice(&o), out);
}

static int cross_copy(struct call *k, const struct cross *x, const struct sip_name_addr *na,
		      struct slice *out)
{
	struct out o = out_to(k->core->body, CORE_MESSAGE_MAX);

	cross_name_addr(x, &o, na);
	return o.err ? o.err : arena_copy(&k->arena, out_slice(&o), out);
}

static int caller_leg_fill(struct call *k, const struct route *r, const struct sip_msg *msg)
{
	struct leg *l = &k->leg[CALLER];
	int err;

	l->side = r->from;
	err = arena_copy(&k->arena, l->side.peer_host, &l->side.peer_host);
	if (!err)
		err = copy_name_addr(k, &msg->from, &l->peer_uri);
	if (!err)
		err = copy_name_addr(k, &msg->to, &l->our_uri);
	if (!err)
		err = arena_copy(&k->arena, msg->from.tag, &l->peer_tag);
	if (!err)
		err = call_token(k, &l->our_tag);
	if (!err)
		err = arena_copy(&k->arena, msg->uri_text, &l->first_uri);
	if (!err)
		err = arena_copy(&k->arena, msg->call_id, &l->call_id);
	if (!err)
		err = leg_index(l);
	k->caller_end.remote_cseq = msg->cseq.number;
	return err ? err : dialog_end_learn(k, &k->caller_end, msg, true, false);
}

static int callee_leg_fill(struct call *k, const struct route *r, const struct sip_msg *msg)
{
	struct leg *l = &k->leg[CALLEE];
	struct cross x;
	uint32_t cseq;
	int err;

	cross_init(&x, &r->from, &r->to, msg);
	l->side = r->to;
	err = arena_copy(&k->arena, l->side.peer_host, &l->side.peer_host);
	if (!err)
		err = cross_copy(k, &x, &msg->from, &l->our_uri);
	if (!err)
		err = cross_copy(k, &x, &msg->to, &l->peer_uri);
	if (!err)
		err = arena_copy(&k->arena, r->uri, &l->first_uri);
	if (!err)
		err = call_token(k, &l->our_tag);
	if (!err)
		err = call_token(k, &l->call_id);
	if (!err)
		err = leg_index(l);
	k->core->env->random(k->core->env->ctx, (uint8_t *)&cseq, sizeof(cseq));
	l->cseq = cseq & 0xffff;
	k->leg[CALLER].cseq = cseq >> 16;
	return err;
}

/* Who withholds his number has none that something could be said of. */
static bool is_number(struct slice user)
{
	return user.n && (user.p[0] == '+' || ascii_is_digit(user.p[0]));
}

int call_from_mark(struct call *k, const struct sip_msg *invite)
{
	struct cross x;

	if (!identity_verstat(k) || !is_number(invite->from.uri.user))
		return 0;
	cross_init(&x, &k->leg[CALLER].side, &k->leg[CALLEE].side, invite);
	x.mark = identity_verstat(k);
	return cross_copy(k, &x, &invite->from, &k->leg[CALLEE].our_uri);
}

static void texts_fill(struct call *k, const struct sip_msg *msg)
{
	struct out from = out_to(k->from, sizeof(k->from) - 1);
	struct out to = out_to(k->to, sizeof(k->to) - 1);
	struct out caller = out_to(k->caller, sizeof(k->caller) - 1);
	struct out callee = out_to(k->callee, sizeof(k->callee) - 1);

	owner_write(&from, k->core->config, k->leg[CALLER].side.owner);
	owner_write(&to, k->core->config, k->leg[CALLEE].side.owner);
	out_bytes(&caller, slice_first(msg->from.uri_text, caller.size));
	out_bytes(&callee, slice_first(msg->to.uri_text, callee.size));
}

static enum call_kind kind_of(enum sip_method m)
{
	if (m == SIP_INVITE)
		return CALL_INVITE;
	return m == SIP_SUBSCRIBE || m == SIP_REFER ? CALL_SUBSCRIPTION : CALL_SINGLE;
}

static enum reason admit(struct call *k, const struct sip_msg *msg, uint64_t now_ms)
{
	const uint8_t kind[2] = {k->leg[0].side.owner.kind, k->leg[1].side.owner.kind};
	const uint16_t index[2] = {k->leg[0].side.owner.index, k->leg[1].side.owner.index};
	enum reason why;

	if (k->kind != CALL_INVITE)
		return REASON_NONE;
	why = r1_admit_call(k->core->admit, k->core->config, now_ms, kind, index);
	/* Who calls for help does not wait for the next second. */
	if ((why == REASON_call_rate_limit || why == REASON_trunk_rate_limit) &&
	    r2_fraud_is_emergency(&k->core->config->fraud, msg->uri.user,
				  kind[0] == OWNER_PHONES)) {
		r1_admit_count(k->core->admit, kind, index);
		why = REASON_NONE;
	}
	if (why)
		return why;
	why = crowd_enter(k, msg, now_ms);
	if (!why)
		why = fraud_enter(k, msg, now_ms);
	k->admitted = why == REASON_NONE;
	k->core->stats.calls_total += k->admitted;
	if (why)
		r1_admit_end(k->core->admit, kind, index);
	return why;
}

/* Who is full now may be asked again (RFC 3261 21.5.4); a rule does not pass so soon, and says so
 * in its sentence (20.43). */
static void refuse_call(struct core *c, const struct path *from, const struct sip_msg *msg,
			enum reason why, uint32_t id)
{
	const struct reason_row *row = reason_row(why);
	char text[256];
	struct out o = out_to(text, sizeof(text));

	if (row->status == 503 || row->status == 486)
		out_z(&o, "Retry-After: 10\r\n");
	else
		out_fmt(&o, "Warning: 399 hornwork \"%s\"\r\n", row->sentence);
	core_refuse(c, from, msg, why, id, o.err ? SL("") : out_slice(&o));
}

static void call_begin(struct core *c, uint64_t now_ms, const struct path *from,
		       const struct route *r, const struct sip_msg *msg)
{
	struct call *k = call_new(c, kind_of(msg->method), now_ms);
	enum reason why = REASON_out_of_memory;

	if (!k || caller_leg_fill(k, r, msg) || callee_leg_fill(k, r, msg)) {
		core_refuse(c, from, msg, why, 0, SL(""));
		if (k)
			call_free(k);
		return;
	}
	texts_fill(k, msg);
	why = identity_look(k, msg);
	if (why) {
		core_refuse(c, from, msg, why, k->id, SL(""));
		call_free(k);
		return;
	}
	why = admit(k, msg, now_ms);
	if (why) {
		refuse_call(c, from, msg, why, k->id);
		call_free(k);
		return;
	}
	if (k->kind == CALL_INVITE)
		call_report(k, REPORT_CALL, REASON_NONE, NULL, SL("new"));
	call_trace(k, from, false, msg->raw);
	timer_start(&c->wheel, &k->life, CALL_RING_MS);
	if (!identity_waits(k))
		why = exchange_forward(k, NULL, CALLER, now_ms, from, msg);
	else if (exchange_take(k, NULL, CALLER, now_ms, from, msg, &why))
		identity_ask(k, msg);
	if (why)
		call_end(k, now_ms, why, 2);
}

/* ---- what we answer ourselves ---- */

static void answer_options(struct core *c, const struct path *from, const struct sip_msg *msg)
{
	struct out o = out_to(c->message, CORE_MESSAGE_MAX);
	struct action a = {.kind = ACT_SEND, .path = *from};
	static const struct slice extra =
		SLICE("Allow: " ALLOWED_METHODS "\r\nAccept: application/sdp\r\n"
		      "Supported: 100rel, timer, replaces, path\r\n");

	if (sip_write_response(&o, msg, 200, SL("OK"), &from->remote, SL("hornwork"), extra))
		return;
	a.bytes = out_slice(&o);
	c->env->act(c->env->ctx, &a);
}

static bool method_allowed(const struct config *config, struct config_owner owner,
			   const struct sip_msg *msg)
{
	const struct config_phones *p;

	if (owner.kind != OWNER_PHONES || owner.index >= config->phones_count)
		return true;
	p = &config->phones[owner.index];
	for (size_t i = 0; i < p->method_count; i++)
		if (slice_eq(p->methods[i], msg->method_text))
			return true;
	return p->method_count == 0;
}

/* The same request on another way: it was forked before us and merged here (RFC 3261 8.2.2.2).
 * We stand for many phones: a fork to two of them has two Request-URIs and is no merge. */
static bool merged(const struct core *c, const struct sip_msg *msg)
{
	for (struct hash_node *n = hash_first(&c->by_call_id, hash_bytes(&c->key, msg->call_id)); n;
	     n = hash_next(n)) {
		struct leg *l = container_of(n, struct leg, by_call_id);

		if (l->index == CALLER && slice_eq(l->call_id, msg->call_id) &&
		    slice_eq(l->peer_tag, msg->from.tag) && slice_eq(l->first_uri, msg->uri_text) &&
		    l->call->caller_end.remote_cseq == msg->cseq.number &&
		    l->call->state != CALL_ENDED)
			return true;
	}
	return false;
}

static void refuse_route(struct core *c, const struct path *from, const struct sip_msg *msg,
			 enum reason why)
{
	core_refuse(c, from, msg, why, 0,
		    why == REASON_sips_not_possible ? SL(SIPS_NOT_ALLOWED) : SL(""));
}

void initial_on_request(struct core *c, uint64_t now_ms, const struct path *from,
			struct config_owner owner, const struct sip_msg *msg)
{
	struct route r;
	enum reason why;

	if (!method_allowed(c->config, owner, msg)) {
		core_refuse(c, from, msg, REASON_method_not_allowed, 0,
			    SL("Allow: " ALLOWED_METHODS "\r\n"));
		return;
	}
	if (msg->method == SIP_REGISTER && owner.kind == OWNER_PHONES) {
		registrar_on_register(&c->registrar, now_ms, from, owner.index, msg);
		return;
	}
	if (msg->method == SIP_REGISTER || msg->method == SIP_PRACK || msg->method == SIP_UPDATE ||
	    msg->method == SIP_BYE) {
		core_refuse(c, from, msg,
			    msg->method == SIP_REGISTER ? REASON_method_not_allowed
							: REASON_dialog_unknown,
			    0, SL("Allow: " ALLOWED_METHODS "\r\n"));
		return;
	}
	if (msg->method == SIP_OPTIONS && msg->uri.user.n == 0) {
		answer_options(c, from, msg);
		return;
	}
	if (merged(c, msg))
		why = REASON_loop_detected;
	else if (kind_of(msg->method) != CALL_SINGLE && !sip_header_first(msg, SIP_H_CONTACT))
		why = REASON_sip_contact; /* nobody could be reached within the dialog (8.1.1.8) */
	else
		why = route_find(c, from, owner, msg, &r);
	if (why) {
		refuse_route(c, from, msg, why);
		return;
	}
	call_begin(c, now_ms, from, &r, msg);
}
