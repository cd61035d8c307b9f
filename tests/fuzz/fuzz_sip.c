/* One datagram: slices stay within it, every accessor can read what was taken, and the message
 * written anew from its parts is taken again with the same content. */
#include <stdlib.h>

#include "base/mem.h"
#include "proto/sip/sip_check.h"
#include "proto/sip/sip_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void within(struct slice whole, struct slice part)
{
	expect(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void slices_within(struct slice whole, const struct sip_msg *m)
{
	const struct slice parts[] = {
		m->raw,		m->method_text,	 m->uri_text,	      m->uri.user,
		m->uri.host,	m->uri.params,	 m->reason_phrase,    m->body,
		m->via.host,	m->via.branch,	 m->via.params,	      m->from.display,
		m->from.params, m->from.tag,	 m->to.uri_text,      m->to.tag,
		m->call_id,	m->content_type, m->cseq.method_text,
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		within(whole, parts[i]);
	for (unsigned i = 0; i < m->header_count; i++) {
		within(whole, m->header[i].name);
		within(whole, m->header[i].value);
	}
}

static void params_read(struct slice whole, struct slice params)
{
	struct slice rest = params, name, value;

	while (sip_param_next(&rest, &name, &value)) {
		within(whole, name);
		within(whole, value);
	}
}

/* What the parser accepted, the accessors that others use must accept too. */
static void lists_read(struct slice whole, const struct sip_msg *m)
{
	static const enum sip_header_id ids[] = {SIP_H_CONTACT, SIP_H_ROUTE, SIP_H_RECORD_ROUTE};
	struct sip_values v = sip_values_of(m, SIP_H_VIA);
	struct sip_name_addr addr;
	struct slice value;
	struct sip_via via;

	while (sip_values_next(&v, &value))
		expect(sip_via_parse(value, &via) == 0);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		v = sip_values_of(m, ids[i]);
		while (sip_values_next(&v, &value)) {
			expect(sip_name_addr_parse(value, &addr) == 0);
			params_read(whole, addr.params);
		}
	}
}

static bool unfolded_eq(struct slice a, struct slice b)
{
	static char one[SIP_MESSAGE_BYTES_MAX], two[SIP_MESSAGE_BYTES_MAX];
	struct out x = out_to(one, sizeof(one)), y = out_to(two, sizeof(two));

	sip_write_unfolded(&x, a);
	sip_write_unfolded(&y, b);
	return slice_eq(out_slice(&x), out_slice(&y));
}

static void written_again(const struct sip_msg *m)
{
	static char text[4 * SIP_MESSAGE_BYTES_MAX];
	static struct sip_msg again;
	struct out o = out_to(text, sizeof(text));
	enum reason reason;

	if (m->request)
		sip_write_request_line(&o, m->method_text, m->uri_text);
	else
		sip_write_status_line(&o, m->status, m->reason_phrase);
	for (unsigned i = 0; i < m->header_count; i++)
		if (m->header[i].id != SIP_H_CONTENT_LENGTH &&
		    m->header[i].id != SIP_H_CONTENT_TYPE)
			sip_write_header(&o, m->header[i].name, m->header[i].value);
	sip_write_body(&o, m->content_type, m->body);
	if (o.err || o.n > SIP_MESSAGE_BYTES_MAX)
		return;
	if (sip_msg_parse(out_slice(&o), SIP_MESSAGE_BYTES_MAX, &again, &reason) != SIP_DONE) {
		/* The two headers that the writer adds may be the ones too many. */
		expect(reason == REASON_sip_headers_limit || reason == REASON_sip_header_long);
		return;
	}
	expect(again.method == m->method && again.status == m->status);
	expect(slice_eq(again.uri_text, m->uri_text) && slice_eq(again.body, m->body));
	expect(slice_eq(again.call_id, m->call_id) && unfolded_eq(again.from.tag, m->from.tag));
	expect(slice_eq(again.to.uri_text, m->to.uri_text));
	expect(unfolded_eq(again.to.tag, m->to.tag));
	expect(slice_eq(again.via.host, m->via.host) && again.via.port == m->via.port);
	expect(unfolded_eq(again.via.branch, m->via.branch));
	expect(again.cseq.number == m->cseq.number && again.max_forwards == m->max_forwards);
	expect(again.expires_s == m->expires_s);
	expect(unfolded_eq(again.content_type, m->content_type));
}

/* No answer may carry a line that its request smuggled in. */
static void answered(const struct sip_msg *m)
{
	static char text[4 * SIP_MESSAGE_BYTES_MAX];
	static struct sip_msg answer;
	struct ip_endpoint source = {.addr = {.family = IP_V4, .bytes = {192, 0, 2, 1}},
				     .port = 5060};
	struct out o = out_to(text, sizeof(text));
	enum reason reason;

	if (sip_write_response(&o, m, 400, SL("Bad Request"), &source, SL("t"), SL("")) != 0)
		return;
	sip_write_unsupported(&o, m);
	if (sip_msg_parse(out_slice(&o), SIP_MESSAGE_BYTES_MAX, &answer, &reason) != SIP_DONE)
		expect(reason == REASON_sip_header_missing || reason == REASON_sip_too_long ||
		       reason == REASON_sip_header_long);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	unsigned long requests = mem_test_requests();
	static struct sip_msg m;
	enum reason reason = REASON_NONE;
	enum sip_verdict verdict = sip_msg_parse(text, SIP_MESSAGE_BYTES_MAX, &m, &reason);

	expect(verdict == (reason ? SIP_REFUSED : SIP_DONE));
	slices_within(text, &m);
	if (m.request)
		answered(&m);
	if (verdict == SIP_DONE) {
		lists_read(text, &m);
		params_read(text, m.from.params);
		(void)sip_msg_check(&m);
		written_again(&m);
	}
	expect(mem_test_requests() == requests);
	return 0;
}
