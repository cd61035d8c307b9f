/* Request and status lines (RFC 3261 7.1, 7.2). */
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_scan.h"

#define VERSION_BYTES 7 /* "SIP/2.0" */

/* SIP-Version is compared without case (RFC 3261 7.1). */
static enum reason version_check(struct slice text)
{
	struct ch_bound to = ch_bound_of(text);
	const char *dot, *last;

	if (text.n < VERSION_BYTES || !ch_word(text.p, "sip/", 4))
		return REASON_sip_start_line;
	if (text.n == VERSION_BYTES && memcmp(text.p + 4, "2.0", 3) == 0)
		return REASON_NONE;
	dot = ch_run(text.p + 4, to, CH_DIGIT);
	if (dot == text.p + 4 || dot == to.end || *dot != '.')
		return REASON_sip_start_line;
	last = ch_run(dot + 1, to, CH_DIGIT);
	return last == to.end && last > dot + 1 ? REASON_sip_version : REASON_sip_start_line;
}

static enum reason status_line_parse(struct slice line, struct sip_msg *m)
{
	struct slice rest, code, version = slice_split(line, ' ', &rest);
	enum reason reason = version_check(version);
	uint32_t status;

	if (reason)
		return reason;
	code = slice_split(rest, ' ', &m->reason_phrase);
	if (code.n == 0 || ch_run(code.p, ch_bound_of(code), CH_DIGIT) != slice_end(code))
		return REASON_sip_start_line;
	if (code.n != 3 || slice_u32(code, 699, &status) || status < 100)
		return REASON_sip_status_code;
	m->status = (uint16_t)status;
	return REASON_NONE;
}

/* Header fields hidden in the Request-URI are cut off: they must not be acted on nor forwarded
 * (RFC 4475 3.1.2.11). */
static enum reason request_uri_parse(struct slice text, struct sip_msg *m)
{
	if (text.n > SIP_URI_BYTES_MAX)
		return REASON_sip_uri_long;
	if (sip_uri_parse(text, &m->uri))
		return REASON_sip_request_uri;
	if (m->uri.headers.n)
		text.n -= m->uri.headers.n + 1;
	m->uri.headers = slice_of(NULL, 0);
	m->uri_text = text;
	return REASON_NONE;
}

static enum reason request_line_parse(struct slice line, const struct sip_map *map,
				      struct sip_msg *m)
{
	struct ch_bound to = ch_bound_in(map, line);
	const char *method_end = ch_run_wide(line.p, to, CH_TOKEN);
	struct slice rest, uri;
	enum reason reason;

	if (method_end == line.p)
		return REASON_sip_start_line;
	if (method_end - line.p > SIP_METHOD_MAX)
		return REASON_sip_method;
	if (method_end == to.end || *method_end != ' ')
		return REASON_sip_start_line;
	m->method_text = ch_slice(line.p, method_end);
	m->method = sip_method_of(m->method_text);
	uri = slice_split(ch_slice(method_end + 1, to.end), ' ', &rest);
	reason = version_check(rest);
	if (reason != REASON_NONE && slice_find(rest, ' ') < rest.n)
		return REASON_sip_request_uri;
	return reason ? reason : request_uri_parse(uri, m);
}

enum reason sip_start_line_parse(struct slice line, const struct sip_map *map, struct sip_msg *m)
{
	m->request = line.n < 4 || !ch_word(line.p, "sip/", 4);
	return m->request ? request_line_parse(line, map, m) : status_line_parse(line, m);
}
