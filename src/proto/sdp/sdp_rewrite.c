#include "proto/sdp/sdp.h"

#include "proto/sdp/sdp_line.h"
#include "proto/sdp/sdp_screen.h"

struct rewrite {
	const struct sdp *in;
	const struct sdp_edit *edit;
	struct sdp_hosts hosts;
	struct out *o;
};

static void write_line(struct out *o, struct slice whole)
{
	out_bytes(o, whole);
	out_z(o, "\r\n");
}

static void write_conn(const struct rewrite *w)
{
	out_z(w->o, w->edit->address.family == IP_V6 ? "IN IP6 " : "IN IP4 ");
	ip_write(w->o, &w->edit->address);
	out_z(w->o, "\r\n");
}

static void write_origin(const struct rewrite *w)
{
	out_z(w->o, "v=0\r\no=");
	out_bytes(w->o, w->edit->origin_user.n ? w->edit->origin_user : SL("-"));
	out_char(w->o, ' ');
	out_u64(w->o, w->edit->origin_session_id);
	out_char(w->o, ' ');
	out_u64(w->o, w->edit->origin_version);
	out_char(w->o, ' ');
	write_conn(w);
}

static bool line_tells(const struct rewrite *w, const struct sdp_line *line)
{
	if (sdp_has_host(line->value, &w->hosts))
		return true;
	return sdp_has_literal(line->value) && !sdp_is_fingerprint(line->value);
}

/* Writes the lines of `text` with one of the letters in `types`, in their order. */
static void write_kept(const struct rewrite *w, struct slice text, const char *types)
{
	struct sdp_line line;

	while (sdp_line_next(&text, &line))
		if (line.type && strchr(types, line.type) && line.value.n && !line_tells(w, &line))
			write_line(w->o, line.whole);
}

static bool has_line(struct slice text, char type)
{
	struct sdp_line line;

	while (sdp_line_next(&text, &line))
		if (line.type == type && line.value.n)
			return true;
	return false;
}

/* The first s= line or "s=-", which RFC 8866 5.3 wants where there is no name. */
static void write_name(const struct rewrite *w)
{
	struct slice rest = w->in->session_text;
	struct sdp_line line;

	while (sdp_line_next(&rest, &line)) {
		if (line.type != 's')
			continue;
		write_line(w->o, line.value.n && !line_tells(w, &line) ? line.whole : SL("s=-"));
		return;
	}
	write_line(w->o, SL("s=-"));
}

static bool is_refused_mid(const struct rewrite *w, struct slice mid)
{
	for (unsigned i = 0; i < w->in->media_count; i++)
		if (w->edit->media[i].kind == SDP_KEEP_PORT_ZERO &&
		    slice_eq(w->in->media[i].mid, mid))
			return true;
	return false;
}

/* RFC 9143 7.3.3: a refused stream belongs to no group. */
static void write_group(const struct rewrite *w, const struct sdp_line *line)
{
	struct slice rest = slice_from(line->value, sizeof("group:") - 1), word;
	struct out mark = *w->o;
	unsigned kept = 0;

	out_z(w->o, "a=group:");
	out_bytes(w->o, sdp_word_next(&rest));
	while ((word = sdp_word_next(&rest)).n) {
		if (is_refused_mid(w, word))
			continue;
		out_char(w->o, ' ');
		out_bytes(w->o, word);
		kept++;
	}
	out_z(w->o, "\r\n");
	if (kept == 0 && !w->o->err)
		*w->o = mark;
}

static bool is_direction(struct slice name)
{
	return slice_eq(name, SL("sendrecv")) || slice_eq(name, SL("sendonly")) ||
	       slice_eq(name, SL("recvonly")) || slice_eq(name, SL("inactive"));
}

static void write_attributes(const struct rewrite *w, struct slice text, unsigned drop,
			     bool without_direction)
{
	struct sdp_line line;
	struct slice value;

	while (sdp_line_next(&text, &line)) {
		struct slice name = sdp_attribute(line.value, &value);

		if (line.type != 'a' || name.n == 0 || sdp_attribute_is_foreign(name) ||
		    line_tells(w, &line) || (without_direction && is_direction(name)) ||
		    (drop && sdp_attribute_kind(name) & drop))
			continue;
		if (slice_eq(name, SL("group")))
			write_group(w, &line);
		else
			write_line(w->o, line.whole);
	}
}

static void write_session(const struct rewrite *w)
{
	struct slice text = w->in->session_text;

	write_origin(w);
	write_name(w);
	write_kept(w, text, "i");
	out_z(w->o, "c=");
	write_conn(w);
	write_kept(w, text, "b");
	if (has_line(text, 't'))
		write_kept(w, text, "tr");
	else
		write_line(w->o, SL("t=0 0"));
	write_kept(w, text, "z");
	write_attributes(w, text, w->edit->drop, false);
	out_bytes(w->o, w->edit->lines);
}

static void write_media_line(const struct rewrite *w, const struct sdp_media *m, uint16_t port,
			     struct slice proto)
{
	out_z(w->o, "m=");
	out_bytes(w->o, m->kind);
	out_char(w->o, ' ');
	out_u64(w->o, port);
	out_char(w->o, ' ');
	out_bytes(w->o, proto.n ? proto : m->proto);
	for (unsigned i = 0; i < m->format_count; i++) {
		out_char(w->o, ' ');
		out_bytes(w->o, m->format[i].name);
	}
	out_z(w->o, "\r\n");
}

static bool has_ice(struct slice text)
{
	struct sdp_line line;

	while (sdp_line_next(&text, &line))
		if (line.type == 'a' && slice_starts(line.value, SL("ice-ufrag:")))
			return true;
	return false;
}

/* c=0.0.0.0 asked the other side to send nothing; with ICE it only means "not known yet". */
static bool is_old_hold(const struct rewrite *w, const struct sdp_media *m)
{
	return ip_is_unspecified(&m->conn.addr) && !has_ice(m->text) &&
	       !has_ice(w->in->session_text);
}

static void write_rtcp(const struct rewrite *w, const struct sdp_media *m,
		       const struct sdp_edit_media *e)
{
	bool mux = m->rtcp_mux && !(e->drop & SDP_ATTR_MUX);

	if (!sdp_proto_is_rtp(m->proto) || mux || e->rtcp_port == 0 || e->rtcp_port == e->port + 1)
		return;
	out_z(w->o, "a=rtcp:");
	out_u64(w->o, e->rtcp_port);
	out_z(w->o, "\r\n");
}

static void write_relayed(const struct rewrite *w, const struct sdp_media *m,
			  const struct sdp_edit_media *e)
{
	bool hold = is_old_hold(w, m);

	write_media_line(w, m, e->port, e->proto);
	write_kept(w, m->text, "i");
	if (has_line(m->text, 'c')) {
		out_z(w->o, "c=");
		write_conn(w);
	}
	write_kept(w, m->text, "b");
	write_rtcp(w, m, e);
	write_attributes(w, m->text, e->drop, hold);
	if (hold)
		write_line(w->o, m->direction == SDP_SENDRECV || m->direction == SDP_SENDONLY
					 ? SL("a=sendonly")
					 : SL("a=inactive"));
	out_bytes(w->o, e->lines);
}

static void write_refused(const struct rewrite *w, const struct sdp_media *m,
			  const struct sdp_edit_media *e)
{
	write_media_line(w, m, 0, e->proto);
	if (m->mid.n == 0 || e->drop & SDP_ATTR_BUNDLE || sdp_has_literal(m->mid) ||
	    sdp_has_host(m->mid, &w->hosts))
		return;
	out_z(w->o, "a=mid:");
	write_line(w->o, m->mid);
}

int sdp_rewrite(const struct sdp *in, const struct sdp_edit *edit, struct out *o)
{
	struct rewrite w = {.in = in, .edit = edit, .o = o};

	sdp_hosts_of(in, &w.hosts);
	write_session(&w);
	for (unsigned i = 0; i < in->media_count; i++) {
		const struct sdp_edit_media *e = &edit->media[i];

		if (e->kind == SDP_RELAY && in->media[i].port != 0)
			write_relayed(&w, &in->media[i], e);
		else
			write_refused(&w, &in->media[i], e);
	}
	return o->err;
}
