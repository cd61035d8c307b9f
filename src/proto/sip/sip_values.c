/* Lists of values over several header lines, and digest credentials and challenges. */
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_msg.h"

/* Header fields without an id of their own that have a compact form. */
static const struct compact {
	char letter;
	struct slice name;
} compact_others[] = {
	{'a', SLICE("Accept-Contact")}, {'d', SLICE("Request-Disposition")},
	{'j', SLICE("Reject-Contact")}, {'n', SLICE("Identity-Info")},
	{'s', SLICE("Subject")},	{'u', SLICE("Allow-Events")},
};

static struct slice long_name(struct slice name)
{
	if (name.n != 1)
		return name;
	for (size_t i = 0; i < sizeof(compact_others) / sizeof(compact_others[0]); i++)
		if (compact_others[i].letter == ascii_lower(name.p[0]))
			return compact_others[i].name;
	return name;
}

const struct sip_header *sip_header_named(const struct sip_msg *m, struct slice name)
{
	enum sip_header_id id = sip_header_id_of(name);

	if (id != SIP_H_OTHER)
		return sip_header_first(m, id);
	name = long_name(name);
	for (unsigned i = 0; i < m->header_count; i++)
		if (m->header[i].id == SIP_H_OTHER &&
		    slice_eq_nocase(long_name(m->header[i].name), name))
			return &m->header[i];
	return NULL;
}

struct sip_values sip_values_of(const struct sip_msg *m, enum sip_header_id id)
{
	const struct sip_header *h = sip_header_first(m, id);

	return (struct sip_values){.msg = m, .header = h, .rest = h ? h->value : slice_of(NULL, 0)};
}

struct sip_values sip_values_in(struct slice value)
{
	return (struct sip_values){.rest = value};
}

/* Behind the comment at p; comments nest and hold quoted pairs (RFC 3261 25.1). */
static const char *comment_end(const char *p, struct ch_bound to)
{
	unsigned depth = 0;

	for (; p < to.end; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
		else if (*p == '\\' && p + 1 < to.end)
			p++;
	}
	return to.end;
}

/* Behind the quoted-string or the angle brackets at p. An open one reaches to the end. */
static const char *enclosed_end(const char *p, struct ch_bound to)
{
	const char *close;

	if (*p == '"')
		close = sip_quoted_end(p, to);
	else if (*p == '(')
		close = comment_end(p, to);
	else
		close = memchr(p, '>', (size_t)(to.end - p));
	return close ? close : to.end;
}

/* Where the value at p ends: at its comma, or at the end. A parenthesis begins a comment only
 * behind white space: in a URI without brackets it is a letter as any other. */
static const char *value_end(const char *p, struct ch_bound to)
{
	const char *start = p;

	for (;;) {
		p = ch_run(p, to, CH_LISTED);
		if (p == to.end || *p == ',')
			return p;
		if (*p == '"' || *p == '<' || (*p == '(' && (p == start || ch_is(p[-1], CH_LWS))))
			p = enclosed_end(p, to);
		else
			p += *p == '\\' && p + 1 < to.end ? 2 : 1;
	}
}

bool sip_values_next(struct sip_values *v, struct slice *out)
{
	for (;;) {
		struct ch_bound to = ch_bound_of(v->rest);
		const char *comma;
		struct slice value;

		while (v->rest.n == 0) {
			v->header = v->header ? sip_header_next(v->msg, v->header) : NULL;
			if (!v->header)
				return false;
			v->rest = v->header->value;
			to = ch_bound_of(v->rest);
		}
		comma = value_end(v->rest.p, to);
		value = ch_trim(v->rest.p, comma);
		v->rest = comma == to.end ? slice_of(to.end, 0) : ch_slice(comma + 1, to.end);
		if (value.n == 0)
			continue;
		*out = value;
		return true;
	}
}

int sip_auth_parse(struct slice value, struct sip_auth *out)
{
	struct slice text = slice_trim(value);
	struct ch_bound to = ch_bound_of(text);
	const char *scheme_end = text.n ? ch_run_wide(text.p, to, CH_TOKEN) : text.p;

	if (scheme_end == text.p || (scheme_end < to.end && !ch_is(*scheme_end, CH_LWS)))
		return ERR_SYNTAX;
	out->scheme = ch_slice(text.p, scheme_end);
	out->params = ch_trim(scheme_end, to.end);
	return 0;
}

struct slice sip_auth_param(const struct sip_auth *a, struct slice name)
{
	struct sip_values v = sip_values_in(a->params);
	struct sip_param param;
	struct slice value;

	while (sip_values_next(&v, &value)) {
		if (sip_param_scan(value.p, ch_bound_of(value), &param) != slice_end(value))
			continue;
		if (slice_eq_nocase(param.name, name))
			return param.value.p ? param.value : slice_of(value.p, 0);
	}
	return slice_of(NULL, 0);
}
