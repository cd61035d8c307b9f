#include "advisory/range.h"

#include "advisory/version.h"

static bool is_number(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]) && s.p[i] != '.')
			return false;
	return s.n > 0 && ascii_is_digit(*s.p);
}

/* "6970" beside "6.0": a phone's model has no dot and three digits or more. */
static bool is_model_number(struct slice s, const struct product *product)
{
	return product && product->device && s.n >= 3 && slice_find(s, '.') == s.n;
}

/* "18", "5.1", "v10"; a list of models has commas, which no number holds. */
static bool is_branch(struct slice s, const struct product *product)
{
	if (ascii_lower(*s.p) == 'v')
		return is_number(slice_from(s, 1));
	return is_number(s) && !is_model_number(s, product);
}

/* "endpoint16" is the module endpoint in branch 16. */
static void place_module(struct adv_range *r, struct slice text)
{
	size_t n = text.n;

	while (n && (ascii_is_digit(text.p[n - 1]) || text.p[n - 1] == '.'))
		n--;
	r->unit = n ? slice_first(text, n) : text;
	r->branch = n ? slice_from(text, n) : slice_of(text.p, 0);
}

void range_place(struct adv_range *r, struct slice text, const struct product *product)
{
	struct slice rest;

	text = slice_trim(text);
	if (!text.n)
		return;
	rest = slice_from(text, 4);
	if (slice_starts_nocase(text, SL("cert")) && is_number(rest)) {
		r->certified = true;
		r->branch = rest;
	} else if (is_branch(text, product)) {
		r->branch = text;
	} else if (slice_find(text, ',') < text.n || (product && product->device)) {
		r->unit = text;
	} else {
		place_module(r, text);
	}
}

static enum range_answer unit_judge(const struct adv_range *r, const struct range_query *q)
{
	struct slice rest = r->unit, pattern;
	enum range_answer best = RANGE_NO;

	if (!r->unit.n)
		return RANGE_YES;
	if (!q->unit.n) {
		if (q->product && slice_eq_nocase(q->product->module, r->unit))
			return RANGE_YES;
		return RANGE_MAYBE;
	}
	while (rest.n) {
		enum unit_match m;

		pattern = slice_trim(slice_split(rest, ',', &rest));
		m = product_unit_match(q->product, pattern, q->unit);
		if (m == UNIT_SAME)
			return RANGE_YES;
		if (m == UNIT_OTHER_FIRMWARE)
			best = RANGE_MAYBE;
	}
	return best;
}

static enum range_answer listed_judge(const struct adv_range *r, struct slice version)
{
	enum range_answer best = RANGE_NO;

	for (size_t i = 0; i < r->version_count; i++) {
		if (version_cmp_upstream(version, r->versions[i]) == 0)
			return RANGE_YES;
		/* Listed as "11.5", which leaves open which builds of it. */
		if (slice_find(r->versions[i], '-') == r->versions[i].n &&
		    is_number(r->versions[i]) && version_in_branch(version, r->versions[i]))
			best = RANGE_MAYBE;
	}
	return best;
}

static bool other_calendar(struct slice bound, struct slice version)
{
	return bound.n && version_is_date(bound) != version_is_date(version);
}

static enum range_answer bounds_judge(const struct adv_range *r, struct slice version)
{
	if (!r->introduced.n && !r->fixed.n && !r->last.n)
		return r->version_count ? RANGE_NO : RANGE_MAYBE;
	if (other_calendar(r->introduced, version) || other_calendar(r->fixed, version) ||
	    other_calendar(r->last, version))
		return RANGE_MAYBE;
	if (r->introduced.n && version_cmp_upstream(version, r->introduced) < 0)
		return RANGE_NO;
	/* Beyond a bound of no branch: another range may still be about it. */
	if ((r->fixed.n && version_cmp_upstream(version, r->fixed) >= 0) ||
	    (r->last.n && version_cmp_upstream(version, r->last) > 0))
		return r->branch.n ? RANGE_FIXED : RANGE_NO;
	return RANGE_YES;
}

/* A branch whose bound lies beyond it ("6.0: up to 6.1.0") is where the range begins. */
static bool branch_is_start(const struct adv_range *r)
{
	struct slice bound = r->fixed.n ? r->fixed : r->last;

	return bound.n && !version_in_branch(bound, r->branch) &&
	       version_cmp_upstream(bound, r->branch) > 0;
}

/* Whether a version belongs to the line of releases that the range is about. */
static bool in_line(const struct adv_range *r, struct slice version)
{
	struct slice base = version_certified_base(version);

	if (r->certified)
		return base.n && version_cmp_upstream(base, r->branch) == 0;
	if (!r->branch.n)
		return true;
	if (base.n)
		return false;
	if (branch_is_start(r))
		return version_cmp_upstream(version, r->branch) >= 0;
	return version_in_branch(version, r->branch);
}

static enum range_answer version_judge(const struct adv_range *r, struct slice version)
{
	enum range_answer a;

	if (r->all && !r->branch.n)
		return RANGE_YES;
	if (!version_upstream_known(version))
		return RANGE_MAYBE;
	if (!in_line(r, version))
		return RANGE_NO;
	if (r->all)
		return RANGE_YES;
	a = listed_judge(r, version);
	if (a == RANGE_YES)
		return a;
	if (a == RANGE_NO)
		a = bounds_judge(r, version);
	/* A certified release counts its own fixes: an ordinary bound says nothing certain. */
	if (!r->certified && version_certified_base(version).n)
		return a == RANGE_YES ? RANGE_MAYBE : RANGE_NO;
	return a;
}

enum range_answer range_judge(const struct adv_range *r, const struct range_query *q)
{
	enum range_answer unit = unit_judge(r, q), version;

	if (unit == RANGE_NO)
		return RANGE_NO;
	if (!r->decidable)
		return RANGE_MAYBE;
	version = version_judge(r, q->version);
	if (unit == RANGE_MAYBE)
		return version == RANGE_YES	? RANGE_MAYBE
		       : version == RANGE_FIXED ? RANGE_NO
						: version;
	return version;
}
