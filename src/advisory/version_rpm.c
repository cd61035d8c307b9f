#include "advisory/version.h"
#include "advisory/version_run.h"

static struct slice skip_separators(struct slice s)
{
	while (s.n && !ascii_is_digit(*s.p) && !ascii_is_alpha(*s.p) && *s.p != '~' && *s.p != '^')
		s = slice_from(s, 1);
	return s;
}

static int text_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order || a.n == b.n)
		return order;
	return a.n < b.n ? -1 : 1;
}

static int number_cmp(struct slice a, struct slice b)
{
	while (a.n && *a.p == '0')
		a = slice_from(a, 1);
	while (b.n && *b.p == '0')
		b = slice_from(b, 1);
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return text_cmp(a, b);
}

/* A mark at the front of either: '~' is before the end, '^' behind it but before anything else.
 * True: *order holds the answer, or both marks were taken and *again is set. */
static bool marks(struct slice *a, struct slice *b, int *order, bool *again)
{
	char x = a->n ? *a->p : '\0', y = b->n ? *b->p : '\0';
	char mark = x == '~' || y == '~' ? '~' : '^';

	*again = false;
	if (x != mark && y != mark)
		return false;
	if (x == y) {
		*a = slice_from(*a, 1);
		*b = slice_from(*b, 1);
		*again = true;
	} else if (mark == '~') {
		*order = x == '~' ? -1 : 1;
	} else if (!a->n || !b->n) {
		*order = a->n ? 1 : -1;
	} else {
		*order = x == '^' ? -1 : 1;
	}
	return true;
}

int version_cmp_rpm_part(struct slice a, struct slice b)
{
	int order = 0;
	bool again;

	for (;;) {
		struct slice x, y;
		bool digits;

		a = skip_separators(a);
		b = skip_separators(b);
		if (marks(&a, &b, &order, &again)) {
			if (again)
				continue;
			return order;
		}
		if (!a.n || !b.n)
			break;
		digits = ascii_is_digit(*a.p);
		x = version_take_run(&a, digits);
		y = version_take_run(&b, digits);
		if (!y.n)
			return digits ? 1 : -1;
		order = digits ? number_cmp(x, y) : text_cmp(x, y);
		if (order)
			return order;
	}
	if (!a.n && !b.n)
		return 0;
	return a.n ? 1 : -1;
}

int version_cmp_rpm(struct slice a, struct slice b)
{
	struct slice release_a = {0}, release_b = {0}, epoch_a = SLICE("0"), epoch_b = SLICE("0");
	int order;

	a = slice_trim(a);
	b = slice_trim(b);
	if (slice_find(a, ':') < a.n)
		epoch_a = slice_split(a, ':', &a);
	if (slice_find(b, ':') < b.n)
		epoch_b = slice_split(b, ':', &b);
	a = slice_split(a, '-', &release_a);
	b = slice_split(b, '-', &release_b);
	order = number_cmp(epoch_a, epoch_b);
	if (!order)
		order = version_cmp_rpm_part(a, b);
	if (!order && release_a.n && release_b.n)
		order = version_cmp_rpm_part(release_a, release_b);
	return order;
}
