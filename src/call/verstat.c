#include "call/verstat.h"

#define NAME "verstat"

/* One character at text.p[at], escaped or not (RFC 3261 19.1.2); its length. */
static size_t char_at(struct slice text, size_t at, char *out)
{
	char plain[2];
	struct out o = out_to(plain, sizeof(plain));

	*out = text.p[at];
	if (text.p[at] != '%' || text.n - at < 3 ||
	    sip_unescape(slice_of(text.p + at, 3), &o) != 0 || o.n != 1)
		return 1;
	*out = plain[0];
	return 3;
}

/* Bytes of the name at the text's beginning, 0 = another one stands there. */
static size_t name_length(struct slice text)
{
	static const struct slice name = SLICE(NAME);
	size_t at = 0;

	for (size_t i = 0; i < name.n; i++) {
		char c;

		if (at >= text.n)
			return 0;
		at += char_at(text, at, &c);
		if (ascii_lower(c) != name.p[i])
			return 0;
	}
	return at;
}

bool verstat_is_param(struct slice name)
{
	return name.n && name_length(slice_trim(name)) == slice_trim(name).n;
}

static bool ends_param(char c)
{
	return strchr(";@>,?&\"", c) != NULL;
}

static size_t skip_space(struct slice text, size_t at)
{
	while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t'))
		at++;
	return at;
}

struct slice verstat_split(struct slice text, struct slice *rest)
{
	for (size_t at = 0; at < text.n; at++) {
		size_t begin, n, end;

		if (text.p[at] != ';')
			continue;
		begin = skip_space(text, at + 1);
		n = name_length(slice_from(text, begin));
		end = skip_space(text, begin + n);
		if (n == 0 || (end < text.n && text.p[end] != '=' && !ends_param(text.p[end])))
			continue;
		while (end < text.n && !ends_param(text.p[end]))
			end++;
		*rest = slice_from(text, end);
		return slice_first(text, at);
	}
	*rest = slice_of(text.p, 0);
	return text;
}

bool verstat_is_header(struct slice name)
{
	static const struct slice names[] = {SLICE("Attestation-Info"),
					     SLICE("Origination-Id"),
					     SLICE("P-Attestation-Indicator"),
					     SLICE("P-Origination-Id"),
					     SLICE("Verstat"),
					     SLICE("P-Verstat")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_eq_nocase(name, names[i]))
			return true;
	return false;
}
