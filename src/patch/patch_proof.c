#include "base/mem.h"
#include "patch/patch_impl.h"

#define LENGTH_DIGITS 5

void patch_proof_begin(struct patch_set *s, struct patch_proof *p)
{
	*p = (struct patch_proof){.o = out_to(s->message, PATCH_MESSAGE_MAX)};
}

static bool hex_digit(char c, unsigned *out)
{
	char low = ascii_lower(c);

	if (ascii_is_digit(c))
		*out = (unsigned)(c - '0');
	else if (low >= 'a' && low <= 'f')
		*out = (unsigned)(low - 'a') + 10;
	else
		return false;
	return true;
}

/* Behind "\x": the bytes it took, 0 = it is wrong. */
static size_t put_hex(struct patch_proof *p, struct slice rest)
{
	unsigned high, low;

	if (rest.n < 2 || !hex_digit(rest.p[0], &high) || !hex_digit(rest.p[1], &low))
		return 0;
	out_char(&p->o, (char)(high << 4 | low));
	return 2;
}

static void put_text(struct patch_proof *p, struct slice text, bool nested);

/* Behind "\{": "COUNT:TEXT}". */
static size_t put_repeated(struct patch_proof *p, struct slice rest)
{
	size_t end = slice_find(rest, '}');
	struct slice text, count = slice_split(slice_first(rest, end), ':', &text);
	uint32_t n;

	if (end == rest.n || slice_u32(count, PATCH_MESSAGE_MAX, &n))
		return 0;
	while (n-- && !p->o.err && !p->bad)
		put_text(p, text, true);
	return end + 1;
}

/* Behind "\": the bytes it took, 0 = it is not known. */
static size_t put_escape(struct patch_proof *p, struct slice rest, bool nested)
{
	size_t used;

	switch (rest.n ? rest.p[0] : '\0') {
	case '\\':
		out_char(&p->o, '\\');
		return 1;
	case 'r':
		out_char(&p->o, '\r');
		return 1;
	case 'n':
		out_char(&p->o, '\n');
		return 1;
	case 't':
		out_char(&p->o, '\t');
		return 1;
	case 'x':
		used = put_hex(p, slice_from(rest, 1));
		return used ? used + 1 : 0;
	case '{':
		used = nested ? 0 : put_repeated(p, slice_from(rest, 1));
		return used ? used + 1 : 0;
	case 'L':
		if (nested || p->length_at)
			return 0;
		p->length_at = p->o.n;
		out_z(&p->o, "00000");
		return 1;
	default:
		return 0;
	}
}

static void put_text(struct patch_proof *p, struct slice text, bool nested)
{
	while (text.n && !p->bad) {
		size_t plain = slice_find(text, '\\'), used;

		out_bytes(&p->o, slice_first(text, plain));
		if (plain == text.n)
			return;
		text = slice_from(text, plain + 1);
		used = put_escape(p, text, nested);
		p->bad = used == 0;
		text = slice_from(text, used);
	}
}

void patch_proof_line(struct patch_proof *p, struct slice line)
{
	bool joined = line.n >= 2 && slice_eq(slice_from(line, line.n - 2), SL("\\c"));

	put_text(p, joined ? slice_first(line, line.n - 2) : line, false);
	if (!joined)
		out_z(&p->o, "\r\n");
	p->bad = p->bad || p->o.err;
}

struct slice patch_proof_end(struct patch_set *s, struct patch_proof *p)
{
	struct slice text = out_slice(&p->o);
	size_t empty = slice_find_slice(text, SL("\r\n\r\n"));
	size_t body = empty + 4 <= text.n ? text.n - empty - 4 : 0;

	for (size_t i = LENGTH_DIGITS; p->length_at && i-- > 0; body /= 10)
		s->message[p->length_at + i] = (char)('0' + body % 10);
	return text;
}
