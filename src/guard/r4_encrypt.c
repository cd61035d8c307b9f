#include "guard/r4_encrypt.h"

static const struct {
	uint8_t form;	      /* enum r4_form */
	struct slice name[2]; /* without feedback, with */
} protos[] = {
	{R4_PLAIN, {SLICE("RTP/AVP"), SLICE("RTP/AVPF")}},
	{R4_SAVP, {SLICE("RTP/SAVP"), SLICE("RTP/SAVPF")}},
	{R4_DTLS, {SLICE("UDP/TLS/RTP/SAVP"), SLICE("UDP/TLS/RTP/SAVPF")}},
};
#define PROTO_ROWS (sizeof(protos) / sizeof(protos[0]))

struct slice r4_proto(enum r4_form form, bool feedback)
{
	enum r4_form written = form == R4_OPTIONAL ? R4_PLAIN : form;

	for (size_t i = 0; i < PROTO_ROWS; i++)
		if (protos[i].form == written)
			return protos[i].name[feedback];
	return slice_of(NULL, 0);
}

/* ---- what a description says ---- */

static void proto_read(struct slice proto, struct r4_said *s)
{
	s->form = R4_OTHER;
	for (size_t i = 0; i < PROTO_ROWS; i++)
		for (unsigned feedback = 0; feedback < 2; feedback++)
			if (slice_eq_nocase(proto, protos[i].name[feedback])) {
				s->form = protos[i].form;
				s->feedback = feedback;
			}
}

static bool line_usable(const struct sdp_crypto *c, struct r4_line *out)
{
	struct r4_line l = {.tag = c->tag};
	uint64_t mki = c->mki;

	l.key.suite = (uint8_t)srtp_suite_by_name(c->suite);
	if (l.key.suite == SRTP_NONE || c->several_keys || c->weakened || c->unknown ||
	    sdp_crypto_key_bytes(c->key, l.key.master, sizeof(l.key.master)) !=
		    (int)srtp_master_bytes(l.key.suite))
		return false;
	l.key.mki_bytes = c->mki_bytes;
	for (size_t i = c->mki_bytes; i-- > 0; mki >>= 8)
		l.key.mki[i] = (uint8_t)mki;
	*out = l;
	return true;
}

static bool tag_known(const struct r4_said *s, uint32_t tag)
{
	for (unsigned i = 0; i < s->line_count; i++)
		if (s->line[i].tag == tag)
			return true;
	return false;
}

void r4_read(const struct sdp_media *m, struct r4_said *out)
{
	struct slice lines = m->text, value;
	struct r4_said s = {0};
	struct sdp_crypto c;
	struct r4_line line;

	proto_read(m->proto, &s);
	if (s.form == R4_DTLS || s.form == R4_OTHER || !m->has_crypto) {
		*out = s;
		return;
	}
	s.keys_asked = true;
	while (s.line_count < R4_LINES_MAX && sdp_crypto_next(&lines, &value))
		if (sdp_crypto_parse(value, &c) && line_usable(&c, &line) && !tag_known(&s, c.tag))
			s.line[s.line_count++] = line;
	if (s.form == R4_PLAIN && s.line_count)
		s.form = R4_OPTIONAL;
	*out = s;
	explicit_bzero(&line, sizeof(line));
}

/* ---- offers ---- */

bool r4_keys_trusted(const struct r4_policy *side)
{
	return !side->signalling_clear || side->keys_in_clear;
}

enum reason r4_offer_admitted(const struct r4_policy *from, const struct r4_said *offer)
{
	bool required = from->srtp == SRTP_REQUIRED;

	if (offer->form == R4_DTLS)
		return REASON_NONE;
	if (from->browser)
		return REASON_srtp_required;
	if ((offer->form == R4_SAVP || (required && offer->form == R4_OPTIONAL)) &&
	    !r4_keys_trusted(from))
		return REASON_srtp_keys_in_clear;
	if (offer->form == R4_SAVP && offer->line_count == 0)
		return REASON_srtp_no_suite;
	if (required && (offer->form == R4_PLAIN || offer->form == R4_OTHER))
		return REASON_srtp_required;
	return REASON_NONE;
}

bool r4_keys_shared(const struct r4_policy *from, const struct r4_policy *to)
{
	return r4_keys_trusted(from) && r4_keys_trusted(to) &&
	       (from->signalling_clear || !to->signalling_clear);
}

bool r4_keys_added(const struct r4_policy *from, const struct r4_policy *to)
{
	return from->srtp != SRTP_OFF || to->srtp != SRTP_OFF;
}

/* Both sides leave encryption to each other: what one offers the other is offered. */
static bool passes(const struct r4_policy *from, const struct r4_policy *to)
{
	return from->srtp == SRTP_OFF && to->srtp == SRTP_OFF;
}

bool r4_handshakes_end(const struct r4_policy *from, const struct r4_policy *to)
{
	return !passes(from, to);
}

static bool is_encrypted(const struct r4_said *offer)
{
	return offer->form == R4_OPTIONAL || offer->form == R4_SAVP || offer->form == R4_DTLS;
}

/* With keys that we agree on with that side by itself. */
static enum reason form_ours(const struct r4_policy *to, enum r4_form *out)
{
	if (to->dtls || to->browser) {
		*out = R4_DTLS;
	} else if (to->srtp == SRTP_REQUIRED) {
		*out = R4_SAVP;
		return r4_keys_trusted(to) ? REASON_NONE : REASON_srtp_keys_in_clear;
	} else if (to->srtp == SRTP_PREFERRED && r4_keys_trusted(to)) {
		*out = R4_OPTIONAL;
	}
	return REASON_NONE;
}

enum reason r4_form_towards(const struct r4_policy *from, const struct r4_policy *to,
			    const struct r4_said *offer, enum r4_form *out)
{
	bool shared = is_encrypted(offer) && r4_keys_shared(from, to);

	*out = R4_PLAIN;
	if (offer->form == R4_OTHER || (offer->form == R4_DTLS && passes(from, to))) {
		*out = (enum r4_form)offer->form;
		return to->srtp == SRTP_REQUIRED ? REASON_srtp_required : REASON_NONE;
	}
	if (passes(from, to)) {
		*out = shared ? (enum r4_form)offer->form : R4_PLAIN;
		return offer->form == R4_SAVP && !shared ? REASON_srtp_keys_in_clear : REASON_NONE;
	}
	return form_ours(to, out);
}

/* ---- answers ---- */

const struct r4_line *r4_line_taken(const struct r4_said *told, const struct r4_said *answer)
{
	for (unsigned i = 0; i < told->line_count && answer->line_count; i++)
		if (told->line[i].tag == answer->line[0].tag &&
		    told->line[i].key.suite == answer->line[0].key.suite)
			return &told->line[i];
	return NULL;
}

enum reason r4_answer_admitted(const struct r4_said *told, const struct r4_said *answer,
			       bool *out_encrypted)
{
	bool took = r4_line_taken(told, answer) != NULL;
	bool plain = answer->form == R4_PLAIN || answer->form == R4_OPTIONAL;

	*out_encrypted = false;
	switch ((enum r4_form)told->form) {
	case R4_PLAIN:
		return plain ? REASON_NONE : REASON_srtp_answer;
	case R4_OPTIONAL:
		if (!took && (!plain || answer->line_count))
			return REASON_srtp_answer;
		*out_encrypted = took;
		return REASON_NONE;
	case R4_SAVP:
		*out_encrypted = true;
		return answer->form == R4_SAVP && took ? REASON_NONE : REASON_srtp_answer;
	case R4_DTLS:
	case R4_OTHER:
		return answer->form == told->form ? REASON_NONE : REASON_srtp_answer;
	}
	return REASON_srtp_answer;
}
