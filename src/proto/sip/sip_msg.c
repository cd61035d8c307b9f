#include "proto/sip/sip_msg.h"

#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_headers.h"
#include "proto/sip/sip_lines.h"
#include "proto/sip/sip_scan.h"

#define BRANCH_MAGIC "z9hG4bK" /* RFC 3261 8.1.1.7 */

static void msg_clear(struct sip_msg *m)
{
	memset(m, 0, offsetof(struct sip_msg, header));
	m->max_forwards = -1;
	m->content_length = -1;
	m->expires_s = -1;
}

/* What the headers must say together (RFC 3261 8.1.1). An ACK that names its INVITE is taken, as
 * RFC 5806 prints it: nobody answers an ACK. */
static enum reason msg_check(const struct sip_msg *m)
{
	if (!m->first[SIP_H_VIA] || !m->first[SIP_H_FROM] || !m->first[SIP_H_TO] ||
	    !m->first[SIP_H_CALL_ID] || !m->first[SIP_H_CSEQ])
		return REASON_sip_header_missing;
	if (!m->request)
		return REASON_NONE;
	if (!slice_eq(m->cseq.method_text, m->method_text) &&
	    !(m->method == SIP_ACK && m->cseq.method == SIP_INVITE))
		return REASON_sip_cseq_method;
	if (slice_eq_nocase(m->via.branch, SL(BRANCH_MAGIC)))
		return REASON_sip_branch;
	return REASON_NONE;
}

/* Start line and headers, behind a head whose lines were split with the outcome `reason`. */
static enum reason head_parse(const struct sip_head *head, const struct sip_map *map,
			      enum reason reason, struct sip_msg *m)
{
	enum reason start = sip_start_line_parse(head->start_line, map, m);
	enum reason headers = sip_headers_parse(m, map);

	if (!m->request) {
		m->method = m->cseq.method;
		m->method_text = m->cseq.method_text;
	}
	if (reason)
		return reason;
	if (start)
		return start;
	return headers ? headers : msg_check(m);
}

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ch_is(s.p[i], CH_LWS) && s.p[i] != '\0')
			return false;
	return true;
}

static size_t leading_crlf_bytes(struct slice s)
{
	size_t n = 0;

	while (s.n - n >= 2 && s.p[n] == '\r' && s.p[n + 1] == '\n')
		n += 2;
	return n;
}

/* The body is what Content-Length says, or all the rest (RFC 3261 18.3). */
static enum reason body_take(struct slice text, const struct sip_head *head, struct sip_msg *m)
{
	struct slice rest = head->whole ? slice_from(text, head->bytes) : slice_of(NULL, 0);

	if (m->content_length >= 0 && (size_t)m->content_length > rest.n)
		return head->whole ? REASON_sip_content_length : REASON_sip_header_end;
	m->body = m->content_length < 0 ? rest : slice_first(rest, (size_t)m->content_length);
	m->raw = slice_first(text, (head->whole ? head->bytes : text.n) + m->body.n);
	return REASON_NONE;
}

static enum sip_verdict refuse(enum reason reason, enum reason *out_reason)
{
	*out_reason = reason;
	return SIP_REFUSED;
}

enum sip_verdict sip_msg_parse(struct slice datagram, size_t max_bytes, struct sip_msg *out,
			       enum reason *out_reason)
{
	struct slice text = slice_from(datagram, leading_crlf_bytes(datagram));
	struct sip_head head;
	struct sip_map map;
	enum reason reason;

	msg_clear(out);
	out->raw = text;
	if (is_blank(slice_first(text, 4)) && is_blank(text))
		return refuse(REASON_sip_empty, out_reason);
	if (datagram.n > max_bytes || datagram.n > SIP_MESSAGE_BYTES_MAX) {
		text = slice_first(text, max_bytes);
		reason = REASON_sip_too_long;
		(void)sip_lines_split(text, SIP_DATAGRAM, &map, out, &head);
	} else {
		reason = sip_lines_split(text, SIP_DATAGRAM, &map, out, &head);
	}
	reason = head_parse(&head, &map, reason, out);
	if (!reason)
		reason = body_take(text, &head, out);
	*out_reason = reason;
	return reason ? SIP_REFUSED : SIP_DONE;
}

/* The head is whole and sound: is the body there? Without Content-Length nobody can tell where
 * the next message begins (RFC 3261 20.14). */
static enum sip_verdict stream_body_take(struct slice text, size_t max_bytes,
					 const struct sip_head *head, struct sip_msg *m,
					 enum reason *out_reason)
{
	if (m->content_length < 0)
		return refuse(REASON_sip_content_length, out_reason);
	if ((size_t)m->content_length > max_bytes ||
	    head->bytes + (size_t)m->content_length > max_bytes)
		return refuse(REASON_sip_too_long, out_reason);
	if (body_take(text, head, m))
		return SIP_MORE;
	return SIP_DONE;
}

enum sip_verdict sip_msg_parse_stream(struct slice bytes, size_t max_bytes, struct sip_msg *out,
				      size_t *out_used, enum reason *out_reason)
{
	size_t skipped = leading_crlf_bytes(bytes);
	struct slice text = slice_from(bytes, skipped);
	enum sip_verdict verdict;
	struct sip_head head;
	struct sip_map map;
	enum reason reason;

	if (max_bytes > SIP_MESSAGE_BYTES_MAX)
		max_bytes = SIP_MESSAGE_BYTES_MAX;
	msg_clear(out);
	out->raw = text;
	*out_used = skipped;
	*out_reason = REASON_NONE;
	if (text.n == 0 || slice_eq(text, SL("\r")))
		return SIP_MORE;
	reason = sip_lines_split(slice_first(text, max_bytes), SIP_STREAM, &map, out, &head);
	if (!reason && !head.whole && text.n < max_bytes)
		return SIP_MORE;
	if (!reason && !head.whole)
		reason = REASON_sip_too_long;
	reason = head_parse(&head, &map, reason, out);
	if (reason)
		return refuse(reason, out_reason);
	verdict = stream_body_take(text, max_bytes, &head, out, out_reason);
	if (verdict == SIP_DONE)
		*out_used += out->raw.n;
	return verdict;
}
