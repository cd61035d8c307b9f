/* PX: what a PBX answers to requests without credentials. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/sip.h"

/* Numbers and names that many PBXs have: compared with a name that no PBX has. */
static const char *const usual_users[] = {"100", "1000", "2000", "admin", "101"};

/* What an attacker compares: status, reason, and whether and how it is challenged. */
struct answer_shape {
	uint16_t status;
	char reason[64];
	bool challenged;
	uint32_t delay_ms;
};

static int ask_shape(struct visit *v, enum packet_class class, const char *method, const char *user,
		     struct answer_shape *out)
{
	struct sip_reply r;
	struct sip_ask ask = {.class = class, .method = method, .user = user};
	struct slice line, rest;
	int err;

	if (strcmp(method, "REGISTER") == 0) {
		ask.from = user;
		ask.extra = "Expires: 0\r\n";
	}
	err = visit_sip(v, &ask, &r);
	if (err)
		return err;
	line = slice_split(slice_of(r.bytes, r.n), '\r', &rest);
	*out = (struct answer_shape){.status = r.provisional > 100 ? r.provisional : r.status,
				     .delay_ms = r.delay_ms,
				     .challenged =
					     sip_reply_header(&r, "WWW-Authenticate", 0).n > 0 ||
					     sip_reply_header(&r, "Proxy-Authenticate", 0).n > 0};
	(void)slice_to_z(slice_trim(slice_from(line, 12)), out->reason, sizeof(out->reason));
	return 0;
}

static bool same(const struct answer_shape *a, const struct answer_shape *b)
{
	return a->status == b->status && a->challenged == b->challenged &&
	       strcmp(a->reason, b->reason) == 0;
}

/* A name that cannot exist, then the usual ones, by one method. */
static enum verdict enumerate(struct visit *v, enum packet_class class, const char *method)
{
	char token[17];
	struct answer_shape stranger, usual;
	enum verdict verdict = VERDICT_CLEAN;
	int err;

	visit_token(token);
	err = ask_shape(v, class, method, token, &stranger);
	if (err == -ECONNREFUSED || err == -ETIMEDOUT)
		return visit_untested(v, "it answers no %s on its SIP port", method);
	if (err)
		return visit_failed(v, method, err);
	for (size_t i = 0; i < sizeof(usual_users) / sizeof(usual_users[0]); i++) {
		err = ask_shape(v, class, method, usual_users[i], &usual);
		if (err == ERR_DENIED && class == PACKET_SIP_INVITE)
			continue; /* somewhere an emergency number: never called */
		if (err)
			return visit_failed(v, method, err);
		if (!same(&stranger, &usual))
			verdict = visit_found(
				v, &(struct found){.port = v->target->asset->sip_port},
				"%s: a name that cannot exist gets %u %s%s, \"%s\" gets %u %s%s",
				method, stranger.status, stranger.reason,
				stranger.challenged ? " with a challenge" : "", usual_users[i],
				usual.status, usual.reason,
				usual.challenged ? " with a challenge" : "");
	}
	return verdict;
}

/* Expires: 0 asks for nothing to be kept, so that no answer changes a registration. */
enum verdict px08_register_enumeration(struct visit *v)
{
	return enumerate(v, PACKET_SIP_REGISTER, "REGISTER");
}

/* An INVITE that rings is cancelled at once. */
enum verdict px09_call_enumeration(struct visit *v)
{
	enum verdict options = enumerate(v, PACKET_SIP_OPTIONS, "OPTIONS");
	enum verdict invite = enumerate(v, PACKET_SIP_INVITE, "INVITE");

	if (options == VERDICT_FOUND || invite == VERDICT_FOUND)
		return VERDICT_FOUND;
	return options == VERDICT_UNTESTED ? options : invite;
}
