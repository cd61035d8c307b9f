#include "advisory/version.h"

struct debian_parts {
	struct slice epoch, upstream, revision;
};

/* Where a character stands when it is no digit: '~' before the end, letters before the rest. */
static int rank(struct slice s, size_t i)
{
	unsigned char c = i < s.n ? (unsigned char)s.p[i] : 0;

	if (i >= s.n || ascii_is_digit((char)c))
		return 0;
	if (c == '~')
		return -1;
	return ascii_is_alpha((char)c) ? c : c + 256;
}

/* Numbers without bound: leading zeros away, then the longer one, then byte by byte. */
static int number_cmp(struct slice a, struct slice b, size_t *i, size_t *k)
{
	int first = 0;

	while (*i < a.n && a.p[*i] == '0')
		++*i;
	while (*k < b.n && b.p[*k] == '0')
		++*k;
	for (; *i < a.n && *k < b.n && ascii_is_digit(a.p[*i]) && ascii_is_digit(b.p[*k]);
	     ++*i, ++*k)
		if (!first)
			first = a.p[*i] - b.p[*k];
	if (*i < a.n && ascii_is_digit(a.p[*i]))
		return 1;
	if (*k < b.n && ascii_is_digit(b.p[*k]))
		return -1;
	return first;
}

static int part_cmp(struct slice a, struct slice b)
{
	size_t i = 0, k = 0;

	while (i < a.n || k < b.n) {
		int order;

		while ((i < a.n && !ascii_is_digit(a.p[i])) ||
		       (k < b.n && !ascii_is_digit(b.p[k]))) {
			if (rank(a, i) != rank(b, k))
				return rank(a, i) - rank(b, k);
			i++;
			k++;
		}
		order = number_cmp(a, b, &i, &k);
		if (order)
			return order;
	}
	return 0;
}

static struct debian_parts parts_of(struct slice v)
{
	struct debian_parts p = {.upstream = slice_trim(v)};
	size_t colon = slice_find(p.upstream, ':');

	if (colon < p.upstream.n) {
		p.epoch = slice_first(p.upstream, colon);
		p.upstream = slice_from(p.upstream, colon + 1);
	}
	for (size_t i = p.upstream.n; i-- > 0;)
		if (p.upstream.p[i] == '-') {
			p.revision = slice_from(p.upstream, i + 1);
			p.upstream = slice_first(p.upstream, i);
			break;
		}
	return p;
}

int version_cmp_dpkg(struct slice a, struct slice b)
{
	struct debian_parts x = parts_of(a), y = parts_of(b);
	int order = part_cmp(x.epoch, y.epoch);

	if (!order)
		order = part_cmp(x.upstream, y.upstream);
	return order ? order : part_cmp(x.revision, y.revision);
}
