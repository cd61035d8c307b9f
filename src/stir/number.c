#include "stir/number.h"

#define NANP_DIGITS 10 /* of a number within the North American plan, whose country code is 1 */

bool number_is_canonical(struct slice tn)
{
	return slice_is_digits(tn) && tn.n < IDENTITY_TN_MAX;
}

static bool is_separator(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

/* Digits alone; *plus tells of a leading one. The 4 bytes beyond E.164 are for prefixes. */
static int digits_of(struct slice user, char out[static IDENTITY_TN_MAX + NUMBER_PREFIX_MAX],
		     bool *plus)
{
	struct slice rest, text = slice_split(user, ';', &rest);
	size_t n = 0;

	*plus = text.n && text.p[0] == '+';
	for (size_t i = *plus; i < text.n; i++) {
		if (is_separator(text.p[i]))
			continue;
		if (!ascii_is_digit(text.p[i]) || n + 1 == IDENTITY_TN_MAX + NUMBER_PREFIX_MAX)
			return ERR_SYNTAX;
		out[n++] = text.p[i];
	}
	out[n] = '\0';
	return n ? 0 : ERR_SYNTAX;
}

/* The digits behind a prefix that is configured and stands there. */
static bool behind(struct slice digits, const char *prefix, struct slice *rest)
{
	struct slice p = slice_z(prefix);

	if (p.n == 0 || digits.n <= p.n || !slice_starts(digits, p))
		return false;
	*rest = slice_from(digits, p.n);
	return true;
}

int number_canonical(struct slice user, const struct number_plan *plan,
		     char out[static IDENTITY_TN_MAX])
{
	char text[IDENTITY_TN_MAX + NUMBER_PREFIX_MAX];
	struct slice digits, country = slice_z(plan->country);
	bool plus, within = false;

	if (digits_of(user, text, &plus))
		return ERR_SYNTAX;
	digits = slice_z(text);
	if (!plus && country.n && !behind(digits, plan->international, &digits))
		within = behind(digits, plan->national, &digits) ||
			 (slice_eq(country, SL("1")) && digits.n == NANP_DIGITS);
	if (!within)
		country.n = 0;
	if (country.n + digits.n >= IDENTITY_TN_MAX)
		return ERR_SYNTAX;
	if (country.n)
		memcpy(out, country.p, country.n);
	memcpy(out + country.n, digits.p, digits.n);
	out[country.n + digits.n] = '\0';
	return 0;
}
