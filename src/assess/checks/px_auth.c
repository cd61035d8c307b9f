/* PX: who a PBX lets do what, and how it asks for a password. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/sip.h"
#include "proto/sip/sip_msg.h"

#define CHALLENGES 20
#define NONCE_MAX  128
#define NONCE_MIN  16 /* characters: 64 bits in hexadecimal */

static uint16_t sip_port(const struct visit *v)
{
	return v->target->asset->sip_port;
}

static const char *test_user(const struct visit *v)
{
	return v->target->asset->test_user;
}

static enum verdict no_sip(struct visit *v, const char *method, int err)
{
	if (err == -ECONNREFUSED || err == -ETIMEDOUT)
		return visit_untested(v, "it answers no %s on its SIP port", method);
	return visit_failed(v, method, err);
}

/* ---- PX-12: registering without a password ---- */

static int register_once(struct visit *v, const char *extra, struct sip_reply *r)
{
	return visit_sip(v,
			 &(struct sip_ask){.class = PACKET_SIP_REGISTER,
					   .method = "REGISTER",
					   .user = test_user(v),
					   .from = test_user(v),
					   .extra = extra},
			 r);
}

/* What was registered is taken back at once. */
enum verdict px12_open_register(struct visit *v)
{
	struct sip_reply r, undo;
	int err = register_once(v, "Expires: 60\r\n", &r);

	if (err)
		return no_sip(v, "REGISTER", err);
	if (r.status < 200 || r.status >= 300)
		return VERDICT_CLEAN;
	err = register_once(v, "Expires: 0\r\n", &undo);
	return visit_found(v, &(struct found){.port = sip_port(v)},
			   "REGISTER of \"%s\" without credentials got %u; it was %s", test_user(v),
			   r.status, err || undo.status >= 300 ? "NOT taken back" : "taken back");
}

/* ---- PX-13: other methods without a password ---- */

enum verdict px13_open_methods(struct visit *v)
{
	static const struct {
		const char *method, *extra, *type, *body;
	} rows[] = {
		{"SUBSCRIBE", "Event: presence\r\nExpires: 0\r\n", NULL, ""},
		{"MESSAGE", NULL, "text/plain", "hornwork-assess"},
		{"PUBLISH", "Event: presence\r\nExpires: 0\r\n", NULL, ""},
		{"REFER", "Refer-To: <sip:hornwork-assess@invalid>\r\n", NULL, ""},
	};
	enum verdict verdict = VERDICT_CLEAN;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_reply r;
		int err = visit_sip(v,
				    &(struct sip_ask){.class = PACKET_SIP_OTHER,
						      .method = rows[i].method,
						      .user = test_user(v),
						      .extra = rows[i].extra,
						      .content_type = rows[i].type,
						      .body = slice_z(rows[i].body)},
				    &r);

		if (err == -ETIMEDOUT || err == -ECONNREFUSED)
			continue; /* not answered is not accepted */
		if (err)
			return visit_failed(v, rows[i].method, err);
		if (r.status >= 200 && r.status < 300)
			verdict = visit_found(v, &(struct found){.port = sip_port(v)},
					      "%s without credentials got %u", rows[i].method,
					      r.status);
	}
	return verdict;
}

/* ---- PX-14, PX-15: the challenge ---- */

static struct slice challenge_of(const struct sip_reply *r, unsigned nth)
{
	struct slice c = sip_reply_header(r, "WWW-Authenticate", nth);

	return c.n ? c : sip_reply_header(r, "Proxy-Authenticate", nth);
}

static struct slice param(struct slice challenge, struct slice name)
{
	struct sip_auth auth;

	if (sip_auth_parse(challenge, &auth))
		return (struct slice){0};
	return sip_auth_param(&auth, name);
}

enum verdict px14_weak_digest(struct visit *v)
{
	struct sip_reply r;
	bool strong = false;
	int err = register_once(v, "Expires: 0\r\n", &r);

	if (err)
		return no_sip(v, "REGISTER", err);
	if (!challenge_of(&r, 0).n)
		return visit_absent(v, "it does not challenge a REGISTER (%u)", r.status);
	for (unsigned i = 0; challenge_of(&r, i).n; i++) {
		struct slice algorithm = param(challenge_of(&r, i), SL("algorithm"));

		strong |= slice_starts_nocase(algorithm, SL("SHA-"));
	}
	if (strong)
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = sip_port(v)},
			   "its challenges offer MD5 alone (RFC 8760 has SHA-256)");
}

struct challenges {
	char nonce[CHALLENGES][NONCE_MAX];
	size_t count, repeated, shortest;
	bool without_qop;
};

static void take_challenge(struct challenges *c, struct slice challenge)
{
	struct slice nonce = param(challenge, SL("nonce"));

	c->without_qop |= !param(challenge, SL("qop")).n;
	c->shortest = nonce.n < c->shortest ? nonce.n : c->shortest;
	(void)slice_to_z(nonce, c->nonce[c->count], NONCE_MAX);
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->nonce[i], c->nonce[c->count]) == 0) {
			c->repeated++;
			break;
		}
	c->count++;
}

enum verdict px15_nonces(struct visit *v)
{
	struct challenges c = {.shortest = SIZE_MAX};
	enum verdict verdict = VERDICT_CLEAN;
	struct found f = {.port = sip_port(v)};

	while (c.count < CHALLENGES) {
		struct sip_reply r;
		int err = register_once(v, "Expires: 0\r\n", &r);

		if (err && c.count == 0)
			return no_sip(v, "REGISTER", err);
		if (err)
			break; /* it has had enough of us: what there is will do */
		if (!challenge_of(&r, 0).n)
			return visit_absent(v, "it does not challenge a REGISTER (%u)", r.status);
		take_challenge(&c, challenge_of(&r, 0));
	}
	if (c.without_qop)
		verdict = visit_found(v, &f, "a challenge has no qop: the digest can be replayed");
	if (c.shortest < NONCE_MIN)
		verdict = visit_found(v, &f, "a nonce has %zu characters", c.shortest);
	if (c.repeated)
		verdict = visit_found(v, &f, "%zu of %zu nonces came before", c.repeated, c.count);
	return verdict;
}

/* ---- PX-28: limits of a registration ---- */

/* Whether one of a Contact's values is registered for so long. */
static bool has_expiry(struct slice contact, uint32_t seconds)
{
	static const struct slice name = SLICE("expires=");
	size_t at;

	while ((at = slice_find_slice(contact, name)) < contact.n) {
		uint32_t told = 0;

		contact = slice_from(contact, at + name.n);
		for (size_t i = 0;
		     i < contact.n && i < 9 && contact.p[i] >= '0' && contact.p[i] <= '9'; i++)
			told = told * 10 + (uint32_t)(contact.p[i] - '0');
		if (told == seconds)
			return true;
	}
	return false;
}

/* Whether it registers for so long as it was asked to: many that have bounds say 200 and grant
 * another time. The answer lists all that is registered, ours among it (RFC 3261 10.3, step 8). */
static bool grants(const struct sip_reply *r, uint32_t seconds)
{
	for (unsigned i = 0; r->status < 300; i++) {
		struct slice contact = sip_reply_header(r, "Contact", i);

		if (!contact.n)
			break;
		if (has_expiry(contact, seconds))
			return true;
	}
	return false;
}

static int register_eleven(struct visit *v, struct sip_reply *r)
{
	char contacts[1024] = "";
	struct out o = out_to(contacts, sizeof(contacts) - 1);

	for (unsigned i = 1; i <= 10; i++)
		out_fmt(&o, "Contact: <sip:assess-%u@invalid>\r\n", i);
	out_z(&o, "Expires: 60\r\n");
	contacts[o.n] = '\0';
	return register_once(v, contacts, r);
}

static void register_nothing(struct visit *v)
{
	struct sip_reply r;

	(void)!visit_sip(v,
			 &(struct sip_ask){.class = PACKET_SIP_REGISTER,
					   .method = "REGISTER",
					   .user = test_user(v),
					   .from = test_user(v),
					   .without_contact = true,
					   .extra = "Contact: *\r\nExpires: 0\r\n"},
			 &r);
}

static bool asks_for_credentials(uint16_t status)
{
	return status == 401 || status == 407 || status == 403 || status == 404;
}

/* Without credentials most refuse before they look at Expires: then the limits cannot be seen. */
enum verdict px28_register_limits(struct visit *v)
{
	struct sip_reply brief, longest, many;
	enum verdict verdict = VERDICT_CLEAN;
	struct found f = {.port = sip_port(v)};
	int err = register_once(v, "Expires: 1\r\n", &brief);

	if (err)
		return no_sip(v, "REGISTER", err);
	if (asks_for_credentials(brief.status))
		return visit_absent(
			v,
			"it registers nobody without credentials (%u); its limits are not "
			"seen from outside",
			brief.status);
	if (grants(&brief, 1))
		verdict = visit_found(v, &f, "it registers for one second");
	err = register_once(v, "Expires: 604800\r\n", &longest);
	if (!err && grants(&longest, 604800))
		verdict = visit_found(v, &f, "it registers for a week");
	err = err ? err : register_eleven(v, &many);
	if (!err && many.status < 300)
		verdict = visit_found(v, &f, "it takes eleven contacts in one registration");
	register_nothing(v);
	return err && verdict == VERDICT_CLEAN ? no_sip(v, "REGISTER", err) : verdict;
}
