#include "call/password.h"

#include "call/call.h"

/* The account whose password is tried (RFC 7616 3.4: username), at the domain where this phone is
 * registered: a phone may guess another one's. */
static struct slice account_of(const char *aor, const struct sip_header *h, char buf[CALL_TEXT_MAX])
{
	struct out o = out_to(buf, CALL_TEXT_MAX);
	struct slice host;
	struct sip_auth auth;

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
	enum reason why = REASON_NONE;

	for (unsigned i = 0; i < msg->header_count && !why; i++) {
		const struct sip_header *h = &msg->header[i];

		if (h->id == SIP_H_PROXY_AUTHORIZATION || h->id == SIP_H_AUTHORIZATION)
			why = screen_may_try(&c->screen, from, account_of(aor, h, buf), now_ms);
	}
	return why;
}

/* Which credentials an answer speaks of: a proxy's or a server's (RFC 3261 22.2, 22.3). */
static bool speaks_of(const struct sip_msg *r, const struct sip_header *h)
{
	return (h->id == SIP_H_PROXY_AUTHORIZATION && r->status != 401) ||
	       (h->id == SIP_H_AUTHORIZATION && r->status != 407);
}

/* Several may stand there, and only the PBX knows which of them it looked at: a wrong password is
 * each account's. */
static enum reason judge(struct core *c, uint64_t now_ms, const struct path *from, const char *aor,
			 const struct sip_msg *request, const struct sip_msg *r)
{
	char buf[CALL_TEXT_MAX];
	enum reason why = REASON_NONE;
	bool first = true;

	for (unsigned i = 0; i < request->header_count; i++) {
		const struct sip_header *h = &request->header[i];
		struct slice account;

		if (!speaks_of(r, h))
			continue;
		account = account_of(aor, h, buf);
		if (first)
			why = screen_on_answer(&c->screen, from, slice_z(aor), account, r, now_ms);
		else if (why == REASON_credentials_wrong)
			screen_on_guessed(&c->screen, account, now_ms);
		first = false;
	}
	return first ? screen_on_answer(&c->screen, from, slice_z(aor), SL(""), r, now_ms) : why;
}

void password_on_response(struct exchange *x, uint64_t now_ms, const struct sip_msg *r)
{
	struct core *c = x->call->core;
	const struct side *phone = &x->call->leg[CALLER].side;
	const struct binding *b;
	struct sip_msg request;
	enum reason why;

	if (r->status < 200 || x->dialog || x->from != CALLER ||
	    phone->owner.kind != OWNER_PHONES || !x->server || txn_request(x->server, &request))
		return;
	b = registrar_by_source(&c->registrar, &phone->path, request.from.uri.user);
	if (!b)
		return;
	why = judge(c, now_ms, &phone->path, b->aor, &request, r);
	if (why)
		core_report_refused(c, &phone->path, why, x->call->id,
				    slice_first(request.method_text, SIP_METHOD_MAX));
}
