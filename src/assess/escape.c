#include "assess/escape.h"

#include "base/json.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Bytes of the character at the front that may stand in a document: 0 = none may. XML 1.0 has no
 * control characters but tabulator and line ends. */
static size_t printable(struct slice s)
{
	unsigned char c = (unsigned char)*s.p;

	if (c == '\t' || c == '\n' || c == '\r')
		return 1;
	if (c < ' ' || c == 0x7f)
		return 0;
	return c < 0x80 ? 1 : utf8_length(s);
}

void escape_markup(FILE *to, const char *z)
{
	struct slice s = slice_z(z);

	while (s.n) {
		const char *as = entity(*s.p);
		size_t n = printable(s);

		if (as)
			fputs(as, to);
		else if (n)
			fwrite(s.p, 1, n, to);
		else
			fputs(REPLACEMENT, to);
		s = slice_from(s, n ? n : 1);
	}
}

/* OWASP, CSV injection: these begin a formula in one spreadsheet or another, the last four in their
 * full width. */
static bool begins_formula(struct slice s)
{
	static const char *const starts[] = {"=",
					     "+",
					     "-",
					     "@",
					     "\t",
					     "\r",
					     "\n",
					     "\xef\xbc\x9d",
					     "\xef\xbc\x8b",
					     "\xef\xbc\x8d",
					     "\xef\xbc\xa0"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (slice_starts(s, slice_z(starts[i])))
			return true;
	return false;
}

void escape_csv(FILE *to, const char *z)
{
	struct slice s = slice_z(z);

	fputc('"', to);
	if (begins_formula(s))
		fputc('\'', to);
	while (s.n) {
		size_t n = printable(s);

		if (*s.p == '"')
			fputs("\"\"", to);
		else if (n)
			fwrite(s.p, 1, n, to);
		else
			fputs(REPLACEMENT, to);
		s = slice_from(s, n ? n : 1);
	}
	fputc('"', to);
}
