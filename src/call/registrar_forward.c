#include "base/mem.h"
#include "call/registrar_impl.h"
#include "proto/sip/sip_write.h"

static const struct slice no_bytes = {.n = 0};

/* ---- refusals ---- */

void reg_report_refused(struct registrar *r, const struct path *from, enum reason why)
{
	struct action a = {
		.kind = ACT_REPORT, .type = REPORT_REFUSED, .reason = why, .path = *from};

	r->stats->refused[why]++;
	r->stats->refused_total++;
	r->env->act(r->env->ctx, &a);
	screen_on_refused(r->screen, from, why, r->wheel->now_ms);
}

/* A tag of ours for an answer. */
static struct slice new_tag(struct registrar *r, char buf[static 2 * CALL_TOKEN_BYTES])
{
	struct out o = out_to(buf, 2 * CALL_TOKEN_BYTES);
	uint8_t bytes[CALL_TOKEN_BYTES];

	r->env->random(r->env->ctx, bytes, sizeof(bytes));
	out_hex(&o, bytes, sizeof(bytes));
	return out_slice(&o);
}

void reg_refuse(struct registrar *r, uint64_t now_ms, struct txn *server, enum reason why)
{
	unsigned status = reason_row(why)->status;
	char tag[2 * CALL_TOKEN_BYTES];

	/* The answer goes out even if it cannot be kept. */
	(void)txn_respond_simple(server, now_ms, status ? status : 500, new_tag(r, tag),
				 why == REASON_sips_not_possible ? SL(SIPS_NOT_ALLOWED) : no_bytes);
	reg_report_refused(r, txn_path(server), why);
}

/* ---- to the PBX ---- */

static void write_contacts(const struct reg_request *q, struct out *o)
{
	if (q->wildcard)
		out_z(o, "Contact: *\r\n");
	for (size_t i = 0; i < q->contact_count; i++) {
		const struct reg_contact *c = &q->contact[i];
		struct side pbx = q->pbx;

		pbx.sips = c->na.uri.scheme == SIP_SCHEME_SIPS;
		out_z(o, "Contact: ");
		side_write_contact(o, &pbx, slice_z(c->token));
		reg_write_params(o, c->na.params);
		if (sip_param_get(c->na.params, SL("expires"), NULL))
			out_fmt(o, ";expires=%u", (unsigned)c->expires_s);
		out_z(o, "\r\n");
	}
}

static void write_register(const struct registrar *r, const struct reg_request *q,
			   struct slice branch, struct out *o)
{
	const struct sip_msg *msg = q->msg;
	char uri[SIP_URI_BYTES_MAX];
	struct out u = out_to(uri, sizeof(uri));
	struct cross x;

	cross_init(&x, &q->phone, &q->pbx, msg);
	x.drop_credentials = q->attempt.replayed;
	cross_uri(&x, &u, &msg->uri, msg->uri_text);
	sip_write_request_line(o, sip_method_name(SIP_REGISTER), out_slice(&u));
	side_write_via(o, &q->pbx, branch);
	sip_write_header_u64(o, SIP_H_MAX_FORWARDS, side_hops_left(msg));
	out_z(o, "From: ");
	cross_name_addr(&x, o, &msg->from);
	out_z(o, ";tag=");
	reg_tag_write(r, q, o);
	out_z(o, "\r\nTo: ");
	cross_name_addr(&x, o, &msg->to);
	out_z(o, "\r\nCall-ID: ");
	reg_call_id_write(r, q, o);
	out_fmt(o, "\r\nCSeq: %u REGISTER\r\n", (unsigned)msg->cseq.number);
	write_contacts(q, o);
	if (msg->expires_s >= 0)
		sip_write_header_u64(o, SIP_H_EXPIRES, (uint64_t)msg->expires_s);
	cross_headers(&x, o, msg);
	sip_write_body(o, no_bytes, no_bytes);
	if (u.err)
		o->err = u.err;
}

void reg_pending_free(struct reg_pending *p)
{
	if (p->client)
		txn_release(p->client);
	if (p->server)
		txn_release(p->server);
	list_remove(&p->node);
	mem_free(p);
}

void reg_pending_fail(struct reg_pending *p, uint64_t now_ms, enum reason why)
{
	if (p->server)
		reg_refuse(p->registrar, now_ms, p->server, why);
	reg_pending_free(p);
}

/* ---- back to the phone ---- */

static void write_live_contact(const struct binding *b, struct slice params, uint64_t now_ms,
			       struct out *o)
{
	out_fmt(o, "Contact: <%s>", b->contact);
	reg_write_params(o, params);
	out_fmt(o, ";expires=%u\r\n", (unsigned)((b->expires_ms - now_ms) / 1000));
}

/* Only what the phone itself registered, or, when it asks, what its own address did: other phones
 * of the same user are not its business. */
static void write_live_contacts(const struct registrar *r, const struct reg_request *q,
				uint64_t now_ms, struct out *o)
{
	for (size_t i = 0; i < q->contact_count; i++) {
		const struct binding *b = reg_binding_find(r, q, &q->contact[i]);

		if (b && q->contact[i].expires_s)
			write_live_contact(b, q->contact[i].na.params, now_ms, o);
	}
	if (q->contact_count || q->wildcard)
		return;
	list_for_each (node, &r->bindings) {
		const struct binding *b = container_of(node, struct binding, node);

		if (strcmp(b->aor, q->aor) == 0 && b->phones == q->phone.owner.index &&
		    ip_eq(&b->source.remote.addr, &q->phone.path.remote.addr))
			write_live_contact(b, no_bytes, now_ms, o);
	}
}

/* The smallest one: phones that read the header only must not come too late. */
static void write_expires(const struct registrar *r, const struct reg_request *q, uint64_t now_ms,
			  struct out *o)
{
	uint64_t least_s = UINT64_MAX;

	for (size_t i = 0; i < q->contact_count; i++) {
		const struct binding *b = reg_binding_find(r, q, &q->contact[i]);
		uint64_t left_s = b ? (b->expires_ms - now_ms) / 1000 : UINT64_MAX;

		if (q->contact[i].expires_s && left_s < least_s)
			least_s = left_s;
	}
	if (least_s != UINT64_MAX)
		sip_write_header_u64(o, SIP_H_EXPIRES, least_s);
}

static void send_answer(struct registrar *r, uint64_t now_ms, struct txn *server, unsigned status,
			struct out *o)
{
	sip_write_body(o, no_bytes, no_bytes);
	if (o->err)
		reg_refuse(r, now_ms, server, REASON_response_too_long);
	else
		(void)txn_respond(server, now_ms, status, out_slice(o));
}

/* The head of an answer and what of the PBX's may cross (`response` may be NULL). */
static void begin_answer(struct registrar *r, const struct reg_request *q, unsigned status,
			 const struct sip_msg *response, struct out *o)
{
	char tag[2 * CALL_TOKEN_BYTES];
	struct cross x;
	int err = sip_write_response_head(o, q->msg, status,
					  response ? response->reason_phrase : no_bytes,
					  &q->phone.path.remote, new_tag(r, tag));

	if (err)
		o->err = err;
	if (!response)
		return;
	cross_init(&x, &q->pbx, &q->phone, response);
	cross_headers(&x, o, response);
}

void reg_answer_ok(struct registrar *r, uint64_t now_ms, struct txn *server,
		   const struct reg_request *q, const struct sip_msg *response)
{
	struct out o = out_to(r->txns->scratch, CORE_MESSAGE_MAX);

	begin_answer(r, q, response ? response->status : 200, response, &o);
	write_live_contacts(r, q, now_ms, &o);
	write_expires(r, q, now_ms, &o);
	send_answer(r, now_ms, server, 200, &o);
}

/* What the PBX grants to our Contact: its parameter, else the header, else what was asked. */
static uint32_t granted_to(const struct sip_msg *response, const struct reg_contact *c)
{
	struct sip_values v = sip_values_of(response, SIP_H_CONTACT);
	struct sip_name_addr na;
	struct slice value, text;
	uint32_t s = c->expires_s;

	if (response->expires_s >= 0 && response->expires_s < s)
		s = (uint32_t)response->expires_s;
	while (sip_values_next(&v, &value)) {
		if (sip_name_addr_parse(value, &na) || !slice_eq(na.uri.user, slice_z(c->token)))
			continue;
		if (sip_param_get(na.params, SL("expires"), &text) &&
		    slice_u32(text, REG_EXPIRES_MAX_S, &s))
			s = c->expires_s;
		break;
	}
	return s;
}

/* Makes the bindings what the PBX just accepted. */
static int accept_contacts(struct registrar *r, uint64_t now_ms, const struct reg_request *q,
			   const struct sip_msg *response)
{
	int err = 0;

	if (q->wildcard)
		reg_bindings_remove_all(r, q->aor, q->pbx.owner.index);
	for (size_t i = 0; !err && i < q->contact_count; i++) {
		const struct reg_contact *c = &q->contact[i];
		struct binding *b = reg_binding_find(r, q, c);
		uint32_t granted_s = c->expires_s ? granted_to(response, c) : 0;

		if (granted_s)
			err = reg_binding_put(r, now_ms, q, c, granted_s);
		else if (b)
			reg_binding_remove(b, REASON_NONE);
	}
	return err;
}

static void on_accepted(struct reg_pending *p, uint64_t now_ms, const struct reg_request *q,
			const struct sip_msg *response)
{
	int err = accept_contacts(p->registrar, now_ms, q, response);

	if (err)
		reg_refuse(p->registrar, now_ms, p->server,
			   err == ERR_LIMIT ? REASON_registrations_limit : REASON_out_of_memory);
	else
		reg_answer_ok(p->registrar, now_ms, p->server, q, response);
}

static void on_response(struct txn *t, uint64_t now_ms, const struct sip_msg *response)
{
	struct reg_pending *p = txn_owner(t);
	struct registrar *r = p->registrar;
	struct out o = out_to(r->txns->scratch, CORE_MESSAGE_MAX);
	struct reg_request q;
	struct sip_msg request;
	enum reason why, offence = REASON_NONE;
	struct path path = *txn_path(p->server);

	if (response->status < 200)
		return;
	r->pbx_silent[r->config->phones[p->phones].to] = false;
	why = txn_request(p->server, &request)
		      ? REASON_out_of_memory
		      : reg_request_read(r, txn_path(p->server), p->phones, &request, &q);
	for (size_t i = 0; why == REASON_NONE && i < q.contact_count; i++)
		memcpy(q.contact[i].token, p->token[i], BINDING_TOKEN_MAX);
	if (why == REASON_NONE)
		offence = screen_on_register_answer(r->screen, &path, q.aor, &p->attempt, response,
						    now_ms);
	if (why != REASON_NONE) {
		reg_refuse(r, now_ms, p->server, why);
	} else if (response->status < 300) {
		on_accepted(p, now_ms, &q, response);
	} else if (response->status < 400) {
		/* Its Contact is inside; to follow it is the administrator's to configure. */
		reg_refuse(r, now_ms, p->server, REASON_peer_unreachable);
	} else {
		begin_answer(r, &q, response->status, response, &o);
		send_answer(r, now_ms, p->server, response->status, &o);
	}
	if (why == REASON_NONE)
		screen_on_unproven(r->screen, &path, &request, response, now_ms);
	reg_pending_free(p);
	if (offence != REASON_NONE)
		reg_report_refused(r, &path, offence);
}

static void on_client_failed(struct txn *t, uint64_t now_ms, enum reason why)
{
	struct reg_pending *p = txn_owner(t);
	struct registrar *r = p->registrar;
	uint16_t pbx = r->config->phones[p->phones].to;

	if (!r->pbx_silent[pbx])
		registrar_pbx_was_away(r, pbx);
	r->pbx_silent[pbx] = true;
	reg_pending_fail(p, now_ms, why);
}

/* The phone's connection is gone: nobody waits for the answer any more. */
static void on_server_gone(struct txn *t, uint64_t now_ms)
{
	struct reg_pending *p = txn_owner(t);

	p->server = NULL;
	reg_pending_free(p);
}

static const struct txn_user client_user = {.on_response = on_response,
					    .on_failed = on_client_failed};
static const struct txn_user server_user = {.on_gone = on_server_gone};

enum reason reg_forward(struct registrar *r, uint64_t now_ms, struct txn *server, uint16_t phones,
			struct reg_request *q)
{
	struct reg_pending *p = mem_zalloc(1, sizeof(*p));
	struct out o = out_to(r->txns->scratch, CORE_MESSAGE_MAX);
	char branch[TXN_BRANCH_MAX];
	enum reason why = REASON_NONE;

	if (!p)
		return REASON_out_of_memory;
	p->registrar = r;
	p->phones = phones;
	p->attempt = q->attempt;
	for (size_t i = 0; i < q->contact_count; i++)
		memcpy(p->token[i], q->contact[i].token, BINDING_TOKEN_MAX);
	txn_branch_new(r->txns, branch);
	write_register(r, q, slice_z(branch), &o);
	if (o.err)
		why = REASON_response_too_long;
	else
		p->client = txn_client_new(r->txns, now_ms, &q->pbx.path, SIP_REGISTER,
					   slice_z(branch), out_slice(&o), &client_user, p, &why);
	if (!p->client) {
		mem_free(p);
		return why;
	}
	p->server = server;
	txn_user_set(server, &server_user, p);
	list_append(&r->pending, &p->node);
	return REASON_NONE;
}
