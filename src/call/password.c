#include "call/password.h"

#include "call/call.h"

static const struct sip_header *credentials_of(const struct sip_msg *msg)
{
	const struct sip_header *h = sip_header_first(msg, SIP_H_PROXY_AUTHORIZATION);

	return h ? h : sip_header_first(msg, SIP_H_AUTHORIZATION);
}

/* The account whose password is tried (RFC 7616 3.4: username), at the domain where this phone is
 * registered: a phone may guess another one's. Empty: none is. */
static struct slice account_of(const char *aor, const struct sip_msg *msg, char buf[CALL_TEXT_MAX])
{
	const struct sip_header *h = credentials_of(msg);
	struct out o = out_to(buf, CALL_TEXT_MAX);
	struct slice host;
	struct sip_auth auth;

	if (!h)
		return SL("");
	(void)slice_split(slice_z(aor), '@', &host);
	if (sip_auth_parse(h->value, &auth) == 0)
		out_bytes(&o, sip_auth_param(&auth, SL("username")));
	out_char(&o, '@');
	out_bytes(&o, host);
	return o.err ? slice_z(aor) : out_slice(&o);
}

enum reason password_on_request(const struct core *c, uint64_t now_ms, const struct path *from,
				const char *aor, const struct sip_msg *msg)
{
	char buf[CALL_TEXT_MAX];
	struct slice account = account_of(aor, msg, buf);

	return account.n ? screen_may_try(&c->screen, from, account, now_ms) : REASON_NONE;
}

void password_on_response(struct exchange *x, uint64_t now_ms, const struct sip_msg *r)
{
	struct core *c = x->call->core;
	const struct side *phone = &x->call->leg[CALLER].side;
	char buf[CALL_TEXT_MAX];
	const struct binding *b;
	struct sip_msg request;
	enum reason why;

	if (r->status < 200 || x->dialog || x->from != CALLER ||
	    phone->owner.kind != OWNER_PHONES || !x->server || txn_request(x->server, &request))
		return;
	b = registrar_by_source(&c->registrar, &phone->path, request.from.uri.user);
	if (!b)
		return;
	why = screen_on_answer(&c->screen, &phone->path, slice_z(b->aor),
			       account_of(b->aor, &request, buf), r, now_ms);
	if (why)
		core_report_refused(c, &phone->path, why, x->call->id,
				    slice_first(request.method_text, SIP_METHOD_MAX));
}
