#include "advisory/import_impl.h"
#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "advisory/row.h"
#include "advisory/version.h"

#include <errno.h>

int sink_row(struct import_sink *s, json_t *row)
{
	struct adv_row read;
	struct arena arena;
	int err;

	if (!row)
		return fault_say(s->fault, ERR_NOMEM, "%s: no memory", s->where);
	arena_init(&arena, 4096, ADV_ROW_ARENA_BYTES);
	err = adv_row_read(row, s->products, &arena, s->where, (unsigned)s->documents, &read,
			   s->fault);
	arena_done(&arena);
	if (!err && s->rows == ADV_ROWS_MAX)
		err = fault_say(s->fault, ERR_LIMIT, "%s: it holds too many rows", s->where);
	if (!err && s->to && (json_dumpf(row, s->to, JSON_COMPACT) || putc('\n', s->to) == EOF))
		err = fault_say(s->fault, -EIO, "%s: the rows cannot be written", s->where);
	if (!err)
		s->rows++;
	json_decref(row);
	return err;
}

int sink_format(struct import_sink *s, const char *format)
{
	if (s->format && strcmp(s->format, format) != 0)
		return fault_say(s->fault, ERR_SYNTAX,
				 "%s: it is of the format %s, what came before it of %s; import "
				 "them one by one",
				 s->where, format, s->format);
	s->format = format;
	s->documents++;
	return 0;
}

void sink_dated(struct import_sink *s, struct slice date)
{
	uint64_t ms = json_date_ms(date);

	if (ms > s->dated_ms)
		s->dated_ms = ms;
}

void sink_ident(struct import_sink *s, const char *prefix, struct slice ident)
{
	size_t n;

	if (*s->ident || s->documents > 1)
		return;
	n = (size_t)snprintf(s->ident, sizeof(s->ident), "%s", prefix);
	for (size_t i = 0; i < ident.n && n + 1 < sizeof(s->ident); i++) {
		char c = ascii_lower(ident.p[i]);
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';

		s->ident[n++] = plain ? c : '-';
	}
	s->ident[n] = '\0';
}

bool import_no_version(struct slice v)
{
	static const struct slice words[] = {SLICE(""),	       SLICE("0"),   SLICE("*"),
					     SLICE("-"),       SLICE("n/a"), SLICE("unspecified"),
					     SLICE("unknown"), SLICE("all"), SLICE("all versions"),
					     SLICE("0.0.0")};

	v = slice_trim(v);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_eq_nocase(v, words[i]))
			return true;
	return false;
}

int import_append(json_t *list, json_t *value)
{
	return value && json_array_append_new(list, value) == 0 ? 0 : ERR_NOMEM;
}

static int set_text(json_t *object, const char *key, struct slice text)
{
	if (!text.n)
		return 0;
	return json_object_set_new(object, key, json_stringn(text.p, text.n)) ? ERR_NOMEM : 0;
}

/* "cert18.9" when a bound is of a certified line, else the unit. */
static int set_place(json_t *range, struct slice unit, struct slice bound)
{
	struct slice base = version_certified_base(bound);
	char place[ADV_VERSION_BYTES_MAX];
	int n;

	if (!base.n || unit.n)
		return set_text(range, "branch_or_model", unit);
	n = snprintf(place, sizeof(place), "cert%.*s", SLICE_ARGS(base));
	if (n < 0 || (size_t)n >= sizeof(place))
		return 0; /* no version is that long */
	return set_text(range, "branch_or_model", slice_of(place, (size_t)n));
}

json_t *import_range(struct slice unit, struct slice introduced, struct slice fixed,
		     struct slice last)
{
	json_t *range = json_object();

	if (import_no_version(introduced))
		introduced = slice_of("", 0);
	if (!range ||
	    set_place(range, unit,
		      fixed.n  ? fixed
		      : last.n ? last
			       : introduced) ||
	    set_text(range, "introduced", introduced) || set_text(range, "fixed", fixed) ||
	    set_text(range, "last_affected", last) ||
	    (!introduced.n && !fixed.n && !last.n &&
	     json_object_set_new(range, "all", json_true()))) {
		json_decref(range);
		return NULL;
	}
	return range;
}

static json_t *exact(struct slice unit, struct slice version)
{
	json_t *range = json_pack("{s[s%]}", "versions", version.p, version.n);

	if (range && set_place(range, unit, version)) {
		json_decref(range);
		return NULL;
	}
	return range;
}

/* Takes "<=", ">=", "<", ">", "=" from the front; '\0' when there is none. */
static char take_sign(struct slice *term, bool *inclusive)
{
	char sign;

	*term = slice_trim(*term);
	sign = term->n ? *term->p : '\0';
	if (sign != '<' && sign != '>' && sign != '=')
		return '\0';
	*term = slice_from(*term, 1);
	*inclusive = sign == '=' || slice_starts(*term, SL("="));
	if (slice_starts(*term, SL("=")))
		*term = slice_from(*term, 1);
	*term = slice_trim(*term);
	return sign;
}

json_t *import_range_of_text(struct slice unit, struct slice text)
{
	struct slice introduced = {.p = ""}, fixed = {.p = ""}, last = {.p = ""}, rest;
	char split = ',';

	text = slice_trim(text);
	if (slice_starts(text, SL("vers:"))) {
		slice_split(text, '/', &text);
		split = '|';
	}
	for (rest = text; rest.n;) {
		struct slice term = slice_split(rest, split, &rest);
		bool inclusive = false;
		char sign = take_sign(&term, &inclusive);

		if (sign == '\0' || sign == '=')
			return exact(unit, term);
		if (sign == '>')
			introduced = term;
		else if (inclusive)
			last = term;
		else
			fixed = term;
	}
	return import_range(unit, introduced, fixed, last);
}

json_t *import_cvss(const json_t *cvss)
{
	double score = json_number_value(json_object_get(cvss, "baseScore"));
	struct slice vector = json_member_slice(cvss, "vectorString");

	if (!(score > 0 && score <= 10))
		return NULL;
	return json_pack("{sf ss%}", "score", score, "vector", vector.p, vector.n);
}
