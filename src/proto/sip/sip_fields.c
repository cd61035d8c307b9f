/* Via, CSeq and RAck values (RFC 3261 20.42, 20.16; RFC 3262 7.2). */
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_scan.h"

#define CSEQ_MAX 0x7fffffffu /* RFC 3261 8.1.1.5: below 2^31 */

/* One parameter is known by its name; a second branch would make the transaction ambiguous. */
static bool via_param_keep(struct sip_via *v, const struct sip_param *param)
{
	switch (param->name.n) {
	case 5:
		if (ch_word(param->name.p, "rport", 5)) {
			v->has_rport = true;
			v->rport = param->value;
		}
		return true;
	case 6:
		if (!ch_word(param->name.p, "branch", 6))
			return true;
		if (v->branch.p)
			return false;
		v->branch = param->value;
		return true;
	case 8:
		if (ch_word(param->name.p, "received", 8))
			v->received = param->value;
		return true;
	default:
		return true;
	}
}

/* token SLASH token SLASH token LWS: the transport. */
static const char *sent_protocol_scan(const char *p, struct ch_bound to, struct slice *out)
{
	const char *start = p;

	for (int slashes = 0; slashes < 2; slashes++) {
		start = ch_skip_lws(p, to);
		p = ch_run_wide(start, to, CH_TOKEN);
		if (p == start)
			return NULL;
		p = ch_skip_lws(p, to);
		if (p == to.end || *p != '/')
			return NULL;
		p++;
	}
	start = ch_skip_lws(p, to);
	p = ch_run_wide(start, to, CH_TOKEN);
	if (p == start || p == to.end || !ch_is(*p, CH_LWS))
		return NULL;
	*out = ch_slice(start, p);
	return ch_skip_lws(p, to);
}

const char *sip_via_scan(const char *p, struct ch_bound to, struct sip_via *out)
{
	struct sip_param param;
	const char *first;

	*out = (struct sip_via){0};
	p = sent_protocol_scan(p, to, &out->transport);
	if (!p)
		return NULL;
	p = sip_host_scan(p, to, &out->host);
	if (!p)
		return NULL;
	p = ch_skip_lws(p, to);
	if (p < to.end && *p == ':') {
		p = sip_port_scan(ch_skip_lws(p + 1, to), to, &out->port);
		if (!p)
			return NULL;
		p = ch_skip_lws(p, to);
	}
	first = p;
	out->params = slice_of(p, 0);
	while (p < to.end && *p == ';') {
		p = sip_param_scan(p + 1, to, &param);
		if (!p || !via_param_keep(out, &param))
			return NULL;
	}
	out->params = ch_trim(first, p);
	return p == to.end || *p == ',' ? p : NULL;
}

int sip_via_parse(struct slice value, struct sip_via *out)
{
	struct slice text = slice_trim(value);
	struct sip_via via;

	if (text.n == 0 || sip_via_scan(text.p, ch_bound_of(text), &via) != slice_end(text))
		return ERR_SYNTAX;
	*out = via;
	return 0;
}

/* Digits and the LWS behind them; leading zeros are allowed (RFC 4475 3.1.1.1). */
static const char *number_scan(const char *p, struct ch_bound to, uint32_t max, uint32_t *out)
{
	const char *start = p;
	uint64_t number = 0;

	for (; p < to.end && ch_is(*p, CH_DIGIT); p++) {
		number = number * 10 + (unsigned)(*p - '0');
		if (number > max)
			return NULL;
	}
	if (p == start || p == to.end || !ch_is(*p, CH_LWS))
		return NULL;
	*out = (uint32_t)number;
	return ch_skip_lws(p, to);
}

int sip_cseq_parse(struct slice value, struct sip_cseq *out)
{
	struct ch_bound to = ch_bound_of(value);
	const char *p;
	struct sip_cseq cseq;

	if (value.n == 0)
		return ERR_SYNTAX;
	p = number_scan(ch_skip_lws(value.p, to), to, CSEQ_MAX, &cseq.number);
	if (!p)
		return ERR_SYNTAX;
	cseq.method_text = ch_slice(p, ch_run_wide(p, to, CH_TOKEN));
	if (cseq.method_text.n == 0 || ch_skip_lws(p + cseq.method_text.n, to) != to.end)
		return ERR_SYNTAX;
	if (cseq.method_text.n > SIP_METHOD_MAX)
		return ERR_LIMIT;
	cseq.method = sip_method_of(cseq.method_text);
	*out = cseq;
	return 0;
}

int sip_rack_parse(struct slice value, uint32_t *out_rseq, struct sip_cseq *out)
{
	struct ch_bound to = ch_bound_of(value);
	const char *p;
	uint32_t rseq;
	int err;

	if (value.n == 0)
		return ERR_SYNTAX;
	p = number_scan(ch_skip_lws(value.p, to), to, UINT32_MAX, &rseq);
	if (!p)
		return ERR_SYNTAX;
	err = sip_cseq_parse(ch_slice(p, to.end), out);
	if (err)
		return err;
	*out_rseq = rseq;
	return 0;
}
