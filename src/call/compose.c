#include "call/call.h"

#include "proto/sip/sip_write.h"

/* Does the dialog have a way of its own to the asked leg already? */
static const struct dialog_end *asked_end(const struct exchange *x, const struct dialog *d)
{
	const struct dialog_end *e = d ? &d->end[!x->from] : NULL;

	return e && e->target_n ? e : NULL;
}

/* Request line, Via, Route, From, To, Call-ID, CSeq: what belongs to our side alone. */
static void write_own_head(const struct exchange *x, const struct dialog *d, struct slice method,
			   uint32_t cseq, struct slice branch, struct out *o)
{
	const struct leg *to = &x->call->leg[!x->from];
	const struct dialog_end *e = asked_end(x, d);

	sip_write_request_line(o, method, e ? slice_of(e->target, e->target_n) : to->first_uri);
	side_write_via(o, &to->side, branch);
	for (unsigned i = 0; e && i < e->route_count; i++)
		sip_write_header_id(o, SIP_H_ROUTE, e->routes[i]);
	out_z(o, "From: ");
	out_bytes(o, to->our_uri);
	out_z(o, ";tag=");
	out_bytes(o, d ? d->end[!x->from].local_tag : to->our_tag);
	out_z(o, "\r\nTo: ");
	out_bytes(o, to->peer_uri);
	if (d) {
		out_z(o, ";tag=");
		out_bytes(o, d->end[!x->from].remote_tag);
	}
	out_z(o, "\r\n");
	sip_write_header_id(o, SIP_H_CALL_ID, to->call_id);
	out_z(o, "CSeq: ");
	out_u64(o, cseq);
	out_char(o, ' ');
	out_bytes(o, method);
	out_z(o, "\r\n");
}

static void write_contact(const struct leg *to, struct out *o)
{
	char user[16];
	struct out u = out_to(user, sizeof(user));

	out_fmt(&u, "c-%x", to->call->id);
	out_z(o, "Contact: ");
	side_write_contact(o, &to->side, out_slice(&u));
	out_z(o, "\r\n");
}

/* Methods that set or refresh a dialog's remote target carry a Contact (RFC 3261 table 2, 3265,
 * 3311). */
static bool has_contact(enum sip_method m)
{
	return m == SIP_INVITE || m == SIP_UPDATE || m == SIP_SUBSCRIBE || m == SIP_NOTIFY ||
	       m == SIP_REFER || m == SIP_OPTIONS;
}

static enum cross_known map_dialog(const struct cross *x, const struct cross_dialog *in,
				   struct cross_dialog *out)
{
	struct sip_msg probe = {.call_id = in->call_id};
	const struct leg *l, *other;
	const struct dialog_end *end;
	struct dialog *d;
	bool swapped;

	l = leg_find(x->map_ctx, &probe, in->to_tag, in->from_tag, &d);
	swapped = !d;
	if (!d)
		l = leg_find(x->map_ctx, &probe, in->from_tag, in->to_tag, &d);
	if (!l || !d)
		return leg_known(x->map_ctx, in->call_id) ? CROSS_ELSEWHERE : CROSS_UNKNOWN;
	other = &l->call->leg[!l->index];
	if (l->side.zone != x->from->zone || other->side.zone != x->to->zone)
		return CROSS_ELSEWHERE;
	end = &d->end[!l->index];
	*out = (struct cross_dialog){.call_id = other->call_id,
				     .to_tag = swapped ? end->local_tag : end->remote_tag,
				     .from_tag = swapped ? end->remote_tag : end->local_tag};
	return CROSS_KNOWN;
}

void compose_cross(const struct call *k, unsigned from, const struct sip_msg *in, struct cross *x)
{
	cross_init(x, &k->leg[from].side, &k->leg[!from].side, in);
	x->map_dialog = map_dialog;
	x->map_ctx = k->core;
	x->drop_identity = identity_ends_here(k, from);
}

/* RAck names the INVITE by its CSeq, which is another one on the other leg (RFC 3262 7.2). */
static void write_rack(const struct exchange *x, const struct sip_msg *in, struct out *o)
{
	const struct sip_header *h = sip_header_first(in, SIP_H_RACK);
	const struct exchange *invite = exchange_invite(x->call, x->from);
	struct sip_cseq cseq;
	uint32_t rseq;

	if (!h || sip_rack_parse(h->value, &rseq, &cseq))
		return;
	out_z(o, "RAck: ");
	out_u64(o, rseq);
	out_char(o, ' ');
	out_u64(o,
		invite && invite->server_cseq == cseq.number ? invite->client_cseq : cseq.number);
	out_char(o, ' ');
	out_bytes(o, cseq.method_text);
	out_z(o, "\r\n");
}

static void write_hops(const struct sip_msg *in, struct out *o)
{
	sip_write_header_u64(o, SIP_H_MAX_FORWARDS, side_hops_left(in));
}

int compose_request(const struct exchange *x, const struct sip_msg *in, struct slice auth,
		    struct slice branch, struct slice content_type, struct slice body,
		    struct out *o)
{
	struct cross cross;

	compose_cross(x->call, x->from, in, &cross);
	if (x->method == SIP_INVITE && !x->dialog)
		cross.mark = identity_verstat(x->call);
	write_own_head(x, x->dialog, in->method_text, x->client_cseq, branch, o);
	write_hops(in, o);
	if (has_contact(x->method))
		write_contact(&x->call->leg[!x->from], o);
	if (in->expires_s >= 0)
		sip_write_header_u64(o, SIP_H_EXPIRES, (uint64_t)in->expires_s);
	write_rack(x, in, o);
	cross_headers(&cross, o, in);
	if (x->method == SIP_INVITE && !x->dialog)
		out_bytes(o, x->call->identity.line);
	out_bytes(o, auth);
	sip_write_body(o, content_type, body);
	return o->err;
}

int compose_own(const struct exchange *x, struct slice branch, struct out *o)
{
	struct slice none = {0};

	write_own_head(x, x->dialog, sip_method_name(x->method), x->client_cseq, branch, o);
	write_hops(NULL, o);
	if (has_contact(x->method))
		write_contact(&x->call->leg[!x->from], o);
	sip_write_body(o, none, none);
	return o->err;
}

int compose_ack(const struct exchange *x, const struct dialog *d, const struct sip_msg *in,
		struct slice branch, struct slice content_type, struct slice body, struct out *o)
{
	struct cross cross;

	write_own_head(x, d, SL("ACK"), x->client_cseq, branch, o);
	write_hops(in, o);
	if (in) {
		compose_cross(x->call, x->from, in, &cross);
		cross_headers(&cross, o, in);
	}
	sip_write_body(o, content_type, body);
	return o->err;
}

/* Contacts of a redirection become addresses at our own side (RFC 3261 8.1.3.4). */
static void write_redirect_contacts(const struct cross *x, const struct sip_msg *in, struct out *o)
{
	struct sip_values v = sip_values_of(in, SIP_H_CONTACT);
	struct sip_name_addr na;
	struct slice one;

	while (sip_values_next(&v, &one)) {
		if (sip_name_addr_parse(one, &na) || na.wildcard)
			continue;
		out_z(o, "Contact: ");
		if (na.uri.user.n && na.uri.scheme != SIP_SCHEME_TEL)
			side_write_contact(o, x->to, na.uri.user);
		else
			cross_name_addr(x, o, &na);
		out_z(o, "\r\n");
	}
}

int compose_response(const struct exchange *x, const struct dialog *d, const struct sip_msg *in,
		     struct slice content_type, struct slice body, struct out *o)
{
	const struct leg *to = &x->call->leg[x->from];
	struct slice tag = d ? d->end[x->from].local_tag : to->our_tag;
	struct sip_msg request;
	struct cross cross;
	int err = txn_request(x->server, &request);

	if (err)
		return err;
	compose_cross(x->call, !x->from, in, &cross);
	err = sip_write_response_head(o, &request, in->status, in->reason_phrase,
				      &txn_path(x->server)->remote,
				      in->status > 100 ? tag : SL(""));
	if (err)
		return err;
	/* A dialog's first answers repeat the asker's own route set (RFC 3261 12.1.1). */
	if (!x->dialog && in->status > 100 && in->status < 300)
		sip_write_copied(o, &request, SIP_H_RECORD_ROUTE);
	if (in->status >= 300 && in->status < 400)
		write_redirect_contacts(&cross, in, o);
	else if (in->status > 100 && in->status < 300 && has_contact(x->method))
		write_contact(to, o);
	if (in->expires_s >= 0)
		sip_write_header_u64(o, SIP_H_EXPIRES, (uint64_t)in->expires_s);
	cross_headers(&cross, o, in);
	sip_write_body(o, content_type, body);
	return o->err;
}
