#include "proto/sdp/sdp_secure.h"

#include "proto/sdp/sdp_line.h"

static bool is_ice_text(struct slice s, size_t min)
{
	for (size_t i = 0; i < s.n; i++) {
		char low = ascii_lower(s.p[i]);

		if (!((low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '+' ||
		      low == '/'))
			return false;
	}
	return s.n >= min && s.n <= SDP_ICE_TEXT_MAX;
}

static enum reason read_setup(struct slice value, struct sdp_secure *s)
{
	static const struct slice names[] = {
		[SDP_SETUP_ACTPASS] = SLICE("actpass"),
		[SDP_SETUP_ACTIVE] = SLICE("active"),
		[SDP_SETUP_PASSIVE] = SLICE("passive"),
		[SDP_SETUP_HOLDCONN] = SLICE("holdconn"),
	};

	for (unsigned i = SDP_SETUP_ACTPASS; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!slice_eq_nocase(value, names[i]))
			continue;
		s->setup = (uint8_t)i;
		return REASON_NONE;
	}
	return REASON_sdp_secure;
}

/* Hashes that are not used are passed over; beyond the limit so are further ones (RFC 8122 5: one
 * that fits is enough). */
static enum reason read_fingerprint(struct slice value, struct sdp_secure *s)
{
	struct fingerprint f;
	int err = fingerprint_parse(value, &f);

	if (err == 0 && s->fingerprint_count < SDP_FINGERPRINTS_MAX)
		s->fingerprint[s->fingerprint_count++] = f;
	return err == ERR_SYNTAX ? REASON_sdp_secure : REASON_NONE;
}

static enum reason read_attribute(struct slice name, struct slice value, struct sdp_secure *s)
{
	if (slice_eq(name, SL("ice-ufrag"))) {
		s->ice_ufrag = value;
		return is_ice_text(value, SDP_ICE_UFRAG_MIN) ? REASON_NONE : REASON_sdp_secure;
	}
	if (slice_eq(name, SL("ice-pwd"))) {
		s->ice_pwd = value;
		return is_ice_text(value, SDP_ICE_PWD_MIN) ? REASON_NONE : REASON_sdp_secure;
	}
	if (slice_eq(name, SL("ice-lite")))
		s->ice_lite = true;
	else if (slice_eq(name, SL("tls-id")))
		s->tls_id = value;
	else if (slice_eq(name, SL("setup")))
		return read_setup(value, s);
	else if (slice_eq(name, SL("fingerprint")))
		return read_fingerprint(value, s);
	return REASON_NONE;
}

static enum reason read_lines(struct slice text, struct sdp_secure *s)
{
	enum reason fault = REASON_NONE;
	struct sdp_line line;

	while (!fault && sdp_line_next(&text, &line)) {
		struct slice value, name = sdp_attribute(line.value, &value);

		if (line.type == 'a')
			fault = read_attribute(name, slice_trim(value), s);
	}
	return fault;
}

enum reason sdp_secure_read(const struct sdp *sdp, unsigned index, struct sdp_secure *out)
{
	struct sdp_secure session = {0}, s = {0};
	enum reason fault = read_lines(sdp->session_text, &session);

	if (!fault)
		fault = read_lines(sdp->media[index].text, &s);
	s.ice_lite = session.ice_lite;
	if (!s.ice_ufrag.n)
		s.ice_ufrag = session.ice_ufrag;
	if (!s.ice_pwd.n)
		s.ice_pwd = session.ice_pwd;
	if (s.setup == SDP_SETUP_NONE)
		s.setup = session.setup;
	if (!s.tls_id.n)
		s.tls_id = session.tls_id;
	if (!s.fingerprint_count) {
		memcpy(s.fingerprint, session.fingerprint, sizeof(s.fingerprint));
		s.fingerprint_count = session.fingerprint_count;
	}
	if (!fault && (s.ice_ufrag.n == 0) != (s.ice_pwd.n == 0))
		fault = REASON_sdp_secure;
	if (!fault)
		*out = s;
	return fault;
}
