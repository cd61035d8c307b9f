/* EN: signalling and media in clear, asked for and seen. */
#include <errno.h>
#include <jansson.h>

#include "assess/checks/table.h"
#include "assess/place_sip.h"
#include "assess/sip.h"
#include "base/mem.h"

/* ---- EN-02: SIP in clear from outside ---- */

enum verdict en02_clear_sip(struct visit *v)
{
	struct ip_endpoint to = {v->target->address, v->target->asset->sip_port};
	enum verdict verdict = VERDICT_CLEAN;
	struct place_datagram got;
	struct place *out;
	int err = visit_place(v, "outside", &out);

	if (err)
		return visit_no_place(v, "outside", err);
	err = place_sip_options(v, out, &got);
	if (err == 0)
		verdict = visit_found(v, &(struct found){.port = to.port},
				      "an OPTIONS by UDP, in clear, is answered outside");
	else if (err != -ETIMEDOUT && err != -ECONNREFUSED)
		return visit_failed(v, "OPTIONS from outside", err);
	err = place_connect(v, out, &to, 3000);
	if (err == 0)
		verdict = visit_found(v, &(struct found){.port = to.port},
				      "TCP port %u, in clear, accepts connections from outside",
				      to.port);
	else if (err != -ETIMEDOUT && err != -ECONNREFUSED && err != -EHOSTUNREACH)
		return verdict == VERDICT_FOUND ? verdict
						: visit_failed(v, "a connection from outside", err);
	return verdict;
}

/* ---- EN-12, EN-13, EN-15: what it answers to an offer ---- */

/* Weak suites first: who has no preference of its own takes one. A key of zeros is no secret. */
#define KEY30 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
static const char secure_offer[] =
	"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
	"m=audio 20000 RTP/SAVP 0 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" KEY30 "\r\n"
	"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\na=inactive\r\n";
static const char clear_offer[] =
	"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
	"m=audio 20000 RTP/AVP 0 8\r\na=inactive\r\n";

static int offer(struct visit *v, const char *sdp, struct sip_reply *r)
{
	return visit_sip(v,
			 &(struct sip_ask){.class = PACKET_SIP_INVITE,
					   .method = "INVITE",
					   .user = v->target->asset->test_user,
					   .content_type = "application/sdp",
					   .body = slice_z(sdp)},
			 r);
}

static bool is_taken(const struct sip_reply *r)
{
	return r->provisional >= 180 || (r->status >= 180 && r->status < 300);
}

static bool is_no_description(const struct sip_reply *r)
{
	return r->status == 488 || r->status == 606 || r->status == 415;
}

static enum verdict no_answer(struct visit *v, int err, const struct sip_reply *r)
{
	if (err == -ECONNREFUSED || err == -ETIMEDOUT)
		return visit_absent(v, "it answers no call on its SIP port");
	if (err)
		return visit_failed(v, "INVITE", err);
	return visit_absent(v, "it takes no call of ours (%u), so its media is not seen from here",
			    r->status);
}

enum verdict en12_srtp_not_offered(struct visit *v)
{
	struct sip_reply r;
	int err = offer(v, secure_offer, &r);

	if (!err && is_taken(&r))
		return VERDICT_CLEAN;
	if (err || !is_no_description(&r))
		return no_answer(v, err, &r);
	return visit_found(v, &(struct found){.port = v->target->asset->sip_port},
			   "a call with encrypted media (RTP/SAVP) is refused with %u", r.status);
}

enum verdict en13_srtp_not_required(struct visit *v)
{
	struct sip_reply r;
	int err = offer(v, clear_offer, &r);

	if (!err && is_no_description(&r))
		return VERDICT_CLEAN;
	if (err || !is_taken(&r))
		return no_answer(v, err, &r);
	return visit_found(v, &(struct found){.port = v->target->asset->sip_port},
			   "a call with media in clear (RTP/AVP) is taken (%u)",
			   r.provisional >= 180 ? r.provisional : r.status);
}

enum verdict en15_weak_suite(struct visit *v)
{
	struct sip_reply r;
	struct slice text;
	int err = offer(v, secure_offer, &r);

	if (err || r.status < 200 || r.status >= 300)
		return no_answer(v, err, &r);
	text = slice_of(r.bytes, r.n);
	if (slice_find_slice(text, SL("a=crypto:1 AES_CM_128_HMAC_SHA1_32")) == text.n &&
	    slice_find_slice(text, SL(" NULL_")) == text.n)
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = v->target->asset->sip_port},
			   "offered both, it takes the suite with a tag of 32 bits");
}

/* ---- EN-14, EN-17, EN-21: what the gateway on this machine sees ---- */

/* `each` looks at one call of the gateway's listing. */
static enum verdict each_call(struct visit *v,
			      enum verdict (*each)(struct visit *v, const json_t *call))
{
	enum verdict verdict = VERDICT_CLEAN;
	char *text;
	json_t *list;
	const json_t *call;
	size_t i;
	int err = visit_ask_gateway(v, "/v1/calls?all=1", &text);

	if (err == ERR_ABSENT)
		return visit_not_asked(
			v, "no gateway runs on this machine whose calls could be looked at");
	if (err)
		return visit_failed(v, "the gateway", err);
	list = json_loads(text, 0, NULL);
	mem_free(text);
	json_array_foreach(list, i, call) if (each(v, call) == VERDICT_FOUND) verdict =
		VERDICT_FOUND;
	if (!json_is_array(list))
		verdict = visit_failed(v, "the gateway's list of calls", ERR_SYNTAX);
	json_decref(list);
	return verdict;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *z = json_string_value(json_object_get(object, key));

	return z ? z : "";
}

static bool has_clear_leg(const json_t *call)
{
	const json_t *leg;
	size_t i;

	json_array_foreach(json_object_get(call, "signalling"), i,
			   leg) if (json_is_false(json_object_get(leg, "secure"))) return true;
	return false;
}

/* Which of a call's two sides a stream's keys were told to: that of its sender. */
static bool side_is_clear(const json_t *call, const json_t *stream)
{
	bool caller = strcmp(text_of(stream, "direction"), "from_caller") == 0;
	const json_t *leg;
	size_t i;

	json_array_foreach(json_object_get(call, "signalling"), i,
			   leg) if (strcmp(text_of(leg, "side"), caller ? "caller" : "callee") ==
				    0) return json_is_false(json_object_get(leg, "secure"));
	return false;
}

static enum verdict clear_keys(struct visit *v, const json_t *call)
{
	enum verdict verdict = VERDICT_CLEAN;
	const json_t *stream, *keys;
	size_t i;

	json_array_foreach(json_object_get(call, "streams"), i, stream)
	{
		keys = json_object_get(stream, "encryption");
		if (strcmp(text_of(keys, "keys"), "sdes") == 0 && side_is_clear(call, stream))
			verdict = visit_found(
				v, &(struct found){0},
				"call %s: keys of its media crossed zone %s in signalling without "
				"TLS",
				text_of(call, "call"), text_of(stream, "zone"));
	}
	return verdict;
}

enum verdict en14_keys_in_clear(struct visit *v)
{
	return each_call(v, clear_keys);
}

static bool is_untrusted(const struct config *c, const char *zone)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (strcmp(c->zones[i].name, zone) == 0)
			return c->zones[i].trust == ZONE_UNTRUSTED;
	return false;
}

static enum verdict clear_voice(struct visit *v, const json_t *call)
{
	enum verdict verdict = VERDICT_CLEAN;
	const json_t *stream;
	size_t i;

	json_array_foreach(json_object_get(call, "streams"), i, stream)
	{
		const char *zone = text_of(stream, "zone");

		if (!is_untrusted(v->config, zone) ||
		    json_integer_value(json_object_get(stream, "packets")) == 0 ||
		    json_is_object(json_object_get(stream, "encryption")))
			continue;
		verdict = visit_found(v, &(struct found){0}, "call %s: voice in clear in zone %s%s",
				      text_of(call, "call"), zone,
				      has_clear_leg(call) ? ", signalling too" : "");
	}
	return verdict;
}

enum verdict en21_clear_voice(struct visit *v)
{
	return each_call(v, clear_voice);
}

/* By the bytes of the media, not by what signalling says: counted by the gateway. */
enum verdict en17_clear_media(struct visit *v)
{
	enum verdict verdict = VERDICT_CLEAN;
	const json_t *zones, *bytes;
	const char *zone;
	char *text;
	json_t *root;
	int err = visit_ask_gateway(v, "/v1/status", &text);

	if (err == ERR_ABSENT)
		return visit_not_asked(
			v, "no gateway runs on this machine whose media could be looked at");
	if (err)
		return visit_failed(v, "the gateway", err);
	root = json_loads(text, 0, NULL);
	mem_free(text);
	zones = json_object_get(json_array_get(root, 0), "clear_bytes");
	if (!json_is_object(zones))
		verdict = visit_untested(v, "the gateway does not tell what it saw in clear");
	json_object_foreach((json_t *)(uintptr_t)zones, zone,
			    bytes) if (json_integer_value(bytes) > 0) verdict =
		visit_found(v, &(struct found){0},
			    "%lld bytes of media were in clear in zone %s, where policy says "
			    "encrypted",
			    (long long)json_integer_value(bytes), zone);
	json_decref(root);
	return verdict;
}
