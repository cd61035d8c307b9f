/* Parses, rewrites and parses again: what leaves has our address alone and as many media. */
#include <stdlib.h>

#include "proto/sdp/sdp.h"
#include "proto/sdp/sdp_secure.h"

#define OUT_BYTES (4 * SDP_BYTES_MAX) /* a rewritten description grows by a few lines */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static struct sdp_edit edit_of(const struct sdp *in)
{
	struct sdp_edit e = {.origin_user = SL("hw"), .address = {IP_V4, {203, 0, 113, 77}}};

	for (unsigned i = 0; i < in->media_count; i++) {
		e.media[i].kind = i % 3 == 2 ? SDP_KEEP_PORT_ZERO : SDP_RELAY;
		e.media[i].port = (uint16_t)(20000 + 4 * i);
		e.media[i].rtcp_port = (uint16_t)(20001 + 6 * i);
	}
	return e;
}

static void check_rewritten(const struct sdp *in, const struct sdp_edit *edit, struct slice text)
{
	static struct sdp out;
	enum reason reason;

	must(sdp_parse(text, &out, &reason) == 0);
	must(out.media_count == in->media_count);
	must(ip_eq(&out.conn.addr, &edit->address));
	for (unsigned i = 0; i < out.media_count; i++) {
		const struct sdp_media *m = &out.media[i], *was = &in->media[i];
		bool relay = edit->media[i].kind == SDP_RELAY && was->port != 0;

		must(m->port == (relay ? edit->media[i].port : 0));
		must(ip_eq(&m->conn.addr, &edit->address));
		must(ip_eq(&m->rtcp_conn.addr, &edit->address));
		must(slice_eq(m->kind, was->kind) && slice_eq(m->proto, was->proto));
		must(m->format_count == was->format_count);
	}
}

/* No literal that the other side's o= or c= gave may be left. */
static void check_hidden(const struct sdp_conn *c, struct slice text)
{
	static const struct ip_addr ours = {IP_V4, {203, 0, 113, 77}};

	if (c->addr.family == IP_NONE || ip_eq(&c->addr, &ours) || ip_is_unspecified(&c->addr))
		return;
	must(slice_find_slice(text, c->host) == text.n);
}

static void check_secure(const struct sdp *in, unsigned index)
{
	struct sdp_secure s;

	if (sdp_secure_read(in, index, &s))
		return;
	must((s.ice_ufrag.n == 0) == (s.ice_pwd.n == 0));
	must(s.ice_pwd.n <= SDP_ICE_TEXT_MAX && s.fingerprint_count <= SDP_FINGERPRINTS_MAX);
	for (unsigned i = 0; i < s.fingerprint_count; i++)
		must(fingerprint_bytes(s.fingerprint[i].hash) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp in;
	static char text[OUT_BYTES];
	struct out o = out_to(text, sizeof(text));
	struct sdp_edit edit;
	enum reason reason;

	if (sdp_parse(slice_of((const char *)data, size), &in, &reason)) {
		must(reason != REASON_NONE);
		return 0;
	}
	must(reason == REASON_NONE);
	edit = edit_of(&in);
	must(sdp_rewrite(&in, &edit, &o) == 0);
	check_rewritten(&in, &edit, out_slice(&o));
	check_hidden(&in.conn, out_slice(&o));
	for (unsigned i = 0; i < in.media_count; i++) {
		check_secure(&in, i);
		check_hidden(&in.media[i].conn, out_slice(&o));
	}
	return 0;
}
