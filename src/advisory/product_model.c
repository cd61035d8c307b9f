/* Models: how they are written, which family they belong to, and which of them an advisory means.
 */
#include "advisory/limits.h"
#include "advisory/product.h"

struct model {
	char text[ADV_PRODUCT_BYTES_MAX]; /* letters and digits alone, lower case */
	size_t n;
};

static bool has_digit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_is_digit(s.p[i]))
			return true;
	return false;
}

static struct model model_of(struct slice s)
{
	struct model m = {.n = 0};

	for (size_t i = 0; i < s.n && m.n < sizeof(m.text); i++) {
		char c = ascii_lower(s.p[i]);

		if (ascii_is_digit(c) || (c >= 'a' && c <= 'z'))
			m.text[m.n++] = c;
	}
	return m;
}

static struct slice model_slice(const struct model *m)
{
	return slice_of(m->text, m->n);
}

/* Without the words that makers put before a model: "SIP-T46S" is the T46S. */
static struct slice without_words(const struct product *p, struct slice model)
{
	for (size_t i = 0; p && i < p->strip.count; i++)
		if (slice_starts(model, p->strip.items[i]) && model.n > p->strip.items[i].n)
			model = slice_from(model, p->strip.items[i].n);
	return model;
}

static bool is_series(const struct product *p, struct slice pattern)
{
	for (size_t i = 0; p && i < p->series.count; i++)
		if (slice_eq_nocase(p->series.items[i], pattern))
			return true;
	return false;
}

/* What stands for one character each: "16xx" any, and in a series' name the zeros. */
static size_t wild_tail(struct slice pattern, char wild)
{
	size_t n = 0;

	while (n < pattern.n && pattern.p[pattern.n - 1 - n] == wild)
		n++;
	return n;
}

static bool fits(struct slice pattern, size_t wild, struct slice unit)
{
	size_t fixed = pattern.n - wild;

	if (unit.n < pattern.n || !slice_starts(unit, slice_first(pattern, fixed)))
		return false;
	for (size_t i = fixed; i < pattern.n; i++)
		if (!ascii_is_digit(unit.p[i]))
			return false;
	/* Behind the number stand marks of the variant: 6869i, SPA504G, GXP1628W. */
	return unit.n == pattern.n || !ascii_is_digit(unit.p[pattern.n]);
}

/* "6900w": the zeros are followed by the variant's letters. */
static bool series_fits(struct slice pattern, struct slice unit)
{
	size_t letters = 0, zeros;
	struct slice head, tail;

	while (letters < pattern.n && !ascii_is_digit(pattern.p[pattern.n - 1 - letters]))
		letters++;
	head = slice_first(pattern, pattern.n - letters);
	tail = slice_from(pattern, pattern.n - letters);
	zeros = wild_tail(head, '0');
	if (!zeros || !fits(head, zeros, unit))
		return false;
	return !tail.n || slice_starts(slice_from(unit, head.n), tail);
}

/* The firmware that a pattern names behind a dash: "8800-mpp". */
static struct slice firmware_of(struct slice *pattern)
{
	static const struct slice words[] = {SLICE("-mpp"), SLICE("-sip"), SLICE("-minet")};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_ends_nocase(*pattern, words[i])) {
			*pattern = slice_first(*pattern, pattern->n - words[i].n);
			return slice_from(words[i], 1);
		}
	return slice_of("", 0);
}

enum unit_match product_unit_match(const struct product *p, struct slice pattern, struct slice unit)
{
	struct slice firmware = firmware_of(&pattern);
	struct model a = model_of(pattern), b = model_of(unit);
	struct slice x = without_words(p, model_slice(&a)), y = without_words(p, model_slice(&b));
	size_t wild = wild_tail(x, 'x');
	bool told = firmware.n && slice_ends_nocase(y, firmware), same;

	if (told)
		y = slice_first(y, y.n - firmware.n);
	if (!x.n || !y.n)
		return UNIT_DIFFERENT;
	if (is_series(p, pattern))
		same = series_fits(x, y);
	else if (wild && wild < x.n && ascii_is_digit(x.p[x.n - 1 - wild]))
		same = fits(x, wild, y);
	else
		same = slice_eq(x, y);
	if (!same)
		return UNIT_DIFFERENT;
	return firmware.n && !told ? UNIT_OTHER_FIRMWARE : UNIT_SAME;
}

/* How many bytes of the model a family's mark covers; 0 = it is not of that family. */
static size_t family_fit(const struct product *p, struct slice unit)
{
	struct model m = model_of(unit);
	struct slice model = without_words(p, model_slice(&m));
	size_t best = 0;

	for (size_t i = 0; i < p->models.count; i++)
		if (slice_starts(model, p->models.items[i]) && p->models.items[i].n > best)
			best = p->models.items[i].n;
	return best;
}

static bool vendor_is(const struct product *p, struct slice vendor)
{
	return vendor.n && (slice_starts_nocase(p->vendor, vendor) ||
			    (slice_starts_nocase(vendor, p->vendor) && p->vendor.n > 2));
}

/* The family that covers most of the model; `vendor` empty: of any maker, by two bytes or more. */
static const struct product *family_of(const struct product_table *t, struct slice vendor,
				       struct slice unit)
{
	const struct product *best = NULL;
	size_t most = vendor.n ? 0 : 1;

	for (size_t i = 0; i < t->count; i++) {
		size_t n = family_fit(&t->rows[i], unit);

		if (vendor.n && !vendor_is(&t->rows[i], vendor))
			continue;
		if (n > most) {
			most = n;
			best = &t->rows[i];
		}
	}
	return best;
}

/* "unify openscape 4000": the maker, then the product's own name. */
static const struct product *named_of_vendor(const struct product_table *t, struct slice words)
{
	struct slice rest, vendor = slice_split(words, ' ', &rest);
	const struct product *p = product_named(t, slice_trim(rest));

	return p && vendor_is(p, vendor) ? p : NULL;
}

/* The words before `cut` name a product or a maker, those behind it a model or module. */
static const struct product *resolve_cut(const struct product_table *t, struct slice words,
					 size_t cut, struct slice *unit)
{
	struct slice head = slice_trim(slice_first(words, cut));
	struct slice rest = slice_trim(slice_from(words, cut + 1));
	const struct product *named = product_named(t, head), *family;

	if (!rest.n)
		return NULL;
	family = family_of(t, named ? named->vendor : head, rest);
	if (named && (!named->device || family_fit(named, rest)))
		family = named;
	if (family)
		*unit = rest;
	return family;
}

const struct product *product_resolve(const struct product_table *t, struct slice words,
				      struct slice *unit)
{
	const struct product *p;

	words = slice_trim(words);
	*unit = slice_of("", 0);
	p = words.n && words.n <= ADV_PRODUCT_BYTES_MAX ? product_named(t, words) : NULL;
	if (p || !words.n || words.n > ADV_PRODUCT_BYTES_MAX)
		return p;
	p = named_of_vendor(t, words);
	if (p)
		return p;
	for (size_t cut = words.n - 1; cut > 0; cut--) {
		if (words.p[cut] != ' ' && words.p[cut] != '/' && words.p[cut] != '_')
			continue;
		p = resolve_cut(t, words, cut, unit);
		if (p)
			return p;
	}
	/* A model alone: it has a number, or it is just a word. */
	p = has_digit(words) ? family_of(t, slice_of("", 0), words) : NULL;
	if (p)
		*unit = words;
	return p;
}

/* Records write "gxp1628_firmware", "IP Office Series". */
static struct slice without_tail(struct slice product)
{
	static const struct slice tails[] = {SLICE("_firmware"), SLICE(" firmware"),
					     SLICE(" series"), SLICE("_series")};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (slice_ends_nocase(product, tails[i]) && product.n > tails[i].n)
			return slice_first(product, product.n - tails[i].n);
	return product;
}

const struct product *product_by_vendor(const struct product_table *t, struct slice vendor,
					struct slice product, struct slice *unit)
{
	const struct product *p = NULL;

	*unit = slice_of("", 0);
	vendor = slice_trim(vendor);
	product = slice_trim(product);
	if (!product.n || product.n > ADV_PRODUCT_BYTES_MAX || slice_eq_nocase(product, SL("n/a")))
		return NULL;
	p = product_named(t, product);
	if (!p)
		p = product_named(t, without_tail(product));
	if (p && (p->kind.n == 0 || !vendor.n || vendor_is(p, vendor) || !p->device ||
		  !family_of(t, vendor, product)))
		return p;
	p = vendor.n && vendor.n <= ADV_PRODUCT_BYTES_MAX
		    ? family_of(t, slice_first(vendor, slice_find(vendor, ' ')), product)
		    : NULL;
	if (p)
		*unit = without_tail(product);
	return p;
}
