#include "proto/sdp/sdp.h"

#include "proto/sdp/sdp_line.h"
#include "proto/sdp/sdp_media.h"

/* What one run over the lines has to remember. */
struct reader {
	struct sdp *sdp;
	struct sdp_media *media; /* NULL before the first m= */
	struct sdp_conn media_conn;
	enum sdp_direction session_direction;
	bool session_fingerprint;
	bool has_bundle;
	bool rtcp_given;
	enum reason fault; /* the first one */
};

static void reader_fault(struct reader *r, enum reason fault)
{
	if (r->fault == REASON_NONE)
		r->fault = fault;
}

static void read_origin(struct reader *r, struct slice value)
{
	struct slice rest = value;

	if (r->media || r->sdp->origin.p)
		reader_fault(r, REASON_sdp_order);
	r->sdp->origin = value;
	r->sdp->origin_user = sdp_word_next(&rest);
	r->sdp->origin_session_id = sdp_word_next(&rest);
	r->sdp->origin_version = sdp_word_next(&rest);
}

/* Several lines are for layers of a multicast stream (RFC 8866 5.7); two different unicast
 * addresses would let two readers see two targets. */
static void read_conn(struct reader *r, struct slice value)
{
	struct sdp_conn *conn = r->media ? &r->media_conn : &r->sdp->conn;
	struct sdp_conn c;

	if (!sdp_conn_read(value, &c))
		reader_fault(r, REASON_sdp_address);
	if (conn->given && !slice_eq(conn->host, c.host) &&
	    (!ip_is_multicast(&conn->addr) || !ip_is_multicast(&c.addr)))
		reader_fault(r, REASON_sdp_address);
	*conn = c;
}

static void read_bandwidth(struct reader *r, struct slice value)
{
	struct slice amount;
	struct slice kind = slice_split(value, ':', &amount);

	if (r->media && slice_eq(kind, SL("AS")) &&
	    slice_u32(amount, UINT32_MAX, &r->media->bandwidth_kbps))
		r->media->bandwidth_kbps = 0;
}

static bool direction_of(struct slice name, enum sdp_direction *out)
{
	static const struct slice names[] = {
		[SDP_SENDRECV] = SLICE("sendrecv"),
		[SDP_SENDONLY] = SLICE("sendonly"),
		[SDP_RECVONLY] = SLICE("recvonly"),
		[SDP_INACTIVE] = SLICE("inactive"),
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!slice_eq(name, names[i]))
			continue;
		*out = (enum sdp_direction)i;
		return true;
	}
	return false;
}

static void read_session_attribute(struct reader *r, struct slice name, struct slice value)
{
	if (slice_eq(name, SL("group")) && slice_starts(value, SL("BUNDLE")))
		r->has_bundle = true;
	else if (slice_eq(name, SL("fingerprint")))
		r->session_fingerprint = true;
	else
		(void)direction_of(name, &r->session_direction);
}

/* RFC 3605: the port, then perhaps an address of its own. */
static void read_rtcp(struct reader *r, struct slice value)
{
	struct slice rest = value;
	struct sdp_media *m = r->media;
	uint32_t port;

	if (!sdp_number(sdp_word_next(&rest), UINT16_MAX, &port)) {
		reader_fault(r, REASON_sdp_address);
		return;
	}
	m->rtcp_port = (uint16_t)port;
	r->rtcp_given = true;
	if (slice_trim(rest).n && !sdp_conn_read(rest, &m->rtcp_conn))
		reader_fault(r, REASON_sdp_address);
}

static void read_ptime(struct sdp_media *m, struct slice value)
{
	struct slice fraction;
	uint32_t ms;

	if (sdp_number(sdp_until(value, '.', &fraction), UINT16_MAX, &ms))
		m->ptime_ms = (uint16_t)ms;
}

static void read_media_attribute(struct reader *r, struct slice name, struct slice value)
{
	struct sdp_media *m = r->media;

	switch (name.n) { /* most attributes are told apart by their length alone */
	case sizeof("mid") - 1:
		if (slice_eq(name, SL("mid")))
			m->mid = slice_trim(value);
		break;
	case sizeof("rtcp") - 1:
		if (slice_eq(name, SL("rtcp")))
			read_rtcp(r, value);
		break;
	case sizeof("ptime") - 1:
		if (slice_eq(name, SL("ptime")))
			read_ptime(m, value);
		break;
	case sizeof("rtpmap") - 1:
		if (slice_eq(name, SL("rtpmap")))
			sdp_media_rtpmap(value, m);
		m->has_crypto |= slice_eq(name, SL("crypto"));
		break;
	case sizeof("sendrecv") - 1:
		m->rtcp_mux |= slice_eq(name, SL("rtcp-mux"));
		(void)direction_of(name, &m->direction);
		break;
	case sizeof("fingerprint") - 1:
		m->has_fingerprint |= slice_eq(name, SL("fingerprint"));
		break;
	default:
		break;
	}
}

static void read_attribute(struct reader *r, struct slice text)
{
	struct slice value;
	struct slice name = sdp_attribute(text, &value);

	if (r->media)
		read_media_attribute(r, name, value);
	else
		read_session_attribute(r, name, value);
}

/* What the lines of a media said is put together when its last one was read. */
static void media_end(struct reader *r, const char *end)
{
	struct sdp_media *m = r->media;

	if (!m)
		return;
	m->text.n = (size_t)(end - m->text.p);
	m->conn = r->media_conn.given ? r->media_conn : r->sdp->conn;
	if (!m->conn.given && m->port)
		reader_fault(r, REASON_sdp_address);
	m->has_fingerprint |= r->session_fingerprint;
	if (!sdp_proto_is_rtp(m->proto) || m->port == 0)
		m->rtcp_port = 0;
	else if (!r->rtcp_given)
		m->rtcp_port = (uint16_t)(m->rtcp_mux ? m->port : m->port + 1);
	if (!m->rtcp_conn.given)
		m->rtcp_conn = m->conn;
}

/* A media without its formats, which are set one by one: zeroing them all would cost more than
 * reading a whole description. */
static void media_clear(struct sdp_media *m)
{
	memset(m, 0, offsetof(struct sdp_media, format));
	memset(&m->format_count, 0, sizeof(*m) - offsetof(struct sdp_media, format_count));
}

static bool media_begin(struct reader *r, const struct sdp_line *line)
{
	enum reason fault;

	media_end(r, line->whole.p);
	if (r->sdp->media_count == 0)
		r->sdp->session_text.n = (size_t)(line->whole.p - r->sdp->session_text.p);
	if (r->sdp->media_count == SDP_MEDIA_MAX) {
		r->media = NULL;
		reader_fault(r, REASON_sdp_media_limit);
		return false;
	}
	r->media = &r->sdp->media[r->sdp->media_count++];
	media_clear(r->media);
	r->media->text.p = line->whole.p;
	r->media->direction = r->session_direction;
	r->media_conn = (struct sdp_conn){0};
	r->rtcp_given = false;
	fault = sdp_media_line(line->value, r->media);
	if (fault)
		reader_fault(r, fault);
	return true;
}

/* False where reading on is of no use. */
static bool read_line(struct reader *r, const struct sdp_line *line)
{
	if (line->stray_cr)
		reader_fault(r, REASON_sdp_syntax);
	switch (line->type) {
	case 'a':
		read_attribute(r, line->value);
		break;
	case 'c':
		read_conn(r, line->value);
		break;
	case 'b':
		read_bandwidth(r, line->value);
		break;
	case 'm':
		return media_begin(r, line);
	case 'o':
		read_origin(r, line->value);
		break;
	case 'v':
		reader_fault(r, REASON_sdp_order);
		break;
	case '\0':
		reader_fault(r, REASON_sdp_syntax);
		break;
	default:
		break;
	}
	return true;
}

static bool has_word(struct slice words, struct slice want)
{
	struct slice word;

	while ((word = sdp_word_next(&words)).n)
		if (slice_eq(word, want))
			return true;
	return false;
}

/* RFC 9143 7: the streams whose mid stands in a=group:BUNDLE. */
static void mark_bundled(struct sdp *sdp)
{
	struct slice rest = sdp->session_text;
	struct sdp_line line;

	while (sdp_line_next(&rest, &line)) {
		if (line.type != 'a' || !slice_starts(line.value, SL("group:BUNDLE")))
			continue;
		for (unsigned i = 0; i < sdp->media_count; i++) {
			struct sdp_media *m = &sdp->media[i];

			m->bundled |= m->mid.n &&
				      has_word(slice_from(line.value, sizeof("group:BUNDLE") - 1),
					       m->mid);
		}
	}
}

/* Line ends behind the last line are dropped. It keeps its own, so that "x\r\r\n" is seen as it
 * is. */
static struct slice without_last_blank_lines(struct slice text)
{
	size_t last = text.n;

	while (last && (text.p[last - 1] == '\n' || text.p[last - 1] == '\r'))
		last--;
	return slice_first(text, last + slice_find(slice_from(text, last), '\n') + 1);
}

static void sdp_clear(struct sdp *sdp, struct slice text)
{
	memset(sdp, 0, offsetof(struct sdp, media));
	sdp->text = text;
	sdp->session_text = text;
}

static int fault_code(enum reason fault)
{
	bool limit = fault == REASON_sdp_too_long || fault == REASON_sdp_media_limit ||
		     fault == REASON_sdp_formats_limit;

	return limit ? ERR_LIMIT : fault ? ERR_SYNTAX : 0;
}

int sdp_parse(struct slice text, struct sdp *out, enum reason *out_reason)
{
	struct reader r = {.sdp = out};
	struct sdp_line line;
	struct slice rest;
	size_t lines = 0;
	bool more = true;

	if (text.n > SDP_BYTES_MAX)
		reader_fault(&r, REASON_sdp_too_long);
	text = slice_first(text, SDP_BYTES_MAX);
	rest = without_last_blank_lines(text);
	sdp_clear(out, text);
	if (slice_find(text, '\0') < text.n)
		reader_fault(&r, REASON_sdp_syntax);
	if (slice_starts(text, SL("v=0\r\n")) || slice_starts(text, SL("v=0\n")))
		lines += sdp_line_next(&rest, &line);
	else
		reader_fault(&r, REASON_sdp_order);
	while (more && sdp_line_next(&rest, &line)) {
		if (++lines > SDP_LINES_MAX) {
			reader_fault(&r, REASON_sdp_too_long);
			break;
		}
		more = read_line(&r, &line);
	}
	media_end(&r, slice_end(text));
	if (r.has_bundle)
		mark_bundled(out);
	*out_reason = r.fault;
	return fault_code(r.fault);
}
