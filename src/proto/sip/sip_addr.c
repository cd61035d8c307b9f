/* name-addr and addr-spec values and header parameters (RFC 3261 20.10, 25.1). */
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_scan.h"

/* The header's parameters at their first ';'; a second tag would make the dialog ambiguous. */
static const char *params_scan(const char *p, struct ch_bound to, struct sip_name_addr *out)
{
	const char *first = p;
	struct sip_param param;

	while (p < to.end && *p == ';') {
		p = sip_param_scan(p + 1, to, &param);
		if (!p)
			return NULL;
		if (param.name.n != 3 || !ch_word(param.name.p, "tag", 3))
			continue;
		if (out->tag.n || !param.value.n)
			return NULL;
		out->tag = param.value;
	}
	out->params = ch_trim(first, p);
	return p == to.end || *p == ',' ? p : NULL;
}

/* A display name whose quotes were escaped with it, as templates of some phones leave it: behind
 * its closing \", or NULL. */
static const char *escaped_quotes_end(const char *p, struct ch_bound to, struct slice *out)
{
	const char *start = p + 2;

	for (p = start; p + 1 < to.end && *p != '<' && *p != '"'; p++) {
		if (*p != '\\')
			continue;
		*out = ch_slice(start, p);
		return p[1] == '"' ? p + 2 : NULL;
	}
	return NULL;
}

/* The display name: p moves to its '<', or stays where an addr-spec begins. */
static const char *display_scan(const char *p, struct ch_bound to, struct slice *out)
{
	const char *start = p;

	if (p < to.end && (*p == '"' || *p == '\\')) {
		if (*p == '"')
			p = sip_quoted_end(p, to);
		else
			p = escaped_quotes_end(p, to, out);
		if (!p)
			return NULL;
		if (*start == '"')
			*out = ch_slice(start + 1, p - 1);
		p = ch_skip_lws(p, to);
		return p < to.end && *p == '<' ? p : NULL;
	}
	p = ch_run_wide(p, to, CH_DISPLAY);
	if (p == to.end || *p != '<')
		return start;
	*out = ch_trim(start, p);
	return p;
}

/* user@host without a scheme, as old phones and even RFC 3261 23.4.3 write it: kept as text. */
static const char *mailbox_scan(const char *p, struct ch_bound to, struct sip_uri *out)
{
	const char *at = ch_run_escaped(p, to, CH_USER_BARE);

	if (at == p || at == to.end || *at != '@')
		return NULL;
	*out = (struct sip_uri){.scheme = SIP_SCHEME_OTHER, .user = ch_slice(p, at)};
	return sip_host_scan(at + 1, to, &out->host);
}

static const char *address_scan(const char *p, struct ch_bound to, enum sip_uri_form form,
				struct sip_name_addr *out)
{
	const char *start = p;

	p = sip_uri_scan(start, to, form, &out->uri);
	if (!p)
		p = mailbox_scan(start, to, &out->uri);
	if (!p || p - start > SIP_URI_BYTES_MAX)
		return NULL;
	out->uri_text = ch_slice(start, p);
	return p;
}

const char *sip_name_addr_scan(const char *p, struct ch_bound to, struct sip_name_addr *out)
{
	out->display = out->params = out->tag = slice_of(NULL, 0);
	out->wildcard = false;
	p = display_scan(ch_skip_lws(p, to), to, &out->display);
	if (!p || p == to.end)
		return NULL;
	if (*p == '<') {
		p = address_scan(p + 1, to, SIP_URI_ALONE, out);
		if (!p || p == to.end || *p != '>')
			return NULL;
		p++;
	} else {
		p = address_scan(p, to, SIP_URI_BARE, out);
		if (!p)
			return NULL;
	}
	return params_scan(ch_skip_lws(p, to), to, out);
}

int sip_name_addr_parse(struct slice value, struct sip_name_addr *out)
{
	struct slice text = slice_trim(value);
	struct sip_name_addr addr = {0};

	if (text.n == 0)
		return ERR_SYNTAX;
	if (slice_eq(text, SL("*")))
		addr.wildcard = true;
	else if (sip_name_addr_scan(text.p, ch_bound_of(text), &addr) != slice_end(text))
		return ERR_SYNTAX;
	*out = addr;
	return 0;
}

bool sip_param_next(struct slice *rest, struct slice *out_name, struct slice *out_value)
{
	struct ch_bound to = ch_bound_of(*rest);
	const char *p = ch_skip_lws(rest->p, to);
	struct sip_param param;

	if (p == to.end || *p != ';')
		return false;
	p = sip_param_scan(p + 1, to, &param);
	if (!p || param.name.n == 0)
		return false;
	*rest = ch_slice(p, to.end);
	*out_name = param.name;
	*out_value = param.value;
	return true;
}

bool sip_param_get(struct slice params, struct slice name, struct slice *out)
{
	struct slice rest = params, found, value;

	while (sip_param_next(&rest, &found, &value)) {
		if (!slice_eq_nocase(found, name))
			continue;
		if (out)
			*out = value;
		return true;
	}
	return false;
}
