#include "proto/sip/sip_check.h"

#include "base/ip.h"
#include "proto/sip/sip_scan.h"
#include "proto/sip/sip_write.h"

/* RFC 3262, 3891, 3911, 4028, 4412, 4488, 4538, 5373, 6228, 7044, 7433, 7866, 8840 ... */
static const struct slice extensions[] = {
	SLICE("100rel"),
	SLICE("timer"),
	SLICE("replaces"),
	SLICE("norefersub"),
	SLICE("precondition"),
	SLICE("histinfo"),
	SLICE("tdialog"),
	SLICE("join"),
	SLICE("eventlist"),
	SLICE("from-change"),
	SLICE("early-session"),
	SLICE("resource-priority"),
	SLICE("answermode"),
	SLICE("uui"),
	SLICE("199"),
	SLICE("ice"),
	SLICE("trickle-ice"),
	SLICE("siprec"),
	SLICE("outbound"),
	SLICE("path"),
	SLICE("gruu"),
	SLICE("pref"),
	SLICE("multiple-refer"),
	SLICE("explicitsub"),
	SLICE("nosub"),
	SLICE("privacy"),
	SLICE("sdp-anat"),
};

/* Option tags whose extension works through a back-to-back user agent that copies the header
 * fields it does not know. */
static bool extension_known(struct slice tag)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (slice_eq_nocase(tag, extensions[i]))
			return true;
	return false;
}

/* The next unknown tag of Require or Proxy-Require (RFC 3261 8.2.2.3, 16.3). */
static bool unknown_next(struct sip_values *v, struct slice *out)
{
	while (sip_values_next(v, out))
		if (!extension_known(*out))
			return true;
	return false;
}

static bool requires_unknown(const struct sip_msg *m, enum sip_header_id id)
{
	struct sip_values v = sip_values_of(m, id);
	struct slice tag;

	return unknown_next(&v, &tag);
}

void sip_write_unsupported(struct out *o, const struct sip_msg *m)
{
	static const enum sip_header_id ids[] = {SIP_H_REQUIRE, SIP_H_PROXY_REQUIRE};
	const char *before = "Unsupported: ";
	struct slice tag;

	for (unsigned i = 0; i < 2; i++) {
		struct sip_values v = sip_values_of(m, ids[i]);

		for (; unknown_next(&v, &tag); before = ", ") {
			out_z(o, before);
			sip_write_unfolded(o, tag);
		}
	}
	if (*before == ',')
		out_bytes(o, SL("\r\n"));
}

/* "Contact: *" is for a REGISTER that removes all bindings (RFC 3261 10.2.2, 10.3). */
static enum reason contact_check(const struct sip_msg *m)
{
	struct sip_values v = sip_values_of(m, SIP_H_CONTACT);
	unsigned values = 0;
	bool wildcard = false;
	struct slice value;

	for (; sip_values_next(&v, &value); values++)
		wildcard |= slice_eq(value, SL("*"));
	if (!wildcard || (m->method == SIP_REGISTER && values == 1 && m->expires_s == 0))
		return REASON_NONE;
	return REASON_sip_contact;
}

/* "type/subtype" without parameters and white space around. */
static struct slice media_type(struct slice value)
{
	struct slice rest;

	return slice_trim(slice_split(value, ';', &rest));
}

static bool body_is_optional(const struct sip_msg *m)
{
	const struct sip_header *h = sip_header_first(m, SIP_H_CONTENT_DISPOSITION);
	struct slice handling;

	return h &&
	       sip_param_get(slice_from(h->value, slice_find(h->value, ';')), SL("handling"),
			     &handling) &&
	       slice_eq_nocase(handling, SL("optional"));
}

/* Bodies of requests that carry offers and answers must be readable (RFC 3261 8.2.3). */
static enum reason body_check(const struct sip_msg *m)
{
	struct slice type = media_type(m->content_type);
	struct sip_values v = sip_values_of(m, SIP_H_CONTENT_ENCODING);
	struct slice encoding;

	if (slice_trim(m->body).n == 0 || body_is_optional(m))
		return REASON_NONE;
	while (sip_values_next(&v, &encoding))
		if (!slice_eq_nocase(encoding, SL("identity")))
			return REASON_body_unsupported;
	if (slice_eq_nocase(type, SL("application/sdp")) ||
	    slice_starts_nocase(type, SL("multipart/")))
		return REASON_NONE;
	return REASON_body_unsupported;
}

/* An INVITE that says what it accepts must accept an answer (RFC 3261 20.1). */
static enum reason accept_check(const struct sip_msg *m)
{
	struct sip_values v = sip_values_of(m, SIP_H_ACCEPT);
	bool any = false;
	struct slice value;

	while (sip_values_next(&v, &value)) {
		struct slice type = media_type(value);

		if (slice_eq_nocase(type, SL("application/sdp")) ||
		    slice_eq_nocase(type, SL("application/*")) || slice_eq(type, SL("*/*")))
			return REASON_NONE;
		any = true;
	}
	return any ? REASON_sip_accept : REASON_NONE;
}

/* A Via that would make us send to everybody (RFC 4475 3.3.10). */
static enum reason response_check(const struct sip_msg *m)
{
	static const uint8_t everybody[4] = {255, 255, 255, 255};
	struct sip_values v = sip_values_of(m, SIP_H_VIA);
	struct ip_addr addr;
	struct sip_via via;
	struct slice value;

	while (sip_values_next(&v, &value))
		if (sip_via_parse(value, &via) == 0 && ip_parse(via.host, &addr) == 0 &&
		    (ip_is_multicast(&addr) ||
		     (addr.family == IP_V4 && memcmp(addr.bytes, everybody, 4) == 0)))
			return REASON_sip_via_broadcast;
	return REASON_NONE;
}

enum reason sip_msg_check(const struct sip_msg *m)
{
	enum reason reason;

	if (!m->request)
		return response_check(m);
	if (m->uri.scheme == SIP_SCHEME_OTHER)
		return REASON_uri_scheme;
	if (m->max_forwards == 0)
		return REASON_too_many_hops;
	if (m->method == SIP_ACK || m->method == SIP_CANCEL)
		return REASON_NONE;
	if (requires_unknown(m, SIP_H_PROXY_REQUIRE) || requires_unknown(m, SIP_H_REQUIRE))
		return REASON_extension_required;
	reason = contact_check(m);
	if (!reason &&
	    (m->method == SIP_INVITE || m->method == SIP_UPDATE || m->method == SIP_PRACK))
		reason = body_check(m);
	if (!reason && m->method == SIP_INVITE)
		reason = accept_check(m);
	return reason;
}

unsigned sip_refusal_status(const struct sip_msg *m, enum reason reason)
{
	return m->request && m->method != SIP_ACK ? reason_row(reason)->status : 0;
}
