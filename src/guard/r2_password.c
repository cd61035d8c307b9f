#include "guard/r2_password.h"

bool r2_has_password(const struct sip_msg *request)
{
	return sip_header_first(request, SIP_H_AUTHORIZATION) ||
	       sip_header_first(request, SIP_H_PROXY_AUTHORIZATION);
}

/* The challenge says that the nonce was too old, not that the password was wrong (RFC 7616 3.3). */
static bool stale(const struct sip_msg *response)
{
	const struct sip_header *h = sip_header_first(response, SIP_H_WWW_AUTHENTICATE);
	struct sip_auth auth;

	h = h ? h : sip_header_first(response, SIP_H_PROXY_AUTHENTICATE);
	return h && sip_auth_parse(h->value, &auth) == 0 &&
	       slice_eq_nocase(sip_auth_param(&auth, SL("stale")), SL("true"));
}

static bool is_challenge(const struct sip_msg *response)
{
	return response->status == 401 || response->status == 407;
}

static enum reason refused(struct r2_detect *d, const struct r2_asked *asked, struct slice account)
{
	(void)r2_account_failed(d, account, asked->now_ms, asked->guard_ms);
	return REASON_credentials_wrong;
}

enum reason r2_on_register_answer(struct r2_detect *d, const struct r2_asked *asked,
				  const struct r2_try *attempt, const struct sip_msg *response)
{
	bool denied = response->status == 403 || response->status == 404, walks = false;

	if (response->status < 300 && attempt->password) {
		r2_detect_proved(d, &asked->flow, asked->now_ms);
		r2_account_proved(d, asked->name);
	}
	if (is_challenge(response))
		walks = r2_detect_challenged(d, &asked->flow, asked->name, asked->now_ms);
	/* Anything else is a PBX in trouble, and nobody's offence. */
	if (!attempt->password)
		return walks || denied ? REASON_name_walk : REASON_NONE;
	if (denied || (is_challenge(response) && attempt->fresh && !stale(response)))
		return refused(d, asked, asked->name);
	return REASON_NONE;
}

/* The challenge of a call names nobody: whichever account is tried next, it is tried afresh. */
enum reason r2_on_answer(struct r2_detect *d, const struct r2_asked *asked,
			 const struct sip_msg *response)
{
	bool fresh, walks = false;

	fresh = asked->account.n && r2_detect_tried(d, &asked->flow, asked->name, asked->now_ms);
	if (is_challenge(response))
		walks = r2_detect_challenged(d, &asked->flow, asked->name, asked->now_ms);
	if (is_challenge(response) && fresh && !stale(response))
		return refused(d, asked, asked->account);
	if (response->status < 300 && asked->account.n) {
		r2_detect_proved(d, &asked->flow, asked->now_ms);
		/* A PBX may let a call pass without a look at whose password is there. */
		if (slice_eq(asked->account, asked->name))
			r2_account_proved(d, asked->account);
	}
	return walks && asked->account.n == 0 ? REASON_name_walk : REASON_NONE;
}
